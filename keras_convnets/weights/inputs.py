"""What images have to go through before they reach weights."""

import dataclasses
import os
from pathlib import Path

import keras

from keras_convnets.errors import InputError
from keras_convnets.files import read_json
from keras_convnets.preprocessing import Preprocessing
from keras_convnets.weights.catalog import Entry
from keras_convnets.weights.sources import entry_of, entry_of_file, existing_file

_SOURCE = "_source_of_weights"
SCALING_LAYER = "preprocessing"


def remember_source(model: keras.Model, entry: Entry | None) -> None:
    """Notes which entry of the catalog a model has its weights from; it lasts until it is saved."""
    setattr(model, _SOURCE, entry)


def preprocessing(source: str | os.PathLike | Entry | keras.Model) -> Preprocessing:
    """Returns how images become the input that weights were trained and measured with.

    Args:
        source: an entry of the catalog, its name or its file; a model that has its weights from
            one; a run directory or a `.keras` file with its `.json` beside it.

    Returns:
        Size, crop, interpolation and scaling. For a model with another input size than the entry's
        the crop keeps its share of the image; a model that scales pixels itself gets them raw.

    Raises:
        InputError: if there is nothing that says it.

    Example:

    >>> keras_convnets.weights.preprocessing("VGG16.torchvision").mode
    'torch'
    """
    if isinstance(source, keras.Model):
        return _of_model(source)
    if isinstance(source, Entry):
        return _of_entry(source)
    entry = entry_of(source) or entry_of_file(source)
    return _of_card(existing_file(Path(source))) if entry is None else _of_entry(entry)


def _of_entry(entry: Entry, size: int | None = None) -> Preprocessing:
    return Preprocessing(
        size=size or entry.input_size,
        channels=3,
        mode=entry.preprocessing,
        crop=entry.input_size / entry.resize,
        interpolation=entry.interpolation,
    )


def _of_model(model: keras.Model) -> Preprocessing:
    entry = getattr(model, _SOURCE, None)
    if entry is None:
        raise InputError(
            f"{model.name!r} has no weights from the catalog, so nothing says how its images are "
            "scaled; a saved model is named by its file."
        )
    raw = any(layer.name == SCALING_LAYER for layer in model.layers)
    is_last = keras.config.image_data_format() == "channels_last"
    found = _of_entry(entry, model.input_shape[1 if is_last else 2])
    changes = {"mode": "raw"} if raw else {}
    return dataclasses.replace(found, **changes, channels=model.input_shape[-1 if is_last else 1])


def _of_card(path: Path) -> Preprocessing:
    card = read_json(path.with_suffix(".json"))
    try:
        return Preprocessing(**card["preprocessing"])
    except (KeyError, TypeError) as error:
        raise InputError(
            f"The .json beside {str(path)!r} has no preprocessing: {error!r}."
        ) from error
