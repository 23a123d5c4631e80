"""The files that Keras writes: `.keras` and `.weights.h5` of Keras 3, and the older `.h5`.

No model is built from a file, so no layer of it runs, whatever it is. Keras 3 keeps the name of
each layer beside its variables; its files of before that have the names in the configuration, or
not at all.
"""

import collections
import contextlib
import dataclasses
import itertools
import json
import os
import re
from collections.abc import Iterable, Mapping
from typing import Any

from keras_convnets.errors import InputError
from keras_convnets.weights.formats.hdf5 import Hdf5, Object
from keras_convnets.weights.formats.reading import reading
from keras_convnets.weights.formats.zip_archive import Archive
from keras_convnets.weights.likeness import settings_of
from keras_convnets.weights.tensors import Stored

_CONFIGURATION, _WEIGHTS = "config.json", "model.weights.h5"
# Where the older files of Keras 3 have their layers.
_CONTAINERS = ("layers", "_layer_checkpoint_dependencies")


@dataclasses.dataclass(frozen=True)
class SavedLayer:
    """A layer in a file.

    Attributes:
        name: of the layer.
        variables: (name in the file, tensor), in the order of the layer's variables.
        settings: what of it names and shapes don't tell, as far as the file has it.
    """

    name: str
    variables: tuple[tuple[str, Stored], ...]
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)


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
        for where, group in root[container].groups():
            parts = where.split("/")
            if parts[-1] != "vars" or "seed_generator" in parts:
                continue
            keys = sorted(group, key=lambda key: (len(key), key))  # "10" comes after "9"
            if not keys:
                continue
            name = next(iter(group.texts("name") or ()), names.get(parts[0]))
            if name is None:
                raise InputError(
                    f"{file.path!r} does not say which layer {where!r} is; such older files load "
                    "into the very graph that they were saved from, auxiliary heads included."
                )
            saved.append(SavedLayer(name, tuple((key, group[key].tensor()) for key in keys)))
    return _distinct(saved, file.path)


def read_archive(path: str | os.PathLike) -> list[SavedLayer]:
    """Reads a `.keras` file.

    Returns:
        All layers, those without weights too.

    Raises:
        InputError: if it is no such file, or is damaged.
    """
    with reading(path, ".keras file"):
        archive = Archive(path)
        configuration = json.loads(archive.read(_CONFIGURATION))
        _refuse_code(configuration, path)
        layers = _graph(configuration)
        saved = read_structured(Hdf5(path, archive.read(_WEIGHTS)), layers)
        return _with_settings(saved, _settings(configuration))


def read_legacy(path: str | os.PathLike) -> list[SavedLayer]:
    """Reads an `.h5` file of Keras before 3, or of its successors in that format.

    Returns:
        All layers, those without weights too, in the order of the file, which is that of the graph
        that it was saved from.

    Raises:
        InputError: if it is no such file, or is damaged.
    """
    file = Hdf5(path)
    saved = []
    with file.open() as root:
        settings: dict[str, Any] = {}
        for text in root.texts("model_config") or ():
            configuration = json.loads(text)
            _refuse_code(configuration, file.path)
            with contextlib.suppress(ValueError):  # Keras 1 has lists of layers of another form
                settings = _settings(configuration)
        group = root["model_weights"] if "model_weights" in root else root  # noqa: SIM401 - no dict
        names = _names(group, "layer_names")
        if names is None:
            raise InputError(
                f"{file.path!r} is not a Keras weights file: it has no attribute `layer_names`."
            )
        for name in names:
            layer = group[name]
            weights = _names(layer, "weight_names") or []
            variables = tuple((_short(key), layer[key].tensor()) for key in weights)
            saved.append(SavedLayer(name, variables, settings.get(name, {})))
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


def _refuse_code(configuration: Any, path: str | os.PathLike) -> None:
    """Refuses a model that brings code: it can't be one of ours, and nothing here would run it."""
    parts = [configuration]
    while parts:
        part = parts.pop()
        if isinstance(part, dict):
            if part.get("class_name") == "Lambda":
                raise InputError(
                    f"{os.fspath(path)!r} has a Lambda layer, which is code; only weights are "
                    "read; save them alone, by `model.save_weights(path)`."
                )
            parts.extend(part.values())
        elif isinstance(part, list):
            parts.extend(part)


def _graph(configuration: Any) -> list[tuple[str, str]]:
    """(Class, name) of the layers of a model."""
    try:
        layers = configuration["config"].get("layers", ())
        pairs = [(layer["class_name"], layer["config"]["name"]) for layer in layers]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("its configuration has no list of layers") from error
    if not all(isinstance(word, str) and word.isprintable() for pair in pairs for word in pair):
        raise ValueError("a layer in its configuration has no name")
    return pairs


def _settings(configuration: Any) -> dict[str, dict[str, Any]]:
    """By name, what names and shapes don't tell of the layers of a model."""
    _graph(configuration)  # has what follows
    return {
        layer["config"]["name"]: settings_of(layer["class_name"], layer["config"])
        for layer in configuration["config"].get("layers", ())
    }


def _with_settings(
    saved: list[SavedLayer], settings: Mapping[str, Mapping[str, Any]]
) -> list[SavedLayer]:
    """Layers with weights, each with its settings, and then those without weights."""
    weighted = {layer.name for layer in saved}
    return [
        *(dataclasses.replace(layer, settings=settings.get(layer.name, {})) for layer in saved),
        *(SavedLayer(name, (), found) for name, found in settings.items() if name not in weighted),
    ]


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


def _names(group: Object, attribute: str) -> list[str] | None:
    """A list of names; Keras cuts one that is longer than an attribute can be into several."""
    whole = group.texts(attribute)
    if whole is not None:
        return whole
    parts = itertools.takewhile(
        lambda part: part is not None,
        (group.texts(f"{attribute}{i}") for i in itertools.count()),
    )
    return list(itertools.chain.from_iterable(parts)) or None
