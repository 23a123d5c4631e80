"""A recipe cut down to seconds: its own net, loss, optimizer and augmentation, all of it small."""

import dataclasses
import inspect
import math
from typing import Any

from keras_convnets.analysis.weightless import weightless
from keras_convnets.errors import InputError
from keras_convnets.training.model import build_training_model
from keras_convnets.training.multi_label import is_multi_label
from keras_convnets.training.recipe import Recipe
from keras_convnets.training.schedules import Epochs, Length, Steps
from keras_convnets.training.sourced import choice
from keras_convnets.training.start import architecture_of

IMAGES = 64
EPOCHS = 6
BATCH_SIZE = 16
WIDTH = 0.25
HEAD_UNITS = 128
_MOMENTUM = 0.9  # of batch normalization

# Sides that some net takes and leave maps of more than a pixel: 16 with stems for small images, 80
# or 107 with auxiliary heads.
_SIZES = (16, 64, 67, 71, 75, 80, 107)

# GoogLeNet's auxiliary heads stand on the first and the last but one module of the second stage.
_REPEATS = {"GoogLeNet": (1, 3, 1)}

# The shallowest variant of the builder whose depth is its variant.
_SHALLOWEST = {"ResNetCIFAR": "20"}


def smoke(recipe: Recipe) -> Recipe:
    """Returns a recipe that trains within seconds on images that ship with the package.

    Loss, optimizer, regularization, augmentation, auxiliary heads, averaging and evaluation stay.
    The net gets narrow and shallow, the images few and small, the schedule as short as the run.
    What changed says so in its source.

    Args:
        recipe: any recipe.

    Raises:
        InputError: if lengths in its schedule are in another unit than its own length.
    """
    batch_size = min(BATCH_SIZE, recipe.batch_size.value)
    steps = EPOCHS * IMAGES // batch_size
    fields = _small_fields(recipe, batch_size, steps) | _short_schedules(recipe, batch_size, steps)
    changed = {
        name: choice(value, f"smoke: {reason}")
        for name, (value, reason) in fields.items()
        if value != getattr(recipe, name).value
    }
    small = recipe.replace(**changed)
    small = small.replace(input_size=choice(_least_size(small), "smoke: small"))
    return dataclasses.replace(small, name=f"{recipe.name}-smoke")


def _small_fields(recipe: Recipe, batch_size: int, steps: int) -> dict[str, tuple[Any, str]]:
    """The fields of net, data and length, each with a reason."""
    fields: dict[str, tuple[Any, str]] = {
        "model_options": (_small_options(recipe), "narrow and shallow"),
        "batch_size": (batch_size, "for few images"),
        "data": (f"smoke_{_form(recipe)}", f"{IMAGES} of the embedded images"),
        "classes": (None, "those of the images"),
        "length": (Epochs(EPOCHS), f"{steps} steps"),
        "parallelism": ("sync", "one process"),
        "hardware": ("two CPU cores", "seconds"),
        "results": ({}, "those of the recipe are of the whole run"),
        "weights": (None, "random ones, for nothing is downloaded"),
        "early_stop": (None, "the run is short"),
    }
    entry, _ = architecture_of(recipe)
    if entry.name in _SHALLOWEST:
        fields["variant"] = (_SHALLOWEST[entry.name], "shallow")
    if recipe.batch_norm_mode.value == "inference":
        fields["batch_norm_mode"] = ("train", "random weights have no statistics yet")
    options = recipe.batch_norm.value
    if options is not None and "momentum" in options:
        momentum = min(_MOMENTUM, options["momentum"])
        fields["batch_norm"] = (options | {"momentum": momentum}, "few steps to average over")
    return fields


def _short_schedules(recipe: Recipe, batch_size: int, steps: int) -> dict[str, tuple[Any, str]]:
    """The schedules, as short as the run."""
    # In proportion to the batch the rate would be too low for so few steps; whole, it would be too
    # high for nets that do not normalize.
    is_normalized = recipe.batch_norm.value is not None
    factor = 1.0 if is_normalized else math.sqrt(batch_size / recipe.batch_size.value)
    fields = {}
    for name in ("schedule", "head_phase"):
        whole = getattr(recipe, name)
        if whole.value is not None:
            value = _compress(whole.value.scaled(factor), recipe, steps)
            fields[name] = (value, f"{steps} steps, rate times {factor:.2g}; {whole.source}")
    return fields


def _form(recipe: Recipe) -> str:
    """Which of the embedded images: of as many channels and labels as the recipe's own."""
    if is_multi_label(recipe):
        return "labels"
    _, variant = architecture_of(recipe)
    return "grey" if variant.input_shape[-1] == 1 else "rgb"


def _small_options(recipe: Recipe) -> dict[str, Any]:
    """The options of the builder for a narrow and shallow net of the same blocks."""
    entry, _ = architecture_of(recipe)
    parameters = inspect.signature(entry.builder).parameters
    options = dict(recipe.model_options.value)
    if "width_multiplier" in parameters:
        options["width_multiplier"] = WIDTH * options.get("width_multiplier", 1.0)
    if "middle_repeats" in parameters:
        options["middle_repeats"] = 1
    if "repeats" in parameters:
        stages = len(parameters["repeats"].default or (1, 1, 1))
        options["repeats"] = _REPEATS.get(entry.name, (1,) * stages)
    if "head_units" in parameters:
        units = options.get("head_units", parameters["head_units"].default)
        options["head_units"] = (HEAD_UNITS,) * len(units)
    return options


def _least_size(recipe: Recipe) -> int:
    """The least of some sizes that a net can be built for, or its own if that is less."""
    _, variant = architecture_of(recipe)
    own = variant.input_shape[0]
    for size in (*(size for size in _SIZES if size < own), own):
        sized = recipe.replace(input_size=choice(size, "a try"))
        try:
            weightless(lambda: bool(build_training_model(sized, 3, "raw")))  # noqa: B023
        except InputError:
            continue
        break
    return size


def _compress(value: Any, recipe: Recipe, steps: int) -> Any:
    """Shortens all lengths within a value by as much as the run."""
    if isinstance(value, Length):
        return Steps(max(1, round(_share(value, recipe) * steps)))
    if isinstance(value, tuple):
        return tuple(_compress(item, recipe, steps) for item in value)
    if dataclasses.is_dataclass(value):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        changed = {name: _compress(item, recipe, steps) for name, item in fields.items()}
        return dataclasses.replace(value, **changed)
    return value


def _share(length: Length, recipe: Recipe) -> float:
    """How much of a recipe's run a length is."""
    counts = [
        each.count * recipe.batch_size.value if isinstance(each, Steps) else each.count
        for each in (length, recipe.length.value)
    ]
    if isinstance(length, Epochs) is not isinstance(recipe.length.value, Epochs):
        raise InputError(
            "A smoke test needs lengths that can be compared: all in Epochs, or all in Samples and "
            f"Steps. Received: {length} of {recipe.length.value}"
        )
    return counts[0] / counts[1]
