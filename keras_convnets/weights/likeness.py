"""What neither names nor shapes tell of a layer: its strides, padding and pooling."""

import reprlib
from collections.abc import Iterable, Mapping
from typing import Any

import keras

from keras_convnets.errors import InputError
from keras_convnets.weights.heads import is_auxiliary

_SETTINGS = ("strides", "padding", "dilation_rate", "pool_size", "epsilon")


def settings_of(kind: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what decides the results of a layer with given weights.

    Args:
        kind: name of its class.
        config: its configuration, of the layer or from a file.
    """
    settings = {name: _plain(config[name]) for name in _SETTINGS if name in config}
    if "pool_size" in settings:
        settings["class"] = kind
    if _plain(config.get("kernel_size")) == (1, 1):
        settings.pop("padding", None)  # it makes no difference to a single pixel
    return settings


def check_alike(model: keras.Model, saved: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
    """Refuses a net whose layers compute something else than those that weights were saved from.

    Args:
        model: the net.
        saved: (name, settings) of layers; what is not known of them is not compared.

    Raises:
        InputError: if a layer of the same name differs in a setting.
    """
    layers = {layer.name: layer for layer in model.layers if not is_auxiliary(layer.name)}
    for name, theirs in saved:
        if name not in layers:
            continue
        ours = settings_of(type(layers[name]).__name__, layers[name].get_config())
        for key in sorted(theirs.keys() & ours.keys()):
            if theirs[key] != ours[key]:
                raise InputError(
                    f"The layer {name!r} has {key}={ours[key]!r} in {model.name!r}, and "
                    f"{reprlib.repr(theirs[key])} in the net that the weights are from, so they "
                    "would fit and give wrong results; build the net with the options of that one."
                )


def _plain(value: Any) -> Any:
    """A list as a tuple, as JSON has only the former."""
    return tuple(map(_plain, value)) if isinstance(value, list | tuple) else value
