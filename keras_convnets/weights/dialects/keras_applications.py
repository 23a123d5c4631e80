"""Which nets have public ImageNet weights, and how keras.applications names their layers."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence


@dataclasses.dataclass(frozen=True)
class KerasTwin:
    """The net of keras.applications that is the same graph as ours.

    Attributes:
        builder: its name in `keras.applications`.
        size: an image size in pixels that it accepts with the top.
        unnamed: for each class of layer that Keras names by a session counter, our names of these
            layers in the order in which Keras creates them.
    """

    builder: str
    size: int
    unnamed: Mapping[str, tuple[str, ...]]


def _twin(builder: str, convs: Iterable[str]) -> KerasTwin:
    """A twin whose unnamed layers are convolutions, each with its batch normalization."""
    convs = tuple(convs)
    norms = tuple(f"{conv}_bn" for conv in convs)
    return KerasTwin(builder, 299, {"Conv2D": convs, "BatchNormalization": norms})


def _modules(convs: Sequence[int], *names: str) -> list[str]:
    """The convolutions of Inception modules, given how many each branch has."""
    return [
        f"{name}_branch{branch}_conv{i if count > 1 else ''}"
        for name in names
        for branch, count in enumerate(convs, start=1)
        for i in range(1, count + 1)
    ]


_STEM = ("conv_1a", "conv_2a", "conv_2b", "conv_3b", "conv_4a")

KERAS_TWINS = {
    "InceptionResNetV2": _twin(
        "InceptionResNetV2",
        (
            *_STEM,
            *_modules((1, 2, 3, 1), "mixed_5b"),
            *_modules((1, 2, 3), *(f"block35_{i}" for i in range(1, 11))),
            *_modules((1, 3), "mixed_6a", *(f"block17_{i}" for i in range(1, 21))),
            *_modules((2, 2, 3), "mixed_7a"),
            *_modules((1, 3), *(f"block8_{i}" for i in range(1, 11))),
        ),
    ),
    "InceptionV3": _twin(
        "InceptionV3",
        (
            *_STEM,
            *_modules((1, 2, 3, 1), "mixed0", "mixed1", "mixed2"),
            *_modules((1, 3), "mixed3"),
            *_modules((1, 3, 5, 1), "mixed4", "mixed5", "mixed6", "mixed7"),
            *_modules((2, 4), "mixed8"),
            *_modules((1, 3, 4, 1), "mixed9", "mixed10"),
        ),
    ),
    **{
        builder: KerasTwin(builder, 224, {})  # every layer with weights has a name
        for builder in (
            "ResNet50",
            "ResNet101",
            "ResNet152",
            "ResNet50V2",
            "ResNet101V2",
            "ResNet152V2",
            "VGG16",
            "VGG19",
        )
    },
    "Xception": _twin("Xception", (f"block{block}_shortcut_conv" for block in (2, 3, 4, 13))),
}


def has_imagenet(builder: str) -> bool:
    """Whether `weights="imagenet"` works for a builder."""
    return builder in KERAS_TWINS


def imagenet_names() -> str:
    """The builders that have ImageNet weights, as a phrase."""
    return ", ".join(sorted(KERAS_TWINS))
