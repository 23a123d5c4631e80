"""Inception-v4 (Szegedy, Ioffe, Vanhoucke, Alemi 2016, arXiv 1602.07261), as released."""

from collections.abc import Sequence
from typing import Any

import keras

from keras_convnets._builder import Net, check_repeats
from keras_convnets._inception import (
    AveragePool,
    Blocks,
    Conv,
    Fork,
    MaxPool,
    add_auxiliary_head,
    letter,
)
from keras_convnets._registry import Paper, Reported, Tap, architecture
from keras_convnets.imagenet_utils import decode_predictions, preprocessor
from keras_convnets.layers.initializers import initializers

__all__ = ["InceptionV4", "decode_predictions", "preprocess_input"]

preprocess_input = preprocessor("tf")

PAPER = Paper(
    "Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning",
    "Szegedy, Ioffe, Vanhoucke, Alemi",
    2016,
    "https://arxiv.org/abs/1602.07261",
)
REPEATS = (4, 7, 3)


def stem(blocks: Blocks, x):
    """From 299 x 299 x 3 to 35 x 35 x 384 (figure 3)."""
    early = 1 if blocks.small_input else 2
    x = blocks.conv(x, Conv(32, 3, early, "valid"), "conv_1a")  # 149 x 149 x 32
    x = blocks.conv(x, Conv(32, 3, 1, "valid"), "conv_2a")  # 147 x 147 x 32
    x = blocks.conv(x, Conv(64, 3), "conv_2b")  # 147 x 147 x 64
    x = blocks.module(  # 73 x 73 x 160
        x, "mixed_3a", [MaxPool(3, early, "valid")], [Conv(96, 3, early, "valid")]
    )
    x = blocks.module(  # 71 x 71 x 192
        x,
        "mixed_4a",
        [Conv(64, 1), Conv(96, 3, 1, "valid")],
        [Conv(64, 1), Conv(64, (1, 7)), Conv(64, (7, 1)), Conv(96, 3, 1, "valid")],
    )
    return blocks.module(  # 35 x 35 x 384
        x, "mixed_5a", [Conv(192, 3, 2, "valid")], [MaxPool(3, 2, "valid")]
    )


def inception_a(blocks: Blocks, x, name: str):
    """At 35 x 35 (figure 4)."""
    return blocks.module(
        x,
        name,
        [Conv(96, 1)],
        [Conv(64, 1), Conv(96, 3)],
        [Conv(64, 1), Conv(96, 3), Conv(96, 3)],
        [AveragePool(3), Conv(96, 1)],
    )


def reduction_a(blocks: Blocks, x, filters: tuple[int, int, int, int], name: str):
    """From 35 x 35 to 17 x 17 (figure 7), with the filters k, l, m, n of table 1."""
    k, l, m, n = filters  # noqa: E741
    return blocks.module(
        x,
        name,
        [Conv(n, 3, 2, "valid")],
        [Conv(k, 1), Conv(l, 3), Conv(m, 3, 2, "valid")],
        [MaxPool(3, 2, "valid")],
    )


def inception_b(blocks: Blocks, x, name: str):
    """At 17 x 17 (figure 5)."""
    return blocks.module(
        x,
        name,
        [Conv(384, 1)],
        [Conv(192, 1), Conv(224, (1, 7)), Conv(256, (7, 1))],
        [
            Conv(192, 1),
            Conv(192, (7, 1)),
            Conv(224, (1, 7)),
            Conv(224, (7, 1)),
            Conv(256, (1, 7)),
        ],
        [AveragePool(3), Conv(128, 1)],
    )


def reduction_b(blocks: Blocks, x, name: str):
    """From 17 x 17 to 8 x 8 (figure 8)."""
    return blocks.module(
        x,
        name,
        [Conv(192, 1), Conv(192, 3, 2, "valid")],
        [Conv(256, 1), Conv(256, (1, 7)), Conv(320, (7, 1)), Conv(320, 3, 2, "valid")],
        [MaxPool(3, 2, "valid")],
    )


def inception_c(blocks: Blocks, x, name: str):
    """At 8 x 8 (figure 6)."""
    fork = Fork((Conv(256, (1, 3)), Conv(256, (3, 1))))
    return blocks.module(
        x,
        name,
        [Conv(256, 1)],
        [Conv(384, 1), fork],
        [Conv(384, 1), Conv(448, (3, 1)), Conv(512, (1, 3)), fork],
        [AveragePool(3), Conv(256, 1)],
    )


