"""The identities behind Inception, Xception and ResNeXt (papers.md 13), in float64."""

import itertools

import keras
import numpy as np
import pytest
from keras import layers, ops

from keras_convnets.layers import (
    BatchNormalization,
    GroupedConv2D,
    LocalResponseNormalization,
    SegmentedConv2D,
)

EXACT = {"atol": 1e-12, "rtol": 0}

# Channels between the convolutions, and filters, of each tower.
TOWERS = [((4,), (3,)), ((4, 1, 7), (5, 3, 2)), ((2, 2, 3, 3, 1), (4, 4, 4, 1, 2))]
EQUAL_TOWERS = [((3, 3, 3, 3), (2, 2, 2, 2)), ((1, 1, 1), (1, 1, 1))]

BETWEEN = {
    "nothing": layers.Identity,
    "relu": layers.ReLU,
    "batch norm": BatchNormalization,
    "local response norm": lambda: LocalResponseNormalization(alpha=5.0),
}


@pytest.fixture(autouse=True)
def in_float64():
    keras.config.set_dtype_policy("float64")


def randomized(layer, channels, rng):
    layer.build((None, None, None, channels))
    layer.set_weights([rng.normal(size=v.shape) for v in layer.weights])
    return layer


def run(steps, x, training=False):
    for step in steps:
        x = step(x, training=training) if isinstance(step, BatchNormalization) else step(x)
    return np.asarray(x)


def separate_towers(between, channels, filters, rng):
    return [
        [
            randomized(layers.Conv2D(c, 1), 10, rng),
            between(),
            randomized(layers.Conv2D(o, 3, padding="same"), c, rng),
        ]
        for c, o in zip(channels, filters, strict=True)
    ]


def side_by_side(towers, x, training=False):
    return np.concatenate([run(tower, x, training) for tower in towers], axis=-1)


def stacked(towers, between, spatial):
    """One 1x1 convolution for all towers, and the layer `spatial` for their 3x3 ones."""
    first = layers.Conv2D(sum(tower[0].filters for tower in towers), 1)
    first.build((None, None, None, 10))
    first.set_weights([np.concatenate(w, axis=-1) for w in weights_of(towers, 0)])
    spatial.build((None, None, None, first.filters))
    kernels, biases = weights_of(towers, 2)
    runs = [list(run) for _, run in itertools.groupby(kernels, key=np.shape)]  # share a variable
    spatial.set_weights([*(np.concatenate(r, axis=-1) for r in runs), np.concatenate(biases)])
    return [first, between(), spatial]


def weights_of(towers, step):
    """The weights of one step: for each kind those of all towers."""
    return list(zip(*(tower[step].get_weights() for tower in towers), strict=True))


@pytest.mark.parametrize(("channels", "filters"), [*TOWERS, *EQUAL_TOWERS])
@pytest.mark.parametrize("between", ["nothing", "relu"])
def test_inception_towers_are_a_segmented_convolution(channels, filters, between, rng):
    x = rng.normal(size=(3, 6, 7, 10))
    towers = separate_towers(BETWEEN[between], channels, filters, rng)
    expected = side_by_side(towers, x)
    spatial = SegmentedConv2D(filters, 3, channels, padding="same")
    np.testing.assert_allclose(
        run(stacked(towers, BETWEEN[between], spatial), x), expected, **EXACT
    )


@pytest.mark.parametrize("convolution", [layers.Conv2D, GroupedConv2D])
@pytest.mark.parametrize(("channels", "filters"), EQUAL_TOWERS)
def test_equal_towers_are_a_grouped_convolution(channels, filters, convolution, rng):
    x = rng.normal(size=(3, 6, 7, 10))
    towers = separate_towers(BETWEEN["relu"], channels, filters, rng)
    expected = side_by_side(towers, x)
    spatial = convolution(sum(filters), 3, padding="same", groups=len(channels))
    np.testing.assert_allclose(run(stacked(towers, BETWEEN["relu"], spatial), x), expected, **EXACT)


@pytest.mark.parametrize(("channels", "filters"), TOWERS)
@pytest.mark.parametrize("training", [False, True])
def test_batch_norm_between_keeps_the_towers_apart(channels, filters, training, rng):
    x = rng.normal(size=(3, 6, 7, 10))
    towers = separate_towers(BETWEEN["batch norm"], channels, filters, rng)
    for tower, c in zip(towers, channels, strict=True):
        tower[1].build((None, None, None, c))
        tower[1].set_weights([rng.uniform(0.5, 1.5, c) for _ in range(4)])
    spatial = SegmentedConv2D(filters, 3, channels, padding="same")
    together = stacked(towers, BETWEEN["batch norm"], spatial)
    together[1].build((None, None, None, sum(channels)))
    together[1].set_weights([np.concatenate(w) for w in weights_of(towers, 1)])
    expected = side_by_side(towers, x, training)
    np.testing.assert_allclose(run(together, x, training), expected, **EXACT)
    for found, slices in zip(together[1].get_weights(), weights_of(towers, 1), strict=True):
        np.testing.assert_allclose(found, np.concatenate(slices), **EXACT)  # statistics too


