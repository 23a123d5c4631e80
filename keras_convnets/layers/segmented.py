"""Convolutions between the plain one and the depthwise one (Chollet 2017, section 2)."""

import itertools
import math
from collections.abc import Sequence

import keras
from keras import ops

from keras_convnets.errors import InputError, check_number
from keras_convnets.layers.biased import ChannelBias
from keras_convnets.layers.grouped import grouped_conv
from keras_convnets.layers.initializers import another_initializer


@keras.saving.register_keras_serializable(package="keras_convnets")
class SegmentedConv2D(ChannelBias, keras.layers.Conv2D):
    """Cuts the channels into segments, convolves each on its own, and concatenates the outputs.

    One segment is a plain convolution, one segment a channel a depthwise convolution; the towers of
    an Inception module are in between.

    Neighbouring segments of equal sizes share a kernel variable, of the shape (height, width,
    channels of a segment, filters of all of them). If all segments are equal there is one, and the
    weights are interchangeable with those of `keras.layers.Conv2D(groups=segments)`.

    Args:
        filters: int, number of output channels, cut like the input channels; or a sequence with
            the number for each segment.
        kernel_size: int or pair of ints.
        segments: int, number of segments, whose sizes differ by one at most, the larger first; or a
            sequence with the number of input channels of each segment.
        **kwargs: as in `keras.layers.Conv2D`, but for `groups` and LoRA. The kernel initializer
            sees the shape of one kernel variable.

    Input: (n, height, width, channels), or (n, channels, height, width) with "channels_first".
    Output: the same with `filters` channels, first segment first.

    Raises:
        InputError: if the segments don't fit the filters or the input (a `ValueError`).

    Example:

    >>> x = keras.random.normal((2, 8, 8, 12))
    >>> keras_convnets.layers.SegmentedConv2D(24, 3, segments=4, use_bias=False)(x).shape
    TensorShape([2, 6, 6, 24])
    >>> layer = keras_convnets.layers.SegmentedConv2D((16, 8), 3, segments=(9, 3))
    >>> layer.build(x.shape)
    >>> [tuple(weight.shape) for weight in layer.weights]
    [(3, 3, 9, 16), (3, 3, 3, 8), (24,)]

    Source: Chollet 2017, arXiv 1610.02357, section 2 and figures 2 to 4.
    """

    def __init__(
        self,
        filters: int | Sequence[int],
        kernel_size: int | Sequence[int],
        segments: int | Sequence[int],
        **kwargs,
    ):
        for name in ("groups", "lora_rank", "lora_alpha"):
            if name in kwargs:
                raise InputError(f"SegmentedConv2D has no `{name}`. Received: {kwargs[name]!r}")
        segments, filters = _sizes("`segments`", segments), _sizes("`filters`", filters)
        count = segments if isinstance(segments, int) else len(segments)
        if isinstance(filters, int):
            check_number(f"`filters` of {count} segments", filters, least=count, whole=True)
        elif len(filters) != count:
            raise InputError(
                f"`filters` should be an integer, or a size for each of the {count} segments. "
                f"Received: {filters!r}"
            )
        self._segment_filters = _cut(filters, count) if isinstance(filters, int) else filters
        super().__init__(sum(self._segment_filters), kernel_size, **kwargs)
        self.segments = segments
        self._filters_argument = filters

    def build(self, input_shape):
        axis = self._channel_axis
        channels = input_shape[axis]
        count = len(self._segment_filters)
        check_number(f"The channels of {count} segments", channels, least=count, whole=True)
        sizes = _cut(channels, count) if isinstance(self.segments, int) else self.segments
        if sum(sizes) != channels:
            raise InputError(
                f"`segments` should sum to the {channels} channels of the input. "
                f"Received: {self.segments!r}, which sum to {sum(sizes)}"
            )
        self.input_spec = keras.InputSpec(ndim=4, axes={axis: channels})
        self.compute_output_shape(input_shape)  # refuses an input that is too small
        pairs = itertools.groupby(zip(sizes, self._segment_filters, strict=True))
        # Segments, and of each: channels and filters.
        self._runs = [(len(list(run)), *pair) for pair, run in pairs]
        self._kernels = [
            self.add_weight(
                name="kernel" if len(self._runs) == 1 else f"kernel_{i + 1}",
                shape=(*self.kernel_size, c, segments * o),
                initializer=another_initializer(self.kernel_initializer, i),
                regularizer=self.kernel_regularizer,
                constraint=self.kernel_constraint,
            )
            for i, (segments, c, o) in enumerate(self._runs)
        ]
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(self.filters,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    @property
    def kernel(self):
        """The kernel of all segments if they are equal, else a list with one for each run."""
        return self._kernels[0] if len(self._kernels) == 1 else self._kernels

    def enable_lora(self, *args, **kwargs):
        """Raises `InputError`: there is no one kernel to adapt."""
        raise InputError(f"SegmentedConv2D {self.name!r} has no LoRA.")

    def convolution_op(self, inputs, kernel):
        # Refuses an image smaller than the kernel, which TensorFlow would give back as it is.
        self.compute_output_shape(tuple(inputs.shape))
        strides = self.strides
        if self.kernel_size == (1, 1) and max(strides) > 1:
            # As in PointwiseConv2D: TensorFlow's kernel gradient of thin ones is at fault.
            rows, columns = (slice(None, None, stride) for stride in strides)
            last = self._channel_axis == -1
            inputs = inputs[:, rows, columns] if last else inputs[:, :, rows, columns]
            strides = (1, 1)
        if len(self._runs) == 1:
            return self._convolve(inputs, kernel, self._runs[0], strides)
        ends = list(itertools.accumulate(segments * c for segments, c, _ in self._runs))
        parts = ops.split(inputs, ends[:-1], axis=self._channel_axis)
        outputs = [
            self._convolve(part, kernel_of_run, run, strides)
            for part, kernel_of_run, run in zip(parts, kernel, self._runs, strict=True)
        ]
        return ops.concatenate(outputs, axis=self._channel_axis)

    def _convolve(self, inputs, kernel, run, strides):
        """Convolves a run of equal segments."""
        segments, channels, filters = run
        options = {
            "strides": strides,
            "padding": self.padding,
            "dilation_rate": self.dilation_rate,
            "data_format": self.data_format,
        }
        # TensorFlow has depthwise convolutions of equal strides only.
        if channels == 1 and strides[0] == strides[1]:
            kernel = ops.reshape(kernel, (*self.kernel_size, segments, filters))
            return ops.depthwise_conv(inputs, kernel, **options)
        return grouped_conv(inputs, kernel, segments, **options)

    def count_macs(self, input_shape, output_shape) -> int:
        """Multiply-adds of one image: one for each weight and output position."""
        positions = output_shape[1:-1] if self._channel_axis == -1 else output_shape[2:]
        return math.prod(positions) * sum(math.prod(kernel.shape) for kernel in self._kernels)

    # Those of Conv2D know one kernel only.
    save_own_variables = keras.Layer.save_own_variables
    load_own_variables = keras.Layer.load_own_variables

    def get_config(self):
        config = super().get_config()
        del config["groups"]
        return {**config, "filters": self._filters_argument, "segments": self.segments}

    @property
    def _channel_axis(self) -> int:
        return -1 if self.data_format == "channels_last" else 1


def _sizes(name: str, value: int | Sequence[int]) -> int | tuple[int, ...]:
    """Returns a size or a tuple of sizes, checked."""
    if isinstance(value, list | tuple) and value:
        for size in value:
            check_number(f"Each of the sizes in {name}", size, least=1, whole=True)
        return tuple(map(int, value))
    check_number(name, value, least=1, whole=True)
    return int(value)


def _cut(total: int, parts: int) -> tuple[int, ...]:
    """Cuts a total into parts as equal as can be, the larger ones first."""
    return tuple(total // parts + (i < total % parts) for i in range(parts))
