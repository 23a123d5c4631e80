"""AlexNet (Krizhevsky, Sutskever, Hinton 2012, NIPS 25)."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from keras_convnets._builder import Net, activation, check_head_units, dense_layers, scale_width
from keras_convnets._registry import Paper, Reported, Tap, architecture
from keras_convnets.errors import check_choice, check_number
from keras_convnets.imagenet_utils import decode_predictions, preprocessor
from keras_convnets.layers import BiasedConv2D, GroupedConv2D, LocalResponseNormalization
from keras_convnets.layers.initializers import initializers

__all__ = ["AlexNet", "decode_predictions", "preprocess_input"]

preprocess_input = preprocessor("caffe")


@dataclasses.dataclass(frozen=True)
class _Variant:
    """Where the nets that are called AlexNet differ.

    Attributes:
        size: height and width of the images by default.
        minimum: the least of them.
        filters: of the five convolutions.
        groups: of the five convolutions; two are the halves on two GPUs.
        padding: of the first convolution, in pixels on each side.
        norm: constants of the two local response normalizations, or `None`. The layer divides
            alpha by its size, as Caffe does and the paper does not.
    """

    size: int
    minimum: int
    filters: tuple[int, ...]
    groups: tuple[int, ...]
    padding: int
    norm: dict[str, float] | None


_TWO_GPUS = (96, 256, 384, 384, 256), (1, 2, 1, 2, 2)
VARIANTS = {
    "caffe": _Variant(227, 67, *_TWO_GPUS, 0, {"k": 1.0, "alpha": 1e-4}),
    "paper": _Variant(227, 67, *_TWO_GPUS, 0, {"k": 2.0, "alpha": 5 * 1e-4}),
    "one_weird_trick": _Variant(224, 63, (64, 192, 384, 256, 256), (1,) * 5, 2, None),
}


def _taps(variant: _Variant) -> tuple[Tap, ...]:
    names = "pool1", "pool2", "conv3_act", "conv4_act", "pool5"
    strides = 8, 16, 16, 16, 32
    return tuple(map(Tap, names, variant.filters, strides))


@architecture(
    paper=Paper(
        "ImageNet Classification with Deep Convolutional Neural Networks",
        "Krizhevsky, Sutskever, Hinton",
        2012,
        "https://papers.nips.cc/paper/4824-imagenet-classification-with-deep-convolutional-"
        "neural-networks",
    ),
    preprocessing={"caffe": "caffe", "paper": "caffe", "one_weird_trick": "torch"},
    input_shape={name: (row.size, row.size, 3) for name, row in VARIANTS.items()},
    taps={name: _taps(row) for name, row in VARIANTS.items()},
    variants=tuple(VARIANTS),
    reported={
        "caffe": Reported("ImageNet", 57.1, "top-5 80.2 %, one crop (BVLC/caffe bvlc_alexnet)"),
        "paper": Reported("ImageNet", 59.3, "top-5 81.8 %, 10 crops (table 2)", one_crop=False),
        "one_weird_trick": Reported(
            "ImageNet", 56.522, "one crop, 224 px (pytorch/vision; the net of Krizhevsky 2014)"
        ),
    },
)
def AlexNet(
    include_top: bool = True,
    weights: str | None = "imagenet",
    input_tensor: Any = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "alexnet",
    *,
    variant: str = "caffe",
    dropout_rate: float = 0.0,
    head_units: Sequence[int] = (4096, 4096),
    width_multiplier: float = 1.0,
    kernel_initializer: Any = "glorot_uniform",
    include_preprocessing: bool | str = False,
) -> keras.Model:
    """Builds AlexNet: five convolutions, half of them in two groups, and three dense layers.

    Input: (n, 227, 227, 3), BGR minus the mean, as `preprocess_input` makes it from RGB 0..255;
    "one_weird_trick" takes (n, 224, 224, 3), scaled as `imagenet_utils.preprocess_input(x,
    mode="torch")` does. Output: (n, classes) float32 probabilities, or the last feature map
    (n, 6, 6, 256) without the top.

    Args:
        {shared_arguments}
        variant: "caffe": BVLC's net, with the local response normalization of its public weights
            (k 1, alpha divided by the size); "paper": the same with the paper's constants (k 2,
            alpha as printed); "one_weird_trick": the one-column net of 2014 that torchvision has,
            without groups and without local response normalization.
        dropout_rate: rate in [0, 1) behind each of the dense layers; 0.5 in the paper.
        head_units: sizes of the dense layers before the classifier.
        width_multiplier: scales the filters of every convolution, in multiples of 8.
        {kernel_initializer}
        {include_preprocessing}

    {returns}

    Example:

    >>> model = keras_convnets.AlexNet(weights=None, variant="paper")
    >>> model.count_params()
    60965224

    Source: Krizhevsky et al. 2012, section 3; BVLC/caffe models/bvlc_alexnet; Krizhevsky 2014,
    arXiv 1404.5997; pytorch/vision torchvision/models/alexnet.py.

    Differs from the paper: images have 227 px, for 224 do not fit a first convolution without
    padding; by default there is no dropout; torchvision's net has its dropout in front of the
    dense layers; the mean is one of each channel, where the paper has one of each pixel; biases
    start at 0, where the paper starts those of conv2, conv4, conv5 and the dense layers at 1.
    """
    check_choice("variant", variant, VARIANTS)
    check_number("`width_multiplier`", width_multiplier, above=0)
    check_head_units(head_units)
    row = VARIANTS[variant]
    kernels = initializers(kernel_initializer)
    net = Net(
        "AlexNet", include_top, weights, input_tensor, input_shape, pooling, classes,
        classifier_activation, name,
        default_size=row.size, minimum_size=row.minimum, dropout_rate=dropout_rate,
        ends_in_global_pooling=not include_top,
        include_preprocessing=include_preprocessing,
    )  # fmt: skip

    def conv(x, i, kernel_size, strides=1, padding="same"):
        groups = row.groups[i - 1]
        options = {
            "strides": strides,
            "padding": padding,
            "kernel_initializer": next(kernels),
            "name": f"conv{i}",
        }
        filters = scale_width(row.filters[i - 1], width_multiplier)
        if groups > 1:
            x = GroupedConv2D(filters, kernel_size, groups=groups, **options)(x)
        else:
            x = BiasedConv2D(filters, kernel_size, **options)(x)
        return activation(x, f"conv{i}_act")

    def norm_pool(x, i):
        if row.norm is not None:
            x = LocalResponseNormalization(size=5, beta=0.75, **row.norm, name=f"norm{i}")(x)
        return pool(x, i)

    def pool(x, i):
        return layers.MaxPooling2D(3, strides=2, name=f"pool{i}")(x)

    x = net.input  # 227 x 227 x 3
    if row.padding:
        x = layers.ZeroPadding2D(row.padding, name="conv1_pad")(x)
    x = norm_pool(conv(x, 1, 11, strides=4, padding="valid"), 1)  # 27 x 27 x 96
    x = norm_pool(conv(x, 2, 5), 2)  # 13 x 13 x 256
    x = conv(x, 3, 3)  # 13 x 13 x 384
    x = conv(x, 4, 3)  # 13 x 13 x 384
    x = pool(conv(x, 5, 3), 5)  # 6 x 6 x 256

    def head(x):
        x = layers.Flatten(name="flatten")(x)
        units = {f"fc{i}": size for i, size in enumerate(head_units, start=6)}
        return dense_layers(x, units, dropout_rate, kernels)

    return net.build(x, head=head)
