"""From a recipe to a compiled model."""

import dataclasses
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras.metrics import (
    MeanMetricWrapper,
    categorical_accuracy,
    sparse_categorical_accuracy,
)

from keras_convnets._registry import find_architecture, get_model, variant_of
from keras_convnets.data import Preprocessing
from keras_convnets.deployment import ModelCard
from keras_convnets.errors import InputError
from keras_convnets.layers.contrast_whitening import GCN_ZCA
from keras_convnets.recursion import deep_graphs
from keras_convnets.training.initializers import draw_weights
from keras_convnets.training.losses import (
    BinaryCrossentropy,
    SmoothedCrossentropy,
    add_l2,
    best_is_label,
)
from keras_convnets.training.multi_label import is_multi_label
from keras_convnets.training.recipe import Recipe
from keras_convnets.training.start import architecture_of, preprocessing_of_start

# The fields of a recipe that give options of builders which not every builder has, and what they
# are without.
_NEEDING = {
    "dropout_rate": ("dropout_rate", 0),
    "kernel_initializer": ("initializer", None),
    "batch_norm_momentum": ("batch_norm", None),
}


def builder_options(recipe: Recipe, channels: int) -> dict[str, Any]:
    """Returns the keyword arguments of the builder that a recipe implies.

    Raises:
        InputError: if the recipe wants something that the builder lacks.
    """
    entry, variant = architecture_of(recipe)
    size = recipe.input_size.value or variant.input_shape[0]
    options: dict[str, Any] = {"weights": None, "input_shape": (size, size, channels)}
    options |= {**variant.options, **recipe.model_options.value}
    initializer = recipe.initializer.value
    wanted = {
        "classes": recipe.classes.value,
        "dropout_rate": recipe.dropout_rate.value or None,
        "kernel_initializer": initializer if isinstance(initializer, str) else None,
        "batch_norm_momentum": (recipe.batch_norm.value or {}).get("momentum"),
    }
    if recipe.preprocessing.value == GCN_ZCA:
        options["include_preprocessing"] = GCN_ZCA
    allowed = inspect.signature(entry.builder).parameters
    if recipe.aux_weight.value is not None and "aux_logits" not in allowed:
        raise InputError(f"{entry.name} has no auxiliary head, so `aux_weight` should be None.")
    for name, value in wanted.items():
        if value is not None:
            if name not in allowed:
                field, without = _NEEDING[name]
                raise InputError(
                    f"{entry.name} has no option {name!r}, so the recipe's `{field}` should be "
                    f"{without} (`--set {field}={without}`). Received: {value!r}"
                )
            options[name] = value
    return options


def build_model(recipe: Recipe, channels: int) -> keras.Model:
    """Builds the net of a recipe with random weights, without auxiliary heads."""
    name = find_architecture(recipe.model.value)[0].name
    model = get_model(name, **builder_options(recipe, channels))
    _set_epsilon(model, recipe)
    return model


def build_training_model(recipe: Recipe, channels: int, mode: str) -> keras.Model:
    """Builds the net of a recipe as it is trained.

    Args:
        recipe: the recipe; if it gives auxiliary heads a weight the net has them.
        channels: of the images.
        mode: of `imagenet_utils.preprocess_input`; the net scales raw images by itself, so that
            they are bytes until they are on its device.
    """
    name = find_architecture(recipe.model.value)[0].name
    options = {"include_preprocessing": mode} | builder_options(recipe, channels)
    if recipe.aux_weight.value is not None:
        options["aux_logits"] = True
    model = get_model(name, **options)
    _set_epsilon(model, recipe)
    for layer in normalizations(model):
        layer.synchronized = (recipe.batch_norm.value or {}).get("synchronized", False)
    if not isinstance(recipe.initializer.value, str | None):
        draw_weights(model, recipe.initializer.value)
    return model


def normalizations(model: keras.Model) -> list[keras.layers.BatchNormalization]:
    """Returns the layers of a net that normalize batches."""
    return [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]


