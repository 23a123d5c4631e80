"""Where the weights of a model come from: the catalog, a saved model, or a bare file."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import keras

from keras_convnets._builder import channels_last
from keras_convnets._registry import Architecture, find_architecture, get_model, variant_of
from keras_convnets.deployment.model_card import ModelCard
from keras_convnets.deployment.saved_model import find_model
from keras_convnets.errors import InputError, reason_of
from keras_convnets.imagenet_utils import class_names
from keras_convnets.preprocessing import Preprocessing
from keras_convnets.weights import Entry, LoadReport, entry_of, load, preprocessing
from keras_convnets.weights.heads import classifiers, is_auxiliary
from keras_convnets.weights.readers import read, reader_of
from keras_convnets.weights.sources import entry_of_file, existing_file


class Source(Protocol):
    """Weights and the net that they are for.

    Attributes:
        entry: of the catalog, if they are one.
    """

    entry: Entry | None

    def load(self) -> tuple[keras.Model, LoadReport]:
        """Builds the net and gives it its weights, all of which have to fit.

        Raises:
            InputError: if they can't be had, can't be read, or do not fit.
        """

    def card(self, model: keras.Model) -> ModelCard:
        """Returns what stands beside the net when it is saved."""


def find_source(
    source: str | os.PathLike,
    net: str | None = None,
    options: Mapping[str, Any] | None = None,
    mode: str | None = None,
) -> Source:
    """Finds weights; nothing is read yet.

    Args:
        source: the name of an entry of the catalog; a run directory or a `.keras` file with its
            `.json` beside it, which say themselves which net they are; or any file of weights.
        net: for a bare file the net that it is for, as `get_model` takes it.
        options: of that net's builder.
        mode: of `imagenet_utils.preprocess_input` that the images of a bare file go through;
            `None` for that of the entry whose download the file is, or else of the net.

    Raises:
        InputError: if there is no such source, or not all is said of it, or too much.
    """
    path = Path(source)
    entry = entry_of(source)
    if entry is None and not _has_card(path):
        if net is not None:
            return _Bare(existing_file(path), net, options or {}, mode)
        raise InputError(
            f"{str(existing_file(path))!r} does not say which net its weights are for; name it "
            "(`--model NET`, where `keras-convnets list` shows the nets)."
        )
    if net is not None or options or mode is not None:
        raise InputError(
            f"{os.fspath(source)!r} says itself which net it is for and how its images are scaled; "
            "leave these out."
        )
    return _Saved(path) if entry is None else _Public(entry)


def _has_card(path: Path) -> bool:
    if os.path.isdir(path):
        return True
    return path.suffix == ".keras" and os.path.exists(path.with_suffix(".json"))


class _Public:
    """Weights of the catalog, in the image size of their figures."""

    def __init__(self, entry: Entry):
        self.entry = entry
        size = entry.input_size
        shape = (size, size, 3) if channels_last() else (3, size, size)
        self._options = {**entry.options, "input_shape": shape}

    def load(self) -> tuple[keras.Model, LoadReport]:
        model = get_model(self.entry.builder, weights=None, **self._options)
        return model, load(model, self.entry)

    def card(self, model: keras.Model) -> ModelCard:
        architecture, _ = find_architecture(self.entry.builder)
        return ModelCard(
            builder=architecture.name,
            variant=_variant_name(architecture, self._options),
            options=self._options,
            classes=tuple(label for _, label in class_names()),
            preprocessing=preprocessing(model),
            licence=self.entry.licence,
            recipe=None,
        )


class _Saved:
    """A model of ours, with its card."""

    entry = None

    def __init__(self, path: Path):
        self._path = path

    def load(self) -> tuple[keras.Model, LoadReport]:
        model, self._card = find_model(self._path)
        return model, load(model, self._path)  # once more, for its checks

    def card(self, model: keras.Model) -> ModelCard:
        return self._card


class _Bare:
    """A file of weights that says nothing else."""

    entry = None

    def __init__(self, path: Path, net: str, options: Mapping[str, Any], mode: str | None):
        reader_of(path)  # before a net is built
        architecture, variant = find_architecture(net)
        self._path, self._architecture, self._mode = path, architecture, mode
        self._options = {**variant.options, **options}
        self._model = self._build()

    def _build(self) -> keras.Model:
        try:
            return get_model(self._architecture.name, **{**self._options, "weights": None})
        except InputError:
            raise
        except (TypeError, ValueError) as error:  # of Keras, which checks some options later
            given = ", ".join(f"{name}={value!r}" for name, value in self._options.items())
            raise InputError(
                f"{self._architecture.name}({given}) can't be built: {reason_of(error)}"
            ) from error

    def load(self) -> tuple[keras.Model, LoadReport]:
        classes = self._other_classes()
        if classes is not None:
            if "classes" in self._options:
                raise InputError(
                    f"The classifier in {str(self._path)!r} has {classes} classes; leave `classes` "
                    f"out. Received: classes={self._options['classes']!r}"
                )
            self._options["classes"] = classes
            self._model = self._build()
        return self._model, load(self._model, self._path)

    def _other_classes(self) -> int | None:
        """How many classes the file's classifier has, if the net has others."""
        if not self._options.get("include_top", True):
            return None
        [name] = [name for name in classifiers(self._model) if not is_auxiliary(name)]
        tensors = read(self._path, self._model).get(name)
        if tensors is None:
            raise InputError(
                f"{str(self._path)!r} has no weights for {name!r}, the classifier of "
                f"{self._architecture.name}; with `include_top=False` it needs none."
            )
        shapes = {weight.name: weight.shape for weight in self._model.get_layer(name).weights}
        if "kernel" not in tensors or "kernel" not in shapes:
            return None
        found, expected = tensors["kernel"].shape[-1], shapes["kernel"][-1]
        return None if found == expected else found

    def card(self, model: keras.Model) -> ModelCard:
        variant = variant_of(self._architecture, self._options)
        shape = model.input_shape[1:]
        size, channels = (shape[0], shape[-1]) if channels_last() else (shape[1], shape[0])
        scales_itself = self._options.get("include_preprocessing", False)
        default = variant or next(iter(self._architecture.variants.values()))
        known = entry_of_file(self._path)
        expected = default.preprocessing if known is None else known.preprocessing
        mode = "raw" if scales_itself else self._mode or expected
        return ModelCard(
            builder=self._architecture.name,
            variant=_variant_name(self._architecture, self._options),
            options={**self._options, "input_shape": shape},
            classes=tuple(f"class_{i}" for i in range(model.output_shape[-1])),
            preprocessing=Preprocessing(size, channels, mode),
            licence=f"unknown: that of {self._path.name}",
            recipe=None,
        )


def _variant_name(architecture: Architecture, options: Mapping[str, Any]) -> str | None:
    variant = variant_of(architecture, options)
    return (variant.name if variant else None) or None
