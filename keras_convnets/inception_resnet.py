"""Inception-ResNet-v1 and -v2 (Szegedy, Ioffe, Vanhoucke, Alemi 2016, arXiv 1602.07261)."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from keras_convnets._builder import (
    Net,
    activation,
    channel_axis,
    check_repeats,
    concatenate,
)
from keras_convnets._inception import (
    Blocks,
    Conv,
    MaxPool,
    add_auxiliary_head,
)
from keras_convnets._registry import Reported, Tap, architecture
from keras_convnets.errors import InputError, check_choice, check_number
from keras_convnets.imagenet_utils import decode_predictions, preprocessor
from keras_convnets.inception_v3 import first_convolutions, inception_a
from keras_convnets.inception_v3 import stem as inception_v3_stem
from keras_convnets.inception_v4 import PAPER, reduction_a
from keras_convnets.inception_v4 import stem as inception_v4_stem
from keras_convnets.layers import BiasedConv2D, ResidualScale
from keras_convnets.layers.initializers import initializers

__all__ = ["InceptionResNetV1", "InceptionResNetV2", "decode_predictions", "preprocess_input"]

preprocess_input = preprocessor("tf")

# The paper says 0.1 to 0.3; these are those of the released Inception-ResNet-v2.
RESIDUAL_SCALES = (0.17, 0.10, 0.20)


@dataclasses.dataclass(frozen=True)
class _Net:
    """A row of the family: how often each block stands, and what its branches are.

    Attributes:
        stem: from the image to the first map.
        repeats: how often the blocks at 35 x 35, 17 x 17 and 8 x 8 stand.
        block35: branches of the block at 35 x 35; so are the next two.
        reduction_a: filters k, l, m, n of table 1.
        reduction_b: filters of the second branch's last convolution, and of the third's last two.
        last_filters: filters of a 1x1 convolution after the last block, if there is one; the last
            block is then neither scaled nor rectified.
    """

    stem: Any
    repeats: tuple[int, int, int]
    block35: tuple
    block17: tuple
    block8: tuple
    reduction_a: tuple[int, int, int, int]
    reduction_b: tuple[int, int, int]
    last_filters: int | None = None


def _stem_v1(blocks: Blocks, x):
    """The stem of Inception-ResNet-v1 (figure 14)."""
    x = first_convolutions(blocks, x)  # 71 x 71 x 192
    return blocks.conv(x, Conv(256, 3, 2, "valid"), "conv_4b")  # 35 x 35 x 256


def _stem_v2_released(blocks: Blocks, x):
    """The stem of Inception-v3 and one Inception module."""
    x = inception_v3_stem(blocks, x)  # 35 x 35 x 192
    return inception_a(blocks, x, 64, "mixed_5b", first=96)  # 35 x 35 x 320


_V2_BLOCKS = {
    "block35": (
        [Conv(32, 1)],
        [Conv(32, 1), Conv(32, 3)],
        [Conv(32, 1), Conv(48, 3), Conv(64, 3)],
    ),
    "block17": ([Conv(192, 1)], [Conv(128, 1), Conv(160, (1, 7)), Conv(192, (7, 1))]),
    "block8": ([Conv(192, 1)], [Conv(192, 1), Conv(224, (1, 3)), Conv(256, (3, 1))]),
    "reduction_a": (256, 256, 384, 384),
    "reduction_b": (288, 288, 320),
}

V1 = _Net(
    stem=_stem_v1,
    repeats=(5, 10, 5),
    block35=(  # figure 10
        [Conv(32, 1)],
        [Conv(32, 1), Conv(32, 3)],
        [Conv(32, 1), Conv(32, 3), Conv(32, 3)],
    ),
    block17=([Conv(128, 1)], [Conv(128, 1), Conv(128, (1, 7)), Conv(128, (7, 1))]),  # figure 11
    block8=([Conv(192, 1)], [Conv(192, 1), Conv(192, (1, 3)), Conv(192, (3, 1))]),  # figure 13
    reduction_a=(192, 192, 256, 384),
    reduction_b=(256, 256, 256),
)
V2: Mapping[str, _Net] = {
    "released": _Net(_stem_v2_released, (10, 20, 10), **_V2_BLOCKS, last_filters=1536),
    "paper": _Net(inception_v4_stem, (5, 10, 5), **_V2_BLOCKS),
}


def reduction_b(blocks: Blocks, x, filters: tuple[int, int, int], name: str):
    """From 17 x 17 to 8 x 8 (figures 12 and 18)."""
    second, inner, third = filters
    return blocks.module(
        x,
        name,
        [Conv(256, 1), Conv(384, 3, 2, "valid")],
        [Conv(256, 1), Conv(second, 3, 2, "valid")],
        [Conv(256, 1), Conv(inner, 3), Conv(third, 3, 2, "valid")],
        [MaxPool(3, 2, "valid")],
    )


def residual(blocks: Blocks, x, branches, scale: float, name: str, rectify: bool = True):
    """A residual block: branches, a linear 1x1 convolution, and the scaled sum (figure 20)."""
    ends = [blocks.chain(x, f"{name}_branch{i}", b) for i, b in enumerate(branches, start=1)]
    residue = concatenate(ends, f"{name}_mixed")
    channels, initializer = x.shape[channel_axis()], next(blocks.initializers)
    residue = BiasedConv2D(channels, 1, kernel_initializer=initializer, name=f"{name}_conv")(
        residue
    )
    x = ResidualScale(scale, name=f"{name}_add")([x, residue])
    return activation(x, f"{name}_ac") if rectify else x


def _build(net: Net, row: _Net, blocks: Blocks, repeats, scales, aux_logits):
    """The straight line of both nets; sizes for 299 px, channels of v1, paper's v2, released v2."""
    x = row.stem(blocks, net.input)  # 35 x 35 x 256, 384, 320
    for i in range(1, repeats[0] + 1):
        x = residual(blocks, x, row.block35, scales[0], f"block35_{i}")
    x = reduction_a(blocks, x, row.reduction_a, "mixed_6a")  # 17 x 17 x 896, 1152, 1088
    for i in range(1, repeats[1] + 1):
        x = residual(blocks, x, row.block17, scales[1], f"block17_{i}")
    if aux_logits:
        add_auxiliary_head(net, blocks, x)
    x = reduction_b(blocks, x, row.reduction_b, "mixed_7a")  # 8 x 8 x 1792, 2144, 2080
    for i in range(1, repeats[2] + 1):
        plain = row.last_filters is not None and i == repeats[2]
        scale = 1.0 if plain else scales[2]
        x = residual(blocks, x, row.block8, scale, f"block8_{i}", rectify=not plain)
    if row.last_filters is not None:
        x = blocks.conv(x, Conv(row.last_filters, 1), "conv_7b", "conv_7b_ac")  # 8 x 8 x 1536
    return net.build(x)


