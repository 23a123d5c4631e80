"""Inception-v3 (Szegedy et al. 2015, arXiv 1512.00567), as its authors released it."""

from collections.abc import Sequence
from typing import Any

import keras

from keras_convnets._builder import (
    Net,
    check_head_units,
    check_repeats,
    dense_layers,
    global_average,
)
from keras_convnets._inception import (
    AveragePool,
    Blocks,
    Conv,
    Fork,
    MaxPool,
    add_auxiliary_head,
    rows,
)
from keras_convnets._registry import Paper, Reported, Tap, architecture
from keras_convnets.imagenet_utils import decode_predictions, preprocessor
from keras_convnets.layers.initializers import initializers

__all__ = ["InceptionV3", "decode_predictions", "preprocess_input"]

preprocess_input = preprocessor("tf")

REPEATS = (3, 4, 2)
POOL_FILTERS = (32, 64, 64)  # of the blocks at 35 x 35
FACTORED_FILTERS = (128, 160, 160, 192)  # of the blocks at 17 x 17


def first_convolutions(blocks: Blocks, x):
    """From 299 x 299 x 3 to 71 x 71 x 192; Inception-ResNet-v1 begins so too."""
    early = 1 if blocks.small_input else 2
    x = blocks.conv(x, Conv(32, 3, early, "valid"), "conv_1a")  # 149 x 149 x 32
    x = blocks.conv(x, Conv(32, 3, 1, "valid"), "conv_2a")  # 147 x 147 x 32
    x = blocks.conv(x, Conv(64, 3), "conv_2b")  # 147 x 147 x 64
    x = blocks.max_pool(x, MaxPool(3, early, "valid"), "pool_3a")  # 73 x 73 x 64
    x = blocks.conv(x, Conv(80, 1), "conv_3b")  # 73 x 73 x 80
    return blocks.conv(x, Conv(192, 3, 1, "valid"), "conv_4a")  # 71 x 71 x 192


def stem(blocks: Blocks, x):
    """From 299 x 299 x 3 to 35 x 35 x 192; Inception-ResNet-v2 has the same in its release."""
    x = first_convolutions(blocks, x)  # 71 x 71 x 192
    return blocks.max_pool(x, MaxPool(3, 2, "valid"), "pool_5a")  # 35 x 35 x 192


def inception_a(blocks: Blocks, x, pool_filters: int, name: str, first: int = 64):
    """At 35 x 35: the 5x5 convolution once whole, once factored into two 3x3 (figure 5)."""
    return blocks.module(
        x,
        name,
        [Conv(first, 1)],
        [Conv(48, 1), Conv(64, 5)],
        [Conv(64, 1), Conv(96, 3, opens_pair=True), Conv(96, 3)],
        [AveragePool(3), Conv(pool_filters, 1)],
    )


def reduction_a(blocks: Blocks, x, name: str):
    """From 35 x 35 to 17 x 17 (figure 10)."""
    return blocks.module(
        x,
        name,
        [Conv(384, 3, 2, "valid")],
        [Conv(64, 1), Conv(96, 3, opens_pair=True), Conv(96, 3, 2, "valid")],
        [MaxPool(3, 2, "valid")],
    )


def inception_b(blocks: Blocks, x, filters: int, name: str):
    """At 17 x 17: 7x7 convolutions factored into 1x7 and 7x1 (figure 6)."""
    return blocks.module(
        x,
        name,
        [Conv(192, 1)],
        [Conv(filters, 1), Conv(filters, (1, 7), opens_pair=True), Conv(192, (7, 1))],
        [
            Conv(filters, 1),
            Conv(filters, (7, 1), opens_pair=True),
            Conv(filters, (1, 7)),
            Conv(filters, (7, 1), opens_pair=True),
            Conv(192, (1, 7)),
        ],
        [AveragePool(3), Conv(192, 1)],
    )


def reduction_b(blocks: Blocks, x, name: str):
    """From 17 x 17 to 8 x 8."""
    return blocks.module(
        x,
        name,
        [Conv(192, 1), Conv(320, 3, 2, "valid")],
        [
            Conv(192, 1),
            Conv(192, (1, 7), opens_pair=True),
            Conv(192, (7, 1)),
            Conv(192, 3, 2, "valid"),
        ],
        [MaxPool(3, 2, "valid")],
    )


def inception_c(blocks: Blocks, x, name: str, fork_name: str):
    """At 8 x 8: expanded outputs (figure 7)."""
    fork = (Conv(384, (1, 3)), Conv(384, (3, 1)))
    return blocks.module(
        x,
        name,
        [Conv(320, 1)],
        [Conv(384, 1), Fork(fork, fork_name)],
        [Conv(448, 1), Conv(384, 3), Fork(fork)],
        [AveragePool(3), Conv(192, 1)],
    )