@architecture(
    paper=PAPER,
    preprocessing="tf",
    input_shape=(299, 299, 3),
    taps=(
        Tap("conv_1a_act", 32, 2),
        Tap("conv_2b_act", 64, 2),
        Tap("mixed_3a", 160, 4),
        Tap("mixed_4a", 192, 4),
        Tap("mixed_5a", 384, 8),
        *(Tap(f"mixed_5{letter(i)}", 384, 8) for i in range(1, 5)),
        *(Tap(f"mixed_6{letter(i)}", 1024, 16) for i in range(8)),
        *(Tap(f"mixed_7{letter(i)}", 1536, 32) for i in range(4)),
    ),
    reported=Reported("ImageNet", 80.0, "top-5 95.0 % (table 2, one crop, 299 px)"),
)
def InceptionV4(
    include_top: bool = True,
    weights: str | None = "imagenet",
    input_tensor: Any = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "inception_v4",
    *,
    aux_logits: bool = False,
    dropout_rate: float = 0.0,
    batch_norm_scale: bool = False,
    average_pool_padding: str = "exclude",
    repeats: Sequence[int] = REPEATS,
    width_multiplier: float = 1.0,
    small_input: bool = False,
    kernel_initializer: Any = "glorot_uniform",
    batch_norm_momentum: float = 0.99,
    include_preprocessing: bool | str = False,
) -> keras.Model:
    """Builds Inception-v4: a uniform stack of Inception modules without residual connections.

    Input: (n, height, width, channels) in [-1, 1], as `preprocess_input` makes it from RGB 0..255;
    output: (n, classes) float32 probabilities, or the last feature map (n, 8, 8, 1536 for 299 px)
    without the top.

    Args:
        {shared_arguments}
        aux_logits: whether to add the auxiliary classifier; the output is then a dictionary of
            "predictions" and "aux1".
        dropout_rate: rate in [0, 1) before the classifier; 0.2 in the paper.
        batch_norm_scale: whether batch normalization has a scale (gamma), as in timm's port.
        average_pool_padding: whether the averages at the borders "exclude" the padding
            (TensorFlow, timm) or "include" it as zeros.
        repeats: numbers of blocks at 35 x 35, 17 x 17 and 8 x 8.
        {width_multiplier}
        {small_input}
        {kernel_initializer}
        {batch_norm_momentum}
        {include_preprocessing}

    {returns}

    Example:

    >>> model = keras_convnets.InceptionV4(weights=None)
    >>> keras_convnets.count_complexity(model).trainable
    42648232

    Source: Szegedy et al. 2016, arXiv 1602.07261, figures 3 to 9, table 1; the released code,
    tensorflow/models research/slim/nets/inception_v4.py.

    Differs from the paper, as the release does: the order of the 1x7 and 7x1 convolutions in the
    stem and in the longest branches of the blocks at 17 x 17 and 8 x 8. By default there is no
    dropout.
    """
    repeats = check_repeats(repeats, REPEATS)
    blocks = Blocks(
        initializers(kernel_initializer),
        batch_norm_momentum,
        scale=batch_norm_scale,
        width_multiplier=width_multiplier,
        average_pool_padding=average_pool_padding,
        small_input=small_input,
    )
    net = Net(
        "InceptionV4", include_top, weights, input_tensor, input_shape, pooling, classes,
        classifier_activation, name,
        default_size=299, minimum_size=75, small_input=small_input,
        aux_logits=aux_logits, dropout_rate=dropout_rate,
        include_preprocessing=include_preprocessing,
    )  # fmt: skip

    x = stem(blocks, net.input)  # 35 x 35 x 384
    for i in range(repeats[0]):
        x = inception_a(blocks, x, f"mixed_5{letter(i + 1)}")  # 35 x 35 x 384
    x = reduction_a(blocks, x, (192, 224, 256, 384), "mixed_6a")  # 17 x 17 x 1024
    for i in range(repeats[1]):
        x = inception_b(blocks, x, f"mixed_6{letter(i + 1)}")  # 17 x 17 x 1024
    if aux_logits:
        add_auxiliary_head(net, blocks, x)
    x = reduction_b(blocks, x, "mixed_7a")  # 8 x 8 x 1536
    for i in range(repeats[2]):
        x = inception_c(blocks, x, f"mixed_7{letter(i + 1)}")  # 8 x 8 x 1536
    return net.build(x)
