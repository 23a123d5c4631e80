"""One door for weight files: read tensors by layer name, check all of them, then assign."""

import itertools
import os
import re
import warnings

import h5py
import keras
import numpy as np

from keras_convnets.errors import InputError, reason_of
from keras_convnets.recursion import deep_graphs
from keras_convnets.weights.dialects.keras_applications import KERAS_TWINS
from keras_convnets.weights.keras_twin import Tensors, build_twin, tensors_by_our_names

SUFFIXES = (".keras", ".weights.h5", ".h5")


def load_imagenet(model: keras.Model, builder: str, *, include_top: bool) -> None:
    """Puts the ImageNet weights of keras.applications into `model`.

    Keras downloads the file, checks its hash and keeps it in its cache.

    Args:
        model: a net of ours with the default graph.
        builder: its builder.
        include_top: whether it has its 1,000-class head.
    """
    twin = build_twin(
        builder, include_top=include_top, classes=1000, channels=3, weights="imagenet"
    )
    assign(model, tensors_by_our_names(builder, twin), "the ImageNet weights")


def load(model: keras.Model, path: str | os.PathLike, *, builder: str | None = None) -> None:
    """Puts the weights of a file into `model`, by layer name; a model that can't take all of them
    keeps those it has.

    Args:
        model: a net of ours.
        path: a `.keras` model; a `.weights.h5` file that was saved from the same graph; or a
            legacy `.h5` file of ours or of keras.applications.
        builder: name of our builder, to read the files of keras.applications.

    Raises:
        InputError: if the file can't be read or does not fit the model.
    """
    path = os.fspath(path)
    if not path.endswith(SUFFIXES):
        raise InputError(
            f"A weights file should end in one of {', '.join(SUFFIXES)}. Received: {path!r}"
        )
    if not os.path.isfile(path):
        raise InputError(f"There is no weights file at {path!r}.")
    before = model.get_weights()
    try:
        if path.endswith(".keras"):
            with deep_graphs():
                source = keras.saving.load_model(path, compile=False, safe_mode=True)
            assign(model, _tensors_of(source, builder), path)
        elif path.endswith(".weights.h5"):
            _load_structured(model, path, builder)
        else:
            assign(model, _read_legacy(model, path, builder), path)
    except Exception as error:  # each reader has its own; none may leave the model half-loaded
        model.set_weights(before)
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path!r} does not fit {model.name!r}: {reason_of(error)}") from error


def assign(model: keras.Model, tensors: Tensors, source: str) -> None:
    """Assigns tensors by layer name, after all of them have been checked.

    Only auxiliary heads may be missing, on either side.

    Raises:
        InputError: if a layer is missing on either side or a shape differs.
    """
    layers = {layer.name: layer for layer in model.layers if layer.weights}
    missing = sorted(_main(set(layers) - set(tensors)))
    unused = sorted(_main(set(tensors) - set(layers)))
    if missing or unused:
        raise InputError(
            f"{source} does not fit {model.name!r}: "
            f"layers without weights in it: {_some(missing)}; "
            f"weights without a layer: {_some(unused)}."
        )
    # Auxiliary heads of another image size have other shapes.
    beside = sorted(
        name
        for name in layers
        if name not in tensors or (not _main({name}) and not _fits(layers[name], tensors[name]))
    )
    if beside:
        warnings.warn(
            f"{source} has no weights for the auxiliary heads of {model.name!r}, which keep those "
            f"they have: {_some(beside)}.",
            stacklevel=2,
        )
    layers = {name: layer for name, layer in layers.items() if name not in beside}
    for name, layer in layers.items():
        want = [tuple(variable.shape) for variable in layer.weights]
        have = [tuple(array.shape) for array in tensors[name]]
        if want != have:
            raise InputError(
                f"{source} does not fit {model.name!r}: layer {name!r} wants shapes {want}. "
                f"Received: {have}"
            )
    for name, layer in layers.items():
        layer.set_weights(tensors[name])


def _fits(layer: keras.Layer, arrays: list[np.ndarray]) -> bool:
    return [tuple(variable.shape) for variable in layer.weights] == [a.shape for a in arrays]


