"""The Inception line: the counts of papers.md, and what its options change."""

import re

import keras
import numpy as np
import pytest
from keras import layers

import keras_convnets
from keras_convnets import count_complexity, get_model
from keras_convnets.analysis import receptive_field
from keras_convnets.errors import InputError
from keras_convnets.layers import LocalResponseNormalization, ResidualScale


@pytest.mark.parametrize(
    ("name", "options", "trainable"),
    [
        # papers.md 5a, 5e
        ("GoogLeNet", {}, 6_998_552),
        ("GoogLeNet", {"aux_logits": True}, 13_378_280),
        ("GoogLeNet", {"separable_stem": True}, 6_998_552 - 9_408 + 2_712),
        ("GoogLeNet", {"batch_norm": True, "batch_norm_scale": True}, 7_005_832),
        ("GoogLeNet:torchvision", {}, 6_624_904),
        ("GoogLeNet:torchvision", {"aux_logits": True}, 13_004_888),
        # papers.md 6d
        ("InceptionV2", {}, 11_178_336),
        ("InceptionV2:caffe", {}, 11_285_224),
        ("InceptionV2:caffe", {"conv_bias": True}, 11_295_240),
        # papers.md 7b
        ("InceptionV3", {}, 23_817_352),
        ("InceptionV3", {"batch_norm_scale": True}, 23_834_568),
        ("InceptionV3", {"batch_norm_scale": True, "aux_logits": True}, 27_161_264),
        # The same classifiers as those of Xception in papers.md 9a, also on 2048 features
        ("InceptionV3", {"head_units": (4096, 4096)}, 23_817_352 + 50_077_968 - 22_855_952),
        ("InceptionV3", {"classes": 17_000}, 23_817_352 + 55_639_952 - 22_855_952),
        (
            "InceptionV3",
            {"classes": 17_000, "head_units": (4096, 4096)},
            23_817_352 + 115_629_968 - 22_855_952,
        ),
        # papers.md 8a
        ("InceptionV4", {}, 42_648_232),
        ("InceptionV4", {"batch_norm_scale": True}, 42_679_816),
        ("InceptionV4", {"batch_norm_scale": True, "aux_logits": True}, 42_679_816 + 3_359_464),
        ("InceptionResNetV1", {}, 22_742_808),
        ("InceptionResNetV1", {"batch_norm_scale": True}, 22_756_328),
        ("InceptionResNetV2", {}, 55_813_192),
        ("InceptionResNetV2", {"batch_norm_scale": True}, 55_843_464),
        ("InceptionResNetV2:paper", {}, 32_417_496),
        ("InceptionResNetV2:paper", {"batch_norm_scale": True}, 32_433_928),
    ],
)
def test_trainable_parameters(name, options, trainable):
    assert count_complexity(get_model(name, weights=None, **options)).trainable == trainable


@pytest.mark.parametrize(
    ("name", "total"),  # papers.md 15, as TF-slim's own tests have them
    [("GoogLeNet:slim", 5_607_184), ("InceptionV2", 10_173_112), ("InceptionV3", 21_802_784)],
)
def test_headless_totals_are_those_of_slim(name, total):
    assert get_model(name, weights=None, include_top=False).count_params() == total


@pytest.mark.parametrize(
    ("options", "macs"),  # papers.md 5a and 15
    [({"aux_logits": True}, 1_591_044_096), ({"separable_stem": True}, 1_498_677_248)],
)
def test_multiply_adds_of_googlenet(options, macs):
    assert count_complexity(keras_convnets.GoogLeNet(weights=None, **options)).macs == macs


def test_multiply_adds_of_googlenet_by_module():
    """Table 1 of the paper, in millions (papers.md 5a)."""
    millions = dict.fromkeys(("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b"), 0)
    for layer in count_complexity(keras_convnets.GoogLeNet(weights=None)).layers:
        if layer.name.startswith("inception"):
            millions[layer.name.split("_")[1]] += layer.macs / 1e6
    expected = [128.0, 304.3, 73.6, 87.9, 99.9, 118.5, 170.0, 51.1, 70.7]
    assert [round(value, 1) for value in millions.values()] == expected


