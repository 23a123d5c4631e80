"""Segmented convolutions against a plain convolution with a block-diagonal kernel."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from keras_convnets import count_complexity
from keras_convnets.errors import InputError
from keras_convnets.layers import SegmentedConv2D

CHANNELS = 12

# Arguments, and the channels and filters of each segment.
CUTS = [
    pytest.param(*cut, id=f"{cut[0]}-{cut[1]}")
    for cut in [
        (1, 8, (12,), (8,)),
        (4, 24, (3,) * 4, (6,) * 4),
        (12, 12, (1,) * 12, (1,) * 12),
        (12, 24, (1,) * 12, (2,) * 12),
        (5, 23, (3, 3, 2, 2, 2), (5, 5, 5, 4, 4)),
        (8, 8, (2, 2, 2, 2, 1, 1, 1, 1), (1,) * 8),
        ((9, 3), (16, 8), (9, 3), (16, 8)),
        ((2, 1, 9), 7, (2, 1, 9), (3, 2, 2)),
        (3, (1, 2, 3), (4, 4, 4), (1, 2, 3)),
        ((1, 5, 5, 1), (4, 3, 3, 4), (1, 5, 5, 1), (4, 3, 3, 4)),
    ]
]


def cut_into_blocks(kernels, channels, filters):
    """The kernels of the segments, out of those that neighbours of equal sizes share."""
    kernels = iter(kernels)
    rest = np.empty((1, 1, 0, 0))
    for c, o in zip(channels, filters, strict=True):
        if rest.shape[-1] == 0:
            rest = next(kernels)
        assert rest.shape[2] == c
        yield rest[..., :o]
        rest = rest[..., o:]
    assert rest.shape[-1] == 0
    assert next(kernels, None) is None


def corners(channels, filters):
    """Where the blocks stand in a dense kernel."""
    return zip(np.cumsum([0, *channels]), np.cumsum([0, *filters]), strict=True)


def dense_kernel(blocks, channels, filters):
    blocks = list(blocks)
    dense = np.zeros((*blocks[0].shape[:2], sum(channels), sum(filters)))
    for block, (row, column) in zip(blocks, corners(channels, filters), strict=False):
        dense[:, :, row : row + block.shape[2], column : column + block.shape[3]] = block
    return dense


def outputs_and_gradients(function, x, layer=None):
    """The output, and the gradients by the input and the weights of the layer."""
    inputs = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        y = function(inputs)
        loss = tf.reduce_sum(y * tf.reshape(tf.cos(tf.range(tf.size(y), dtype=y.dtype)), y.shape))
    variables = [v.value for v in (layer or function).trainable_variables]
    return y, *tape.gradient(loss, [inputs, *variables])


def randomized(layer, x, rng):
    layer.build(x.shape)
    layer.set_weights([rng.normal(size=v.shape) for v in layer.weights])
    return layer


@pytest.mark.parametrize(("segments", "filters", "channels", "segment_filters"), CUTS)
@pytest.mark.parametrize(
    ("kernel_size", "options"),
    [
        (3, {}),
        (3, {"strides": 2, "padding": "same"}),
        ((3, 2), {"strides": (1, 2), "padding": "same", "use_bias": False}),
        (3, {"dilation_rate": 2, "padding": "same"}),
        (1, {"strides": (3, 2)}),
    ],
)
def test_outputs_and_gradients_are_those_of_a_block_diagonal_kernel(
    segments, filters, channels, segment_filters, kernel_size, options, rng
):
    x = rng.normal(size=(2, 9, 8, CHANNELS))
    options = {**options, "dtype": "float64"}
    ours = randomized(SegmentedConv2D(filters, kernel_size, segments, **options), x, rng)
    bias = ours.get_weights()[len(ours.weights) - ours.use_bias :]
    blocks = cut_into_blocks(ours.get_weights()[: -1 if bias else None], channels, segment_filters)
    plain = layers.Conv2D(sum(segment_filters), kernel_size, **options)
    plain.build(x.shape)
    plain.set_weights([dense_kernel(blocks, channels, segment_filters), *bias])

    y, by_input, *by_weights = outputs_and_gradients(ours, x)
    expected = outputs_and_gradients(plain, x)
    if bias:
        np.testing.assert_allclose(by_weights.pop(), expected[3], atol=1e-12)
    by_block = list(cut_into_blocks(map(np.asarray, by_weights), channels, segment_filters))
    np.testing.assert_allclose(y, expected[0], atol=1e-12)
    np.testing.assert_allclose(by_input, expected[1], atol=1e-12)
    by_dense = np.asarray(expected[2])
    for block, (row, column) in zip(by_block, corners(channels, segment_filters), strict=False):
        inside = by_dense[:, :, row : row + block.shape[2], column : column + block.shape[3]]
        np.testing.assert_allclose(block, inside, atol=1e-12)


@pytest.mark.parametrize(("segments", "filters"), [(4, 24), (12, 12), (5, 23), ((9, 3), (16, 8))])
@pytest.mark.parametrize("strides", [1, 2])
def test_channels_first_gives_the_same_outputs_and_gradients(segments, filters, strides, rng):
    x = rng.normal(size=(2, 9, 8, CHANNELS)).astype("float32")
    options = {"strides": strides, "padding": "same", "activation": "tanh"}
    last = randomized(SegmentedConv2D(filters, 3, segments, **options), x, rng)
    first = SegmentedConv2D(filters, 3, segments, data_format="channels_first", **options)
    first.build((2, CHANNELS, 9, 8))
    first.set_weights(last.get_weights())
    found = outputs_and_gradients(lambda x: by_channels_first(first, x), x, first)
    assert found[0].shape == last.compute_output_shape(x.shape)
    for a, b in zip(found, outputs_and_gradients(last, x), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5 * np.abs(b).max())


def by_channels_first(layer, x):
    return tf.transpose(layer(tf.transpose(x, (0, 3, 1, 2))), (0, 2, 3, 1))


@pytest.mark.parametrize("segments", [1, 2, 4, 12])
def test_weights_are_interchangeable_with_those_of_grouped_conv2d(segments, rng):
    x = rng.normal(size=(2, 6, 6, CHANNELS)).astype("float32")
    grouped = randomized(layers.Conv2D(24, 3, groups=segments), x, rng)
    ours = SegmentedConv2D(24, 3, segments)
    ours.build(x.shape)
    ours.set_weights(grouped.get_weights())
    np.testing.assert_allclose(ours(x), grouped(x), atol=1e-4)


@pytest.mark.parametrize("multiplier", [1, 3])
def test_one_segment_a_channel_is_the_depthwise_convolution(multiplier, rng):
    x = rng.normal(size=(2, 6, 6, CHANNELS))
    options = {"padding": "same", "dtype": "float64"}
    depthwise = randomized(
        layers.DepthwiseConv2D(3, depth_multiplier=multiplier, **options), x, rng
    )
    ours = SegmentedConv2D(CHANNELS * multiplier, 3, CHANNELS, **options)
    ours.build(x.shape)
    kernel, bias = depthwise.get_weights()
    ours.set_weights([kernel.reshape(3, 3, 1, CHANNELS * multiplier), bias])
    np.testing.assert_allclose(ours(x), depthwise(x), atol=1e-12)


def test_segments_run_in_few_kernels():
    """Not as hundreds of convolutions, also where a segment has one channel more than the rest."""

    def kernels(segments):
        layer = SegmentedConv2D(64, 3, segments)
        graph = tf.function(layer).get_concrete_function(tf.zeros((1, 8, 8, 64))).graph
        kinds = [op.type for op in graph.get_operations()]
        return [kind for kind in kinds if kind in ("Conv2D", "DepthwiseConv2dNative")]

    assert kernels(1) == ["Conv2D"]
    assert kernels(63) == ["Conv2D", "DepthwiseConv2dNative"]
    assert kernels(64) == ["DepthwiseConv2dNative"]
    assert set(kernels(16)) == {"Conv2D"}  # as GroupedConv2D, so without XLA


@pytest.mark.parametrize("segments", [1, 2, 3, 8, 24])
@pytest.mark.parametrize("kernel_size", [1, 3])
def test_more_segments_have_fewer_parameters_and_operations(segments, kernel_size):
    """params(g) = k * k * C * C / g, MAC(g) = H * W * params(g): papers.md 13."""
    image = keras.Input((10, 7, 24))
    options = {"padding": "same", "use_bias": False}
    model = keras.Model(image, SegmentedConv2D(24, kernel_size, segments, **options)(image))
    cost = count_complexity(model)
    assert cost.trainable == kernel_size**2 * 24 * 24 // segments
    assert cost.macs == 10 * 7 * cost.trainable


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_operations_of_unequal_segments_are_counted(data_format):
    shape = (9, 9, 12) if data_format == "channels_last" else (12, 9, 9)
    image = keras.Input(shape)
    layer = SegmentedConv2D((16, 8), 3, (9, 3), strides=2, data_format=data_format)
    cost = count_complexity(keras.Model(image, layer(image)))
    assert cost.macs == 4 * 4 * 9 * (9 * 16 + 3 * 8)
    assert cost.trainable == 9 * (9 * 16 + 3 * 8) + 24


@pytest.mark.parametrize("seed", [None, 3])
def test_segments_of_one_shape_start_with_different_values(seed):
    def kernels():
        initializer = keras.initializers.HeNormal(seed)
        layer = SegmentedConv2D((4, 6, 4), 3, (5, 2, 5), kernel_initializer=initializer)
        layer.build((None, 8, 8, 12))
        return layer.get_weights()[:3]

    first, _, third = kernels()
    assert first.shape == third.shape
    assert np.abs(first - third).max() > 0.1
    assert np.array_equal(kernels()[2], third) == (seed is not None)


def test_initializers_without_a_seed_serve_every_segment():
    layer = SegmentedConv2D(4, 3, (5, 7), kernel_initializer=lambda shape, dtype: tf.ones(shape))
    layer.build((None, 8, 8, 12))
    assert all((kernel == 1).all() for kernel in layer.get_weights()[:2])


def test_regularizer_and_constraint_reach_every_kernel(rng):
    layer = SegmentedConv2D(
        (4, 6), 3, (5, 7), kernel_regularizer="l2", kernel_constraint="non_neg", dtype="float64"
    )
    x = rng.normal(size=(1, 5, 5, 12))
    kernels = randomized(layer, x, rng).get_weights()[:2]
    layer(x)
    expected = 0.01 * sum((kernel**2).sum() for kernel in kernels)
    np.testing.assert_allclose(sum(layer.losses), expected, rtol=1e-6)
    assert all(v.constraint is layer.kernel_constraint for v in layer.weights[:2])


@pytest.mark.parametrize("channels", [3, 8, 12])
def test_thin_strided_convolutions_of_one_pixel_have_true_gradients(channels, rng):
    """TensorFlow's own kernel gradient is at fault there; see layers/pointwise.py."""
    x = rng.normal(size=(8, 56, 56, channels + 20)).astype("float32")
    layer = SegmentedConv2D((16, 8), 1, (channels, 20), strides=2, use_bias=False)
    layer.build(x.shape)
    with tf.GradientTape() as tape:
        y = layer(x)
        loss = tf.reduce_sum(y**2) / 2
    found = tape.gradient(loss, [kernel.value for kernel in layer.kernel])
    seen = np.split(x[:, ::2, ::2].astype("float64"), [channels], axis=-1)
    for gradient, part, output in zip(found, seen, np.split(y, [16], axis=-1), strict=True):
        expected = np.einsum("nhwi,nhwo->io", part, output)
        scale = np.abs(expected).max()
        np.testing.assert_allclose(gradient[0, 0], expected, atol=1e-5 * scale)