def _set_epsilon(model: keras.Model, recipe: Recipe) -> None:
    epsilon = (recipe.batch_norm.value or {}).get("epsilon")
    if epsilon is None:
        return
    layers = normalizations(model)
    if not layers:
        raise InputError(
            f"{recipe.net} has no batch normalization, so the recipe's `batch_norm` should be None "
            f"(`--set batch_norm=None`). Received: {recipe.batch_norm.value!r}"
        )
    for layer in layers:
        layer.epsilon = epsilon


def main_output(model: keras.Model) -> keras.Model:
    """Returns the net without its auxiliary heads, on the same weights."""
    if not isinstance(model.output, dict):
        return model
    with deep_graphs():
        return keras.Model(model.input, model.output["predictions"], name=model.name)


def compile_model(
    model: keras.Model,
    recipe: Recipe,
    optimizer: keras.optimizers.Optimizer,
    class_weights: Sequence[float] | None = None,
) -> None:
    """Gives a net the recipe's loss and metrics, and an optimizer.

    Args:
        model: the net.
        recipe: the recipe.
        optimizer: what to train it with.
        class_weights: what each class counts in the loss, or `None` if they count alike.
    """
    add_l2(model, recipe.l2.value, recipe.l2_scope.value)
    loss = loss_of(recipe, class_weights)
    metrics = [MeanMetricWrapper(accuracy_of(recipe), name="top1")]
    if isinstance(model.output, dict):
        losses, weights = dict.fromkeys(model.output, loss), loss_weights(model, recipe)
        model.compile(optimizer, losses, loss_weights=weights, metrics={"predictions": metrics})
    else:
        model.compile(optimizer, loss, metrics=metrics)


def loss_of(recipe: Recipe, class_weights: Sequence[float] | None = None) -> keras.losses.Loss:
    """Returns what a recipe minimizes for each output of its net, without L2."""
    if is_multi_label(recipe):
        return BinaryCrossentropy(recipe.label_smoothing.value)
    return SmoothedCrossentropy(recipe.label_smoothing.value, class_weights)


def loss_weights(model: keras.Model, recipe: Recipe) -> dict[str, float]:
    """Returns what each output counts, of a net with auxiliary heads."""
    return dict.fromkeys(model.output, recipe.aux_weight.value) | {"predictions": 1.0}


def accuracy_of(recipe: Recipe) -> Callable[[Any, Any], Any]:
    """Returns the function from labels and outputs to whether each image is right."""
    if is_multi_label(recipe):
        return best_is_label
    # Of a mixed label the greatest share counts.
    is_mixed = any(change.mixes_batches for change in recipe.augmentation.value)
    return categorical_accuracy if is_mixed else sparse_categorical_accuracy


def preprocessing_of(recipe: Recipe, channels: int) -> Preprocessing:
    """Returns how a recipe turns an image into the input of its net.

    Scaling and interpolation are those of the weights which the net starts from, or else the
    scaling is what the recipe says, or else the net's own. A net that whitens gets raw pixels.
    """
    entry, named = architecture_of(recipe)
    options = builder_options(recipe, channels)
    variant = variant_of(entry, options) or named
    size, crop = options["input_shape"][0], recipe.evaluation.value.fraction
    start = preprocessing_of_start(recipe)
    if start is not None:
        return dataclasses.replace(start, size=size, channels=channels, crop=crop)
    mode = recipe.preprocessing.value or variant.preprocessing
    return Preprocessing(size, channels, "raw" if mode == GCN_ZCA else mode, crop)


def model_card(
    recipe: Recipe,
    classes: tuple[str, ...],
    preprocessing: Preprocessing,
    thresholds: tuple[float, ...] | None = None,
) -> ModelCard:
    """Returns what stands beside the saved model of a recipe.

    Args:
        recipe: the recipe.
        classes: names of the classes.
        preprocessing: how an image becomes the input.
        thresholds: of each class, if an image may have several labels.
    """
    entry, _ = architecture_of(recipe)
    options = builder_options(recipe, preprocessing.channels)
    variant = variant_of(entry, options)
    return ModelCard(
        builder=entry.name,
        variant=(variant.name if variant else None) or None,
        options=options,
        classes=classes,
        preprocessing=preprocessing,
        licence="unknown: trained by the user; the licence of the images decides",
        recipe=recipe.name,
        multi_label=is_multi_label(recipe),
        thresholds=thresholds,
    )
