"""What a net starts from: another run, a file, public weights, or chance."""

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from keras_convnets import weights
from keras_convnets._registry import Architecture, Variant, find_architecture
from keras_convnets.deployment import ModelCard
from keras_convnets.errors import InputError
from keras_convnets.preprocessing import Preprocessing
from keras_convnets.training.recipe import GIVEN, OWNED, Recipe
from keras_convnets.training.sourced import choice
from keras_convnets.weights.pretrained import Pretrained, find_pretrained

FROM_WEIGHTS = "the net of the weights"


def settle(recipe: Recipe) -> Recipe:
    """Fills in what a recipe leaves to the weights that it starts from: the net and its size.

    The net is that of the weights unless the user named another one, and the input size theirs, or
    else the net's own.

    Raises:
        InputError: if there are no such weights.
    """
    source = recipe.weights.value
    if source is not None and os.path.exists(os.path.expanduser(source)):
        # Absolute, so that the run can be resumed from anywhere.
        path = os.path.abspath(os.path.expanduser(source))
        recipe = recipe.replace(weights=dataclasses.replace(recipe.weights, value=path))
    origin = _origin(recipe.weights.value)
    if origin is not None and _leaves_the_net_to(origin, recipe):
        model_options = {key: item for key, item in origin.options.items() if key not in OWNED}
        recipe = recipe.replace(
            model=choice(origin.builder, FROM_WEIGHTS),
            variant=choice(origin.options.get("variant"), FROM_WEIGHTS),
            model_options=choice(model_options, FROM_WEIGHTS),
        )
    if recipe.input_size.value is None:
        found = preprocessing_of_start(recipe)
        if found is not None:
            size = choice(found.size, "the size that the weights are made for")
        else:
            _, variant = architecture_of(recipe)
            size = choice(variant.input_shape[0], f"the size of {recipe.net}")
        recipe = recipe.replace(input_size=size)
    return recipe


def architecture_of(recipe: Recipe) -> tuple[Architecture, Variant]:
    """Returns the net that a recipe names, in the variant that it names, here or there."""
    model, variant = recipe.model.value, recipe.variant.value
    entry, named = find_architecture(model)
    if variant is None:
        return entry, named
    if ":" in model and variant.lower() != named.name.lower():
        raise InputError(
            f"The recipe's model is {model!r}, and its variant is {variant!r}; set one of them "
            "(`--set variant=...`)."
        )
    return find_architecture(f"{entry.name}:{variant}")


def load_start(model: keras.Model, recipe: Recipe) -> weights.LoadReport | None:
    """Puts the weights that a recipe starts from into a net; a head of other classes stays random.

    Returns:
        What became of each layer; `None` if the net starts from random weights.

    Raises:
        InputError: if there are no such weights, or they are of another net.
    """
    source = _source(recipe)
    return None if source is None else weights.load(model, source, strict=False)


def preprocessing_of_start(recipe: Recipe) -> Preprocessing | None:
    """Returns what images go through before the weights that a recipe starts from.

    Returns:
        `None` if the weights do not say it, or are random.

    Raises:
        InputError: if they are of a net that scales its images itself.
    """
    source = _source(recipe)
    if isinstance(source, str) and not _has_card(source):
        return None
    if source is None:
        return None
    found = weights.preprocessing(source)
    if found.mode == "raw":
        raise InputError(
            f"The net in {source!r} scales its images itself; a run can't start from it, but from "
            "the weights that it was made of."
        )
    return found


@dataclasses.dataclass(frozen=True)
class _Origin:
    """The net that weights are for: builder, and options that differ from its defaults."""

    builder: str
    options: Mapping[str, Any]


def _origin(source: str | None) -> _Origin | None:
    """The net of a run, of a saved model, or of an entry of the catalog."""
    if source in (None, "imagenet"):
        return None
    if _has_card(source):
        card = ModelCard.read(_model_file(source))
        return _Origin(card.builder, card.options)
    entry = weights.entry_of(source)
    return None if entry is None else _Origin(entry.builder, entry.options)


def _leaves_the_net_to(origin: _Origin, recipe: Recipe) -> bool:
    """Whether the user named no net, or that of the weights without saying anything else of it."""
    if GIVEN in (recipe.variant.source, recipe.model_options.source):
        return False
    return recipe.model.source != GIVEN or (
        ":" not in recipe.model.value
        and find_architecture(recipe.model.value)[0].name == origin.builder
    )


def _source(recipe: Recipe) -> str | weights.Entry | None:
    """What a recipe starts from, as `weights.load` takes it."""
    architecture, variant = architecture_of(recipe)
    changed = architecture.changed({**variant.options, **recipe.model_options.value})
    found = find_pretrained(architecture.name, recipe.weights.value, changed)
    return found.entry if isinstance(found, Pretrained) else found


def _has_card(source: str) -> bool:
    path = _model_file(source)
    return path.is_file() and path.with_suffix(".json").is_file()


def _model_file(source: str) -> Path:
    """The file that a path means: itself, or the model of a run."""
    path = Path(source)
    return path / "model.keras" if path.is_dir() else path
