"""The ways in which files write one net: each gives the weights with which ours computes the same.

What a file computes is what ONNX' reference evaluator says.
"""

import keras
import numpy as np
import pytest
from keras import layers

from keras_convnets import weights
from keras_convnets.errors import InputError
from keras_convnets.layers import LocalResponseNormalization, PadChannels, ResidualScale

from .small_nets import conv, net


def classifier(*before):
    return net(*before, layers.Flatten(name="flatten"), layers.Dense(5, name="predictions"))


@pytest.mark.parametrize("order", ["chw", "hwc"])
@pytest.mark.parametrize("how", ["Flatten", "Reshape", "computed shape"])
def test_flattened_maps_keep_their_order(file, check, order, how):
    x = file.node("Relu", file.node("Conv", "image", file.drawn(4, 3, 3, 3), file.drawn(4)))
    if order == "hwc":
        x = file.node("Transpose", x, perm=[0, 2, 3, 1])
    if how == "Flatten":
        x = file.node("Flatten", x)
    elif how == "Reshape":
        x = file.node("Reshape", x, file.constant([1, -1], "int64"))
    else:
        batch = file.node("Gather", file.node("Shape", x), file.constant([0], "int64"), axis=0)
        shape = file.node("Concat", batch, file.constant([-1], "int64"), axis=0)
        x = file.node("Reshape", x, shape)
    x = file.node("Gemm", x, file.drawn(5, 144), file.drawn(5), transB=1)
    check(classifier(conv(activation="relu")), x)


def test_products_of_matrices(file, check):
    """Transposed or not, with factors, with a bias for all or none."""
    model = net(
        layers.Flatten(),
        *(layers.Dense(n, name=f"fc{i}") for i, n in enumerate((6, 5, 4, 3))),
    )
    x = file.node("MatMul", file.node("Flatten", "image"), file.drawn(192, 6))
    x = file.node("Add", file.drawn(6), x)
    x = file.node("Transpose", x, perm=[1, 0])
    x = file.node("Gemm", x, file.drawn(6, 5), file.drawn(1, 5), transA=1, alpha=0.5, beta=2.0)
    x = file.node("Gemm", x, file.drawn(4, 5), file.drawn(1), transB=1)
    check(model, file.node("MatMul", x, file.drawn(4, 3)))


def test_a_dense_layer_may_be_a_convolution_of_means(file, check):
    model = net(conv(), layers.GlobalAveragePooling2D(), layers.Dense(5, name="predictions"))
    x = file.node("Conv", "image", file.drawn(4, 3, 3, 3), file.drawn(4))
    x = file.node("ReduceMean", x, file.constant([2, 3], "int64"), keepdims=1)
    x = file.node("Conv", x, file.drawn(5, 4, 1, 1), file.drawn(5))
    check(model, file.node("Squeeze", x, file.constant([2, 3], "int64")))


def test_a_pool_over_the_whole_map_is_a_global_one(file, check):
    model = net(conv(), layers.GlobalAveragePooling2D(), layers.Dense(5, name="predictions"))
    x = file.node("Conv", "image", file.drawn(4, 3, 3, 3), file.drawn(4))
    x = file.node("AveragePool", x, kernel_shape=[6, 6])
    x = file.node("Reshape", x, file.constant([-1, 4], "int64"))
    check(model, file.node("Gemm", x, file.drawn(4, 5)))


