"""VGG (Simonyan, Zisserman 2014, arXiv 1409.1556)."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
from keras import layers

from keras_convnets._builder import (
    Net,
    activation,
    batch_norm,
    check_head_units,
    dense_layers,
    scale_width,
)
from keras_convnets._registry import Paper, Reported, Tap, architecture
from keras_convnets.errors import InputError, check_choice, check_number
from keras_convnets.imagenet_utils import decode_predictions, preprocessor
from keras_convnets.layers import BiasedConv2D
from keras_convnets.layers.initializers import initializers

__all__ = [
    "VGG11",
    "VGG13",
    "VGG16",
    "VGG16C",
    "VGG19",
    "decode_predictions",
    "preprocess_input",
]

preprocess_input = preprocessor("caffe")

PAPER = Paper(
    "Very Deep Convolutional Networks for Large-Scale Image Recognition",
    "Simonyan, Zisserman",
    2014,
    "https://arxiv.org/abs/1409.1556",
)

# Table 1, configurations A, B, C, D and E: kernel sizes of the convolutions of each block.
CONFIGURATIONS = {
    "VGG11": ((3,), (3,), (3, 3), (3, 3), (3, 3)),
    "VGG13": ((3, 3),) * 5,
    "VGG16C": ((3, 3), (3, 3), (3, 3, 1), (3, 3, 1), (3, 3, 1)),
    "VGG16": ((3, 3), (3, 3), (3, 3, 3), (3, 3, 3), (3, 3, 3)),
    "VGG19": ((3, 3), (3, 3), (3,) * 4, (3,) * 4, (3,) * 4),
}
HEAD_UNITS = 4096, 4096
WIDTHS = 64, 128, 256, 512, 512


@dataclasses.dataclass(frozen=True)
class _Convolutions:
    """The convolutions of a VGG net, each with what follows it up to its ReLU."""

    batch_norm: bool
    separable: bool
    width_multiplier: float
    initializers: Iterator[Any]
    momentum: float

    def __post_init__(self):
        check_number("`width_multiplier`", self.width_multiplier, above=0)
        check_number("`batch_norm_momentum`", self.momentum, least=0, below=1)
        if self.batch_norm and self.separable:
            raise InputError(
                "`separable=True` comes with batch normalization of its own. "
                "Received: batch_norm=True and separable=True"
            )

    def conv(self, x, filters: int, kernel_size: int, name: str):
        """A convolution that keeps the size of the map."""
        filters = scale_width(filters, self.width_multiplier)
        if self.separable:
            return self._separable(x, filters, kernel_size, name)
        x = BiasedConv2D(
            filters,
            kernel_size,
            padding="same",
            activation=None if self.batch_norm else "relu",
            kernel_initializer=next(self.initializers),
            name=name,
        )(x)
        return self._norm_relu(x, name, epsilon=1e-5) if self.batch_norm else x

    def _separable(self, x, filters: int, kernel_size: int, name: str):
        """A depthwise separable convolution, or the first one, which is plain."""
        options = {"padding": "same", "use_bias": False, "name": name}
        if name == "block1_conv1":
            initializer = next(self.initializers)
            layer = layers.Conv2D(filters, kernel_size, kernel_initializer=initializer, **options)
        else:
            layer = layers.SeparableConv2D(
                filters,
                kernel_size,
                depthwise_initializer=next(self.initializers),
                pointwise_initializer=next(self.initializers),
                **options,
            )
        return self._norm_relu(layer(x), name, epsilon=1e-3)

    def _norm_relu(self, x, name: str, epsilon: float):
        x = batch_norm(x, f"{name}_bn", self.momentum, epsilon)
        return activation(x, f"{name}_act")


def _member(net_name: str, reported: dict[str, Reported], parameters: str) -> Callable:
    """Makes the builder of one configuration.

    Args:
        net_name: a key of `CONFIGURATIONS`.
        reported: accuracy of each variant that there is, the default one first.
        parameters: what the example in the docstring prints.
    """
    blocks = CONFIGURATIONS[net_name]
    plain_scaling = "torch" if net_name in ("VGG11", "VGG13") else "caffe"

    @architecture(
        name=net_name,
        paper=PAPER,
        preprocessing={
            variant: "torch" if variant == "batch_norm" else plain_scaling for variant in reported
        },
        input_shape=(224, 224, 3),
        taps=tuple(Tap(f"block{i}_pool", width, 2**i) for i, width in enumerate(WIDTHS, start=1)),
        variants={variant: {variant: True} if variant else {} for variant in reported},
        reported=reported,
        texts={
            "net": net_name,
            "scaling": f'"{plain_scaling}" ("torch" with `batch_norm`)',
            "letter": "ABCDE"[list(CONFIGURATIONS).index(net_name)],
            "parameters": parameters,
        },
    )
    def build(
        include_top: bool = True,
        weights: str | None = None if net_name == "VGG16C" else "imagenet",
        input_tensor: Any = None,
        input_shape: Sequence[int | None] | None = None,
        pooling: str | None = None,
        classes: int = 1000,
        classifier_activation: Any = "softmax",
        name: str = net_name.lower(),
        *,
        batch_norm: bool = False,
        separable: bool = False,
        dropout_rate: float = 0.0,
        head_units: Sequence[int] = HEAD_UNITS,
        width_multiplier: float = 1.0,
        kernel_initializer: Any = "glorot_uniform",
        batch_norm_momentum: float = 0.99,
        include_preprocessing: bool | str = False,
    ) -> keras.Model:
        """Builds {net}, configuration {letter} of VGG: blocks of 3x3 convolutions between pools.

        The eight first arguments are those of keras.applications, and layers are named as those of
        its nets of this family.
        Input: (n, 224, 224, 3), scaled as `imagenet_utils.preprocess_input` does in the mode
        {scaling}; output: (n, classes) float32 probabilities, or the last feature map (n, height /
        32, width / 32, 512) without the top.

        Args:
            {shared_arguments}
            batch_norm: whether each convolution is batch-normalized, as in torchvision's nets.
            separable: whether each convolution but the first is depthwise separable, with batch
                normalization, and the head is a global average without dense layers: the
                "VGG-like" net of the Xception paper.
            dropout_rate: rate in [0, 1) behind each of the dense layers; 0.5 in the paper.
            head_units: sizes of the dense layers before the classifier.
            width_multiplier: scales the filters of every convolution, in multiples of 8.
            {kernel_initializer}
            {batch_norm_momentum}
            {include_preprocessing}

        {returns}

        Example:

        >>> model = keras_convnets.{net}(weights=None)
        >>> model.count_params()
        {parameters}

        Source: Simonyan and Zisserman 2014, arXiv 1409.1556, table 1; pytorch/vision
        torchvision/models/vgg.py; Chollet 2017, arXiv 1610.02357, section 4.7, for `separable`.

        Differs from the paper: by default there is no dropout, as in the public weights' graph.
        """
        check_choice("batch_norm", batch_norm, (True, False))
        check_choice("separable", separable, (True, False))
        check_head_units(head_units)
        if separable and tuple(head_units) != HEAD_UNITS:
            raise InputError(
                "`separable=True` has a global average in the place of the dense layers. "
                f"Received: head_units={head_units!r}"
            )
        convolutions = _Convolutions(
            batch_norm,
            separable,
            width_multiplier,
            initializers(kernel_initializer),
            batch_norm_momentum,
        )
        net = Net(
            net_name, include_top, weights, input_tensor, input_shape, pooling, classes,
            classifier_activation, name,
            default_size=224, minimum_size=32, dropout_rate=dropout_rate,
            ends_in_global_pooling=separable or not include_top,
            include_preprocessing=include_preprocessing,
        )  # fmt: skip
        x = net.input  # 224 x 224 x 3
        for i, (kernels, width) in enumerate(zip(blocks, WIDTHS, strict=True), start=1):
            for j, kernel_size in enumerate(kernels, start=1):
                x = convolutions.conv(x, width, kernel_size, f"block{i}_conv{j}")
            x = layers.MaxPooling2D(2, name=f"block{i}_pool")(x)
        # 7 x 7 x 512

        def head(x):
            x = layers.Flatten(name="flatten")(x)
            units = {f"fc{i}": size for i, size in enumerate(head_units, start=1)}
            return dense_layers(x, units, dropout_rate, convolutions.initializers)

        return net.build(x, head=None if separable else head)

    return build


def _torchvision(top1: float) -> Reported:
    return Reported("ImageNet", top1, "one crop, 224 px (pytorch/vision)")


def _keras(top1: float) -> Reported:
    return Reported("ImageNet", top1, "one crop, 224 px (keras-applications 1.0.8)")


VGG11 = _member("VGG11", {"": _torchvision(69.02), "batch_norm": _torchvision(70.37)}, "132863336")
VGG13 = _member(
    "VGG13", {"": _torchvision(69.928), "batch_norm": _torchvision(71.586)}, "133047848"
)
VGG16 = _member(
    "VGG16",
    {
        "": _keras(71.268),
        "batch_norm": _torchvision(73.36),
        "separable": Reported(
            "JFT", None, "above Inception-v3, without figures (Chollet 2017, section 4.7)"
        ),
    },
    "138357544",
)
VGG16C = _member(
    "VGG16C",
    {"": Reported("ImageNet", 72.7, "top-5 91.2 %, dense, 384 px (table 3)", one_crop=False)},
    "133638952",
)
VGG19 = _member("VGG19", {"": _keras(71.256), "batch_norm": _torchvision(74.218)}, "143667240")
