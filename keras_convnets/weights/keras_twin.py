"""The graph of keras.applications as a reader of Keras' own weight files.

Keras' legacy `.h5` files load by position in a depth-sorted list of layers, so one extra layer
moves weights to wrong places without an error. A file is therefore loaded into the very graph that
it was written from, and its tensors are then taken by name.
"""

import re

import keras
import numpy as np

from keras_convnets.weights.dialects.keras_applications import KERAS_TWINS

# Tensors of a net: for each layer that has weights, its arrays in the layer's own order.
Tensors = dict[str, list[np.ndarray]]


def build_twin(
    builder: str, *, include_top: bool, classes: int, channels: int, weights: str | None = None
) -> keras.Model:
    """Builds the net of keras.applications that has the same weights as our `builder`."""
    twin = KERAS_TWINS[builder]
    size = twin.size if include_top else None
    shape = (
        (size, size, channels)
        if keras.config.image_data_format() == "channels_last"
        else (channels, size, size)
    )
    return getattr(keras.applications, twin.builder)(
        include_top=include_top,
        weights=weights,
        input_shape=shape,
        classes=classes,
        classifier_activation="softmax",
    )


def tensors_by_our_names(builder: str, twin: keras.Model) -> Tensors:
    """Returns the weights of a keras.applications net under our layer names."""
    unnamed = KERAS_TWINS[builder].unnamed
    weighted = [layer for layer in twin.layers if layer.weights]
    names = {layer.name: layer.name for layer in weighted}
    for class_name, ours in unnamed.items():
        counted = [layer.name for layer in weighted if _is_counted(layer, class_name)]
        names.update(zip(sorted(counted, key=_counter), ours, strict=True))
    return {names[layer.name]: layer.get_weights() for layer in weighted}


def _is_counted(layer: keras.Layer, class_name: str) -> bool:
    automatic = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", class_name).lower()
    automatic = {"conv2_d": "conv2d"}.get(automatic, automatic)
    is_automatic = re.fullmatch(rf"{automatic}(_\d+)?", layer.name) is not None
    return type(layer).__name__ == class_name and is_automatic


def _counter(name: str) -> int:
    """The session counter in an automatic name: 0 for "conv2d", 7 for "conv2d_7"."""
    number = name.rpartition("_")[2]
    return int(number) if number.isdigit() else 0
