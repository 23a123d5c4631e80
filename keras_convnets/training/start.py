"""What a net starts from: another run, a file, public weights, or chance."""

import dataclasses
import os
from pathlib import Path

import keras

from keras_convnets._registry import find_architecture
from keras_convnets.deployment import ModelCard
from keras_convnets.errors import InputError
from keras_convnets.recursion import deep_graphs
from keras_convnets.training.recipe import GIVEN, OWNED, Recipe
from keras_convnets.training.sourced import choice
from keras_convnets.weights.report import LoadReport

FROM_WEIGHTS = "the net of the weights"


def settle(recipe: Recipe) -> Recipe:
    """Fills in what a recipe leaves to the weights that it starts from: the net and its size.

    The net is that of the weights unless the user named one, and the input size theirs, or else
    the net's own.

    Raises:
        InputError: if there are no such weights.
    """
    source = recipe.weights.value
    if source is not None and os.path.exists(os.path.expanduser(source)):
        # Absolute, so that the run can be resumed from anywhere.
        path = os.path.abspath(os.path.expanduser(source))
        recipe = recipe.replace(weights=dataclasses.replace(recipe.weights, value=path))
    card = _card(recipe)
    named = (recipe.model, recipe.variant, recipe.model_options)
    if card is not None and not any(sourced.source == GIVEN for sourced in named):
        options = {key: value for key, value in card.options.items() if key not in OWNED}
        recipe = recipe.replace(
            model=choice(card.builder, FROM_WEIGHTS),
            variant=choice(card.variant, FROM_WEIGHTS),
            model_options=choice(options, FROM_WEIGHTS),
        )
    if recipe.input_size.value is None:
        if card is not None:
            size = choice(card.preprocessing.size, "the size that the weights were trained at")
        else:
            _, variant = find_architecture(recipe.net)
            size = choice(variant.input_shape[0], f"the size of {recipe.net}")
        recipe = recipe.replace(input_size=size)
    return recipe


def load_start(model: keras.Model, recipe: Recipe) -> LoadReport | None:
    """Puts the weights that a recipe starts from into a net; what does not fit stays random.

    Returns:
        What became of each layer; `None` if the net starts from random weights.

    Raises:
        InputError: if there are no such weights, or they are of another net.
    """
    source = recipe.weights.value
    if source is None:
        return None
    path = _model_file(source)
    if path is None:
        raise InputError(f"There are no weights at {source!r}.")
    with deep_graphs():
        found = keras.saving.load_model(path, compile=False, safe_mode=True)
    tensors = {layer.name: layer.get_weights() for layer in found.layers if layer.weights}
    matched, left, anew = [], [], []
    for layer in model.layers:
        if not layer.weights:
            continue
        if layer.name not in tensors:
            left.append(layer.name)
        elif [w.shape for w in tensors[layer.name]] != [tuple(v.shape) for v in layer.weights]:
            anew.append(layer.name)
        else:
            layer.set_weights(tensors[layer.name])
            matched.append(layer.name)
    return LoadReport(source, tuple(matched), tuple(left), tuple(anew))


def mode_of_start(recipe: Recipe) -> str | None:
    """Returns how the weights that a recipe starts from want images scaled.

    Returns:
        A mode of `imagenet_utils.preprocess_input`, or `None` if they do not say.
    """
    card = _card(recipe)
    return card.preprocessing.mode if card else None


def _card(recipe: Recipe) -> ModelCard | None:
    """The card beside the model that a recipe starts from, if it is one of this package's."""
    path = _model_file(recipe.weights.value)
    return ModelCard.read(path) if path and path.with_suffix(".json").is_file() else None


def _model_file(source: str | None) -> Path | None:
    """The `.keras` file that a source means: itself, or that of a run."""
    if source is None:
        return None
    path = Path(source)
    path = path / "model.keras" if path.is_dir() else path
    return path if path.suffix == ".keras" and path.is_file() else None
