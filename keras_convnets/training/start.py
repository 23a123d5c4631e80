"""What a net starts from: another run, a file, public weights, or chance."""

import dataclasses
import os
from pathlib import Path
from typing import Any

import keras

from keras_convnets import weights
from keras_convnets._registry import find_architecture, variant_of
from keras_convnets.deployment import ModelCard
from keras_convnets.preprocessing import Preprocessing
from keras_convnets.training.recipe import GIVEN, OWNED, Recipe
from keras_convnets.training.sourced import choice
from keras_convnets.weights.pretrained import check_graph, imagenet_weights

FROM_WEIGHTS = "the net of the weights"


@dataclasses.dataclass(frozen=True)
class _Origin:
    """What is known of weights: the net that they are of, and how it takes images."""

    builder: str
    variant: str | None
    options: dict[str, Any]
    preprocessing: Preprocessing


def settle(recipe: Recipe) -> Recipe:
    """Fills in what a recipe leaves to the weights that it starts from: the net and its size.

    The net is that of the weights unless the user named one, and the input size theirs, or else
    the net's own.

    Raises:
        InputError: if there are no such weights, or they are of another graph.
    """
    source = recipe.weights.value
    if source is not None and os.path.exists(os.path.expanduser(source)):
        # Absolute, so that the run can be resumed from anywhere.
        path = os.path.abspath(os.path.expanduser(source))
        recipe = recipe.replace(weights=dataclasses.replace(recipe.weights, value=path))
    origin = _origin(recipe)
    named = (recipe.model, recipe.variant, recipe.model_options)
    if origin is not None and not any(sourced.source == GIVEN for sourced in named):
        recipe = recipe.replace(
            model=choice(origin.builder, FROM_WEIGHTS),
            variant=choice(origin.variant, FROM_WEIGHTS),
            model_options=choice(origin.options, FROM_WEIGHTS),
        )
    entry = _entry(recipe)
    if entry is not None:
        check_graph(entry, *_graph(recipe))
    if recipe.input_size.value is None:
        if origin is not None:
            size = choice(origin.preprocessing.size, "the size that the weights were trained at")
        else:
            _, variant = find_architecture(recipe.net)
            size = choice(variant.input_shape[0], f"the size of {recipe.net}")
        recipe = recipe.replace(input_size=size)
    return recipe


def load_start(model: keras.Model, recipe: Recipe) -> weights.LoadReport | None:
    """Puts the weights that a recipe starts from into a net; a head that does not fit stays random.

    Returns:
        What became of each layer; `None` if the net starts from random weights.

    Raises:
        InputError: if there are no such weights, or they are of another net.
    """
    source = recipe.weights.value
    return None if source is None else weights.load(model, _entry(recipe) or source, strict=False)


def preprocessing_of_start(recipe: Recipe) -> Preprocessing | None:
    """Returns how the weights that a recipe starts from take images, `None` if nothing says it."""
    origin = _origin(recipe)
    return origin.preprocessing if origin else None


def _origin(recipe: Recipe) -> _Origin | None:
    entry = _entry(recipe)
    if entry is not None:
        architecture, _ = find_architecture(entry.builder)
        variant = variant_of(architecture, entry.options)
        named = variant.options if variant else {}
        options = {key: value for key, value in entry.options.items() if key not in named}
        name = (variant.name if variant else None) or None
        return _Origin(entry.builder, name, options, weights.preprocessing(entry))
    path = _model_file(recipe.weights.value)
    if path is None or not path.with_suffix(".json").is_file():
        return None
    card = ModelCard.read(path)
    options = {key: value for key, value in card.options.items() if key not in OWNED}
    return _Origin(card.builder, card.variant, options, card.preprocessing)


def _entry(recipe: Recipe) -> weights.Entry | None:
    """The public weights that a recipe starts from, or `None`."""
    source = recipe.weights.value
    if source == "imagenet":
        return imagenet_weights(*_graph(recipe))
    return None if source is None else weights.entry_of(source)


def _graph(recipe: Recipe) -> tuple[str, dict[str, Any]]:
    """The builder of a recipe, and its options that change the graph of public weights."""
    architecture, variant = find_architecture(recipe.net)
    return architecture.name, architecture.changed(
        {**variant.options, **recipe.model_options.value}
    )


def _model_file(source: str | None) -> Path | None:
    """The `.keras` file that a source means: itself, or that of a run."""
    if source is None:
        return None
    path = Path(source)
    path = path / "model.keras" if path.is_dir() else path
    return path if path.suffix == ".keras" and path.is_file() else None
