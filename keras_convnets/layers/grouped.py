"""Grouped convolution that trains on a CPU in milliseconds, not seconds."""

import functools

import keras
from keras import ops

from keras_convnets.layers.biased import ChannelBias


@keras.saving.register_keras_serializable(package="keras_convnets")
class GroupedConv2D(ChannelBias, keras.layers.Conv2D):
    """`keras.layers.Conv2D` with `groups`, computed by TensorFlow's own grouped kernel.

    The weights (`set_weights`, `.keras` files by layer), the config and the results are those of
    the parent; only `.weights.h5` files go by the name of the class. The parent hands every grouped
    convolution to XLA: on a CPU the gradient of one ResNeXt layer then takes seconds. Where
    TensorFlow's kernel has no gradient (on a CPU in float64, or without oneDNN) each group is
    convolved on its own. Other backends take the parent's path. With `jit_compile=True` XLA
    computes this layer too, as slowly as the parent.

    Args:
        *args: as in `keras.layers.Conv2D`.
        **kwargs: as in `keras.layers.Conv2D`; `groups` divides the input channels and `filters`.

    Input: (n, height, width, channels), or (n, channels, height, width) with "channels_first".
    Output: the same with `filters` channels, first group first.

    Example:

    >>> x = keras.random.normal((8, 14, 14, 64))
    >>> layer = keras_convnets.layers.GroupedConv2D(128, 3, padding="same", groups=32)
    >>> layer(x).shape
    TensorShape([8, 14, 14, 128])
    >>> tuple(layer.kernel.shape)
    (3, 3, 2, 128)

    Source: Xie et al. 2017, arXiv 1611.05431, figure 3 (c).
    """

    def convolution_op(self, inputs, kernel):
        # Refuses an image smaller than the kernel, which TensorFlow would give back as it is.
        self.compute_output_shape(tuple(inputs.shape))
        return grouped_conv(
            inputs,
            kernel,
            self.groups,
            strides=self.strides,
            padding=self.padding,
            dilation_rate=self.dilation_rate,
            data_format=self.data_format,
        )


def grouped_conv(inputs, kernel, groups: int, *, strides, padding, dilation_rate, data_format):
    """A grouped convolution, by the fastest way that has a gradient here.

    Args:
        inputs: (n, h, w, c) float, or (n, c, h, w).
        kernel: (kernel h, kernel w, c / groups, filters) float.
        groups: how many; divides c and filters.
        strides: pair of ints; so is `dilation_rate`. One of the two is (1, 1).
        padding: "same" or "valid".
        dilation_rate: see above.
        data_format: "channels_last" or "channels_first".

    Returns:
        (n, new h, new w, filters) float, or (n, filters, new h, new w).
    """
    options = {"strides": list(strides), "padding": padding, "dilation_rate": dilation_rate}
    if groups == 1 or keras.backend.backend() != "tensorflow":
        return ops.conv(inputs, kernel, data_format=data_format, **options)
    if not _has_native_gradient(keras.backend.standardize_dtype(inputs.dtype)):
        return split_conv(inputs, kernel, groups, data_format, **options)
    import tensorflow as tf

    return tf.nn.conv2d(
        inputs,
        kernel,
        strides=list(strides),
        padding=padding.upper(),
        data_format="NHWC" if data_format == "channels_last" else "NCHW",
        dilations=list(dilation_rate),
    )


def split_conv(inputs, kernel, groups: int, data_format: str, **options):
    """A grouped convolution as plain ones side by side; takes and returns as `grouped_conv`.

    A CPU that must split knows channels last only, so that channels first are moved.
    """
    is_first = data_format == "channels_first"
    if is_first:
        inputs = ops.transpose(inputs, (0, 2, 3, 1))
    parts = ops.split(inputs, groups, axis=-1)
    kernels = ops.split(ops.convert_to_tensor(kernel), groups, axis=-1)
    outputs = [
        ops.conv(part, own, data_format="channels_last", **options)
        for part, own in zip(parts, kernels, strict=True)
    ]
    outputs = ops.concatenate(outputs, axis=-1)
    return ops.transpose(outputs, (0, 3, 1, 2)) if is_first else outputs


@functools.cache
def _has_native_gradient(dtype: str) -> bool:
    """Tries the gradient of TensorFlow's grouped convolution on a small image.

    Whether there is one depends on the device, on the processor's instructions for the dtype and
    on oneDNN, which is on by default on some processors only: nothing but the attempt tells.
    """
    import tensorflow as tf

    with tf.init_scope():  # at once, even while a graph is traced
        image, kernel = tf.zeros((1, 4, 4, 2), dtype), tf.zeros((3, 3, 1, 2), dtype)
        options = {"out_backprop": image, "strides": [1] * 4, "padding": "SAME"}
        try:
            tf.raw_ops.Conv2DBackpropInput(input_sizes=image.shape, filter=kernel, **options)
            tf.raw_ops.Conv2DBackpropFilter(input=image, filter_sizes=kernel.shape, **options)
        except tf.errors.OpError:
            return False
    return True
