"""Features from inside a net."""

from collections.abc import Sequence

import keras

from keras_convnets.errors import InputError, nearest
from keras_convnets.recursion import deep_graphs


def feature_extractor(model: keras.Model, taps: Sequence[str]) -> keras.Model:
    """Returns a model that shares the layers of `model` and gives the outputs of some of them.

    Args:
        model: a functional model.
        taps: names of layers; `keras-convnets info NAME` lists the taps of each architecture.

    Returns:
        A `keras.Model` whose output is a dictionary from tap to tensor.

    Raises:
        InputError: if the model has no layer of such a name.

    Example:

    >>> model = keras_convnets.Xception(weights=None)
    >>> features = keras_convnets.analysis.feature_extractor(model, ["block4_add"])
    >>> features.output["block4_add"].shape
    (None, 19, 19, 728)
    """
    layers = {layer.name: layer for layer in model.layers}
    unknown = [tap for tap in taps if tap not in layers]
    if unknown or not taps:
        received = unknown[0] if unknown else "no tap"
        raise InputError(
            f"`taps` should name layers of {model.name!r}, such as {nearest(received, layers)}. "
            f"Received: {received!r}"
        )
    outputs = {tap: layers[tap].output for tap in taps}
    with deep_graphs():
        return keras.Model(model.input, outputs, name=f"{model.name}_features")