@pytest.mark.parametrize(
    "way", ["tensor", "floats", "node", "identity", "cast", "transposed", "half"]
)
def test_kernels_come_in_many_ways(file, check, way, rng):
    kernel = file.drawn(4, 3, 3, 3)
    proto = file.tensors[-1]
    if way == "floats":
        array = file.array(kernel)
        proto.ClearField("raw_data")
        proto.float_data.extend(array.ravel())
    elif way == "node":
        file.tensors.remove(proto)
        kernel = file.node("Constant", value=proto)
    elif way == "identity":
        kernel = file.node("Identity", kernel)
    elif way == "cast":
        kernel = file.node("Cast", file.constant(rng.normal(size=(4, 3, 3, 3)), "float64"), to=1)
    elif way == "transposed":
        flat = file.node("Reshape", file.drawn(3, 3, 12), file.constant([3, 3, 3, -1], "int64"))
        kernel = file.node("Transpose", flat, perm=[3, 2, 0, 1])
    elif way == "half":
        kernel = file.node("Cast", file.constant(rng.normal(size=(4, 3, 3, 3)), "float16"), to=1)
    check(net(conv(use_bias=False)), file.node("Conv", "image", kernel))


def test_depthwise_grouped_and_separable_convolutions(file, check):
    model = net(
        layers.DepthwiseConv2D(3, depth_multiplier=2, use_bias=False, name="depthwise"),
        layers.Conv2D(4, 3, groups=2, name="grouped"),
        layers.SeparableConv2D(5, 3, depth_multiplier=2, padding="same", name="separable"),
    )
    x = file.node("Conv", "image", file.drawn(6, 1, 3, 3), group=3)
    x = file.node("Conv", x, file.drawn(4, 3, 3, 3), file.drawn(4), group=2)
    x = file.node("Conv", x, file.drawn(8, 1, 3, 3), group=4, pads=[1, 1, 1, 1])
    check(model, file.node("Conv", x, file.drawn(5, 8, 1, 1), file.drawn(5)))


def test_paths_that_can_be_exchanged_stay_whole(file, check):
    image = keras.Input((8, 8, 3))
    paths = []
    for i in range(4):
        x = conv(name=f"path{i}_conv1", use_bias=False, activation="relu")(image)
        paths.append(conv(name=f"path{i}_conv2", use_bias=False)(x))
    model = keras.Model(image, layers.Add()(paths), name="net")
    first = [file.node("Conv", "image", file.drawn(4, 3, 3, 3)) for _ in range(4)]
    middle = [file.node("Relu", x) for x in reversed(first)]
    last = [file.node("Conv", x, file.drawn(4, 4, 3, 3)) for x in middle]
    total = file.node("Add", last[2], last[0])
    total = file.node("Add", last[1], total)
    check(model, file.node("Add", total, last[3]))


def test_branches_of_one_shape_are_told_apart_by_their_place(file, check):
    image = keras.Input((8, 8, 3))
    ends = [conv(name=f"branch{i}", size=1, use_bias=False)(image) for i in range(3)]
    model = keras.Model(image, layers.Concatenate()(ends), name="net")
    ends = [file.node("Conv", "image", file.drawn(4, 3, 1, 1)) for _ in range(3)]
    inner = file.node("Concat", ends[2], ends[0], axis=1)
    check(model, file.node("Concat", inner, ends[1], axis=-3))


def test_concatenation_in_another_order_is_another_net(file, check):
    image = keras.Input((8, 8, 3))
    ends = [conv(3, name="large", padding="same")(image), conv(3, 1, name="small")(image)]
    model = keras.Model(image, layers.Concatenate(name="concat")(ends), name="net")
    small = file.node("Conv", "image", file.drawn(3, 3, 1, 1), file.drawn(3))
    large = file.node("Conv", "image", file.drawn(3, 3, 3, 3), file.drawn(3), pads=[1] * 4)
    with pytest.raises(InputError, match="no counterpart of the layer 'concat'"):
        check(model, file.node("Concat", small, large, axis=1))


@pytest.mark.parametrize("before", ["in the file", "in the model"])
def test_what_is_used_before_its_normalization_is_not_normalized(file, check, before):
    image = keras.Input((8, 8, 3))
    x = conv(use_bias=False)(image)
    y = layers.BatchNormalization(name="bn")(x)
    end = layers.Add(name="add")([x if before == "in the model" else y, layers.ReLU()(y)])
    x = file.node("Conv", "image", file.drawn(4, 3, 3, 3))
    y = file.norm(x, 4)
    with pytest.raises(InputError, match="no counterpart of the layer"):
        check(
            keras.Model(image, end, name="net"),
            file.node("Add", x if before == "in the file" else y, file.node("Relu", y)),
        )


