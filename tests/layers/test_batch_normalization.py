"""The fused batch normalization against Keras' own."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_convnets.layers import BatchNormalization

MODES = ("training", "inference", "frozen")


def pair(rng, shape, axis=-1, **options):
    """Keras' layer and ours with the same random weights."""
    layers = (
        keras.layers.BatchNormalization(axis=axis, **options),
        BatchNormalization(axis=axis, **options),
    )
    for layer in layers:
        layer.build(shape)
    values = [rng.uniform(0.5, 1.5, v.shape) for v in layers[0].weights]
    for layer in layers:
        layer.set_weights(values)
    return layers


def outputs_and_gradients(layer, x, mode, wrap=lambda function: function):
    layer.trainable = mode != "frozen"

    def compute(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, training=mode != "inference")
            # Linear in y, so that the rounding of y to 16 bits moves no gradient.
            weights = np.cos(np.arange(np.prod(y.shape))).reshape(y.shape)
            loss = tf.reduce_sum(tf.cast(y, "float32") * weights.astype("float32"))
        parameters = [v.value for v in (layer.gamma, layer.beta) if v is not None]
        return y, tape.gradient(loss, [x, *parameters])

    y, gradients = wrap(compute)(tf.constant(x))
    return [y, *gradients, *(v.value for v in layer.weights)]


def assert_equal(found, expected, tolerance=1e-5):
    for a, b in zip(found, expected, strict=True):
        b = np.asarray(b, "float64")
        np.testing.assert_allclose(
            np.asarray(a, "float64"), b, atol=tolerance * max(1.0, np.abs(b).max()), rtol=0
        )


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("options", [{}, {"scale": False}, {"center": False, "momentum": 0.5}])
@pytest.mark.parametrize(
    "wrap",
    [lambda f: f, tf.function, lambda f: tf.function(f, jit_compile=True)],
    ids=["eager", "function", "jit"],
)
def test_equals_keras(mode, options, wrap, rng):
    x = rng.normal(2, 3, (4, 5, 6, 7)).astype("float32")
    theirs, ours = pair(rng, x.shape, **options)
    assert_equal(outputs_and_gradients(ours, x, mode, wrap), outputs_and_gradients(theirs, x, mode))


@pytest.mark.parametrize("mode", MODES)
def test_equals_keras_in_a_strategy_scope(mode, rng):
    x = rng.normal(2, 3, (4, 5, 6, 7)).astype("float32")
    strategy = tf.distribute.MirroredStrategy(["CPU:0"])
    with strategy.scope():
        theirs, ours = pair(rng, x.shape)

    def run(layer):
        return strategy.run(lambda x: outputs_and_gradients(layer, x, mode, tf.function), [x])

    assert_equal(run(ours), run(theirs))


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("mode", MODES)
def test_equals_keras_in_mixed_precision(dtype, mode, rng):
    x = tf.cast(rng.normal(1, 2, (4, 5, 6, 7)), dtype)
    theirs, ours = pair(rng, x.shape, dtype=f"mixed_{dtype}")
    (y, by_input, *others), expected = (
        outputs_and_gradients(layer, x, mode) for layer in (ours, theirs)
    )
    assert y.dtype == by_input.dtype == dtype
    # Both round output and input gradient once; all else stays float32. The gradients of the
    # parameters add up rounded gradients in Keras' path.
    assert_equal([y, by_input], expected[:2], tolerance=2**-7)
    assert_equal(others[:2], expected[2:4], tolerance=2**-7)
    assert_equal(others[2:], expected[4:], tolerance=1e-5)


def test_fused_kernel_is_used_for_images_and_only_there(rng):
    def kernels(layer, x):
        graph = tf.function(lambda x: layer(x, training=True)).get_concrete_function(x).graph
        return {op.type for op in graph.get_operations()}

    image = tf.zeros((2, 4, 4, 3))
    assert "FusedBatchNormV3" in kernels(BatchNormalization(), image)
    assert "FusedBatchNormV3" not in kernels(keras.layers.BatchNormalization(), image)
    for layer, x in (
        (BatchNormalization(dtype="float64"), tf.cast(image, "float64")),
        (BatchNormalization(), tf.zeros((2, 3))),
        (BatchNormalization(renorm=True), image),
        (BatchNormalization(axis=2), image),
    ):
        assert "FusedBatchNormV3" not in kernels(layer, x)


@pytest.mark.parametrize("axis", [1, 2, -1])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_equals_keras_on_any_axis_and_in_float64(axis, dtype, rng):
    x = rng.normal(2, 3, (4, 5, 6, 7)).astype(dtype)
    theirs, ours = pair(rng, x.shape, axis=axis, dtype=dtype)
    assert_equal(
        outputs_and_gradients(ours, x, "training"), outputs_and_gradients(theirs, x, "training")
    )


def test_masks_take_the_path_of_keras(rng):
    x = rng.normal(2, 3, (4, 5, 6, 7)).astype("float32")
    mask = rng.uniform(size=(4, 5, 6)) > 0.5
    theirs, ours = pair(rng, x.shape)
    assert_equal([ours(x, training=True, mask=mask)], [theirs(x, training=True, mask=mask)])


def test_config_and_weights_are_interchangeable(rng):
    theirs, ours = pair(rng, (2, 4, 4, 3), momentum=0.9, epsilon=1e-5, name="bn")
    config = ours.get_config()
    assert config.keys() == theirs.get_config().keys()
    again = keras.layers.BatchNormalization.from_config(config)
    again.build((2, 4, 4, 3))
    again.set_weights(ours.get_weights())
    x = rng.normal(size=(2, 4, 4, 3)).astype("float32")
    assert_equal([again(x)], [ours(x)])


def test_single_value_a_channel_has_no_variance(rng):
    """n = 1: the unbiased variance would divide by zero."""
    x = rng.normal(size=(1, 1, 1, 3)).astype("float32")
    theirs, ours = pair(rng, x.shape)
    assert_equal(
        outputs_and_gradients(ours, x, "training"), outputs_and_gradients(theirs, x, "training")
    )
