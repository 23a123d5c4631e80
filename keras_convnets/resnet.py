"""ResNet (He, Zhang, Ren, Sun 2015, arXiv 1512.03385)."""

from collections.abc import Callable, Sequence
from typing import Any

import keras

from keras_convnets._builder import Net, check_repeats
from keras_convnets._registry import Paper, Reported, Tap, architecture
from keras_convnets._residual import Units, basic, bottleneck, stage_taps
from keras_convnets.errors import InputError, check_choice, check_number
from keras_convnets.imagenet_utils import decode_predictions, preprocessor
from keras_convnets.layers.initializers import initializers

__all__ = [
    "ResNet18",
    "ResNet34",
    "ResNet50",
    "ResNet101",
    "ResNet152",
    "ResNetCIFAR",
    "decode_predictions",
    "preprocess_input",
]

preprocess_input = preprocessor("caffe")

PAPER = Paper(
    "Deep Residual Learning for Image Recognition",
    "He, Zhang, Ren, Sun",
    2015,
    "https://arxiv.org/abs/1512.03385",
)

# Table 1: units of the stages conv2_x to conv5_x; 18 and 34 layers are basic, others bottlenecks.
DEPTHS = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
}
WIDTHS = 64, 128, 256, 512

# How the nets that are called ResNet differ, as fields of `Units`, and in words.
VARIANTS = {
    "keras": {"bias": "all", "strided_step": 1, "epsilon": 1.001e-5},
    "v1": {"strided_step": 1},
    "v1.5": {"strided_step": 2},
    "slim": {"strided_step": 1, "pad_pool": False},
}
ABOUT = {
    "keras": '"keras": the net of keras.applications, with biases in front of batch normalization.',
    "v1": '"v1": the paper\'s, with the strides in the first convolution of a unit.',
    "v1.5": '"v1.5": torchvision\'s, with the strides in the 3x3 convolution of a bottleneck.',
    "slim": '"slim": "v1" with the first pool padded as TensorFlow does: in maps of even size its '
    "windows begin at the first pixel.",
}
PREPROCESSING = {"keras": "caffe", "v1": "caffe", "v1.5": "torch", "slim": "slim_vgg"}


def _imagenet(top1: float, source: str) -> Reported:
    return Reported("ImageNet", top1, f"one crop, 224 px ({source})")


_TORCH7 = "facebook/fb.resnet.torch"
_RELEASED = "KaimingHe/deep-residual-networks"
_KERAS = "keras-applications 1.0.8"
_TORCHVISION = "pytorch/vision, V1 weights"
_SLIM = "TF-slim"


