"""The identities of ResNeXt's paper, the shortcuts, and where strides stand."""

import keras
import numpy as np
import pytest

import keras_convnets
from keras_convnets import (
    ResNet18,
    ResNet34,
    ResNet50,
    ResNet50V2,
    ResNet200V2,
    ResNetCIFAR,
    ResNeXt,
    ResNeXt50,
)
from keras_convnets._residual import Units, bottleneck
from keras_convnets.errors import InputError
from keras_convnets.layers.initializers import initializers
from keras_convnets.resnext import template_block


@pytest.fixture
def float64():
    """Everything in float64, so that equal graphs show as equal numbers."""
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_floatx("float32")


def unit(form, path, cardinality=4, **options):
    """A net of one residual unit, 7 x 7 x 12, in one of the three forms."""
    kernels = initializers("glorot_uniform")
    units = Units(kernels, cardinality=cardinality, form=form, **options)
    image = keras.Input((7, 7, 12))
    return keras.Model(image, units.unit(image, path, "unit", strides=2))


def merge(wide, narrow, steps, cardinality):
    """Gives a net of form "c" the weights of one of form "a" or "b": papers.md 12b.

    The first kernels are stacked on the output axis, and so are grouped ones; the last ones on the
    input axis. Normalization of a path is a slice of that of all.
    """
    of = {layer.name: layer.get_weights() for layer in narrow.layers}
    for layer in wide.layers:
        if not layer.weights:
            continue
        if layer.name in of:
            layer.set_weights(of[layer.name])
            continue
        step = layer.name.removeprefix("unit_")
        parts = [of[f"unit_path{i}_{step}"] for i in range(1, cardinality + 1)]
        axis = 2 if step == f"{steps}_conv" else -1
        layer.set_weights([np.concatenate(arrays, axis) for arrays in zip(*parts, strict=True)])


THREE = bottleneck(3, 20)
TWO = (3, 3), (20, 3)


@pytest.mark.parametrize("form", ["a", "b"])
@pytest.mark.parametrize("shortcut", ["B", None])
@pytest.mark.parametrize("training", [False, True])
def test_three_forms_are_equal(form, shortcut, training, float64, rng, randomize):
    narrow = randomize(unit(form, THREE, shortcut=shortcut))
    wide = unit("c", THREE, shortcut=shortcut)
    merge(wide, narrow, steps=3, cardinality=4)
    images = rng.normal(size=(5, 7, 7, 12))
    found, expected = (net(images, training=training) for net in (wide, narrow))
    assert found.dtype == "float64"
    assert np.std(expected) > 0.1
    np.testing.assert_allclose(found, expected, atol=1e-12, rtol=0)


@pytest.mark.parametrize("form", ["a", "b"])
def test_paths_of_two_convolutions_collapse_into_one_dense_block(form, float64, rng, randomize):
    narrow = randomize(unit(form, TWO))
    dense = unit("c", TWO)
    assert not any(getattr(layer, "groups", 1) > 1 for layer in dense.layers)
    assert dense.get_layer("unit_1_conv").filters == 12
    merge(dense, narrow, steps=2, cardinality=4)
    images = rng.normal(size=(5, 7, 7, 12))
    np.testing.assert_allclose(dense(images), narrow(images), atol=1e-12, rtol=0)


def test_a_small_difference_of_forms_is_seen(float64, rng, randomize):
    """The tests above can fail."""
    narrow = randomize(unit("a", THREE))
    wide = unit("c", THREE)
    merge(wide, narrow, steps=3, cardinality=4)
    gamma = wide.get_layer("unit_3_bn").gamma
    gamma.assign(gamma * 1.0001)
    images = rng.normal(size=(5, 7, 7, 12))
    assert np.abs(wide(images) - narrow(images)).max() > 1e-6


@pytest.mark.parametrize("form", ["a", "b", "c"])
def test_form_of_a_whole_net(form):
    small = {"input_shape": (32, 32, 3), "repeats": (1, 1, 1, 1), "width_multiplier": 0.25}
    net = ResNeXt50(weights=None, form=form, cardinality=4, bottleneck_width=8, **small)
    convs = [layer for layer in net.layers if layer.name.startswith("conv3_block1_2_conv")]
    paths = [layer for layer in net.layers if "conv3_block1_path" in layer.name]
    assert (len(convs), bool(paths)) == ((1, False) if form == "c" else (0, True))
    same = ResNeXt50(weights=None, form="c", cardinality=4, bottleneck_width=8, **small)
    assert net.count_params() == same.count_params()


def test_shortcut_a_has_no_parameters_and_b_fewer_than_c():
    options = {"weights": None, "input_shape": (32, 32, 3), "width_multiplier": 0.25}
    counts = {s: ResNet34(shortcut=s, **options).count_params() for s in ("A", "B", "C", None)}
    assert counts["A"] == counts[None] < counts["B"] < counts["C"]


def test_plain_nets_have_no_sums():
    plain = ResNet18(weights=None, shortcut=None, input_shape=(32, 32, 3), width_multiplier=0.25)
    assert not any(isinstance(layer, keras.layers.Add) for layer in plain.layers)
    plain = ResNeXt50(weights=None, shortcut=False, input_shape=(32, 32, 3), width_multiplier=0.25)
    assert not any(isinstance(layer, keras.layers.Add) for layer in plain.layers)


def test_shortcut_a_takes_every_second_pixel_and_adds_zeros(rng):
    units = Units(initializers("zeros"), shortcut="A")
    image = keras.Input((6, 6, 4))
    net = keras.Model(image, units.unit(image, ((6, 3), (6, 3)), "unit", strides=2))
    images = np.abs(rng.normal(size=(2, 6, 6, 4))).astype("float32")
    found = net(images)  # the path gives zeros
    np.testing.assert_array_equal(found[..., :4], images[:, ::2, ::2])
    np.testing.assert_array_equal(found[..., 4:], 0)