def test_scaled_residues(file, check):
    image = keras.Input((8, 8, 3))
    x = conv(3, 1)(image)
    residue = conv(3, 1, name="residue")(x)
    model = keras.Model(image, ResidualScale(0.17)([x, residue]), name="net")
    x = file.node("Conv", "image", file.drawn(3, 3, 1, 1), file.drawn(3))
    residue = file.node("Conv", x, file.drawn(3, 3, 1, 1), file.drawn(3))
    scaled = file.node("Mul", file.constant(np.float32(0.17)), residue)
    check(model, file.node("Add", x, scaled))


def test_shortcuts_with_more_channels(file, check):
    image = keras.Input((8, 8, 3))
    x = layers.MaxPooling2D(1, 2)(conv(3, 1, use_bias=False)(image))
    model = keras.Model(image, conv(2, 1, name="last")(PadChannels(5)(x)), name="net")
    x = file.node("Conv", "image", file.drawn(3, 3, 1, 1))
    x = file.node(
        "Slice", x, *(file.constant(n, "int64") for n in ([0, 0], [99**4] * 2, [2, 3], [2, 2]))
    )
    x = file.node("Pad", x, file.constant([0, 0, 0, 0, 0, 2, 0, 0], "int64"))
    check(model, file.node("Conv", x, file.drawn(2, 5, 1, 1), file.drawn(2)))


@pytest.mark.parametrize("part", [([1, 0], [9, 9], [2, 2]), ([0, 0], [6, 8], [2, 2])])
def test_a_part_of_a_map_is_no_map_with_strides(file, check, part):
    starts, ends, steps = part
    model = net(conv(3, 1, use_bias=False), layers.MaxPooling2D(1, 2), conv(4, 1, name="last"))
    x = file.node("Conv", "image", file.drawn(3, 3, 1, 1))
    parts = starts, ends, [2, 3], steps
    x = file.node("Slice", x, *(file.constant(part, "int64") for part in parts))
    with pytest.raises(InputError, match="no counterpart of the layer 'last'"):
        check(model, file.node("Conv", x, file.drawn(4, 3, 1, 1), file.drawn(4)))


def test_strides_may_stand_in_front_of_a_projection(file, check):
    model = net(conv(3, 1, use_bias=False), conv(4, 1, strides=2, name="projection"))
    x = file.node("Conv", "image", file.drawn(3, 3, 1, 1))
    x = file.node("MaxPool", x, kernel_shape=[1, 1], strides=[2, 2])
    check(model, file.node("Conv", x, file.drawn(4, 3, 1, 1), file.drawn(4)))


@pytest.mark.parametrize("way", ["LRN", "written out"])
def test_local_response_normalization(file, check, way):
    model = net(conv(8), LocalResponseNormalization(alpha=0.5), conv(4, name="last"))
    x = file.node("Conv", "image", file.drawn(8, 3, 3, 3), file.drawn(8))
    if way == "LRN":
        x = file.node("LRN", x, size=5, alpha=0.5)
    else:
        band = np.abs(np.subtract.outer(np.arange(8), np.arange(8))) <= 2
        squares = file.node("Mul", x, x)
        sums = file.node("Einsum", squares, file.constant(band), equation="nihw,io->nohw")
        energy = file.node("Add", file.node("Mul", sums, file.constant(0.1)), file.constant(1.0))
        x = file.node("Div", x, file.node("Pow", energy, file.constant(0.75)))
    x = file.node("Conv", x, file.drawn(4, 8, 3, 3), file.drawn(4))
    # The evaluator normalizes as many channels as there are images (onnx 1.23).
    file.image = (8, 3, 8, 8)
    check(model, x, image=(8, 8, 8, 3))