def _member(depth: int, reported: dict[str, Reported], parameters: str) -> Callable:
    """Makes the builder of one depth.

    Args:
        depth: number of layers with weights.
        reported: accuracy of each variant that there is, the default one first.
        parameters: what the example in the docstring prints.
    """
    units_of, is_basic = DEPTHS[depth], depth < 50
    path = basic if is_basic else lambda width: bottleneck(width, 4 * width)
    default = next(iter(reported))
    channels = [path(width)[-1][0] for width in WIDTHS]

    @architecture(
        name=f"ResNet{depth}",
        paper=PAPER,
        preprocessing="torch" if is_basic else PREPROCESSING,
        input_shape=(224, 224, 3),
        taps=(
            Tap("conv1_relu", 64, 2),
            *stage_taps(units_of, channels),
        ),
        variants=tuple(reported),
        reported=reported,
        texts={
            "depth": str(depth),
            "unit": "basic" if is_basic else "bottleneck",
            "channels": str(channels[-1]),
            "parameters": parameters,
            "variants": " ".join(ABOUT[variant] for variant in reported),
            "scaling": '"torch"'
            if is_basic
            else '"caffe" ("torch" for "v1.5", "slim_vgg" for "slim")',
        },
    )
    def build(
        include_top: bool = True,
        weights: str | None = "imagenet",
        input_tensor: Any = None,
        input_shape: Sequence[int | None] | None = None,
        pooling: str | None = None,
        classes: int = 1000,
        classifier_activation: Any = "softmax",
        name: str = f"resnet{depth}",
        *,
        variant: str = default,
        dropout_rate: float = 0.0,
        shortcut: str | None = "B",
        repeats: Sequence[int] = units_of,
        width_multiplier: float = 1.0,
        small_input: bool = False,
        kernel_initializer: Any = "glorot_uniform",
        batch_norm_momentum: float = 0.99,
        include_preprocessing: bool | str = False,
    ) -> keras.Model:
        """Builds ResNet-{depth}: four stages of {unit} units with identity shortcuts.

        The eight first arguments are those of keras.applications, and layers are named as those of
        its nets of this family.
        Input: (n, height, width, channels), scaled as `imagenet_utils.preprocess_input` does in the
        mode {scaling}; output: (n, classes) float32 probabilities, or the last feature map
        (n, height / 32, width / 32, {channels}) without the top.

        Args:
            {shared_arguments}
            variant: {variants}
            dropout_rate: rate in [0, 1) before the classifier; the paper has none.
            shortcut: "A": identity, with zeros for new channels; "B": projection where the shape
                changes; "C": projection everywhere; `None`: the plain net without shortcuts.
            repeats: number of units in each of the four stages.
            {width_multiplier}
            {residual_small_input}
            {kernel_initializer}
            {batch_norm_momentum}
            {include_preprocessing}

        {returns}

        Example:

        >>> model = keras_convnets.ResNet{depth}(weights=None)
        >>> model.count_params()
        {parameters}

        Source: He et al. 2015, arXiv 1512.03385, table 1 and section 3.3; keras.applications;
        pytorch/vision torchvision/models/resnet.py; tensorflow/models
        research/slim/nets/resnet_v1.py.

        Differs from the paper: as the variant says; the statistics of batch normalization are
        moving averages. Differs from slim's code: strides stand in the first unit of a stage, and
        not in the last one before, which gives the same numbers but for the maps between.
        """
        check_choice("variant", variant, reported)
        repeats = check_repeats(repeats, units_of)
        units = Units(
            initializers(kernel_initializer),
            batch_norm_momentum,
            shortcut=shortcut,
            width_multiplier=width_multiplier,
            **VARIANTS[variant],
        )
        net = Net(
            f"ResNet{depth}", include_top, weights, input_tensor, input_shape, pooling, classes,
            classifier_activation, name,
            default_size=224, minimum_size=32, small_input=small_input, dropout_rate=dropout_rate,
            include_preprocessing=include_preprocessing,
        )  # fmt: skip
        x = units.stem(net.input, small_input=small_input)  # 56 x 56 x 64
        for stage, (count, width) in enumerate(zip(repeats, WIDTHS, strict=True), start=2):
            x = units.stage(x, path(width), count, f"conv{stage}", strides=1 if stage == 2 else 2)
        return net.build(x)  # 7 x 7 x 512, or 2048

    return build


ResNet18 = _member(18, {"v1": _imagenet(69.57, _TORCH7)}, "11699112")
ResNet34 = _member(34, {"v1": _imagenet(73.27, _TORCH7)}, "21814696")
ResNet50 = _member(
    50,
    {
        "keras": _imagenet(74.928, _KERAS),
        "v1": _imagenet(75.3, _RELEASED),
        "v1.5": _imagenet(76.13, _TORCHVISION),
        "slim": _imagenet(75.2, _SLIM),
    },
    "25636712",
)
ResNet101 = _member(
    101,
    {
        "keras": _imagenet(76.42, _KERAS),
        "v1": _imagenet(76.4, _RELEASED),
        "v1.5": _imagenet(77.374, _TORCHVISION),
        "slim": _imagenet(76.4, _SLIM),
    },
    "44707176",
)
ResNet152 = _member(
    152,
    {
        "keras": _imagenet(76.604, _KERAS),
        "v1": _imagenet(77.0, _RELEASED),
        "v1.5": _imagenet(78.312, _TORCHVISION),
        "slim": _imagenet(76.8, _SLIM),
    },
    "60419944",
)

