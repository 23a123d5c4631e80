"""The files that Keras writes: `.keras` and `.weights.h5` of Keras 3, and the older `.h5`.

No model is built from a file, so no layer of it runs, whatever it is. Keras 3 keeps the name of
each layer beside its variables; its files of before that have the names in the configuration, or
not at all.
"""

import collections
import dataclasses
import itertools
import json
import os
import re
import zipfile
from collections.abc import Iterable

import h5py

from keras_convnets.errors import InputError
from keras_convnets.weights.formats.hdf5 import Hdf5
from keras_convnets.weights.formats.reading import reading
from keras_convnets.weights.tensors import Stored

_CONFIGURATION, _WEIGHTS = "config.json", "model.weights.h5"
# Keras does not compress its archives; what unpacks to far more than it takes is a trap.
_EXPANSION = 20
# Where the older files of Keras 3 have their layers.
_CONTAINERS = ("layers", "_layer_checkpoint_dependencies")


@dataclasses.dataclass(frozen=True)
class SavedLayer:
    """A layer with weights in a file.

    Attributes:
        name: of the layer.
        variables: (name in the file, tensor), in the order of the layer's variables.
    """

    name: str
    variables: tuple[tuple[str, Stored], ...]


def read_structured(
    file: Hdf5 | str | os.PathLike, layers: Iterable[tuple[str, str]] = ()
) -> list[SavedLayer]:
    """Reads a `.weights.h5` file of Keras 3.

    Args:
        file: the file.
        layers: (class, name) of the layers of the graph that it was saved from, for files that are
            too old to hold the names.

    Raises:
        InputError: if it is no such file, or is damaged.
    """
    file = file if isinstance(file, Hdf5) else Hdf5(file)
    names = _container_names(layers)
    saved = []
    with file.open() as root:
        container = next((name for name in _CONTAINERS if name in root), None)
        if container is None:
            raise InputError(f"{file.path!r} is not a weights file of Keras 3: it has no layers.")
        for where, group in file.groups(root[container]):
            parts = where.split("/")
            if parts[-1] != "vars" or not len(group) or "seed_generator" in parts:
                continue
            name = group.attrs.get("name", names.get(parts[0]))
            if not isinstance(name, str):
                raise InputError(
                    f"{file.path!r} does not say which layer {where!r} is; such older files load "
                    "into the very graph that they were saved from, auxiliary heads included."
                )
            keys = sorted(group, key=lambda key: (len(key), key))  # "10" comes after "9"
            variables = tuple((key, file.tensor(group[key])) for key in keys)
            saved.append(SavedLayer(name, variables))
    return _distinct(saved, file.path)


def read_archive(path: str | os.PathLike) -> list[SavedLayer]:
    """Reads a `.keras` file.

    Raises:
        InputError: if it is no such file, or is damaged.
    """
    with reading(path, ".keras file"), zipfile.ZipFile(path) as archive:
        limit = _EXPANSION * os.path.getsize(path)
        for member in (_CONFIGURATION, _WEIGHTS):
            size = archive.getinfo(member).file_size
            if size > limit:
                raise InputError(
                    f"{member} in {os.fspath(path)!r} may unpack to {limit:,} bytes at most. "
                    f"Received: {size:,}"
                )
        layers = json.loads(archive.read(_CONFIGURATION))["config"].get("layers", ())
        pairs = [(layer["class_name"], layer["config"]["name"]) for layer in layers]
        return read_structured(Hdf5(path, archive.read(_WEIGHTS)), pairs)


def read_legacy(path: str | os.PathLike) -> list[SavedLayer]:
    """Reads an `.h5` file of Keras before 3, or of its successors in that format.

    Returns:
        The layers in the order of the file, which is that of the graph that it was saved from.

    Raises:
        InputError: if it is no such file, or is damaged.
    """
    file = Hdf5(path)
    saved = []
    with file.open() as root:
        group = root.get("model_weights", root)
        names = _names(group, "layer_names")
        if names is None:
            raise InputError(
                f"{file.path!r} is not a Keras weights file: it has no attribute `layer_names`."
            )
        for _ in file.groups(group):  # each link is checked
            pass
        for name in names:
            layer = group[name]
            weights = _names(layer, "weight_names") or []
            if weights:
                variables = tuple((_short(key), file.tensor(layer[key])) for key in weights)
                saved.append(SavedLayer(name, variables))
    return _distinct(saved, file.path)


def _short(weight: str) -> str:
    """The variable's own name in the long form of older files: `conv1/kernel:0`."""
    return weight.rpartition("/")[2].partition(":")[0]


def _distinct(saved: list[SavedLayer], path: str) -> list[SavedLayer]:
    counts = collections.Counter(layer.name for layer in saved)
    twice = [name for name, count in counts.items() if count > 1]
    if twice:
        raise InputError(f"{path!r} has two layers with the name {twice[0]!r}.")
    return saved


def _container_names(layers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """From the place of a layer in a file of Keras 3 (its class and a count) to its name."""
    counts: dict[str, int] = {}
    names = {}
    for class_name, name in layers:
        kind = _snake_case(class_name)
        count = counts.setdefault(kind, 0)
        names[f"{kind}_{count}" if count else kind] = name
        counts[kind] += 1
    return names


def _snake_case(class_name: str) -> str:
    """The form that the name of a class has in automatic names: "Conv2D" becomes "conv2d"."""
    words = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", class_name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", words).lower()


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
