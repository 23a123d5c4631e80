"""The plain line against the papers' tables: AlexNet, NIN, VGG (papers.md 2 to 4)."""

import keras
import numpy as np
import pytest

from keras_convnets import NIN, VGG11, VGG16, VGG16C, VGG19, AlexNet, get_model
from keras_convnets.errors import InputError
from keras_convnets.layers import LocalResponseNormalization

CONVS = keras.layers.Conv2D, keras.layers.SeparableConv2D
THIN = {"width_multiplier": 0.1, "head_units": (8, 8)}


def convolutions(model):
    """(kernel size, strides, filters, groups) of each convolution."""
    return [
        (layer.kernel_size[0], layer.strides[0], layer.filters, layer.groups)
        for layer in model.layers
        if isinstance(layer, keras.layers.Conv2D)
    ]


@pytest.mark.parametrize(("variant", "k", "alpha"), [("caffe", 1, 1e-4), ("paper", 2, 5e-4)])
def test_alexnet_of_two_groups_is_the_table(variant, k, alpha):
    model = AlexNet(weights=None, variant=variant, head_units=(8, 8))
    assert convolutions(model) == [
        (11, 4, 96, 1),
        (5, 1, 256, 2),
        (3, 1, 384, 1),
        (3, 1, 384, 2),
        (3, 1, 256, 2),
    ]
    norms = [layer for layer in model.layers if isinstance(layer, LocalResponseNormalization)]
    # The layer divides alpha by its size: Caffe's 1e-4 / 5, and the paper's 1e-4 itself.
    assert [(n.name, n.size, n.k, n.beta) for n in norms] == [
        ("norm1", 5, k, 0.75),
        ("norm2", 5, k, 0.75),
    ]
    assert [n.alpha for n in norms] == pytest.approx([alpha] * 2)
    for norm, before, after in zip(
        norms, ("conv1_act", "conv2_act"), ("pool1", "pool2"), strict=True
    ):
        assert norm.input is model.get_layer(before).output
        assert model.get_layer(after).input is norm.output
    sizes = {name: model.get_layer(name).output.shape[1] for name in ("conv1", "pool1", "pool5")}
    assert sizes == {"conv1": 55, "pool1": 27, "pool5": 6}


def test_second_convolution_of_alexnet_sees_its_own_half(rng):
    model = AlexNet(weights=None, head_units=(8, 8), input_shape=(67, 67, 3))
    conv = model.get_layer("conv2")
    halves = rng.normal(size=(1, 7, 7, 96)).astype("float32")
    changed = halves.copy()
    changed[..., :48] += 1
    first, second = np.asarray(conv(halves)), np.asarray(conv(changed))
    assert np.abs(first - second)[..., :128].min() > 0
    np.testing.assert_array_equal(first[..., 128:], second[..., 128:])


def test_alexnet_of_one_column_has_neither_groups_nor_normalization():
    model = AlexNet(weights=None, variant="one_weird_trick", head_units=(8, 8))
    assert [row[2:] for row in convolutions(model)] == [
        (64, 1),
        (192, 1),
        (384, 1),
        (256, 1),
        (256, 1),
    ]
    assert not any(isinstance(layer, LocalResponseNormalization) for layer in model.layers)
    assert model.get_layer("pool5").output.shape[1:] == (6, 6, 256)


@pytest.mark.parametrize("variant", ["caffe", "paper", "one_weird_trick"])
def test_alexnet_tells_the_least_size(variant):
    least = 63 if variant == "one_weird_trick" else 67
    options = {"variant": variant, **THIN}
    model = AlexNet(weights=None, input_shape=(least, least, 3), **options)
    assert model.get_layer("pool5").output.shape[1:3] == (1, 1)
    with pytest.raises(InputError, match=f"at least {least}x{least}"):
        AlexNet(weights=None, input_shape=(least - 1, least, 3), **options)


def test_nin_is_the_authors_configuration():
    model = NIN(dropout_rate=0.5)
    names = [layer.name for layer in model.layers if not layer.name.endswith("_act")]
    assert names == [
        *("image", "conv1", "cccp1", "cccp2", "pool1", "pool1_dropout"),
        *("conv2", "cccp3", "cccp4", "pool2", "pool2_dropout"),
        *("conv3", "cccp5", "cccp6", "avg_pool", "predictions"),
    ]
    assert [row[::2] for row in convolutions(model)] == [
        *((5, 192), (1, 160), (1, 96)),
        *((5, 192), (1, 192), (1, 192)),
        *((3, 192), (1, 192), (1, 10)),
    ]
    assert isinstance(model.get_layer("pool1"), keras.layers.MaxPooling2D)
    assert isinstance(model.get_layer("pool2"), keras.layers.AveragePooling2D)
    sizes = [model.get_layer(name).output.shape[1] for name in ("conv1", "conv2", "conv3")]
    assert sizes == [32, 16, 8]