# Table 6: test error on CIFAR-10 by depth, with augmentation; of 110 layers the best of five runs.
CIFAR_ERRORS = {20: 8.75, 32: 7.51, 44: 7.17, 56: 6.97, 110: 6.43, 1202: 7.93}
CIFAR_WIDTHS = 16, 32, 64


@architecture(
    paper=PAPER,
    preprocessing="cifar",
    input_shape=(32, 32, 3),
    taps={
        str(depth): (
            Tap("conv1_relu", 16, 1),
            *stage_taps([(depth - 2) // 6] * 3, CIFAR_WIDTHS, stride=1),
        )
        for depth in CIFAR_ERRORS
    },
    variants={str(depth): {"depth": depth} for depth in CIFAR_ERRORS},
    reported={
        str(depth): Reported("CIFAR-10", round(100 - error, 2), "(table 6)")
        for depth, error in CIFAR_ERRORS.items()
    },
)
def ResNetCIFAR(
    depth: int = 20,
    include_top: bool = True,
    weights: str | None = None,
    input_tensor: Any = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 10,
    classifier_activation: Any = "softmax",
    name: str = "resnet_cifar",
    *,
    dropout_rate: float = 0.0,
    shortcut: str | None = "A",
    width_multiplier: float = 1.0,
    kernel_initializer: Any = "glorot_uniform",
    batch_norm_momentum: float = 0.99,
    include_preprocessing: bool | str = False,
) -> keras.Model:
    """Builds the ResNet for images of CIFAR's size: three stages of basic units.

    Input: (n, 32, 32, 3) scaled as `imagenet_utils.preprocess_input(x, mode="cifar")` does, or any
    other size; output: (n, classes) float32 probabilities, or the last feature map (n, 8, 8, 64)
    without the top.

    Args:
        depth: int, number of layers with weights, 6 n + 2; 20, 32, 44, 56, 110 and 1202 in the
            paper.
        {shared_arguments}
        dropout_rate: rate in [0, 1) before the classifier; the paper has none.
        shortcut: "A", "B", "C" or `None`, as in `ResNet50`; "A" in the paper.
        {width_multiplier}
        {kernel_initializer}
        {batch_norm_momentum}
        {include_preprocessing}

    {returns}

    Example:

    >>> model = keras_convnets.ResNetCIFAR(110)
    >>> keras_convnets.count_complexity(model).trainable
    1727962

    Source: He et al. 2015, arXiv 1512.03385, section 4.2.

    Differs from the paper: by default images are scaled by the mean and deviation of each channel,
    where the paper takes off the mean of each pixel.
    """
    check_number("`depth`", depth, least=8, whole=True)
    if depth % 6 != 2:
        raise InputError(
            f"`depth` should be 6 n + 2, such as 20, 32, 44, 56 or 110. Received: depth={depth}"
        )
    units = Units(
        initializers(kernel_initializer),
        batch_norm_momentum,
        shortcut=shortcut,
        width_multiplier=width_multiplier,
    )
    net = Net(
        "ResNetCIFAR", include_top, weights, input_tensor, input_shape, pooling, classes,
        classifier_activation, name,
        default_size=32, minimum_size=8, dropout_rate=dropout_rate,
        include_preprocessing=include_preprocessing,
    )  # fmt: skip
    x = units.conv(net.input, units.wide(16), 3, "conv1_conv")  # 32 x 32 x 16
    x = units.norm_relu(x, "conv1")
    for stage, width in enumerate(CIFAR_WIDTHS, start=2):  # 32 x 32 x 16, 16 x 16 x 32, 8 x 8 x 64
        strides = 1 if stage == 2 else 2
        x = units.stage(x, basic(width), (depth - 2) // 6, f"conv{stage}", strides=strides)
    return net.build(x)