def _tensors_of(source: keras.Model, builder: str | None) -> Tensors:
    """The weights of a model by our names, whether it is ours or of keras.applications."""
    try:
        twin_names = tensors_by_our_names(builder, source) if builder in KERAS_TWINS else None
    except ValueError:  # no automatic names in it: it is ours
        twin_names = None
    return twin_names or {
        layer.name: layer.get_weights() for layer in source.layers if layer.weights
    }


def _load_structured(model: keras.Model, path: str, builder: str | None) -> None:
    """Loads a `.weights.h5` file: into the model if it is ours, else through the Keras twin."""
    try:
        _load_strictly(model, path)
    except Exception as error:  # h5py and Keras have each their own
        if isinstance(model.output, dict) and _load_main(model, path):
            return
        if builder not in KERAS_TWINS:
            raise _explained(error) from error
        try:
            tensors = _read_through_twin(model, path, builder)
        except Exception:  # of the two the one about our own net tells more
            raise _explained(error) from error
        assign(model, tensors, path)


def _load_main(model: keras.Model, path: str) -> bool:
    """Tries to load a file that was saved without auxiliary heads into a net that has them."""
    with deep_graphs():
        main = keras.Model(model.input, model.output["predictions"])
    try:
        _load_strictly(main, path)
    except Exception:  # as above
        return False
    found = {layer.name: layer.get_weights() for layer in main.layers if layer.weights}
    assign(model, found, path)
    return True


def _explained(error: Exception) -> ValueError:
    """Keras' error, with what such files want."""
    return ValueError(
        "a .weights.h5 file fits the very graph that it was saved from, auxiliary heads included; "
        f".keras and .h5 files go by the names of layers ({reason_of(error)})"
    )


def _read_legacy(model: keras.Model, path: str, builder: str | None) -> Tensors:
    """Reads a legacy `.h5` file: by name if the names are ours, else through the Keras twin."""
    with h5py.File(path, "r") as file:
        group = file.get("model_weights", file)
        names = _names(group, "layer_names")
        if names is None:
            raise InputError(
                f"{path!r} is not a Keras weights file: it has no attribute `layer_names`."
            )
        tensors: Tensors = {}
        for name in names:
            layer = group[name]
            arrays = [np.asarray(layer[weight]) for weight in _names(layer, "weight_names") or ()]
            if arrays:
                tensors[name] = arrays
    ours = {layer.name for layer in model.layers if layer.weights}
    if _main(set(tensors)) == _main(ours) or builder not in KERAS_TWINS:
        return tensors
    return _read_through_twin(model, path, builder)


def _read_through_twin(model: keras.Model, path: str, builder: str) -> Tensors:
    """Loads a file of keras.applications into its own graph, and takes the tensors from there."""
    weighted = {layer.name: layer for layer in model.layers if layer.weights}
    head = weighted.get("predictions")
    twin = build_twin(
        builder,
        include_top=head is not None,
        classes=head.units if head is not None else 1000,
        channels=next(iter(weighted.values())).kernel.shape[2],
    )
    _load_strictly(twin, path)
    return tensors_by_our_names(builder, twin)


def _main(names: set[str]) -> set[str]:
    """The layers of the main net: all but those of the auxiliary heads."""
    return {name for name in names if not re.match(r"aux\d", name)}


def _load_strictly(model: keras.Model, path: str) -> None:
    with warnings.catch_warnings():
        # Keras only warns of layers that it leaves as they are.
        warnings.simplefilter("error", UserWarning)
        model.load_weights(path)


def _names(group: h5py.Group, attribute: str) -> list[str] | None:
    """A list of names; Keras cuts one that is longer than an attribute can be into several."""
    if attribute in group.attrs:
        names = list(group.attrs[attribute])
    elif f"{attribute}0" in group.attrs:
        parts = itertools.takewhile(
            lambda part: part in group.attrs, (f"{attribute}{i}" for i in itertools.count())
        )
        names = [name for part in parts for name in group.attrs[part]]
    else:
        return None
    return [name.decode() if isinstance(name, bytes) else name for name in names]


def _some(names: list[str], limit: int = 3) -> str:
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more if names else "none"
