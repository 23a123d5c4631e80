"""What a net starts from: another run, a file, public weights, or chance."""

import dataclasses
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras

from keras_convnets import weights
from keras_convnets._registry import Architecture, Variant, find_architecture
from keras_convnets.deployment import ModelCard
from keras_convnets.errors import InputError
from keras_convnets.imagenet_utils import class_names
from keras_convnets.layers.contrast_whitening import GCN_ZCA
from keras_convnets.preprocessing import Preprocessing
from keras_convnets.training.recipe import GIVEN, OWNED, Recipe
from keras_convnets.training.run import Run
from keras_convnets.training.sourced import choice
from keras_convnets.weights.heads import classifiers
from keras_convnets.weights.pretrained import Pretrained, find_pretrained
from keras_convnets.weights.sources import entry_of_file

FROM_WEIGHTS = "the net of the weights"
_LISTED = 4  # classes in a note


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
    named = recipe.weights.value
    origin = None if named == "imagenet" else _origin(named)  # that depends on the net
    if origin is not None and _leaves_the_net_to(origin, recipe):
        # What stands on the scores depends on the labels of the data.
        not_theirs = (*OWNED, "classifier_activation")
        model_options = {key: item for key, item in origin.options.items() if key not in not_theirs}
        recipe = recipe.replace(
            model=choice(origin.builder, FROM_WEIGHTS),
            variant=choice(origin.options.get("variant"), FROM_WEIGHTS),
            model_options=choice(model_options, FROM_WEIGHTS),
        )
    if origin is not None and origin.whitens and recipe.preprocessing.value is None:
        recipe = recipe.replace(preprocessing=choice(GCN_ZCA, "what the weights were trained with"))
    epsilon = _epsilon_of(named)
    if epsilon is not None and recipe.batch_norm.source != GIVEN:
        options = (recipe.batch_norm.value or {}) | {"epsilon": epsilon}
        recipe = recipe.replace(batch_norm=choice(options, FROM_WEIGHTS))
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


def load_start(
    model: keras.Model, recipe: Recipe, classes: Sequence[str]
) -> weights.LoadReport | None:
    """Puts the weights that a recipe starts from into a net.

    The head stays random unless it is for the same classes in the same order.

    Args:
        model: the net.
        recipe: the recipe.
        classes: names of the classes of the data.

    Returns:
        What became of each layer; `None` if the net starts from random weights.

    Raises:
        InputError: if there are no such weights, or they are of another net.
    """
    source = _source(recipe)
    if source is None:
        return None
    layers = recipe.start_layers.value
    if layers is not None:
        return weights.load(model, source, layers=layers)
    heads = {name: model.get_layer(name).get_weights() for name in classifiers(model)}
    try:
        report = weights.load(model, source, strict=False)
    except InputError as error:
        if _origin(source) is not None or recipe.model.source == GIVEN:
            raise
        raise InputError(
            f"{str(error).rstrip('.')}. The net, {recipe.net}, is the recipe's own; if the file is "
            "for another one, name that (`--model NET`)."
        ) from error
    if _has_head(_origin(source), recipe, classes):
        return report
    anew = [name for name in report.matched if name in heads]
    for name in anew:
        model.get_layer(name).set_weights(heads[name])
    return dataclasses.replace(
        report,
        matched=tuple(name for name in report.matched if name not in heads),
        reinitialized=(*report.reinitialized, *anew),
    )


def preprocessing_of_start(recipe: Recipe) -> Preprocessing | None:
    """Returns what images go through before the weights that a recipe starts from.

    Returns:
        `None` if the weights do not say it, or are random.

    Raises:
        InputError: if they are of a net that scales its images itself, or the recipe wants another
            scaling than theirs.
    """
    origin, wanted = _origin(_source(recipe)), recipe.preprocessing.value
    if origin is None:
        return None
    found = origin.preprocessing
    mode = GCN_ZCA if origin.whitens else found.mode
    if mode == "raw":
        raise InputError(
            f"The net in {origin.name} scales its images itself; a run can't start from it, but "
            "from the weights that it was made of."
        )
    if wanted not in (None, mode):
        raise InputError(
            f"Images of {origin.name} are scaled as {mode!r}, so the recipe's "
            f"`preprocessing` should be that or None. Received: {wanted!r}"
        )
    return found