def test_pools_of_nin_are_those_of_caffe(rng):
    """Windows of 3 with stride 2 from the corner; at the far border they are cut, not padded."""
    images = rng.normal(size=(1, 8, 8, 3)).astype("float32")
    for pool, reduce in (("pool1", np.max), ("pool2", np.mean)):
        layer = NIN(width_multiplier=0.1).get_layer(pool)
        found = np.asarray(layer(images))[0]
        expected = [
            [reduce(images[0, i : i + 3, j : j + 3], axis=(0, 1)) for j in (0, 2, 4, 6)]
            for i in (0, 2, 4, 6)
        ]
        np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("builder", "per_block", "layers"),
    [(VGG11, (1, 1, 2, 2, 2), 11), (VGG16, (2, 2, 3, 3, 3), 16), (VGG19, (2, 2, 4, 4, 4), 19)],
)
def test_vgg_has_the_convolutions_of_its_configuration(builder, per_block, layers):
    model = builder(weights=None, head_units=(8, 8))
    names = [layer.name for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    expected = [f"block{b}_conv{i}" for b, n in enumerate(per_block, 1) for i in range(1, n + 1)]
    assert names == expected
    assert len(names) + 3 == layers
    assert {row[:2] for row in convolutions(model)} == {(3, 1)}


def test_third_convolutions_of_configuration_c_are_1x1():
    kernels = [row[0] for row in convolutions(VGG16C(head_units=(8, 8)))]
    assert kernels == [3, 3, 3, 3, 3, 3, 1, 3, 3, 1, 3, 3, 1]


def test_separable_vgg_is_plain_in_its_first_convolution_only():
    model = get_model("VGG16:separable", weights=None, input_shape=(None, None, 3))
    convs = [layer for layer in model.layers if isinstance(layer, CONVS)]
    separable = [isinstance(layer, keras.layers.SeparableConv2D) for layer in convs]
    assert separable == [False] + [True] * 12
    assert not any(layer.use_bias for layer in convs)
    for conv in convs:
        norm = model.get_layer(f"{conv.name}_bn")
        assert norm.input is conv.output
        assert model.get_layer(f"{conv.name}_act").input is norm.output
    dense = [layer.name for layer in model.layers if isinstance(layer, keras.layers.Dense)]
    assert dense == ["predictions"]
    assert isinstance(model.get_layer("avg_pool"), keras.layers.GlobalAveragePooling2D)


def test_batch_normalized_convolutions_of_vgg_keep_their_biases():
    model = VGG11(weights=None, batch_norm=True, input_shape=(32, 32, 3), **THIN)
    assert model.get_layer("block1_conv1").use_bias
    assert model.get_layer("block1_conv1_bn").epsilon == 1e-5
    assert model.get_layer("block1_conv1_act").input is model.get_layer("block1_conv1_bn").output


@pytest.mark.parametrize(
    ("builder", "options", "message"),
    [
        (VGG16, {"batch_norm": True, "separable": True}, "of its own"),
        (VGG16, {"separable": True, "head_units": (8,)}, "in the place of"),
        (VGG16, {"batch_norm": "no"}, "`batch_norm` should be one of True"),
        (VGG16, {"head_units": 4096}, "`head_units` should be a tuple"),
        (VGG16, {"input_shape": (None, None, 3)}, "needs a static `input_shape`"),
        (VGG16, {"weights": "imagenet", "separable": True}, "ImageNet weights belong to VGG16"),
        (VGG16C, {"weights": "imagenet"}, "does not serve VGG16C"),
        (AlexNet, {"variant": "torchvision"}, "`variant` should be one of 'caffe', 'paper'"),
        (AlexNet, {"head_units": (0,)}, "sizes in `head_units`"),
        (NIN, {"dropout_rate": 1}, "`dropout_rate` should be"),
    ],
)
def test_wrong_options_are_told(builder, options, message):
    with pytest.raises(InputError, match=message):
        builder(**{"weights": None, **options})


@pytest.mark.parametrize(("builder", "size"), [(AlexNet, (1, 2)), (VGG16, (2, 3))])
def test_without_the_top_any_size_goes(builder, size):
    model = builder(weights=None, include_top=False, width_multiplier=0.1)
    assert model.input.shape == (None, None, None, 3)
    assert model(np.zeros((1, 80, 103, 3), "float32")).shape[1:3] == size
