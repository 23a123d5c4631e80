"""Saving a model with its card, and finding both again."""

import os
from pathlib import Path

import keras

from keras_convnets._builder import channels_last
from keras_convnets._registry import find_architecture, get_model, variant_of
from keras_convnets.deployment.model_card import ModelCard
from keras_convnets.errors import InputError, reason_of
from keras_convnets.files import replacing
from keras_convnets.imagenet_utils import class_names
from keras_convnets.recursion import deep_graphs
from keras_convnets.weights import Entry, find, preprocessing
from keras_convnets.weights.catalog import is_name
from keras_convnets.weights.pretrained import imagenet_weights


def save_model(model: keras.Model, path: str | os.PathLike, card: ModelCard) -> None:
    """Writes `path` (`.keras`) and its card, each whole or not at all.

    Args:
        model: an inference model.
        path: file name that ends in `.keras`.
        card: what to write beside it.
    """
    with replacing(path) as temporary:
        model.save(temporary)
        card.write(path)  # once the model is whole, for a full disk ends that first


def find_model(source: str | os.PathLike) -> tuple[keras.Model, ModelCard]:
    """Loads what a user calls a model.

    Args:
        source: a run directory, a `.keras` file with its card, or the name of public weights or of
            a net that has some.

    Raises:
        InputError: if it is none of these or can't be loaded.
    """
    path = Path(source)
    if path.is_dir():
        if not (path / "recipe.json").is_file():
            raise InputError(f"{str(path)!r} is not a run: it has no recipe.json.")
        if not (path / "model.keras").is_file():
            raise InputError(
                f"The run {str(path)!r} has no model.keras yet; "
                f"`keras-convnets train --resume {path}` finishes it."
            )
        path = path / "model.keras"
    if path.suffix == ".keras" or path.exists():
        model, card = _load(path), ModelCard.read(path)
        card.check(model)
        return model, card
    if os.sep in os.fspath(source):
        raise InputError(f"There is no run directory and no .keras file at {str(path)!r}.")
    return _load_public(os.fspath(source))


def _load(path: Path) -> keras.Model:
    if not path.is_file():
        raise InputError(f"There is no model at {str(path)!r}.")
    try:
        with deep_graphs():
            return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # the readers below have each their own errors
        raise InputError(f"The model {str(path)!r} can't be loaded: {reason_of(error)}") from error


def _load_public(name: str) -> tuple[keras.Model, ModelCard]:
    entry = _public_weights(name)
    size = entry.input_size  # that of its figures, which may not be the builder's default
    shape = (size, size, 3) if channels_last() else (3, size, size)
    model = get_model(entry.name, input_shape=shape)
    architecture, _ = find_architecture(entry.builder)
    variant = variant_of(architecture, entry.options)
    card = ModelCard(
        builder=entry.builder,
        variant=(variant.name if variant else None) or None,
        options=dict(entry.options),
        classes=tuple(label for _, label in class_names()),
        preprocessing=preprocessing(model),
        licence=entry.licence,
        recipe=None,
    )
    return model, card


def _public_weights(name: str) -> Entry:
    """The entry of the catalog that a name means: its own, or that of a net with ImageNet weights.

    Raises:
        InputError: if there is none.
    """
    if is_name(name):
        return find(name)
    try:
        architecture, variant = find_architecture(name)
    except InputError as error:
        raise InputError(
            f"There is no run directory, no .keras file and no model named {name!r}. {error}"
        ) from error
    return imagenet_weights(architecture.name, architecture.changed(variant.options))