def notes_on_start(recipe: Recipe, classes: Sequence[str], mode: str) -> list[str]:
    """Says what the weights decide: how images are scaled, and what becomes of the head.

    Args:
        recipe: one that starts from weights.
        classes: names of the classes of the data.
        mode: how images are scaled.
    """
    origin = _origin(_source(recipe))
    if origin is not None:
        whence = f"as for {origin.name}"
    elif recipe.preprocessing.value is not None:
        whence = "as the recipe's `preprocessing` says"
    else:
        whence = (
            f"as for {recipe.net}, for nothing says what the file wants; "
            "`--set preprocessing=MODE` changes it"
        )
    if recipe.start_layers.value is not None:
        head = "All other layers start anew"
    elif _has_head(origin, recipe, classes):
        head = "The head is kept: its classes are those of the data"
    elif origin is None:
        head = "The head starts anew: nothing says which classes that of the file has"
    else:
        head = f"The head starts anew: theirs is for {_listed(origin.classes[0])}"
    if recipe.preprocessing.value == GCN_ZCA:  # by the net itself
        mode = GCN_ZCA
    return [f"Images are scaled as {mode!r}, {whence}.", f"{head}."]


@dataclasses.dataclass(frozen=True)
class _Origin:
    """What is known of weights.

    Attributes:
        name: of them, for messages.
        builder: of their net.
        options: of the builder, where they differ from its defaults.
        preprocessing: how images become the input.
        classes: the lists of names that their classes may have.
    """

    name: str
    builder: str
    options: Mapping[str, Any]
    preprocessing: Preprocessing
    classes: tuple[tuple[str, ...], ...]

    @property
    def whitens(self) -> bool:
        """Whether the net whitens its images by itself, with what it has learned of others."""
        return self.options.get("include_preprocessing") == GCN_ZCA


def _origin(source: str | weights.Entry | None) -> _Origin | None:
    """What is known of a run, a saved model, or an entry of the catalog; of other files nothing."""
    if source is None:
        return None
    if isinstance(source, str) and _has_card(source):
        card = ModelCard.read(_model_file(source))
        return _Origin(
            repr(source), card.builder, card.options, card.preprocessing, (card.classes,)
        )
    entry = source if isinstance(source, weights.Entry) else weights.entry_of(source)
    name = entry.name if entry else ""
    if entry is None:
        entry = entry_of_file(source)
        if entry is None:
            return None
        name = f"{entry.name}, which {os.path.basename(source)!r} is"
    ids, labels = zip(*class_names(), strict=True)
    return _Origin(name, entry.builder, entry.options, weights.preprocessing(entry), (labels, ids))


def _epsilon_of(source: str | None) -> float | None:
    """That of a run's batch normalization, which is no option of the net, if its recipe set it."""
    if source is None or not Path(source, "recipe.json").is_file():
        return None
    return (Run(source).recipe.batch_norm.value or {}).get("epsilon")


def _has_head(origin: _Origin | None, recipe: Recipe, classes: Sequence[str]) -> bool:
    """Whether the head of weights can be kept: for these classes and such labels."""
    if origin is None or tuple(classes) not in origin.classes:
        return False
    theirs, ours = (
        options.get("classifier_activation", "softmax") == "sigmoid"
        for options in (origin.options, recipe.model_options.value)
    )
    return theirs == ours


def _listed(classes: Sequence[str]) -> str:
    """The first names of classes."""
    more = f" and {len(classes) - _LISTED:,} more" if len(classes) > _LISTED else ""
    return ", ".join(classes[:_LISTED]) + more


def _leaves_the_net_to(origin: _Origin, recipe: Recipe) -> bool:
    """Whether the user named no net, or that of the weights without saying anything else of it."""
    if recipe.start_layers.value is not None:  # another net's
        return False
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
