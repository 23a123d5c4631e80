"""ResNeXt (Xie, Girshick, Dollar, Tu, He 2017, arXiv 1611.05431)."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import layers

from keras_convnets._builder import Net, channels_last, check_repeats
from keras_convnets._registry import Paper, Reported, Tap, architecture
from keras_convnets._residual import Units, bottleneck, stage_taps
from keras_convnets.errors import check_choice, check_number
from keras_convnets.imagenet_utils import decode_predictions, preprocessor
from keras_convnets.layers import GroupedConv2D
from keras_convnets.layers.initializers import initializers

__all__ = [
    "ResNeXt",
    "ResNeXt29",
    "ResNeXt50",
    "ResNeXt101",
    "decode_predictions",
    "preprocess_input",
    "template_block",
]

preprocess_input = preprocessor("torch")

PAPER = Paper(
    "Aggregated Residual Transformations for Deep Neural Networks",
    "Xie, Girshick, Dollar, Tu, He",
    2017,
    "https://arxiv.org/abs/1611.05431",
)

# Units of each stage; the net of 29 layers is for images of CIFAR's size.
DEPTHS = {29: (3, 3, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}


def _member(depth: int, variants: dict[str, tuple[int, int, Reported]], trainable: str) -> Callable:
    """Makes the builder of one depth.

    Args:
        depth: number of layers with weights.
        variants: cardinality, bottleneck width and accuracy by name, the default one first.
        trainable: what the example in the docstring prints.
    """
    units_of, is_small = DEPTHS[depth], depth == 29
    size, stride = (32, 1) if is_small else (224, 4)
    channels = [256 * 2**i for i in range(len(units_of))]
    first_cardinality, first_width, _ = next(iter(variants.values()))

    @architecture(
        name=f"ResNeXt{depth}",
        paper=PAPER,
        preprocessing="cifar" if is_small else "torch",
        input_shape=(size, size, 3),
        taps=(
            Tap("conv1_relu", 64, 1 if is_small else 2),
            *stage_taps(units_of, channels, stride),
        ),
        variants={
            name: {"cardinality": cardinality, "bottleneck_width": width}
            for name, (cardinality, width, _) in variants.items()
        },
        reported={name: reported for name, (_, _, reported) in variants.items()},
        texts={
            "depth": str(depth),
            "for": "images of CIFAR's size" if is_small else "ImageNet",
            "scaling": "cifar" if is_small else "torch",
            "size": str(size),
            "side": f"{size // 4}, {size // 4}" if is_small else "height / 32, width / 32",
            "channels": str(channels[-1]),
            "stages": "three" if is_small else "four",
            "trainable": trainable,
        },
    )
    def build(
        include_top: bool = True,
        weights: str | None = None if is_small else "imagenet",
        input_tensor: Any = None,
        input_shape: Sequence[int | None] | None = None,
        pooling: str | None = None,
        classes: int = 10 if is_small else 1000,
        classifier_activation: Any = "softmax",
        name: str = f"resnext{depth}",
        *,
        cardinality: int = first_cardinality,
        bottleneck_width: int = first_width,
        form: str = "c",
        shortcut: bool = True,
        dropout_rate: float = 0.0,
        repeats: Sequence[int] = units_of,
        width_multiplier: float = 1.0,
        small_input: bool = is_small,
        kernel_initializer: Any = "glorot_uniform",
        batch_norm_momentum: float = 0.99,
        include_preprocessing: bool | str = False,
    ) -> keras.Model:
        """Builds ResNeXt-{depth} for {for}: bottleneck units that aggregate many equal paths.

        Input: (n, {size}, {size}, 3), or any other size, scaled as
        `imagenet_utils.preprocess_input(x, mode="{scaling}")` does; output: (n, classes) float32
        probabilities, or the last feature map (n, {side}, {channels}) without the top.

        Args:
            {shared_arguments}
            cardinality: number of paths in a unit.
            bottleneck_width: channels of a path in the first stage; doubled by each stage.
            form: which of the three equal forms of a unit is built (figure 3): "a": each path on
                its own, outputs summed; "b": concatenated before the last convolution; "c": one
                path with a grouped convolution, by far the fastest.
            shortcut: whether units have their shortcuts (ablation of section 5.1).
            dropout_rate: rate in [0, 1) before the classifier; the paper has none.
            repeats: number of units in each of the {stages} stages.
            width_multiplier: scales every number of filters, in multiples of 8, and of the
                cardinality inside of the units.
            {residual_small_input}
            {kernel_initializer}
            {batch_norm_momentum}
            {include_preprocessing}

        {returns}

        Example:

        >>> model = keras_convnets.ResNeXt{depth}(weights=None)
        >>> keras_convnets.count_complexity(model).trainable
        {trainable}

        Source: Xie et al. 2017, arXiv 1611.05431, tables 1 and 2, figure 3;
        facebookresearch/ResNeXt models/resnext.lua.

        Differs from the paper: nothing known.
        """
        check_choice("shortcut", shortcut, (True, False))
        check_number("`bottleneck_width`", bottleneck_width, least=1, whole=True)
        repeats = check_repeats(repeats, units_of)
        units = Units(
            initializers(kernel_initializer),
            batch_norm_momentum,
            strided_step=2,
            shortcut="B" if shortcut else None,
            cardinality=cardinality,
            form=form,
            width_multiplier=width_multiplier,
        )
        net = Net(
            f"ResNeXt{depth}", include_top, weights, input_tensor, input_shape, pooling, classes,
            classifier_activation, name,
            default_size=224, minimum_size=32, small_input=small_input, dropout_rate=dropout_rate,
            include_preprocessing=include_preprocessing,
        )  # fmt: skip
        x = units.stem(net.input, small_input=small_input)  # 56 x 56 x 64, or 32 x 32 x 64
        for i, count in enumerate(repeats):
            path = bottleneck(bottleneck_width * 2**i, 256 * 2**i)
            x = units.stage(x, path, count, f"conv{i + 2}", strides=2 if i else 1)
        return net.build(x)  # 7 x 7 x 2048, or 8 x 8 x 1024

    return build


def _imagenet(top1: float, source: str) -> Reported:
    return Reported("ImageNet", top1, f"one crop, 224 px ({source})")


ResNeXt50 = _member(50, {"32x4d": (32, 4, _imagenet(77.8, "table 3"))}, "25028904")
ResNeXt101 = _member(
    101,
    {
        "32x4d": (32, 4, _imagenet(78.8, "table 3")),
        "64x4d": (64, 4, _imagenet(79.6, "table 4")),
        "32x8d": (32, 8, _imagenet(79.312, "pytorch/vision, V1 weights")),
    },
    "44177704",
)
ResNeXt29 = _member(
    29,
    {
        "8x64d": (8, 64, Reported("CIFAR-10", 96.35, "mean of 10 runs (table 7)")),
        "16x64d": (16, 64, Reported("CIFAR-10", 96.42, "mean of 10 runs (table 7)")),
    },
    "34426698",
)

_MEMBERS = {29: ResNeXt29, 50: ResNeXt50, 101: ResNeXt101}


def ResNeXt(
    depth: int = 50,
    cardinality: int | None = None,
    bottleneck_width: int | None = None,
    *args: Any,
    **options: Any,
) -> keras.Model:
    """Builds the ResNeXt of a depth and a template, "32x4d" as the paper writes it.

    Args:
        depth: 29 (for images of CIFAR's size), 50 or 101.
        cardinality: number of paths in a unit; by default that of the net of this depth.
        bottleneck_width: channels of a path in the first stage; the same.
        *args: the arguments of `ResNeXt50`.
        **options: the other options of `ResNeXt50`.

    Returns:
        A `keras.Model`.

    Raises:
        InputError: if an argument can't be used (a `ValueError`).

    Example:

    >>> model = keras_convnets.ResNeXt(50, cardinality=2, bottleneck_width=40, weights=None)
    >>> keras_convnets.count_complexity(model).trainable
    25425000

    Source: Xie et al. 2017, arXiv 1611.05431, tables 2, 3, 4 and 7.
    """
    check_choice("depth", depth, _MEMBERS)
    template = {"cardinality": cardinality, "bottleneck_width": bottleneck_width}
    given = {option: value for option, value in template.items() if value is not None}
    return _MEMBERS[depth](*args, **given, **options)


def template_block(
    cardinality: int = 32, bottleneck_width: int = 4, channels: int = 256, size: int = 56
) -> keras.Model:
    """Builds the convolutions of one unit of the first stage: what table 2 compares.

    Args:
        cardinality: number of paths.
        bottleneck_width: channels of a path.
        channels: of the input and the output.
        size: height and width of the map.

    Returns:
        A `keras.Model` from (n, size, size, channels) to the same, with C (2 d c + 9 d d)
        parameters for a cardinality C, a width d and c channels.

    Example:

    >>> keras_convnets.resnext.template_block(8, 14).count_params()
    71456

    Source: Xie et al. 2017, arXiv 1611.05431, section 3.3 and table 2.
    """
    check_number("`cardinality`", cardinality, least=1, whole=True)
    check_number("`bottleneck_width`", bottleneck_width, least=1, whole=True)
    check_number("`channels`", channels, least=1, whole=True)
    check_number("`size`", size, least=1, whole=True)
    width = cardinality * bottleneck_width
    shape = (size, size, channels) if channels_last() else (channels, size, size)
    image = keras.Input(shape, name="map")
    x = layers.Conv2D(width, 1, use_bias=False, name="1_conv")(image)
    x = GroupedConv2D(width, 3, padding="same", groups=cardinality, use_bias=False, name="2_conv")(
        x
    )
    x = layers.Conv2D(channels, 1, use_bias=False, name="3_conv")(x)
    return keras.Model(image, x, name="template_block")
