"""What training on images with several labels changes: the head, and where it starts."""

import dataclasses

import keras
import numpy as np

from keras_convnets.data import ImageSet, Split
from keras_convnets.errors import InputError
from keras_convnets.training.recipe import GIVEN, Recipe

_OPTION = "classifier_activation"


def is_multi_label(recipe: Recipe) -> bool:
    """Whether the net of a recipe gives each class a probability of its own."""
    return recipe.model_options.value.get(_OPTION) == "sigmoid"


def fit_head_to_labels(recipe: Recipe, images: ImageSet) -> Recipe:
    """Returns a recipe with the head that the labels of its data need.

    Images with several labels need a sigmoid for each class, which the recipe gets unless it has
    it; those with one need the softmax of the builders.

    Raises:
        InputError: if the recipe wants another head, or something that its labels can't have.
    """
    options = recipe.model_options
    activation = options.value.get(_OPTION)
    if not images.is_multi_label:
        if activation not in (None, "softmax"):
            raise InputError(
                f"The data {images.name!r} has one label an image, so `{_OPTION}` in "
                f"`model_options` should be 'softmax'. Received: {activation!r}"
            )
        return recipe
    if activation not in (None, "sigmoid"):
        raise InputError(
            f"Images of {images.name!r} may have several labels, so `{_OPTION}` in "
            f"`model_options` should be 'sigmoid'. Received: {activation!r}"
        )
    if recipe.class_weights.value is not None:
        raise InputError(
            f"Images of {images.name!r} may have several labels, which get thresholds of their own "
            "in place of weights, so the recipe's `class_weights` should be None. "
            f"Received: {recipe.class_weights.value!r}"
        )
    if activation is None:
        source = options.source
        if source != GIVEN:
            source = f"{source}; the sigmoid, for images of the data may have several labels"
        value = {**options.value, _OPTION: "sigmoid"}
        options = dataclasses.replace(options, value=value, source=source)
    return recipe.replace(model_options=options)


def start_from_frequencies(model: keras.Model, split: Split) -> None:
    """Gives each output of a net the log-odds of its label as bias.

    The untrained net then gives each class about the probability that it has among the training
    images. From one half each, thousands of labels that an image does not have would make the first
    gradients huge, and undo what the trunk knows (Lin et al. 2017, arXiv 1708.02002, section 3.3,
    for the case of rare objects).

    Args:
        model: a net with sigmoid heads.
        split: training images with several labels.

    Raises:
        InputError: if the main output is not that of a dense layer with bias.
    """
    outputs = model.output if isinstance(model.output, dict) else {"predictions": model.output}
    counts = split.label_counts(model.outputs[0].shape[-1])
    log_odds = np.log((counts + 0.5) / (len(split) - counts + 0.5))
    for name in outputs:
        layer = model.get_layer(name)
        if getattr(layer, "bias", None) is None:
            # Of NIN they are means of what is never negative, of LeNet-5 minus squared distances.
            raise InputError(
                f"The class scores of {model.name!r} have one sign, and images with several labels "
                "need scores of both; choose a net that ends in a dense layer (`--model NET`)."
            )
        layer.bias.assign(log_odds)