@architecture(
    paper=Paper(
        "Rethinking the Inception Architecture for Computer Vision",
        "Szegedy, Vanhoucke, Ioffe, Shlens, Wojna",
        2015,
        "https://arxiv.org/abs/1512.00567",
    ),
    preprocessing="tf",
    input_shape=(299, 299, 3),
    taps=(
        Tap("conv_1a_act", 32, 2),
        Tap("conv_2b_act", 64, 2),
        Tap("conv_4a_act", 192, 4),
        Tap("mixed0", 256, 8),
        Tap("mixed1", 288, 8),
        Tap("mixed2", 288, 8),
        Tap("mixed3", 768, 16),
        Tap("mixed4", 768, 16),
        Tap("mixed5", 768, 16),
        Tap("mixed6", 768, 16),
        Tap("mixed7", 768, 16),
        Tap("mixed8", 1280, 32),
        Tap("mixed9", 2048, 32),
        Tap("mixed10", 2048, 32),
    ),
    reported=Reported("ImageNet", 78.8, "top-5 94.4 % (table 3, one crop, 299 px)"),
)
def InceptionV3(
    include_top: bool = True,
    weights: str | None = "imagenet",
    input_tensor: Any = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "inception_v3",
    *,
    aux_logits: bool = False,
    dropout_rate: float = 0.0,
    head_units: Sequence[int] = (),
    factored_activation: str = "relu",
    batch_norm_scale: bool = False,
    average_pool_padding: str = "exclude",
    repeats: Sequence[int] = REPEATS,
    width_multiplier: float = 1.0,
    small_input: bool = False,
    kernel_initializer: Any = "glorot_uniform",
    batch_norm_momentum: float = 0.99,
    include_preprocessing: bool | str = False,
) -> keras.Model:
    """Builds Inception-v3: Inception modules whose large convolutions are factored into small ones.

    The eight first arguments are those of `keras.applications.InceptionV3`, and so are the graph,
    the names `mixed0` to `mixed10` and the weights. With `batch_norm_scale=True`,
    `average_pool_padding="include"` and `aux_logits=True` it is torchvision's `inception_v3`, which
    trains with `dropout_rate=0.5`.
    Input: (n, height, width, channels) in [-1, 1], as `preprocess_input` makes it from RGB 0..255;
    output: (n, classes) float32 probabilities, or the last feature map
    (n, 8, 8, 2048 for 299 px) without the top.

    Args:
        {shared_arguments}
        aux_logits: whether to add the auxiliary classifier; the output is then a dictionary of
            "predictions" and "aux1". The released training gives its loss the weight 0.4.
        dropout_rate: rate in [0, 1) before the classifier; 0.2 in the released training.
        head_units: sizes of ReLU layers before the classifier; (4096, 4096) as Xception's rival on
            JFT (arXiv 1610.02357, section 4.5 and table 2).
        factored_activation: "relu", or "linear" between the two convolutions that a larger one
            was factored into (section 3.1 and figure 2).
        batch_norm_scale: whether batch normalization has a scale (gamma).
        average_pool_padding: whether the averages at the borders "exclude" the padding
            (TensorFlow) or "include" it as zeros (torchvision).
        repeats: numbers of blocks at 35 x 35, 17 x 17 and 8 x 8.
        {width_multiplier}
        {small_input}
        {kernel_initializer}
        {batch_norm_momentum}
        {include_preprocessing}

    {returns}

    Example:

    >>> model = keras_convnets.InceptionV3(weights=None)
    >>> model.count_params()
    23851784

    Source: Szegedy et al. 2015, arXiv 1512.00567, sections 3 to 6; the filters of the released
    code, tensorflow/models research/slim/nets/inception_v3.py.

    Differs from the paper, as every release does: the stem has a 1x1 convolution to 80 and a 3x3
    to 192 before the second pool; the blocks at 35 x 35 keep a 5x5 convolution beside the factored
    one; the first of the five blocks at 17 x 17 is the reduction. By default there is neither
    dropout nor an auxiliary head, as in the graph of Keras' weights.
    """
    check_head_units(head_units)
    repeats = check_repeats(repeats, REPEATS)
    blocks = Blocks(
        initializers(kernel_initializer),
        batch_norm_momentum,
        scale=batch_norm_scale,
        width_multiplier=width_multiplier,
        average_pool_padding=average_pool_padding,
        factored_activation=factored_activation,
        small_input=small_input,
    )
    net = Net(
        "InceptionV3", include_top, weights, input_tensor, input_shape, pooling, classes,
        classifier_activation, name,
        default_size=299, minimum_size=75, small_input=small_input,
        aux_logits=aux_logits, dropout_rate=dropout_rate,
        include_preprocessing=include_preprocessing,
    )  # fmt: skip
    numbers = iter(range(sum(repeats) + 2))

    x = stem(blocks, net.input)  # 35 x 35 x 192
    for pool_filters in rows(POOL_FILTERS, repeats[0]):
        x = inception_a(blocks, x, pool_filters, f"mixed{next(numbers)}")  # 35 x 35 x 288
    x = reduction_a(blocks, x, f"mixed{next(numbers)}")  # 17 x 17 x 768
    for filters in rows(FACTORED_FILTERS, repeats[1]):
        x = inception_b(blocks, x, filters, f"mixed{next(numbers)}")  # 17 x 17 x 768
    if aux_logits:
        add_auxiliary_head(net, blocks, x)
    x = reduction_b(blocks, x, f"mixed{next(numbers)}")  # 8 x 8 x 1280
    first = next(numbers)
    for i in range(repeats[2]):
        x = inception_c(blocks, x, f"mixed{first + i}", f"mixed{first}_{i}")  # 8 x 8 x 2048

    def head(x):
        units = {f"fc{i}": size for i, size in enumerate(head_units, start=1)}
        return dense_layers(global_average(x), units, 0, blocks.initializers)

    return net.build(x, head=head)
