"""Strided 1x1 convolutions against NumPy, also where TensorFlow's own kernel is at fault."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_convnets.layers import PointwiseConv2D


@pytest.mark.parametrize("channels", [3, 8, 12, 16, 32])
@pytest.mark.parametrize(("strides", "size"), [(1, 8), (2, 8), (2, 9), ((3, 2), 11), (2, 56)])
def test_outputs_and_gradients_are_those_of_the_strided_product(channels, strides, size, rng):
    x = rng.normal(size=(8, size, size, channels)).astype("float32")
    layer = PointwiseConv2D(16, strides=strides)
    layer.build(x.shape)
    inputs = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        y = layer(inputs)
        loss = tf.reduce_sum(y**2) / 2
    by_input, by_kernel = tape.gradient(loss, [inputs, layer.kernel.value])
    rows, columns = layer.strides
    kernel = layer.kernel.numpy()[0, 0].astype("float64")
    expected = x[:, ::rows, ::columns] @ kernel
    np.testing.assert_allclose(y, expected, atol=1e-4)
    assert tuple(y.shape) == layer.compute_output_shape(x.shape)
    input_gradient = np.zeros(x.shape)
    input_gradient[:, ::rows, ::columns] = expected @ kernel.T
    np.testing.assert_allclose(by_input, input_gradient, atol=1e-3)
    kernel_gradient = np.einsum("nhwi,nhwo->io", x[:, ::rows, ::columns], expected)
    scale = np.abs(kernel_gradient).max()
    np.testing.assert_allclose(by_kernel[0, 0], kernel_gradient, atol=1e-5 * scale)


def test_config_comes_back():
    layer = PointwiseConv2D(16, strides=2, use_bias=False, name="projection")
    again = PointwiseConv2D.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    with pytest.raises(ValueError, match="kernels of one pixel"):
        PointwiseConv2D(16, kernel_size=3)


def test_thin_nets_train_at_64_pixels(rng):
    """With plain Conv2D shortcuts this ends the process by a corrupted heap."""
    from keras_convnets import Xception

    model = Xception(
        weights=None,
        input_shape=(64, 64, 3),
        classes=4,
        width_multiplier=0.125,
        middle_repeats=0,
        small_input=True,
    )
    model.compile(keras.optimizers.SGD(0.01), "sparse_categorical_crossentropy")
    images = rng.normal(size=(32, 64, 64, 3)).astype("float32")
    losses = [float(model.train_on_batch(images, np.zeros(32, int))) for _ in range(6)]
    assert losses[-1] < losses[0]