def _check_scales(residual_scale: Any) -> tuple[float, float, float]:
    """One scale for each kind of block."""
    scales = residual_scale
    if not isinstance(scales, tuple | list | np.ndarray):
        scales = (scales,) * 3
    if len(scales) != 3:
        raise InputError(
            "`residual_scale` should be a number, or three for the blocks at 35 x 35, 17 x 17 "
            f"and 8 x 8. Received: residual_scale={residual_scale!r}"
        )
    for scale in scales:
        check_number("`residual_scale`", scale, above=0)
    return tuple(map(float, scales))


@architecture(
    paper=PAPER,
    preprocessing="tf",
    input_shape=(299, 299, 3),
    taps=(
        Tap("conv_1a_act", 32, 2),
        Tap("conv_4a_act", 192, 4),
        Tap("conv_4b_act", 256, 8),
        Tap("block35_1_ac", 256, 8),
        Tap("block35_5_ac", 256, 8),
        Tap("mixed_6a", 896, 16),
        Tap("block17_1_ac", 896, 16),
        Tap("block17_10_ac", 896, 16),
        Tap("mixed_7a", 1792, 32),
        Tap("block8_1_ac", 1792, 32),
        Tap("block8_5_ac", 1792, 32),
    ),
    reported=Reported("ImageNet", 78.7, "top-5 94.5 % (table 2, one crop, 299 px)"),
)
def InceptionResNetV1(
    include_top: bool = True,
    weights: str | None = None,
    input_tensor: Any = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "inception_resnet_v1",
    *,
    aux_logits: bool = False,
    dropout_rate: float = 0.0,
    residual_scale: float | Sequence[float] = RESIDUAL_SCALES,
    batch_norm_scale: bool = False,
    repeats: Sequence[int] = V1.repeats,
    width_multiplier: float = 1.0,
    small_input: bool = False,
    kernel_initializer: Any = "glorot_uniform",
    batch_norm_momentum: float = 0.99,
    include_preprocessing: bool | str = False,
) -> keras.Model:
    """Builds Inception-ResNet-v1: Inception blocks with residual connections, at v3's cost.

    Input: (n, height, width, channels) in [-1, 1], as `preprocess_input` makes it from RGB 0..255;
    output: (n, classes) float32 probabilities, or the last feature map (n, 8, 8, 1792 for 299 px)
    without the top. There are no public ImageNet weights.

    Args:
        {shared_arguments}
        aux_logits: whether to add an auxiliary classifier after the last block at 17 x 17; the
            output is then a dictionary of "predictions" and "aux1".
        dropout_rate: rate in [0, 1) before the classifier; 0.2 in the paper.
        residual_scale: factor of the residues, or three for the blocks at 35 x 35, 17 x 17 and
            8 x 8; the paper says 0.1 to 0.3 (section 3.3), and 1 is no scaling.
        batch_norm_scale: whether batch normalization has a scale (gamma).
        repeats: numbers of blocks at 35 x 35, 17 x 17 and 8 x 8.
        {width_multiplier}
        {small_input}
        {kernel_initializer}
        {batch_norm_momentum}
        {include_preprocessing}

    {returns}

    Example:

    >>> model = keras_convnets.InceptionResNetV1()
    >>> keras_convnets.count_complexity(model).trainable
    22742808

    Source: Szegedy et al. 2016, arXiv 1602.07261, figures 10 to 15, table 1.

    Differs from the paper: the residual scales are those of the released Inception-ResNet-v2, for
    the paper gives a range only; by default there is no dropout; the auxiliary head is that of the
    released nets.
    """
    repeats = check_repeats(repeats, V1.repeats)
    scales = _check_scales(residual_scale)
    blocks = Blocks(
        initializers(kernel_initializer),
        batch_norm_momentum,
        scale=batch_norm_scale,
        width_multiplier=width_multiplier,
        small_input=small_input,
    )
    net = Net(
        "InceptionResNetV1", include_top, weights, input_tensor, input_shape, pooling, classes,
        classifier_activation, name,
        default_size=299, minimum_size=75, small_input=small_input,
        aux_logits=aux_logits, dropout_rate=dropout_rate,
        include_preprocessing=include_preprocessing,
    )  # fmt: skip
    return _build(net, V1, blocks, repeats, scales, aux_logits)