def test_inception_v1_is_googlenet():
    assert keras_convnets.InceptionV1 is keras_convnets.GoogLeNet
    assert get_model("inceptionv1:slim", weights=None).name == "googlenet"


def kinds(model):
    return [type(layer) for layer in model.layers]


def test_googlenet_has_what_its_variant_says():
    paper, torchvision, slim = (
        keras_convnets.GoogLeNet(weights=None, variant=variant)
        for variant in ("paper", "torchvision", "slim")
    )
    assert kinds(paper).count(LocalResponseNormalization) == 2
    assert keras_convnets.layers.BatchNormalization not in kinds(paper)
    sizes = [paper.get_layer(f"inception_{m}_branch3_conv2").kernel_size for m in ("3a", "5b")]
    assert sizes == [(5, 5), (5, 5)]
    for net in (torchvision, slim):
        assert LocalResponseNormalization not in kinds(net)
        assert net.get_layer("inception_5b_branch3_conv2").kernel_size == (3, 3)
        assert net.get_layer("pool4").pool_size == (2, 2)
    norm = paper.get_layer("norm1")  # papers.md 5a: Caffe's constants
    assert (norm.size, norm.alpha, norm.beta, norm.k) == (5, 1e-4, 0.75, 1)


@pytest.mark.parametrize("variant", ["paper", "torchvision"])
@pytest.mark.parametrize("size", [96, 101, 224])
def test_googlenet_pools_in_ceil_mode(variant, size):
    """Caffe and Torch round up: ceil((n - k) / s) + 1 (papers.md 5e)."""
    model = keras_convnets.GoogLeNet(
        weights=None,
        variant=variant,
        include_top=False,
        input_shape=(size, size, 3),
        repeats=(1, 1, 1),
    )
    length = (size + 2 * 3 - 7) // 2 + 1
    assert model.get_layer("conv1").output.shape[1] == length
    for i in (1, 2, 3, 4):
        pool = model.get_layer(f"pool{i}")
        length = -(-(length - pool.pool_size[0]) // 2) + 1
        assert pool.output.shape[1] == length


def test_naive_modules_pass_the_pool_on_and_grow():
    model = keras_convnets.GoogLeNet(weights=None, reductions=False, include_top=False)
    channels = [model.get_layer(f"inception_{m}").output.shape[-1] for m in ("3a", "3b")]
    assert channels == [64 + 128 + 32 + 192, 128 + 192 + 96 + 416]
    assert not any("branch2_conv1" in layer.name for layer in model.layers)


def test_googlenet_may_have_a_dense_head():
    model = keras_convnets.GoogLeNet(weights=None, head="dense", dropout_rate=0.4)
    assert model.get_layer("fc").kernel.shape == (7 * 7 * 1024, 1024)
    assert model.get_layer("dropout").rate == 0.4
    with pytest.raises(InputError, match="static `input_shape`"):
        keras_convnets.GoogLeNet(weights=None, head="dense", input_shape=(None, None, 3))


def test_auxiliary_heads_of_googlenet_drop_seven_tenths():
    model = keras_convnets.GoogLeNet(weights=None, aux_logits=True)
    assert [model.get_layer(f"{aux}_dropout").rate for aux in ("aux1", "aux2")] == [0.7, 0.7]
    assert model.get_layer("aux1_pool").input.shape[1:] == (14, 14, 512)  # off 4a
    assert model.get_layer("aux2_pool").input.shape[1:] == (14, 14, 528)  # off 4d
    assert model.get_layer("aux1_pool").output.shape[1:] == (4, 4, 512)


@pytest.mark.parametrize("padding", ["exclude", "include"])
def test_average_pool_padding_is_what_borders_divide_by(padding):
    model = keras_convnets.InceptionV3(weights=None, average_pool_padding=padding)
    pool = model.get_layer("mixed0_branch4_pool")
    source = model.get_layer("mixed0_branch4_pool_pad") if padding == "include" else pool
    averages = keras.Model(source.input, pool.output)(np.ones((1, 35, 35, 192), "float32"))
    corner, edge, inside = averages[0, 0, 0, 0], averages[0, 0, 5, 0], averages[0, 5, 5, 0]
    expected = (1, 1, 1) if padding == "exclude" else (4 / 9, 6 / 9, 1)
    np.testing.assert_allclose((corner, edge, inside), expected, rtol=1e-6)


def test_factored_pairs_may_be_linear_inside():
    model = keras_convnets.InceptionV3(weights=None, factored_activation="linear")
    relu = keras_convnets.InceptionV3(weights=None)
    gone = {layer.name for layer in relu.layers} - {layer.name for layer in model.layers}
    firsts = [f"mixed{i}_branch3_conv2_act" for i in (0, 1, 2)] + ["mixed3_branch2_conv2_act"]
    firsts += [f"mixed{i}_branch2_conv2_act" for i in (4, 5, 6, 7, 8)]
    firsts += [f"mixed{i}_branch3_conv{j}_act" for i in (4, 5, 6, 7) for j in (2, 4)]
    assert gone == set(firsts)
    assert model.count_params() == relu.count_params()


def test_residual_scale_reaches_every_block():
    def scales(**options):
        model = keras_convnets.InceptionResNetV2(weights=None, width_multiplier=0.1, **options)
        found = [layer for layer in model.layers if isinstance(layer, ResidualScale)]
        return [layer.scale for layer in sorted(found, key=lambda x: model.layers.index(x))]

    released = [0.17] * 10 + [0.10] * 20 + [0.20] * 9 + [1.0]  # papers.md 8a
    assert scales() == released
    assert scales(variant="paper", residual_scale=0.3) == [0.3] * 20
    assert scales(variant="paper", residual_scale=np.float32(0.25)) == [0.25] * 20
    assert scales(variant="paper", residual_scale=[0.1, 0.2, 0.3], repeats=(1, 1, 1)) == [
        0.1, 0.2, 0.3,
    ]  # fmt: skip


def test_last_block_of_the_released_net_is_not_rectified():
    model = keras_convnets.InceptionResNetV2(weights=None, width_multiplier=0.1)
    names = {layer.name for layer in model.layers}
    assert "block8_9_ac" in names
    assert "block8_10_ac" not in names


def test_residual_convolutions_are_linear_and_have_biases():
    model = keras_convnets.InceptionResNetV1(width_multiplier=0.1)
    conv = model.get_layer("block35_1_conv")
    assert conv.use_bias
    assert conv.activation is keras.activations.linear
    assert "block35_1_conv_bn" not in {layer.name for layer in model.layers}


def test_batch_norm_epsilon_is_that_of_the_public_net():
    epsilons = {
        name: get_model(name, weights=None, width_multiplier=0.1).get_layer(layer).epsilon
        for name, layer in (("InceptionV2:caffe", "conv1_bn"), ("InceptionV4", "conv_1a_bn"))
    }
    assert epsilons == {"InceptionV2:caffe": 1e-5, "InceptionV4": 1e-3}


def convolutions(model, block):
    """(filters, kernel, strides) of the convolutions of a block, by branch."""
    branches = {}
    for layer in model.layers:
        found = re.fullmatch(rf"{block}_branch(\d)_conv(\d?)", layer.name)
        if found:
            branch, step = int(found[1]), int(found[2] or 1)
            kernel = "x".join(map(str, layer.kernel_size))
            strides = f"/{layer.strides[0]}" if layer.strides[0] > 1 else ""
            branches.setdefault(branch, {})[step] = f"{kernel}{strides} {layer.filters}"
    return [" -> ".join(branches[b][i] for i in sorted(branches[b])) for b in sorted(branches)]


@pytest.mark.parametrize(
    ("name", "block", "branches"),
    [  # papers.md 6a: slim's and Caffe's modules
        ("InceptionV2", "inception_3b", [
            "1x1 64", "1x1 64 -> 3x3 96", "1x1 64 -> 3x3 96 -> 3x3 96", "1x1 64",
        ]),
        ("InceptionV2", "inception_3c", ["1x1 128 -> 3x3/2 160", "1x1 64 -> 3x3 96 -> 3x3/2 96"]),
        ("InceptionV2", "inception_4d", [
            "1x1 96", "1x1 128 -> 3x3 192", "1x1 160 -> 3x3 192 -> 3x3 192", "1x1 96",
        ]),
        ("InceptionV2:caffe", "inception_4d", [
            "1x1 96", "1x1 128 -> 3x3 192", "1x1 160 -> 3x3 192 -> 3x3 192", "1x1 128",
        ]),
        ("InceptionV2", "inception_4e", [
            "1x1 128 -> 3x3/2 192", "1x1 192 -> 3x3 256 -> 3x3/2 256",
        ]),
        ("InceptionV2", "inception_5b", [
            "1x1 352", "1x1 192 -> 3x3 320", "1x1 192 -> 3x3 224 -> 3x3 224", "1x1 128",
        ]),
        # papers.md 8a
        ("InceptionResNetV1", "block35_1", [
            "1x1 32", "1x1 32 -> 3x3 32", "1x1 32 -> 3x3 32 -> 3x3 32",
        ]),
        ("InceptionResNetV1", "mixed_6a", ["3x3/2 384", "1x1 192 -> 3x3 192 -> 3x3/2 256"]),
        ("InceptionResNetV1", "block17_1", ["1x1 128", "1x1 128 -> 1x7 128 -> 7x1 128"]),
        ("InceptionResNetV1", "mixed_7a", [
            "1x1 256 -> 3x3/2 384", "1x1 256 -> 3x3/2 256", "1x1 256 -> 3x3 256 -> 3x3/2 256",
        ]),
        ("InceptionResNetV1", "block8_1", ["1x1 192", "1x1 192 -> 1x3 192 -> 3x1 192"]),
        ("InceptionResNetV2:paper", "block35_1", [
            "1x1 32", "1x1 32 -> 3x3 32", "1x1 32 -> 3x3 48 -> 3x3 64",
        ]),
        ("InceptionResNetV2:paper", "mixed_6a", ["3x3/2 384", "1x1 256 -> 3x3 256 -> 3x3/2 384"]),
        ("InceptionResNetV2:paper", "block17_1", ["1x1 192", "1x1 128 -> 1x7 160 -> 7x1 192"]),
        ("InceptionResNetV2:paper", "mixed_7a", [
            "1x1 256 -> 3x3/2 384", "1x1 256 -> 3x3/2 288", "1x1 256 -> 3x3 288 -> 3x3/2 320",
        ]),
        ("InceptionResNetV2:paper", "block8_1", ["1x1 192", "1x1 192 -> 1x3 224 -> 3x1 256"]),
    ],
)  # fmt: skip
def test_modules_without_a_peer_are_those_of_the_tables(name, block, branches):
    assert convolutions(get_model(name, weights=None, include_top=False), block) == branches


def order_of(model, first, last):
    """Names of the layers in the order of execution, from one to another."""
    names = [layer.name for layer in model.layers]
    return names[names.index(first) : names.index(last) + 1]


def test_stem_of_the_papers_googlenet():
    """Pads and pools as Caffe has them; normalization behind pool 1 and before pool 2 (5a)."""
    model = keras_convnets.GoogLeNet(weights=None)
    assert order_of(model, "conv1_pad", "pool2") == [
        "conv1_pad", "conv1", "conv1_act", "pool1_pad", "pool1", "norm1",
        "conv2_reduce", "conv2_reduce_act", "conv2", "conv2_act", "norm2", "pool2_pad", "pool2",
    ]  # fmt: skip
    assert model.get_layer("conv1_pad").padding == ((3, 3), (3, 3))
    assert model.get_layer("pool1_pad").padding == ((0, 1), (0, 1))
    slim = {layer.name for layer in keras_convnets.GoogLeNet(weights=None, variant="slim").layers}
    assert not any(name.endswith("_pad") for name in slim)


def source_of(layer):
    """The name of the layer that a layer reads."""
    return layer.input._keras_history.operation.name


@pytest.mark.parametrize("variant", ["slim", "caffe"])
def test_pools_and_heads_of_inception_v2(variant):
    model = keras_convnets.InceptionV2(weights=None, variant=variant, aux_logits=True)
    pools = {m: type(model.get_layer(f"inception_{m}_branch4_pool")) for m in ("3a", "5a", "5b")}
    average, largest = layers.AveragePooling2D, layers.MaxPooling2D
    assert pools == {"3a": average, "5a": average, "5b": largest}
    passed_on = [model.get_layer(f"inception_{m}_branch3_pool") for m in ("3c", "4e")]
    assert {type(pool) for pool in passed_on} == {largest}
    heads = [source_of(model.get_layer(f"{aux}_pool")) for aux in ("aux1", "aux2")]
    assert heads == ["inception_4a", "inception_4d"]
    names = {layer.name for layer in model.layers}
    assert ("inception_3a_branch4_pool_pad" in names) == (variant == "caffe")
    assert ("conv1_pad" in names) == (variant == "caffe")


@pytest.mark.parametrize(
    ("name", "options", "first"),
    [
        ("GoogLeNet", {}, "inception_4a"),
        ("InceptionV3", {}, "mixed7"),
        ("InceptionV4", {}, "mixed_6h"),
        ("InceptionResNetV1", {}, "block17_10_ac"),
        ("InceptionResNetV2", {}, "block17_20_ac"),
    ],
)
def test_first_auxiliary_head_stands_where_the_release_has_it(name, options, first):
    model = get_model(name, weights=None, aux_logits=True, width_multiplier=0.1, **options)
    assert source_of(model.get_layer("aux1_pool")) == first


@pytest.mark.parametrize(
    ("name", "layer", "size"),
    [
        # Araujo, Norris, Sim 2019, "Computing Receptive Fields of Convolutional Neural Networks"
        ("InceptionV2", "inception_5b", 699),
        ("InceptionV3", "mixed10", 1311),
        ("InceptionV4", "mixed_7d", 2071),
        ("InceptionResNetV2", "conv_7b_ac", 3039),
        # 7 -> 11 -> 19 -> 27, two 5x5 at stride 8, pool, five at 16, pool, two at 32
        ("GoogLeNet", "inception_5b", 27 + 2 * 32 + 16 + 5 * 64 + 32 + 2 * 128),
    ],
)
def test_receptive_fields_are_the_published_ones(name, layer, size):
    assert receptive_field(get_model(name, weights=None))[layer][0].size == size


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("GoogLeNet", {"small_input": True, "input_shape": (32, 32, 3), "repeats": (1, 1, 1)}),
        ("GoogLeNet", {"separable_stem": True, "input_shape": (128, 128, 3), "repeats": (1, 1, 1)}),
        ("InceptionV2:caffe", {"conv_bias": True, "input_shape": (256, 256, 3)}),
        ("InceptionResNetV1", {"width_multiplier": 0.1, "input_shape": (211, 211, 3)}),
    ],
)
def test_channels_first_is_right_where_a_map_is_as_wide_as_it_has_channels(
    name, options, rng, randomize
):
    """Keras adds the bias along the width there."""
    options = {**options, "weights": None, "include_top": False}
    last = randomize(get_model(name, **options))
    images = rng.normal(size=(1, *last.input.shape[1:])).astype("float32")
    expected = np.transpose(last(images), (0, 3, 1, 2))
    keras.config.set_image_data_format("channels_first")
    height, width, channels = options["input_shape"]
    first = get_model(name, **{**options, "input_shape": (channels, height, width)})
    maps = [layer.output.shape for layer in first.layers if getattr(layer, "use_bias", False)]
    assert any(shape[1] == shape[3] for shape in maps)
    first.set_weights(last.get_weights())
    found = first(np.transpose(images, (0, 3, 1, 2)))
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("name", ["InceptionV2:caffe", "GoogLeNet", "InceptionV3"])
def test_odd_sizes_build(name):
    options = {"include_top": False, "repeats": (1, 1, 1), "width_multiplier": 0.1}
    for size in (75, 101, 127):
        get_model(name, weights=None, input_shape=(size, size + 2, 3), **options)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("GoogLeNet", {"variant": "keras"}, "`variant` should be one of 'paper'"),
        ("GoogLeNet", {"head": "conv"}, "`head` should be one of"),
        ("GoogLeNet", {"batch_norm_scale": True}, "needs batch normalization"),
        ("GoogLeNet", {"aux_logits": True, "repeats": (1, 2, 1)}, "at least 3 modules in stage 4"),
        ("GoogLeNet", {"head": "dense", "include_top": False}, "is a part of the top"),
        (
            "GoogLeNet",
            {"head": "dense", "input_tensor": keras.KerasTensor((None, None, None, 3))},
            "needs a static",
        ),
        ("InceptionV2", {"aux_logits": True, "repeats": (1, 1, 1)}, "at least 2 modules"),
        ("InceptionV2", {"variant": "paper"}, "`variant` should be one of 'slim', 'caffe'"),
        ("InceptionV3", {"average_pool_padding": "zero"}, "'exclude', 'include'. Received"),
        ("InceptionV3", {"factored_activation": "tanh"}, "`factored_activation` should be"),
        ("InceptionV3", {"dropout_rate": 1.0}, "`dropout_rate` should be"),
        ("InceptionV3", {"head_units": 4096}, "`head_units` should be a tuple of sizes"),
        ("InceptionV4", {"width_multiplier": 0}, "`width_multiplier` should be"),
        ("InceptionV4", {"input_shape": (74, 74, 3)}, "at least 75x75"),
        ("InceptionResNetV1", {"residual_scale": (0.1, 0.2)}, "a number, or three"),
        ("InceptionResNetV2", {"residual_scale": 0.0}, "`residual_scale` should be"),
        (
            "InceptionResNetV2",
            {"variant": "paper", "average_pool_padding": "include"},
            "has no average pool to pad",
        ),
        ("InceptionResNetV2", {"variant": "slim"}, "'released', 'paper'. Received: variant='slim'"),
    ],
)
def test_what_makes_no_sense_is_refused(name, options, message):
    with pytest.raises(InputError, match=message):
        get_model(name, **{"weights": None, **options})


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("InceptionV3", {"batch_norm_scale": True}),
        ("InceptionResNetV2", {"variant": "paper"}),
        ("InceptionResNetV2", {"residual_scale": 1.0}),
    ],
)
def test_imagenet_weights_belong_to_the_graphs_that_have_some(name, options):
    with pytest.raises(InputError, match=rf"belong to {name}\(\).*use `weights=None` with other"):
        get_model(name, weights="imagenet", **options)


@pytest.mark.parametrize("name", ["LeNet5", "NIN", "InceptionResNetV1", "ResNet200V2", "VGG16C"])
def test_nets_without_public_weights_say_which_have_some(name):
    with pytest.raises(InputError, match="AlexNet, GoogLeNet, InceptionResNetV2"):
        get_model(name, weights="imagenet")