def test_what_weighs_channels_is_no_local_response_normalization(file, check):
    """A net with squeeze and excitation is another one, though it has a product in that place."""
    model = net(conv(8), LocalResponseNormalization(), conv(4, name="last"))
    x = file.node("Conv", "image", file.drawn(8, 3, 3, 3), file.drawn(8))
    weight = file.node("Sigmoid", file.node("GlobalAveragePool", x))
    x = file.node("Mul", x, weight)
    x = file.node("Conv", x, file.drawn(4, 8, 3, 3), file.drawn(4))
    with pytest.raises(InputError, match="no counterpart of the layer 'local_response_norm"):
        check(model, x)


def test_scaling_of_the_pixels_is_no_part_of_the_net(file, tmp_path):
    """Torchvision's GoogLeNet does it channel by channel."""
    planes = []
    for channel in range(3):
        x = file.node("Gather", "image", file.constant(channel, "int64"), axis=1)
        x = file.node("Unsqueeze", x, file.constant([1], "int64"))
        planes.append(file.node("Add", file.node("Mul", x, file.drawn(1)), file.drawn(1)))
    kernel = file.drawn(4, 3, 3, 3)
    x = file.node("Conv", file.node("Concat", *planes, axis=1), kernel)
    file.save(tmp_path / "net.onnx", x)
    model = net(conv(use_bias=False))
    weights.load(model, tmp_path / "net.onnx")
    expected = file.array(kernel).transpose(2, 3, 1, 0)
    np.testing.assert_array_equal(model.get_layer("conv").kernel, expected)


def test_images_with_channels_last(rng, check, file):
    file.image = (1, 8, 8, 3)
    x = file.node("Transpose", "image", perm=[0, 3, 1, 2])
    x = file.node("Relu", file.node("Conv", x, file.drawn(4, 3, 3, 3), file.drawn(4)))
    x = file.node("Transpose", x, perm=[0, 2, 3, 1])
    x = file.node("Add", file.node("MatMul", x, file.drawn(4, 5)), file.drawn(5))
    x = file.node("Transpose", x, perm=[0, 3, 1, 2])
    check(net(conv(activation="relu"), conv(5, 1, name="last")), x, channels_last=True)


def test_one_pixel_or_channel_changes_its_layout_by_a_reshape(file, check):
    """As TensorFlow's exporter has it."""
    model = net(
        *(conv(1, 3, name="one_channel"), layers.BatchNormalization(name="bn1")),
        *(conv(5, 6, name="one_pixel"), layers.BatchNormalization(name="bn2")),
        conv(4, 1, name="last"),
    )
    x = file.node("Conv", "image", file.drawn(1, 3, 3, 3), file.drawn(1))
    x = file.node("Reshape", x, file.constant([-1, 6, 6, 1], "int64"))
    x = file.node("Mul", x, file.drawn(1))
    x = file.node("Reshape", x, file.constant([-1, 1, 6, 6], "int64"))
    x = file.node("Conv", x, file.drawn(5, 1, 6, 6), file.drawn(5))
    x = file.node("Reshape", x, file.constant([-1, 1, 1, 5], "int64"))
    x = file.node("Mul", x, file.drawn(5))
    x = file.node("Reshape", x, file.constant([-1, 5, 1, 1], "int64"))
    check(model, file.node("Conv", x, file.drawn(4, 5, 1, 1), file.drawn(4)))


@pytest.mark.parametrize("shape", [[1, 6, 6, 4], [1, 4, 36, 1], [1, 2, 6, 12]])
def test_other_reshapes_are_no_counterpart(file, check, shape):
    """Least of all one that looks like another layout, but mixes pixels and channels."""
    x = file.node("Conv", "image", file.drawn(4, 3, 3, 3), file.drawn(4))
    x = file.node("Reshape", x, file.constant(shape, "int64"))
    if shape[3] == 4:
        x, shape = file.node("Transpose", x, perm=[0, 3, 1, 2]), [1, 4, 6, 6]
    x = file.node("Conv", x, file.drawn(4, shape[1], 1, 1), file.drawn(4))
    with pytest.raises(InputError, match="no counterpart of the layer 'last'"):
        check(net(conv(), conv(4, 1, name="last")), x)


