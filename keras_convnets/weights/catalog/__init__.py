"""What public weights there are; each publisher is a module."""

import fnmatch
from collections.abc import Mapping
from typing import Any

from keras_convnets.errors import InputError, nearest
from keras_convnets.weights.catalog import (
    cadene,
    caffe,
    keras,
    keras_resnext,
    slim,
    timm,
    torchvision,
)
from keras_convnets.weights.catalog.entry import Entry, RemoteFile
from keras_convnets.weights.catalog.not_loadable import NOT_LOADABLE, NotLoadable

__all__ = [
    "NOT_LOADABLE",
    "Entry",
    "NotLoadable",
    "RemoteFile",
    "entries",
    "find",
    "imagenet_builders",
    "imagenet_entry",
    "is_name",
]

# `weights="imagenet"` takes the first that has the graph: what users of keras.applications expect;
# the nets of the papers; then those whose constants are ours to the last digit. The old ResNeXts
# of Keras come last, for their epsilon is not.
_PUBLISHERS = keras, caffe, torchvision, timm, slim, cadene, keras_resnext
_ENTRIES = {entry.name: entry for publisher in _PUBLISHERS for entry in publisher.ENTRIES}


def entries(pattern: str = "*") -> list[Entry]:
    """Returns the weights whose names fit a shell pattern, publisher by publisher.

    Args:
        pattern: shell-style pattern, in any case, for instance `"resnext*"` or `"*.slim"`.

    Example:

    >>> from keras_convnets.weights import catalog
    >>> [entry.name for entry in catalog.entries("vgg16.*")]
    ['VGG16.keras', 'VGG16.torchvision', 'VGG16.torchvision_bn', 'VGG16.slim']
    """
    return [
        entry
        for name, entry in _ENTRIES.items()
        if fnmatch.fnmatchcase(name.lower(), pattern.lower())
    ]


def find(name: str) -> Entry:
    """Returns the weights of a name, in any case.

    Raises:
        InputError: if there are none; the message names the nearest ones.
    """
    by_lower = {known.lower(): entry for known, entry in _ENTRIES.items()}
    if name.lower() not in by_lower:
        raise InputError(
            f"There are no weights named {name!r}; the nearest names are {nearest(name, _ENTRIES)}."
        )
    return by_lower[name.lower()]


def is_name(text: str) -> bool:
    """Whether a text has the form of a name of weights, and not of a net such as ResNet50:v1.5."""
    return "." in text and ":" not in text


def imagenet_entry(builder: str, options: Mapping[str, Any]) -> Entry | None:
    """Returns what `weights="imagenet"` stands for, or `None` if there is nothing.

    Args:
        builder: name of the builder.
        options: of the builder, those that differ from its defaults and change its graph.
    """
    for entry in _ENTRIES.values():
        if entry.builder == builder and dict(entry.options) == dict(options):
            return entry
    return None


def imagenet_builders() -> list[str]:
    """Returns the names of the builders whose default graph has ImageNet weights."""
    return sorted({entry.builder for entry in _ENTRIES.values() if not entry.options})
