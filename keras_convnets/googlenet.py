"""GoogLeNet, or Inception-v1 (Szegedy et al. 2014, arXiv 1409.4842)."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from keras_convnets._builder import Net, activation, check_repeats
from keras_convnets._inception import (
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
from keras_convnets.errors import InputError, check_choice
from keras_convnets.imagenet_utils import decode_predictions, preprocessor
from keras_convnets.layers import LocalResponseNormalization
from keras_convnets.layers.initializers import initializers

__all__ = ["GoogLeNet", "InceptionV1", "decode_predictions", "preprocess_input"]

preprocess_input = preprocessor("caffe")

# Table 1, by stage: filters of 1x1; 3x3 reduce, 3x3; 5x5 reduce, 5x5; pool projection.
STAGES = {
    3: ((64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64)),
    4: (
        (192, 96, 208, 16, 48, 64),
        (160, 112, 224, 24, 64, 64),
        (128, 128, 256, 24, 64, 64),
        (112, 144, 288, 32, 64, 64),
        (256, 160, 320, 32, 128, 128),
    ),
    5: ((256, 160, 320, 32, 128, 128), (384, 192, 384, 48, 128, 128)),
}
REPEATS = (2, 5, 2)


@dataclasses.dataclass(frozen=True)
class _Variant:
    """Where the nets that are called GoogLeNet differ.

    Attributes:
        batch_norm: whether convolutions are batch-normalized, and have no biases then.
        scale: whether batch normalization has a scale.
        local_response_norm: whether there are two local response normalizations in the stem.
        large_kernel: size of the largest kernels of a module.
        last_pool: size of the last pool with stride 2.
        symmetric: whether strided layers pad as Caffe and Torch do.
        auxiliary_pool: "valid": 5x5 with stride 3; or "adaptive": to 4 x 4.
    """

    batch_norm: bool
    scale: bool
    local_response_norm: bool
    large_kernel: int
    last_pool: int
    symmetric: bool
    auxiliary_pool: str


VARIANTS = {
    "paper": _Variant(False, False, True, 5, 3, True, "valid"),
    "torchvision": _Variant(True, True, False, 3, 2, True, "adaptive"),
    "slim": _Variant(True, False, False, 3, 2, False, "valid"),
}


def inception(blocks: Blocks, x, filters: tuple[int, ...], kernel: int, name: str):
    """An Inception module with dimension reductions (figure 2b)."""
    one, reduce3, three, reduce5, five, project = filters
    return blocks.module(
        x,
        name,
        [Conv(one, 1)],
        [Conv(reduce3, 1), Conv(three, 3)],
        [Conv(reduce5, 1), Conv(five, kernel)],
        [MaxPool(3), Conv(project, 1)],
    )


def naive_inception(blocks: Blocks, x, filters: tuple[int, ...], kernel: int, name: str):
    """The naive Inception module (figure 2a): the pool passes all channels on."""
    one, _, three, _, five, _ = filters
    branches = [Conv(one, 1)], [Conv(three, 3)], [Conv(five, kernel)], [MaxPool(3)]
    return blocks.module(x, name, *branches)


def _resolve(variant, batch_norm, batch_norm_scale, local_response_norm) -> _Variant:
    """The row of a variant, with the options that are not left to it."""
    check_choice("variant", variant, VARIANTS)
    if batch_norm is False and batch_norm_scale is None:
        batch_norm_scale = False
    given = {
        "batch_norm": batch_norm,
        "scale": batch_norm_scale,
        "local_response_norm": local_response_norm,
    }
    given = {name: value for name, value in given.items() if value is not None}
    return dataclasses.replace(VARIANTS[variant], **given)


@architecture(
    paper=Paper(
        "Going Deeper with Convolutions",
        "Szegedy, Liu, Jia, Sermanet, Reed, Anguelov, Erhan, Vanhoucke, Rabinovich",
        2014,
        "https://arxiv.org/abs/1409.4842",
    ),
    preprocessing={"paper": "caffe", "torchvision": "tf", "slim": "tf"},
    input_shape=(224, 224, 3),
    taps=(
        Tap("conv1_act", 64, 2),
        Tap("conv2_act", 192, 4),
        *(
            Tap(f"inception_{stage}{letter(i)}", row[0] + row[2] + row[4] + row[5], stride)
            for (stage, modules), stride in zip(STAGES.items(), (8, 16, 32), strict=True)
            for i, row in enumerate(modules)
        ),
    ),
    variants=("paper", "torchvision", "slim"),
    reported={
        "paper": Reported(
            "ImageNet", 68.7, "top-5 88.9 %, one crop, 224 px (BVLC/caffe); 89.9 % in table 3"
        ),
        "torchvision": Reported("ImageNet", 69.778, "one crop, 224 px (pytorch/vision)"),
        "slim": Reported("ImageNet", 69.8, "top-5 89.6 %, one crop, 224 px (TF-slim)"),
    },
    aliases=("InceptionV1",),
)
def GoogLeNet(
    include_top: bool = True,
    weights: str | None = "imagenet",
    input_tensor: Any = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "googlenet",
    *,
    variant: str = "paper",
    aux_logits: bool = False,
    dropout_rate: float = 0.0,
    reductions: bool = True,
    local_response_norm: bool | None = None,
    batch_norm: bool | None = None,
    batch_norm_scale: bool | None = None,
    separable_stem: bool = False,
    head: str = "average_pool",
    repeats: Sequence[int] = REPEATS,
    width_multiplier: float = 1.0,
    small_input: bool = False,
    kernel_initializer: Any = "glorot_uniform",
    batch_norm_momentum: float = 0.99,
    include_preprocessing: bool | str = False,
) -> keras.Model:
    """Builds GoogLeNet: 22 layers of Inception modules, the winner of ILSVRC-2014.

    The default variant is the paper's net, with 5x5 convolutions, local response normalization and
    biases; where the paper is silent (constants, padding) it is Caffe's `bvlc_googlenet`. Input:
    (n, height, width, channels), scaled as `keras-convnets info` says for the variant:
    BGR minus the mean ("paper"; `preprocess_input` makes it from RGB 0..255) or [-1, 1]. Output:
    (n, classes) float32 probabilities, or the last feature map (n, 7, 7, 1024 for 224 px) without
    the top.

    Args:
        {shared_arguments}
        variant: "paper"; "torchvision", whose largest kernels are 3x3, with batch normalization;
            or "slim", likewise without the scale and with TensorFlow's padding.
        aux_logits: whether to add the two auxiliary classifiers; the output is then a dictionary of
            "predictions", "aux1" (off 4a) and "aux2" (off 4d). The paper gives their losses the
            weight 0.3 each. They drop 70 % of their features while training. Slim's net has none of
            its own, and gets the paper's.
        dropout_rate: rate in [0, 1) before the classifier; 0.4 in the paper.
        reductions: `False` builds the naive modules of figure 2a, without 1x1 reductions.
        local_response_norm: whether the stem has local response normalization; `None` is the
            variant's choice.
        batch_norm: whether convolutions are batch-normalized in place of their biases; `None` is
            the variant's choice.
        batch_norm_scale: whether batch normalization has a scale (gamma); `None` is the variant's
            choice.
        separable_stem: whether the first convolution is depthwise separable with multiplier 8,
            which is what the parameters and operations printed in table 1 fit.
        head: "average_pool", or "dense" for a dense layer of 1,024 units on the whole last map.
        repeats: numbers of modules in stages 3, 4 and 5; the last one of the table repeats.
        {width_multiplier}
        {small_input}
        {kernel_initializer}
        {batch_norm_momentum}
        {include_preprocessing}

    {returns}

    Example:

    >>> model = keras_convnets.GoogLeNet(weights=None, aux_logits=True)
    >>> model.count_params()
    13378280

    Source: Szegedy et al. 2014, arXiv 1409.4842, table 1, figures 2 and 3, section 5; BVLC/caffe
    models/bvlc_googlenet; pytorch/vision torchvision/models/googlenet.py; tensorflow/models
    research/slim/nets/inception_v1.py.

    Differs from the paper: by default there is no dropout before the classifier. The mean that
    `preprocess_input` takes off is Keras' own, at most 0.7 grey levels from Caffe's. The size of
    the dense head is ours, for the paper does not print that of the net it compares with.
    """
    check_choice("head", head, ("average_pool", "dense"))
    if head == "dense" and not include_top:
        raise InputError("`head='dense'` is a part of the top. Received: include_top=False")
    repeats = check_repeats(repeats, REPEATS)
    row = _resolve(variant, batch_norm, batch_norm_scale, local_response_norm)
    if aux_logits:  # behind the first module of stage 4 and the last but one
        check_auxiliary_stage(repeats, least=3)
    blocks = Blocks(
        initializers(kernel_initializer),
        batch_norm_momentum,
        batch_norm=row.batch_norm,
        scale=row.scale,
        width_multiplier=width_multiplier,
        symmetric=row.symmetric,
        small_input=small_input,
    )
    net = Net(
        "GoogLeNet", include_top, weights, input_tensor, input_shape, pooling, classes,
        classifier_activation, name,
        default_size=224, minimum_size=32, small_input=small_input,
        ends_in_global_pooling=head == "average_pool",
        aux_logits=aux_logits, dropout_rate=dropout_rate,
        include_preprocessing=include_preprocessing,
    )  # fmt: skip
    module = inception if reductions else naive_inception
    early = 1 if small_input else 2
    first = SeparableConv(64, 7, early, 8) if separable_stem else Conv(64, 7, early)

    def stage(x, number, count):
        for i, filters in enumerate(rows(STAGES[number], count)):
            x = module(blocks, x, filters, row.large_kernel, f"inception_{number}{letter(i)}")
            if aux_logits and number == 4 and i in (0, count - 2):
                add_dense_auxiliary_head(
                    net, blocks, x, "aux2" if i else "aux1", row.auxiliary_pool
                )
        return x

    x = blocks.conv(net.input, first, "conv1")  # 112 x 112 x 64
    x = blocks.max_pool(x, MaxPool(3, early), "pool1")  # 56 x 56 x 64
    if row.local_response_norm:
        x = LocalResponseNormalization(name="norm1")(x)
    x = blocks.conv(x, Conv(64, 1), "conv2_reduce")  # 56 x 56 x 64
    x = blocks.conv(x, Conv(192, 3), "conv2")  # 56 x 56 x 192
    if row.local_response_norm:
        x = LocalResponseNormalization(name="norm2")(x)
    x = blocks.max_pool(x, MaxPool(3, 2), "pool2")  # 28 x 28 x 192
    x = stage(x, 3, repeats[0])  # 28 x 28 x 480
    x = blocks.max_pool(x, MaxPool(3, 2), "pool3")  # 14 x 14 x 480
    x = stage(x, 4, repeats[1])  # 14 x 14 x 832
    x = blocks.max_pool(x, MaxPool(row.last_pool, 2), "pool4")  # 7 x 7 x 832
    x = stage(x, 5, repeats[2])  # 7 x 7 x 1024

    def dense_head(x):
        x = layers.Flatten(name="flatten")(x)
        x = layers.Dense(1024, kernel_initializer=next(blocks.initializers), name="fc")(x)
        return activation(x, "fc_act")

    return net.build(x, head=dense_head if head == "dense" else None)


InceptionV1 = GoogLeNet
