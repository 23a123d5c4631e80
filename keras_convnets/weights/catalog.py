"""Which nets have public ImageNet weights, and how keras.applications names their layers."""

import dataclasses
from collections.abc import Mapping


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


def _xception_shortcuts(suffix: str) -> tuple[str, ...]:
    return tuple(f"block{block}_shortcut_conv{suffix}" for block in (2, 3, 4, 13))


KERAS_TWINS = {
    "Xception": KerasTwin(
        "Xception",
        299,
        {
            "Conv2D": _xception_shortcuts(""),
            "BatchNormalization": _xception_shortcuts("_bn"),
        },
    ),
}


def has_imagenet(builder: str) -> bool:
    """Whether `weights="imagenet"` works for a builder."""
    return builder in KERAS_TWINS


def imagenet_names() -> str:
    """The builders that have ImageNet weights, as a phrase."""
    return ", ".join(sorted(KERAS_TWINS))