def test_branches_that_differ_only_in_their_place_keep_it(file, check):
    """Before a concatenation, behind which nothing tells its inputs apart."""
    image = keras.Input((8, 8, 3))
    ends = [conv(name=f"branch{i}", size=1, use_bias=False)(image) for i in range(2)]
    model = keras.Model(image, conv(5, name="last")(layers.Concatenate()(ends)), name="net")
    second, first = (file.node("Conv", "image", file.drawn(4, 3, 1, 1)) for _ in range(2))
    x = file.node("Concat", first, second, axis=1)
    check(model, file.node("Conv", x, file.drawn(5, 8, 3, 3), file.drawn(5)))


@pytest.mark.parametrize("way", ["attribute", "node", "auto_pad"])
def test_padding_comes_in_many_ways(file, check, way, recwarn):
    model = net(
        layers.ZeroPadding2D(1),
        conv(strides=2, use_bias=False),
        layers.MaxPooling2D(2, name="pool"),
    )
    x, options = "image", {"strides": [2, 2]}
    if way == "node":
        x = file.node("Pad", x, file.constant([0, 0, 1, 1, 0, 0, 1, 1], "int64"))
    elif way == "attribute":
        options["pads"] = [1, 1, 1, 1]
    else:
        model = net(conv(strides=2, padding="same", use_bias=False), layers.MaxPooling2D(2))
        options["auto_pad"] = "SAME_UPPER"
    x = file.node("Conv", x, file.drawn(4, 3, 3, 3), **options)
    check(model, file.node("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2]))
    assert not recwarn.list


@pytest.mark.parametrize(
    ("pads", "told"), [([1, 1, 1, 1], True), ([0, 0, 1, 1], False), ([0, 0, 0, 0], True)]
)
def test_another_padding_is_told(file, tmp_path, pads, told, recwarn):
    model = net(conv(strides=2, padding="same", use_bias=False))
    x = file.node("Conv", "image", file.drawn(4, 3, 3, 3), strides=[2, 2], pads=pads)
    file.save(tmp_path / "net.onnx", x)
    weights.load(model, tmp_path / "net.onnx")
    assert [
        str(w.message) for w in recwarn.list if "differently in conv:" in str(w.message)
    ] != [] or not told
    assert len(recwarn.list) == told


@pytest.mark.parametrize(
    ("operator", "options"),
    [
        ("Sigmoid", {}),
        ("LeakyRelu", {}),
        ("Identity", {}),
        ("MaxPool", {"kernel_shape": [3, 3], "strides": [2, 2]}),
        ("AveragePool", {"kernel_shape": [2, 2], "strides": [2, 2]}),
        ("DepthToSpace", {"blocksize": 2}),
        ("Transpose", {"perm": [0, 1, 3, 2]}),
    ],
)
def test_other_steps_are_no_counterpart(file, check, operator, options):
    model = net(conv(), layers.Activation("relu", name="relu"), conv(name="last"))
    x = file.node("Conv", "image", file.drawn(4, 3, 3, 3), file.drawn(4))
    x = file.node(operator, x, **options)
    x = file.node("Conv", x, file.drawn(4, 4, 3, 3), file.drawn(4))
    with pytest.raises(InputError, match="no counterpart of the layer 'relu'"):
        check(model, x)


def test_layers_that_no_file_has_are_named(file, check):
    model = net(conv(), layers.LayerNormalization(name="special"))
    x = file.node("Conv", "image", file.drawn(4, 3, 3, 3), file.drawn(4))
    with pytest.raises(InputError, match="no counterpart of the layer 'special'"):
        check(model, x)