@architecture(
    paper=PAPER,
    preprocessing="tf",
    input_shape=(299, 299, 3),
    taps={
        "released": (
            Tap("conv_1a_act", 32, 2),
            Tap("conv_4a_act", 192, 4),
            Tap("mixed_5b", 320, 8),
            Tap("block35_1_ac", 320, 8),
            Tap("block35_10_ac", 320, 8),
            Tap("mixed_6a", 1088, 16),
            Tap("block17_1_ac", 1088, 16),
            Tap("block17_20_ac", 1088, 16),
            Tap("mixed_7a", 2080, 32),
            Tap("block8_1_ac", 2080, 32),
            Tap("block8_10_add", 2080, 32),
            Tap("conv_7b_ac", 1536, 32),
        ),
        "paper": (
            Tap("conv_1a_act", 32, 2),
            Tap("mixed_4a", 192, 4),
            Tap("mixed_5a", 384, 8),
            Tap("block35_1_ac", 384, 8),
            Tap("block35_5_ac", 384, 8),
            Tap("mixed_6a", 1152, 16),
            Tap("block17_1_ac", 1152, 16),
            Tap("block17_10_ac", 1152, 16),
            Tap("mixed_7a", 2144, 32),
            Tap("block8_1_ac", 2144, 32),
            Tap("block8_5_ac", 2144, 32),
        ),
    },
    variants=("released", "paper"),
    reported=Reported("ImageNet", 80.1, "top-5 95.1 % (table 2, one crop, 299 px)"),
)
def InceptionResNetV2(
    include_top: bool = True,
    weights: str | None = "imagenet",
    input_tensor: Any = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "inception_resnet_v2",
    *,
    variant: str = "released",
    aux_logits: bool = False,
    dropout_rate: float = 0.0,
    residual_scale: float | Sequence[float] = RESIDUAL_SCALES,
    batch_norm_scale: bool = False,
    average_pool_padding: str = "exclude",
    repeats: Sequence[int] | None = None,
    width_multiplier: float = 1.0,
    small_input: bool = False,
    kernel_initializer: Any = "glorot_uniform",
    batch_norm_momentum: float = 0.99,
    include_preprocessing: bool | str = False,
) -> keras.Model:
    """Builds Inception-ResNet-v2: as deep as Inception-v4, with residual connections.

    The eight first arguments are those of `keras.applications.InceptionResNetV2`, and so are the
    graph of the default variant, the stable layer names and the weights. Input:
    (n, height, width, channels) in [-1, 1], as `preprocess_input` makes it from RGB 0..255;
    output: (n, classes) float32 probabilities, or the last feature map (n, 8, 8, 1536 for 299 px;
    2144 channels in the paper's net) without the top.

    Args:
        {shared_arguments}
        variant: "released", the net of the public weights, or "paper".
        aux_logits: whether to add an auxiliary classifier after the last block at 17 x 17; the
            output is then a dictionary of "predictions" and "aux1".
        dropout_rate: rate in [0, 1) before the classifier; 0.2 in the paper.
        residual_scale: factor of the residues, or three for the blocks at 35 x 35, 17 x 17 and
            8 x 8; the paper says 0.1 to 0.3 (section 3.3), and 1 is no scaling. The last block of
            the released net is not scaled.
        batch_norm_scale: whether batch normalization has a scale (gamma).
        average_pool_padding: whether the averages at the borders of `mixed_5b` "exclude" the
            padding (TensorFlow, timm) or "include" it as zeros; the paper's net has no such pool.
        repeats: numbers of blocks at 35 x 35, 17 x 17 and 8 x 8; (10, 20, 10) as released,
            (5, 10, 5) in the paper.
        {width_multiplier}
        {small_input}
        {kernel_initializer}
        {batch_norm_momentum}
        {include_preprocessing}

    {returns}

    Example:

    >>> model = keras_convnets.InceptionResNetV2(weights=None, variant="paper")
    >>> keras_convnets.count_complexity(model).trainable
    32417496

    Source: Szegedy et al. 2016, arXiv 1602.07261, figures 3 and 15 to 19, table 1; the released
    net: tensorflow/models research/slim/nets/inception_resnet_v2.py.

    Differs from the paper: the default variant has the stem of Inception-v3 and one Inception
    module, twice as many blocks, and a last 1x1 convolution to 1536. In "paper", the linear
    convolutions have the 1152 and 2144 filters that the sums need, where the figures print 1154
    and 2048; the residual scales are those of the release, for the paper gives a range only. By
    default there is no dropout.
    """
    check_choice("variant", variant, V2)
    row = V2[variant]
    repeats = row.repeats if repeats is None else repeats
    repeats = check_repeats(repeats, row.repeats)
    scales = _check_scales(residual_scale)
    if variant == "paper" and average_pool_padding != "exclude":
        raise InputError(
            "The paper's InceptionResNetV2 has no average pool to pad; use variant='released', or "
            f"leave `average_pool_padding` out. Received: {average_pool_padding!r}"
        )
    blocks = Blocks(
        initializers(kernel_initializer),
        batch_norm_momentum,
        scale=batch_norm_scale,
        width_multiplier=width_multiplier,
        average_pool_padding=average_pool_padding,
        small_input=small_input,
    )
    net = Net(
        "InceptionResNetV2", include_top, weights, input_tensor, input_shape, pooling, classes,
        classifier_activation, name,
        default_size=299, minimum_size=75, small_input=small_input,
        aux_logits=aux_logits, dropout_rate=dropout_rate,
        include_preprocessing=include_preprocessing,
    )  # fmt: skip
    return _build(net, row, blocks, repeats, scales, aux_logits)
