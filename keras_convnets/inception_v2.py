"""Inception-v2, or BN-Inception (Ioffe, Szegedy 2015, arXiv 1502.03167)."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import keras

from keras_convnets._builder import Net, check_repeats
from keras_convnets._inception import (
    AveragePool,
    Blocks,
    Conv,
    MaxPool,
    SeparableConv,
    add_dense_auxiliary_head,
    check_auxiliary_stage,
    letter,
    rows,
)
from keras_convnets._registry import Paper, Reported, Tap, architecture
from keras_convnets.errors import check_choice
from keras_convnets.imagenet_utils import decode_predictions, preprocessor
from keras_convnets.layers.initializers import initializers

__all__ = ["InceptionV2", "decode_predictions", "preprocess_input"]

preprocess_input = preprocessor("tf")

REPEATS = (2, 4, 2)


@dataclasses.dataclass(frozen=True)
class _Variant:
    """Where the two public nets differ.

    Attributes:
        pool_filters: filters of the pool projections in 4a to 4d.
        separable_stem: whether the first convolution is depthwise separable.
        scale: whether batch normalization has a scale.
        epsilon: what batch normalization adds to the variance.
        symmetric: whether strided layers pad as Caffe does.
        average_pool_padding: what the borders' averages divide by.
    """

    pool_filters: tuple[int, ...]
    separable_stem: bool
    scale: bool
    epsilon: float
    symmetric: bool
    average_pool_padding: str


VARIANTS = {
    "slim": _Variant((128, 128, 96, 96), True, False, 1e-3, False, "exclude"),
    "caffe": _Variant((128, 128, 128, 128), False, True, 1e-5, True, "include"),
}

# Figure 5, by stage: filters of 1x1; 3x3 reduce, 3x3; double 3x3 reduce, double 3x3; the pool and
# its projection, which in stage 4 is that of the variant.
STAGES = {
    3: (
        (64, 64, 64, 64, 96, AveragePool(3), 32),
        (64, 64, 96, 64, 96, AveragePool(3), 64),
    ),
    4: (
        (224, 64, 96, 96, 128, AveragePool(3), None),
        (192, 96, 128, 96, 128, AveragePool(3), None),
        (160, 128, 160, 128, 160, AveragePool(3), None),
        (96, 128, 192, 160, 192, AveragePool(3), None),
    ),
    5: (
        (352, 192, 320, 160, 224, AveragePool(3), 128),
        (352, 192, 320, 192, 224, MaxPool(3), 128),
    ),
}
# The modules with stride 2 behind stages 3 and 4.
REDUCTIONS = {3: (128, 160, 64, 96), 4: (128, 192, 192, 256)}


def inception(blocks: Blocks, x, row: tuple, name: str):
    """A module in which two 3x3 convolutions stand for the 5x5."""
    one, reduce, three, reduce_double, double, pool, project = row
    return blocks.module(
        x,
        name,
        [Conv(one, 1)],
        [Conv(reduce, 1), Conv(three, 3)],
        [Conv(reduce_double, 1), Conv(double, 3), Conv(double, 3)],
        [pool, Conv(project, 1)],
    )


def reduction(blocks: Blocks, x, row: tuple[int, ...], name: str):
    """A module with stride 2, whose pool passes all channels on."""
    reduce, three, reduce_double, double = row
    return blocks.module(
        x,
        name,
        [Conv(reduce, 1), Conv(three, 3, 2)],
        [Conv(reduce_double, 1), Conv(double, 3), Conv(double, 3, 2)],
        [MaxPool(3, 2)],
    )


def _taps(*channels: int) -> tuple[Tap, ...]:
    """Taps of a variant, given the channels of 4c, 4d and 4e, in which the variants differ."""
    modules = ("3a", "3b", "3c", "4a", "4b", "4c", "4d", "4e", "5a", "5b")
    widths = (256, 320, 576, 576, 576, *channels, 1024, 1024)
    strides = (8, 8, 16, 16, 16, 16, 16, 32, 32, 32)
    rows_ = zip(modules, widths, strides, strict=True)
    stem = (Tap("conv1_act", 64, 2), Tap("conv2_act", 192, 4))
    return (*stem, *(Tap(f"inception_{module}", *rest) for module, *rest in rows_))


@architecture(
    paper=Paper(
        "Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate "
        "Shift",
        "Ioffe, Szegedy",
        2015,
        "https://arxiv.org/abs/1502.03167",
    ),
    preprocessing={"slim": "tf", "caffe": "caffe"},
    input_shape=(224, 224, 3),
    taps={"slim": _taps(576, 576, 1024), "caffe": _taps(608, 608, 1056)},
    variants=("slim", "caffe"),
    reported=Reported("ImageNet", 74.8, "top-5 92.2 % (figure 4, one crop, 224 px)"),
)
def InceptionV2(
    include_top: bool = True,
    weights: str | None = "imagenet",
    input_tensor: Any = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "inception_v2",
    *,
    variant: str = "slim",
    aux_logits: bool = False,
    dropout_rate: float = 0.0,
    conv_bias: bool = False,
    batch_norm_scale: bool | None = None,
    average_pool_padding: str | None = None,
    repeats: Sequence[int] = REPEATS,
    width_multiplier: float = 1.0,
    small_input: bool = False,
    kernel_initializer: Any = "glorot_uniform",
    batch_norm_momentum: float = 0.99,
    include_preprocessing: bool | str = False,
) -> keras.Model:
    """Builds Inception-v2: GoogLeNet with batch normalization and 3x3 pairs in place of 5x5.

    There are two public nets of this name, and both differ from the paper's table. Input:
    (n, height, width, channels), in [-1, 1] for "slim", as `preprocess_input` makes it from RGB
    0..255, or BGR minus the mean for "caffe"; output: (n, classes) float32 probabilities, or the
    last feature map (n, 7, 7, 1024 for 224 px) without the top.

    Args:
        {shared_arguments}
        variant: "slim", of 576 channels at 14 x 14, with a separable first convolution; or
            "caffe", of 608 channels there, with a plain one, scales, and Caffe's padding.
        aux_logits: whether to add two auxiliary classifiers like those of GoogLeNet, off the first
            and the last module of stage 4 at 14 x 14; the output is then a dictionary of
            "predictions", "aux1" and "aux2". They drop 70 % of their features while training.
        dropout_rate: rate in [0, 1) before the classifier.
        conv_bias: whether convolutions have biases before batch normalization, as in Caffe's files.
        batch_norm_scale: whether batch normalization has a scale (gamma); `None` is the variant's
            choice.
        average_pool_padding: whether the averages at the borders "exclude" the padding or
            "include" it as zeros; `None` is the variant's choice: "exclude" in slim.
        repeats: numbers of modules with stride 1 in stages 3, 4 and 5; the last one of the table
            repeats.
        {width_multiplier}
        {small_input}
        {kernel_initializer}
        {batch_norm_momentum}
        {include_preprocessing}

    {returns}

    Example:

    >>> model = keras_convnets.InceptionV2(include_top=False, weights=None)
    >>> model.count_params()
    10173112

    Source: Ioffe and Szegedy 2015, arXiv 1502.03167, figure 5; tensorflow/models
    research/slim/nets/inception_v2.py; Cadene/pretrained-models.pytorch bninception.py.

    Differs from the paper: the printed filters of 4c and 4d add up to 608 channels where 576 are
    printed; "caffe" keeps the filters, "slim" the sums. The paper does not say where auxiliary
    heads stand; these stand where GoogLeNet's do.
    """
    check_choice("variant", variant, VARIANTS)
    repeats = check_repeats(repeats, REPEATS)
    if aux_logits:  # behind the first module of stage 4 and the last with stride 1
        check_auxiliary_stage(repeats, least=2)
    row = VARIANTS[variant]
    blocks = Blocks(
        initializers(kernel_initializer),
        batch_norm_momentum,
        row.epsilon,
        scale=row.scale if batch_norm_scale is None else batch_norm_scale,
        bias=conv_bias,
        width_multiplier=width_multiplier,
        average_pool_padding=(
            row.average_pool_padding if average_pool_padding is None else average_pool_padding
        ),
        symmetric=row.symmetric,
        small_input=small_input,
    )
    net = Net(
        "InceptionV2", include_top, weights, input_tensor, input_shape, pooling, classes,
        classifier_activation, name,
        default_size=224, minimum_size=32, small_input=small_input,
        aux_logits=aux_logits, dropout_rate=dropout_rate,
        include_preprocessing=include_preprocessing,
    )  # fmt: skip
    early = 1 if small_input else 2
    first = SeparableConv(64, 7, early, 8) if row.separable_stem else Conv(64, 7, early)

    def stage(x, number, count):
        for i, filters in enumerate(rows(STAGES[number], count)):
            if number == 4:
                filters = (*filters[:-1], rows(row.pool_filters, count)[i])
            x = inception(blocks, x, filters, f"inception_{number}{letter(i)}")
            if aux_logits and number == 4 and i in (0, count - 1):
                add_dense_auxiliary_head(net, blocks, x, "aux2" if i else "aux1")
        if number in REDUCTIONS:
            x = reduction(blocks, x, REDUCTIONS[number], f"inception_{number}{letter(count)}")
        return x

    x = blocks.conv(net.input, first, "conv1")  # 112 x 112 x 64
    x = blocks.max_pool(x, MaxPool(3, early), "pool1")  # 56 x 56 x 64
    x = blocks.conv(x, Conv(64, 1), "conv2_reduce")  # 56 x 56 x 64
    x = blocks.conv(x, Conv(192, 3), "conv2")  # 56 x 56 x 192
    x = blocks.max_pool(x, MaxPool(3, 2), "pool2")  # 28 x 28 x 192
    x = stage(x, 3, repeats[0])  # 14 x 14 x 576
    x = stage(x, 4, repeats[1])  # 7 x 7 x 1024, 1056 of Caffe's
    x = stage(x, 5, repeats[2])  # 7 x 7 x 1024
    return net.build(x)
