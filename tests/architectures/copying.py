"""Weights from net to net, by the names of our layers."""

import numpy as np

from keras_convnets.weights.dialects import keras_applications
from keras_convnets.weights.formats.keras_files import SavedLayer
from keras_convnets.weights.heads import is_auxiliary
from keras_convnets.weights.tensors import Stored


def copy_weights(model, arrays: dict[str, list[np.ndarray]]) -> None:
    """Gives every layer of a model, but for auxiliary heads, the arrays under its name."""
    weighted = {layer.name for layer in model.layers if layer.weights}
    assert {name for name in weighted if not is_auxiliary(name)} == arrays.keys()
    for name, values in arrays.items():
        model.get_layer(name).set_weights(values)


def arrays_of_twin(net: str, twin) -> dict[str, list[np.ndarray]]:
    """The weights of a net of keras.applications under our names, in the order of its layers."""
    saved = [
        SavedLayer(layer.name, tuple((v.name, Stored.of(v.numpy())) for v in layer.weights))
        for layer in twin.layers
        if layer.weights
    ]
    named = keras_applications.by_name(net, saved)
    return {name: [tensor.read() for tensor in tensors] for name, tensors in named.items()}
