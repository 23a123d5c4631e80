"""A reader for each kind of file, by its suffix: from a file to tensors under our names."""

from collections.abc import Callable, Sequence
from pathlib import Path

import keras

from keras_convnets.errors import InputError
from keras_convnets.weights.dialects import (
    borders,
    caffe,
    keras_applications,
    keras_resnext,
    ours,
    pytorch,
    slim,
)
from keras_convnets.weights.dialects.torch_residual import check_strides
from keras_convnets.weights.formats import (
    caffemodel,
    keras_files,
    onnx,
    safetensors,
    tf_checkpoint,
    torch_pickle,
)
from keras_convnets.weights.formats.keras_files import SavedLayer
from keras_convnets.weights.formats.reading import naming
from keras_convnets.weights.heads import is_auxiliary, is_head
from keras_convnets.weights.likeness import check_alike
from keras_convnets.weights.report import some
from keras_convnets.weights.tensors import Stored, Tensors


def read(path: Path, model: keras.Model, member: str | None = None) -> Tensors:
    """Reads a file's tensors under our names.

    Args:
        path: the file.
        model: the net that they are for; none of its weights is changed.
        member: the file within an archive.

    Raises:
        InputError: if it is of no known format, is damaged, or has names that nobody gives.
    """
    reader = reader_of(path)
    with naming(repr(str(path))):
        return reader(path, model, member)


def reader_of(path: Path) -> Callable[[Path, keras.Model, str | None], Tensors]:
    """Returns what reads a file of that name.

    Raises:
        InputError: if it has a suffix that no known format has.
    """
    name = path.name.lower()
    reader = next((reader for suffix, reader in READERS.items() if name.endswith(suffix)), None)
    if reader is None:
        raise InputError(
            f"A file of weights should end in one of {', '.join(READERS)}. Received: {str(path)!r}"
        )
    return reader


def _keras_archive(path: Path, model: keras.Model, member: str | None) -> Tensors:
    layers = keras_files.read_archive(path)
    tensors = _by_name([layer for layer in layers if layer.variables], model)
    _check_graph(layers, tensors, model)
    return tensors


def _keras_structured(path: Path, model: keras.Model, member: str | None) -> Tensors:
    graph = [(type(layer).__name__, layer.name) for layer in model.layers]
    return _by_name(keras_files.read_structured(path, graph), model)


def _keras_legacy(path: Path, model: keras.Model, member: str | None) -> Tensors:
    layers = keras_files.read_legacy(path)
    keras_applications.check_pool({layer.name for layer in layers}, model)
    tensors = _legacy_tensors([layer for layer in layers if layer.variables], model)
    _check_graph(layers, tensors, model)
    return tensors


def _legacy_tensors(saved: Sequence[SavedLayer], model: keras.Model) -> Tensors:
    flat = {f"{layer.name}/{name}": tensor for layer in saved for name, tensor in layer.variables}
    resnext = keras_resnext.translate(flat)
    if resnext is not None:
        return resnext
    twin = keras_applications.twin_of(_weighted(model))
    if twin is None or _trunk(layer.name for layer in saved) == _trunk(_weighted(model)):
        return _by_name(saved, model)
    borders.KERAS.check(model)
    return _with_variables(keras_applications.by_position(twin, saved), model)


def _check_graph(layers: Sequence[SavedLayer], tensors: Tensors, model: keras.Model) -> None:
    """Compares what a file says of its graph; of a net with other layers that says nothing new."""
    if _trunk(tensors) == _trunk(_weighted(model)):
        check_alike(model, [(layer.name, layer.settings) for layer in layers])


def _by_name(saved: Sequence[SavedLayer], model: keras.Model) -> Tensors:
    twin = keras_applications.twin_of(_weighted(model))
    if keras_applications.names_by_counter(layer.name for layer in saved):
        borders.KERAS.check(model)
    return _with_variables(keras_applications.by_name(twin, saved), model)


def _with_variables(tensors: dict[str, list[Stored]], model: keras.Model) -> Tensors:
    """Gives tensors that stand in the order of a Keras layer the names of our variables."""
    variables = {layer.name: [weight.name for weight in layer.weights] for layer in model.layers}
    return {
        name: dict(zip(_fitting(variables.get(name, []), len(stored)), stored, strict=True))
        for name, stored in tensors.items()
    }


def _fitting(variables: list[str], count: int) -> list[str]:
    """The names of as many variables: batch normalization comes with a scale and without."""
    without_scale = [name for name in variables if name != "gamma"]
    is_norm = "moving_mean" in variables
    for names in (variables, *((without_scale, ["gamma", *without_scale]) if is_norm else ())):
        if len(names) == count:
            return names
    return [*variables[:count], *(f"variable {i}" for i in range(len(variables) + 1, count + 1))]


def _caffe(path: Path, model: keras.Model, member: str | None) -> Tensors:
    caffe.check_order(caffemodel.layer_names(path))
    return _named(caffemodel.read, caffe.translate)(path, model, member)


def _by_graph(path: Path, model: keras.Model, member: str | None) -> Tensors:
    return onnx.read(path, model)


def _weighted(model: keras.Model) -> set[str]:
    return {layer.name for layer in model.layers if layer.weights}


def _trunk(names) -> set[str]:
    return {name for name in names if not is_auxiliary(name) and not is_head(name)}


def _named(
    read_names: Callable[..., dict[str, Stored]], *dialects: Callable[..., Tensors | None]
) -> Callable[..., Tensors]:
    """A reader of files whose tensors have names: those of the first dialect that knows them."""

    def reader(path: Path, model: keras.Model, member: str | None) -> Tensors:
        stored = read_names(path, member) if member else read_names(path)
        for translate in dialects:
            tensors = translate(stored)
            if tensors is not None:
                for check in _CHECKS.get(translate, ()):
                    check(model)
                return tensors
        raise InputError(
            f"The tensors of {str(path)!r} have names that no net of this package has in any "
            f"source known to it: {some(stored)}."
        )

    return reader


# What shapes don't tell of a graph.
_CHECKS = {
    pytorch.translate: (check_strides, borders.TORCH.check),
    slim.translate: (slim.check_pool, borders.SLIM.check),
    caffe.translate: (borders.CAFFE.check,),
}

_checkpoint = _named(tf_checkpoint.read, slim.translate)
READERS = {
    ".keras": _keras_archive,
    ".weights.h5": _keras_structured,
    ".h5": _keras_legacy,
    ".hdf5": _keras_legacy,
    ".safetensors": _named(safetensors.read, ours.translate, pytorch.translate),
    ".pth": _named(torch_pickle.read, pytorch.translate),
    ".pth.tar": _named(torch_pickle.read, pytorch.translate),
    ".pt": _named(torch_pickle.read, pytorch.translate),
    ".caffemodel": _caffe,
    ".onnx": _by_graph,
    ".ckpt": _checkpoint,
    ".index": _checkpoint,
    ".tar.gz": _checkpoint,
    ".tgz": _checkpoint,
}
