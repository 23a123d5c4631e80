"""Pre-activation ResNet (He, Zhang, Ren, Sun 2016, arXiv 1603.05027)."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import keras

from keras_convnets._builder import Net, check_repeats
from keras_convnets._registry import Paper, Reported, Tap, architecture
from keras_convnets._residual import Units, bottleneck, stage_taps
from keras_convnets.errors import check_choice
from keras_convnets.imagenet_utils import decode_predictions, preprocessor
from keras_convnets.layers.initializers import initializers

__all__ = [
    "ResNet50V2",
    "ResNet101V2",
    "ResNet152V2",
    "ResNet200V2",
    "decode_predictions",
    "preprocess_input",
]

preprocess_input = preprocessor("tf")

PAPER = Paper(
    "Identity Mappings in Deep Residual Networks",
    "He, Zhang, Ren, Sun",
    2016,
    "https://arxiv.org/abs/1603.05027",
)

# Units of the stages conv2_x to conv5_x.
DEPTHS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3), 200: (3, 24, 36, 3)}
WIDTHS = 64, 128, 256, 512

# How the nets differ, as fields of `Units`, and in words; slim's has the layout of Keras.
VARIANTS = {
    "keras": {"bias": "ends", "epsilon": 1.001e-5, "explicit_padding": True},
    "paper": {"bias": None, "epsilon": 1e-5},
    "slim": {"bias": "ends", "epsilon": 1e-5, "explicit_padding": True, "pad_pool": False},
}
ABOUT = {
    "keras": '"keras": the net of keras.applications: strides in the last unit of a stage, whose '
    "shortcuts are pools of one pixel, biases at the ends of units, no normalization before the "
    "first pool.",
    "paper": '"paper": strides in the first unit, and the authors\' order of the first layers.',
    "slim": '"slim": as "keras", but for the first pool, which is padded as TensorFlow does and '
    "not by zeros, and an epsilon of 1e-5 instead of 1.001e-5.",
}
PREPROCESSING = {"keras": "tf", "paper": "torch", "slim": "tf"}


def _taps(depth: int, variant: str) -> tuple[Tap, ...]:
    """The last units of the stages; in Keras' layout these have the strides of the next stage."""
    taps = stage_taps(DEPTHS[depth], [4 * width for width in WIDTHS])
    if variant != "paper":
        taps = [dataclasses.replace(tap, stride=min(2 * tap.stride, 32)) for tap in taps]
    return (*taps, Tap("post_relu", 2048, 32))


def _member(depth: int, reported: dict[str, Reported], parameters: str) -> Callable:
    """Makes the builder of one depth.

    Args:
        depth: number of layers with weights.
        reported: accuracy of each variant that there is, the default one first.
        parameters: what the example in the docstring prints.
    """
    units_of = DEPTHS[depth]
    default = next(iter(reported))

    @architecture(
        name=f"ResNet{depth}V2",
        paper=PAPER,
        preprocessing=PREPROCESSING,
        input_shape=(224, 224, 3),
        taps={variant: _taps(depth, variant) for variant in reported},
        variants=tuple(reported),
        reported=reported,
        texts={
            "depth": str(depth),
            "parameters": parameters,
            "variants": " ".join(ABOUT[variant] for variant in reported),
            "scaling": " or ".join(f'"{PREPROCESSING[v]}" for "{v}"' for v in reported),
        },
    )
    def build(
        include_top: bool = True,
        weights: str | None = "imagenet" if default == "keras" else None,
        input_tensor: Any = None,
        input_shape: Sequence[int | None] | None = None,
        pooling: str | None = None,
        classes: int = 1000,
        classifier_activation: Any = "softmax",
        name: str = f"resnet{depth}v2",
        *,
        variant: str = default,
        dropout_rate: float = 0.0,
        repeats: Sequence[int] = units_of,
        width_multiplier: float = 1.0,
        small_input: bool = False,
        kernel_initializer: Any = "glorot_uniform",
        batch_norm_momentum: float = 0.99,
        include_preprocessing: bool | str = False,
    ) -> keras.Model:
        """Builds the pre-activation ResNet-{depth}: normalization and ReLU before convolutions.

        The eight first arguments are those of keras.applications, and layers are named as those of
        its nets of this family.
        Input: (n, height, width, channels), scaled as `imagenet_utils.preprocess_input` does in the
        mode {scaling}; output: (n, classes) float32 probabilities, or the last feature map
        (n, height / 32, width / 32, 2048) without the top.

        Args:
            {shared_arguments}
            variant: {variants}
            dropout_rate: rate in [0, 1) before the classifier; the paper has none.
            repeats: number of units in each of the four stages.
            {width_multiplier}
            {residual_small_input}
            {kernel_initializer}
            {batch_norm_momentum}
            {include_preprocessing}

        {returns}

        Example:

        >>> model = keras_convnets.ResNet{depth}V2(weights=None)
        >>> model.count_params()
        {parameters}

        Source: He et al. 2016, arXiv 1603.05027, figure 4 (e) and the appendix;
        facebook/fb.resnet.torch models/preresnet.lua; keras.applications; tensorflow/models
        research/slim/nets/resnet_v2.py.

        Differs from the paper: as the variant says.
        """
        check_choice("variant", variant, reported)
        repeats = check_repeats(repeats, units_of)
        is_paper = variant == "paper"
        units = Units(
            initializers(kernel_initializer),
            batch_norm_momentum,
            strided_step=2,
            width_multiplier=width_multiplier,
            **VARIANTS[variant],
        )
        net = Net(
            f"ResNet{depth}V2", include_top, weights, input_tensor, input_shape, pooling, classes,
            classifier_activation, name,
            default_size=224, minimum_size=32, small_input=small_input, dropout_rate=dropout_rate,
            include_preprocessing=include_preprocessing,
        )  # fmt: skip
        x = units.stem(net.input, small_input=small_input, activated=is_paper)  # 56 x 56 x 64
        for stage, (count, width) in enumerate(zip(repeats, WIDTHS, strict=True), start=2):
            # Where Keras strides at the end of a stage, the paper does at the start of the next.
            strided = (1 if stage > 2 else None) if is_paper else (count if stage < 5 else None)
            for i in range(1, count + 1):
                x = units.preactivation_unit(
                    x,
                    bottleneck(width, 4 * width),
                    f"conv{stage}_block{i}",
                    strides=2 if i == strided else 1,
                    activated=is_paper and (stage, i) == (2, 1),  # by the stem
                )
        return net.build(units.norm_relu(x, "post"))  # 7 x 7 x 2048

    return build


def _keras(top1: float) -> Reported:
    return Reported("ImageNet", top1, "one crop, 224 px (keras-applications 1.0.8)")


def _slim(top1: float) -> Reported:
    return Reported("ImageNet", top1, "one crop, 299 px (TF-slim)", one_crop=False)


ResNet50V2 = _member(50, {"keras": _keras(75.96), "slim": _slim(75.6)}, "25613800")
ResNet101V2 = _member(101, {"keras": _keras(77.234), "slim": _slim(77.0)}, "44675560")
ResNet152V2 = _member(
    152,
    {
        "keras": _keras(78.032),
        "paper": Reported(
            "ImageNet", 78.9, "top-5 94.5 %, one crop, 320 px (table 5)", one_crop=False
        ),
        "slim": _slim(77.8),
    },
    "60380648",
)
ResNet200V2 = _member(
    200,
    {
        "paper": Reported(
            "ImageNet", 78.34, "top-5 94.21 %, one crop, 224 px (facebook/fb.resnet.torch)"
        )
    },
    "64834472",
)