def test_mixed_precision_computes_in_16_bits(rng):
    x = rng.normal(size=(2, 6, 6, 12)).astype("float32")
    layer = SegmentedConv2D(23, 3, 5, dtype="mixed_bfloat16")
    y = layer(x)
    assert y.dtype == "bfloat16"
    assert {v.dtype for v in layer.weights} == {"float32"}
    wide = SegmentedConv2D(23, 3, 5)
    wide.build(x.shape)
    wide.set_weights(layer.get_weights())
    np.testing.assert_allclose(tf.cast(y, "float32"), wide(x), atol=0.05)


@pytest.mark.parametrize(("segments", "filters"), [(4, 24), (5, 23), ([9, 3], [16, 8])])
def test_saved_model_is_exact(segments, filters, rng, tmp_path):
    image = keras.Input((None, None, 12))
    layer = SegmentedConv2D(filters, 3, segments, activation="relu", name="segmented")
    model = keras.Model(image, layer(image))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    assert loaded.get_layer("segmented").get_config() == layer.get_config()
    x = rng.normal(size=(2, 7, 9, 12)).astype("float32")
    y = model.predict_on_batch(x)
    np.testing.assert_array_equal(loaded.predict_on_batch(x), y)
    assert layer.compute_output_shape((2, 7, 9, 12)) == y.shape


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"segments": 0}, "`segments` should be an integer of at least 1. Received: 0"),
        ({"segments": 2.0}, "`segments` should be an integer of at least 1. Received: 2.0"),
        ({"segments": ()}, "`segments` should be an integer of at least 1. Received: ()"),
        ({"segments": (12, 0)}, "Each of the sizes in `segments` should be an integer"),
        ({"filters": 0}, "`filters` should be an integer of at least 1. Received: 0"),
        ({"filters": 3}, "`filters` of 4 segments should be an integer of at least 4. Received: 3"),
        ({"filters": (3, 3)}, "`filters` should be an integer, or a size for each of the 4"),
        ({"groups": 2}, "SegmentedConv2D has no `groups`. Received: 2"),
        ({"lora_rank": 2}, "SegmentedConv2D has no `lora_rank`. Received: 2"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(InputError, match=message.replace("(", r"\(").replace(")", r"\)")):
        SegmentedConv2D(**{"filters": 24, "kernel_size": 3, "segments": 4, **arguments})


@pytest.mark.parametrize(
    ("segments", "shape", "message"),
    [
        (13, (None, 8, 8, 12), "channels of 13 segments should be an integer of at least 13"),
        (2, (None, 8, 8, None), "channels of 2 segments should be an integer of at least 2"),
        ((9, 4), (None, 8, 8, 12), "should sum to the 12 channels of the input. .* sum to 13"),
    ],
)
def test_segments_that_do_not_fit_the_input_are_refused(segments, shape, message):
    with pytest.raises(InputError, match=message):
        SegmentedConv2D(24, 3, segments).build(shape)


def test_images_smaller_than_the_kernel_are_refused():
    """TensorFlow's kernel alone would give such an image back as its own convolution."""
    layer = SegmentedConv2D(8, 3, segments=4)
    layer.build((None, None, None, 8))
    with pytest.raises(ValueError, match="zero or negative"):
        layer(np.ones((1, 2, 2, 8), "float32"))


def test_lora_is_refused():
    layer = SegmentedConv2D(8, 3, segments=(5, 3))
    layer.build((None, 9, 9, 8))
    with pytest.raises(InputError, match="has no LoRA"):
        layer.enable_lora(2)
