"""Convolutions whose bias belongs to the channels, whatever the width of the map is.

With channels first, Keras 3.15 on TensorFlow takes a bias for one of the width when the map is as
wide as it has channels, and adds it along the wrong axis without a word. Subtracting the negative
bias does not go that way.
"""

import keras
from keras import ops


class ChannelBias:
    """A convolution that adds its bias along the channels; a base in front of Keras' class."""

    def call(self, inputs):
        if self.data_format == "channels_last" or not self.use_bias:
            return super().call(inputs)
        bias = ops.reshape(self.bias, (1, self.filters, 1, 1))
        outputs = ops.subtract(self.convolve(inputs), ops.negative(bias))
        return outputs if self.activation is None else self.activation(outputs)

    def convolve(self, inputs):
        """The convolution without its bias."""
        return self.convolution_op(inputs, self.kernel)


@keras.saving.register_keras_serializable(package="keras_convnets")
class BiasedConv2D(ChannelBias, keras.layers.Conv2D):
    """`keras.layers.Conv2D` with a bias that is right with channels first too.

    Args:
        *args: as in `keras.layers.Conv2D`.
        **kwargs: as in `keras.layers.Conv2D`.

    Example:

    >>> keras_convnets.layers.BiasedConv2D(8, 3)(keras.random.normal((2, 9, 9, 4))).shape
    TensorShape([2, 7, 7, 8])
    """


@keras.saving.register_keras_serializable(package="keras_convnets")
class BiasedSeparableConv2D(ChannelBias, keras.layers.SeparableConv2D):
    """`keras.layers.SeparableConv2D` with a bias that is right with channels first too.

    Args:
        *args: as in `keras.layers.SeparableConv2D`.
        **kwargs: as in `keras.layers.SeparableConv2D`.

    Example:

    >>> keras_convnets.layers.BiasedSeparableConv2D(8, 3)(keras.random.normal((2, 9, 9, 4))).shape
    TensorShape([2, 7, 7, 8])
    """

    def convolve(self, inputs):
        """The convolution without its bias."""
        return ops.separable_conv(
            inputs,
            self.depthwise_kernel,
            self.pointwise_kernel,
            strides=self.strides,
            padding=self.padding,
            dilation_rate=self.dilation_rate,
            data_format=self.data_format,
        )