def test_local_response_norm_between_ties_the_towers_together(rng):
    """Its sums reach into the neighbouring tower, so the two forms differ."""
    channels, filters = TOWERS[1]
    x = rng.normal(size=(3, 6, 7, 10))
    towers = separate_towers(BETWEEN["local response norm"], channels, filters, rng)
    expected = side_by_side(towers, x)
    spatial = SegmentedConv2D(filters, 3, channels, padding="same")
    found = run(stacked(towers, BETWEEN["local response norm"], spatial), x)
    assert np.abs(found - expected).max() > 1


def holding(layer, channels, *weights):
    layer.build((None, None, None, channels))
    layer.set_weights([weight for weight in weights if weight is not None])
    return layer


def depthwise(kernel, bias=None):
    """Our depthwise convolution; `kernel` is (3, 3, channels)."""
    channels = kernel.shape[-1]
    layer = SegmentedConv2D(channels, 3, channels, padding="same", use_bias=bias is not None)
    return holding(layer, channels, kernel[:, :, None], bias)


def pointwise(kernel, bias=None):
    """A 1x1 convolution; `kernel` is (channels, filters)."""
    layer = layers.Conv2D(kernel.shape[1], 1, use_bias=bias is not None)
    return holding(layer, kernel.shape[0], kernel[None, None], bias)


def dense(kernel, x, bias=0.0):
    return np.asarray(ops.conv(x, kernel, padding="same")) + bias


def test_depthwise_then_pointwise_is_a_dense_kernel(rng):
    """K_oi = P_oi * D_i."""
    x, d, p = (rng.normal(size=size) for size in ((2, 7, 6, 5), (3, 3, 5), (5, 8)))
    found = run([depthwise(d), pointwise(p)], x)
    np.testing.assert_allclose(found, dense(np.einsum("yxi,io->yxio", d, p), x), **EXACT)


def test_pointwise_then_depthwise_is_a_dense_kernel(rng):
    """K_oi = D_o * P_oi."""
    x, d, p = (rng.normal(size=size) for size in ((2, 7, 6, 5), (3, 3, 8), (5, 8)))
    found = run([pointwise(p), depthwise(d)], x)
    np.testing.assert_allclose(found, dense(np.einsum("yxo,io->yxio", d, p), x), **EXACT)


@pytest.mark.parametrize("repeats", [1, 2, 4])
def test_order_in_a_stack_is_a_matter_of_brackets(repeats, rng):
    """L times (pointwise, depthwise) = pointwise, L - 1 times (depthwise, pointwise), depthwise."""
    x = rng.normal(size=(2, 7, 6, 5))
    p = [rng.normal(size=size) for size in [(5, 6), *[(6, 6)] * (repeats - 1)]]
    d = [rng.normal(size=(3, 3, 6)) for _ in range(repeats)]
    extreme_inception = [
        step for i in range(repeats) for step in (pointwise(p[i]), depthwise(d[i]))
    ]
    options = {"padding": "same", "use_bias": False}
    separable = [
        holding(layers.SeparableConv2D(6, 3, **options), 6, d[i][..., None], p[i + 1][None, None])
        for i in range(repeats - 1)
    ]
    expected = run([pointwise(p[0]), *separable, depthwise(d[-1])], x)
    scale = np.abs(expected).max()
    np.testing.assert_allclose(run(extreme_inception, x) / scale, expected / scale, **EXACT)


def test_channel_wise_convolution_has_as_many_groups_as_channels(rng):
    x, d = rng.normal(size=(2, 7, 6, 8)), rng.normal(size=(3, 3, 8))
    options = {"padding": "same", "use_bias": False}
    channel_wise = holding(layers.DepthwiseConv2D(3, **options), 8, d[..., None])
    expected = run([channel_wise], x)
    for layer in (
        layers.Conv2D(8, 3, groups=8, **options),
        GroupedConv2D(8, 3, groups=8, **options),
        SegmentedConv2D(8, 3, segments=8, **options),
        SegmentedConv2D((1,) * 8, 3, segments=(1,) * 8, **options),
    ):
        found = run([holding(layer, 8, d[:, :, None])], x)
        np.testing.assert_allclose(found, expected, **EXACT)


def test_bias_before_a_padded_depthwise_breaks_the_border_only(rng):
    """The padding is zeros and not the bias, so the dense kernel with its constant bias errs."""
    x, d, p = (rng.normal(size=size) for size in ((2, 7, 6, 5), (3, 3, 8), (5, 8)))
    bias = rng.uniform(1, 2, 8)
    found = run([pointwise(p, bias), depthwise(d)], x)
    kernel = np.einsum("yxo,io->yxio", d, p)
    error = np.abs(found - dense(kernel, x, bias * d.sum(axis=(0, 1))))
    assert error[:, 1:-1, 1:-1].max() <= 1e-12
    for border in (error[:, 0], error[:, -1], error[:, :, 0], error[:, :, -1]):
        assert border.max() > 1


def test_bias_between_depthwise_and_pointwise_holds_up_to_the_border(rng):
    """Nothing is padded after it."""
    x, d, p = (rng.normal(size=size) for size in ((2, 7, 6, 5), (3, 3, 5), (5, 8)))
    bias = rng.uniform(1, 2, 5)
    expected = dense(np.einsum("yxi,io->yxio", d, p), x, bias @ p)
    np.testing.assert_allclose(run([depthwise(d, bias), pointwise(p)], x), expected, **EXACT)
