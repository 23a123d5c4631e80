"""A 1x1 convolution that is safe to train on a CPU however few channels it reads."""

import keras
from keras import ops

from keras_convnets.layers.biased import ChannelBias

# TensorFlow 2.21 with oneDNN writes beyond its buffers in the kernel gradient of a strided 1x1
# convolution that reads fewer channels than this: 8 to 16 channels at 56 px end in a crash.
_SAFE_CHANNELS = 16


@keras.saving.register_keras_serializable(package="keras_convnets")
class PointwiseConv2D(ChannelBias, keras.layers.Conv2D):
    """`keras.layers.Conv2D` with kernels of one pixel: a projection of the channels.

    With strides and few input channels it takes every n-th pixel first and convolves them without
    strides. The results are the same, and TensorFlow's faulty kernel is not used.

    Args:
        filters: int, number of output channels.
        strides: int or pair of ints.
        **kwargs: as in `keras.layers.Conv2D`; the padding makes no difference.

    Example:

    >>> x = keras.random.normal((2, 9, 9, 8))
    >>> keras_convnets.layers.PointwiseConv2D(16, strides=2)(x).shape
    TensorShape([2, 5, 5, 16])
    """

    def __init__(self, filters, strides=1, **kwargs):
        if kwargs.pop("kernel_size", (1, 1)) not in (1, (1, 1), [1, 1]):
            raise ValueError("PointwiseConv2D has kernels of one pixel.")
        super().__init__(filters, 1, strides=strides, **kwargs)

    def convolution_op(self, inputs, kernel):
        if max(self.strides) == 1 or kernel.shape[2] >= _SAFE_CHANNELS:
            return super().convolution_op(inputs, kernel)
        rows, columns = (slice(None, None, stride) for stride in self.strides)
        last = self.data_format == "channels_last"
        inputs = inputs[:, rows, columns] if last else inputs[:, :, rows, columns]
        return ops.conv(inputs, kernel, padding="valid", data_format=self.data_format)
