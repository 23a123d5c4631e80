"""Xception (Chollet 2017, arXiv 1610.02357)."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import keras
from keras import layers

from keras_convnets._builder import (
    Net,
    activation,
    batch_norm,
    channel_axis,
    check_head_units,
    dense_layers,
    global_average,
    scale_width,
)
from keras_convnets._registry import Paper, Reported, Tap, architecture
from keras_convnets.errors import check_choice, check_number
from keras_convnets.imagenet_utils import decode_predictions, preprocessor
from keras_convnets.layers import PointwiseConv2D, SegmentedConv2D
from keras_convnets.layers.initializers import initializers

__all__ = ["Xception", "decode_predictions", "preprocess_input"]

preprocess_input = preprocessor("tf")

ORDERS = ("depthwise_first", "pointwise_first")
INTERMEDIATE_ACTIVATIONS = (None, "relu", "elu")


@dataclasses.dataclass(frozen=True)
class _Modules:
    """The modules of figure 5, under one choice of the options that reach into them."""

    residual: bool
    intermediate_activation: str | None
    order: str
    segments: int | None
    initializers: Iterator[Any]
    momentum: float

    def __post_init__(self):
        check_number("`batch_norm_momentum`", self.momentum, least=0, below=1)
        if self.segments is not None:
            check_number("`segments`", self.segments, least=1, whole=True)
        check_choice(
            "intermediate_activation", self.intermediate_activation, INTERMEDIATE_ACTIVATIONS
        )
        check_choice("order", self.order, ORDERS)

    def conv(self, x, filters, name, *, strides=1, padding="same"):
        """A 3x3 convolution without bias, then BN."""
        x = layers.Conv2D(
            filters,
            3,
            strides=strides,
            padding=padding,
            use_bias=False,
            kernel_initializer=next(self.initializers),
            name=name,
        )(x)
        return batch_norm(x, f"{name}_bn", self.momentum)

    def projection(self, x, filters, name, *, strides):
        """A 1x1 convolution without bias, then BN."""
        x = PointwiseConv2D(
            filters,
            strides=strides,
            padding="same",
            use_bias=False,
            kernel_initializer=next(self.initializers),
            name=name,
        )(x)
        return batch_norm(x, f"{name}_bn", self.momentum)

    def separable(self, x, filters, name):
        """A depthwise 3x3 and a pointwise 1x1 convolution, then BN; no BN between the two.

        With segments, the 3x3 convolution mixes the channels of each segment.
        """
        if self._is_fused:
            x = layers.SeparableConv2D(
                filters,
                3,
                padding="same",
                use_bias=False,
                depthwise_initializer=next(self.initializers),
                pointwise_initializer=next(self.initializers),
                name=name,
            )(x)
            return batch_norm(x, f"{name}_bn", self.momentum)
        pointwise = layers.Conv2D(
            filters,
            1,
            use_bias=False,
            kernel_initializer=next(self.initializers),
            name=f"{name}_pointwise",
        )
        if self.order == "depthwise_first":
            first, second = self._spatial(x.shape[channel_axis()], name), pointwise
        else:
            first, second = pointwise, self._spatial(filters, name)
        x = first(x)
        if self.intermediate_activation is not None:
            x = activation(x, f"{name}_intermediate_act", self.intermediate_activation)
        return batch_norm(second(x), f"{name}_bn", self.momentum)

    @property
    def _is_fused(self) -> bool:
        """Whether a separable convolution is one layer, as in the graph of the public weights."""
        options = self.order, self.intermediate_activation, self.segments
        return options == ("depthwise_first", None, None)

    def _spatial(self, channels, name):
        """The 3x3 step of a separable convolution."""
        options = {"padding": "same", "use_bias": False}
        if self.segments is None:
            return layers.DepthwiseConv2D(
                3,
                depthwise_initializer=next(self.initializers),
                name=f"{name}_depthwise",
                **options,
            )
        return SegmentedConv2D(
            channels,
            3,
            min(self.segments, channels),
            kernel_initializer=next(self.initializers),
            name=f"{name}_segmented",
            **options,
        )

    def downsampling(self, x, first, second, name, *, strides=2, activate_first=True):
        """Modules 2, 3, 4, 13: two separable convolutions and a pool, beside a 1x1 projection."""
        shortcut = x  # before the activation
        if activate_first:
            x = activation(x, f"{name}_sepconv1_act")
        x = self.separable(x, first, f"{name}_sepconv1")
        x = activation(x, f"{name}_sepconv2_act")
        x = self.separable(x, second, f"{name}_sepconv2")
        x = layers.MaxPooling2D(3, strides=strides, padding="same", name=f"{name}_pool")(x)
        if self.residual:
            shortcut = self.projection(shortcut, second, f"{name}_shortcut_conv", strides=strides)
            x = layers.Add(name=f"{name}_add")([x, shortcut])
        return x

    def middle(self, x, name):
        """Modules 5 to 12: three separable convolutions, beside the identity."""
        shortcut, filters = x, x.shape[channel_axis()]
        for i in (1, 2, 3):
            x = activation(x, f"{name}_sepconv{i}_act")
            x = self.separable(x, filters, f"{name}_sepconv{i}")
        return layers.Add(name=f"{name}_add")([x, shortcut]) if self.residual else x


@architecture(
    paper=Paper(
        "Xception: Deep Learning with Depthwise Separable Convolutions",
        "Chollet",
        2017,
        "https://arxiv.org/abs/1610.02357",
    ),
    preprocessing="tf",
    input_shape=(299, 299, 3),
    taps=(
        Tap("block1_conv2_act", 64, 2),
        Tap("block2_add", 128, 4),
        Tap("block3_add", 256, 8),
        Tap("block4_add", 728, 16),
        Tap("block12_add", 728, 16),
        Tap("block13_add", 1024, 32),
        Tap("block14_sepconv2_act", 2048, 32),
    ),
    reported=Reported("ImageNet", 79.0, "top-5 94.5 % (table 1, one crop, 299 px)"),
)
def Xception(
    include_top: bool = True,
    weights: str | None = "imagenet",
    input_tensor: Any = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "xception",
    *,
    dropout_rate: float = 0.0,
    head_units: Sequence[int] = (),
    residual: bool = True,
    intermediate_activation: str | None = None,
    order: str = "depthwise_first",
    segments: int | None = None,
    middle_repeats: int = 8,
    width_multiplier: float = 1.0,
    small_input: bool = False,
    kernel_initializer: Any = "glorot_uniform",
    batch_norm_momentum: float = 0.99,
    include_preprocessing: bool | str = False,
) -> keras.Model:
    """Builds Xception: a stack of depthwise separable convolutions with residual connections.

    The eight first arguments are those of `keras.applications.Xception`, and so are the graph, the
    layer names and the weights. Input: (n, height, width, channels) in [-1, 1], as
    `preprocess_input` makes it from RGB 0..255; output: (n, classes) float32 probabilities, or the
    last feature map (n, height / 32, width / 32, 2048) without the top.

    Args:
        {shared_arguments}
        dropout_rate: rate in [0, 1) before the classifier; the paper trains with 0.5 on ImageNet.
        head_units: sizes of ReLU layers before the classifier; (4096, 4096) in the paper, on JFT.
        residual: whether modules have their shortcuts (ablation of figure 9).
        intermediate_activation: `None`, "relu" or "elu" between the two steps (figure 10).
        order: "depthwise_first", or "pointwise_first": the extreme Inception module (figure 4).
        segments: `None`, or how many segments the channels of each 3x3 step are cut into (section
            2): 1 is a plain convolution, as many as channels or more a depthwise one; a number that
            does not divide the channels makes segments whose sizes differ by one.
        middle_repeats: how often the middle module is repeated.
        {width_multiplier}
        small_input: no stride in modules 1 and 4, for 28 to 64 px: stride 8 in place of 32.
        {kernel_initializer}
        {batch_norm_momentum}
        {include_preprocessing}

    {returns}

    Example:

    >>> model = keras_convnets.Xception(weights=None)
    >>> model.count_params()
    22910480

    Source: Chollet 2017, arXiv 1610.02357, figure 5 and sections 4.3 to 4.7.

    Differs from the paper: by default there is no dropout, as in the public weights' graph.
    """
    check_number("`middle_repeats`", middle_repeats, least=0, whole=True)
    check_number("`width_multiplier`", width_multiplier, above=0)
    check_head_units(head_units)
    modules = _Modules(
        residual,
        intermediate_activation,
        order,
        segments,
        initializers(kernel_initializer),
        batch_norm_momentum,
    )
    net = Net(
        "Xception", include_top, weights, input_tensor, input_shape, pooling, classes,
        classifier_activation, name,
        default_size=299, minimum_size=71, small_input=small_input, dropout_rate=dropout_rate,
        include_preprocessing=include_preprocessing,
    )  # fmt: skip
    stem = {"padding": "same" if small_input else "valid"}

    def wide(filters):
        return scale_width(filters, width_multiplier)

    # Sizes for the default net, then for `small_input` at 32 x 32.
    x = net.input  # 299 x 299 x 3, 32 x 32
    x = modules.conv(x, wide(32), "block1_conv1", strides=1 if small_input else 2, **stem)
    x = activation(x, "block1_conv1_act")  # 149 x 149 x 32, 32 x 32
    x = modules.conv(x, wide(64), "block1_conv2", **stem)
    x = activation(x, "block1_conv2_act")  # 147 x 147 x 64, 32 x 32

    x = modules.downsampling(
        x, wide(128), wide(128), "block2", activate_first=False
    )  # 74 x 74 x 128, 16 x 16
    x = modules.downsampling(x, wide(256), wide(256), "block3")  # 37 x 37 x 256, 8 x 8
    strides = 1 if small_input else 2
    x = modules.downsampling(x, wide(728), wide(728), "block4", strides=strides)
    # 19 x 19 x 728, 8 x 8
    for i in range(middle_repeats):
        x = modules.middle(x, f"block{5 + i}")  # 19 x 19 x 728, 8 x 8

    last = 5 + middle_repeats
    x = modules.downsampling(x, wide(728), wide(1024), f"block{last}")  # 10 x 10 x 1024, 4 x 4
    x = modules.separable(x, wide(1536), f"block{last + 1}_sepconv1")
    x = activation(x, f"block{last + 1}_sepconv1_act")  # 10 x 10 x 1536, 4 x 4
    x = modules.separable(x, wide(2048), f"block{last + 1}_sepconv2")
    x = activation(x, f"block{last + 1}_sepconv2_act")  # 10 x 10 x 2048, 4 x 4

    def head(x):
        units = {f"fc{i}": size for i, size in enumerate(head_units, start=1)}
        return dense_layers(global_average(x), units, 0, modules.initializers)

    return net.build(x, head=head)