@pytest.mark.parametrize(
    ("variant", "strided"),
    [("keras", "1_conv"), ("v1", "1_conv"), ("v1.5", "2_conv"), ("slim", "1_conv")],
)
def test_strides_stand_where_the_variant_has_them(variant, strided):
    net = ResNet50(weights=None, variant=variant, input_shape=(64, 64, 3), width_multiplier=0.1)
    for stage in (3, 4, 5):
        for conv in ("1_conv", "2_conv", "3_conv"):
            layer = net.get_layer(f"conv{stage}_block1_{conv}")
            assert (layer.strides == (2, 2)) == (conv == strided)


@pytest.mark.parametrize("builder", [ResNet50, ResNet50V2])
@pytest.mark.parametrize(("size", "first"), [(64, 0), (66, -1)])
def test_the_first_pool_of_slim_begins_at_the_first_pixel_of_even_maps(builder, size, first):
    """Maps of 32 and 33 pixels; windows of odd maps begin a pixel before, as in other variants."""
    options = {"input_shape": (size, size, 3), "width_multiplier": 0.1, "repeats": (1, 1, 1, 1)}
    net = builder(weights=None, variant="slim", **options)
    pool = net.get_layer("pool1_pool")
    side = size // 2
    ramp = np.broadcast_to(-np.arange(side, dtype="float32")[:, None, None], (side, side, 1))
    assert pool.input.shape[1] == side
    found = keras.ops.convert_to_numpy(pool(ramp[None]))[0, :, 0, 0]
    starts = np.maximum(2 * np.arange(len(found)) + first, 0)
    np.testing.assert_array_equal(found, -starts)  # the largest is the first one of a window


def test_first_units_of_the_preactivation_net_of_the_paper():
    """The stem activates for the very first unit; a projection reads the activated map, raw."""
    options = {"input_shape": (64, 64, 3), "width_multiplier": 0.1, "repeats": (2, 1, 1, 1)}
    net = ResNet200V2(**options)
    names = {layer.name for layer in net.layers}
    assert "conv2_block1_preact_bn" not in names
    assert "conv1_bn" in names
    assert not any(name.endswith("_0_bn") for name in names)
    assert net.get_layer("conv2_block1_0_conv").input is net.get_layer("pool1_pool").output
    for unit in ("conv3_block1", "conv5_block1"):
        activated = net.get_layer(f"{unit}_preact_relu").output
        assert net.get_layer(f"{unit}_0_conv").input is activated
        assert net.get_layer(f"{unit}_1_conv").input is activated
        assert net.get_layer(f"{unit}_0_conv").strides == (2, 2)
        assert net.get_layer(f"{unit}_2_conv").strides == (2, 2)
    first, second = (net.get_layer(f"conv2_block{i}_out") for i in (1, 2))
    assert second.input[0] is first.output  # the identity, before any activation
    keras_net = ResNet50V2(weights=None, **options)
    assert "conv1_bn" not in {layer.name for layer in keras_net.layers}
    assert keras_net.get_layer("conv2_block2_2_conv").strides == (2, 2)


@pytest.mark.parametrize("depth", [18, 19, 2, 20.0, "20"])
def test_depth_of_the_cifar_nets_is_6n_and_2(depth):
    with pytest.raises(InputError, match="`depth` should be"):
        ResNetCIFAR(depth)
    assert ResNetCIFAR(26, width_multiplier=0.5).name == "resnet_cifar"


def test_resnext_by_depth_is_the_builder_of_that_depth():
    assert keras_convnets.get_model("ResNeXt29:16x64d").count_params() == 68_255_690
    net = ResNeXt(29, 2, 64, input_shape=(16, 16, 3), classes=7, width_multiplier=0.1)
    assert net.name == "resnext29"
    assert net.output.shape == (None, 7)
    assert net.get_layer("conv2_block1_2_conv").groups == 2
    with pytest.raises(InputError, match="`depth` should be one of 29, 50, 101"):
        ResNeXt(34)
    # 8x64d, as the paper's net of this depth
    net = ResNeXt(29, input_shape=(16, 16, 3), width_multiplier=0.1)
    assert net.get_layer("conv2_block1_2_conv").groups == 8


def test_template_block_has_its_count_whatever_comes_first():
    assert template_block(8, 14).count_params() == 8 * (2 * 14 * 256 + 9 * 14 * 14)
    keras.config.set_image_data_format("channels_first")
    assert template_block(8, 14).count_params() == 71_456
    with pytest.raises(InputError, match="`size` should be an integer"):
        template_block(size=-1)


@pytest.mark.parametrize(
    ("builder", "options", "message"),
    [
        (ResNeXt50, {"cardinality": 0}, "`cardinality` should be"),
        (ResNeXt50, {"bottleneck_width": 1.5}, "`bottleneck_width` should be"),
        (ResNeXt50, {"form": "d"}, "`form` should be one of 'a', 'b', 'c'"),
        (ResNeXt50, {"shortcut": "B"}, "`shortcut` should be one of True, False"),
        (ResNet18, {"shortcut": "D"}, "`shortcut` should be one of 'A', 'B', 'C', None"),
        (ResNet18, {"variant": "keras"}, "`variant` should be one of 'v1'"),
        (ResNet50, {"weights": "imagenet", "shortcut": "A"}, "ImageNet weights belong to ResNet50"),
    ],
)
def test_wrong_options_are_told(builder, options, message):
    with pytest.raises(InputError, match=message):
        builder(**{"weights": None, **options})
