"""Hyper-models: the real builders and recipes, for any tuner of Keras Tuner."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import keras_tuner

from keras_convnets import recipes
from keras_convnets._registry import find_architecture
from keras_convnets.errors import InputError, check_number
from keras_convnets.training.model import build_training_model, preprocessing_of
from keras_convnets.training.recipe import Recipe
from keras_convnets.training.sourced import choice
from keras_convnets.training.start import architecture_of, load_start, settle
from keras_convnets.tuning import fitting
from keras_convnets.tuning.limits import InfeasibleError, Limits
from keras_convnets.tuning.spaces import Space, parse_space
from keras_convnets.tuning.tuners import (
    InfeasibleTrialError,
    default_first,
    tolerate_infeasible,
)


class HyperConvNet(keras_tuner.HyperModel):
    """A net and its recipe, with hyper-parameters that vary around the recipe's values.

    The first trial of any tuner is the recipe's own setting. Models come compiled with the recipe's
    optimizer, loss and the metric "accuracy"; in a search they are trained by `fit`. What a
    configuration would cost is counted before it is built: one that can't be, or is over a limit,
    is a trial of the status INVALID, and no number of them ends a search.

    Args:
        builder: name or function of the net, such as "ResNet50:v1"; `None` for the recipe's own.
        recipe: name, path or `Recipe`. Its length is that of the longest trial:
            `recipe.scaled(length=...)`.
        space: what varies, as `parse_space` reads it, or a `Space`.
        input_shape: (height, width, channels) of the images.
        classes: number of classes.
        limits: the most that a net may cost; `None` for any.
        **kwargs: `name` and `tunable` of `keras_tuner.HyperModel`.

    Raises:
        InputError: if the recipe's net can't have such images or is over a limit itself, or the
            space is wrong.

    Example:

    >>> import keras_tuner
    >>> from keras_convnets.tuning import HyperConvNet
    >>> hyper_model = HyperConvNet(
    ...     None, "xception_fashion_mnist", "rate,width", input_shape=(28, 28, 1), classes=10
    ... )
    >>> hyper_model.build(keras_tuner.HyperParameters()).count_params()
    160874
    """

    def __init__(
        self,
        builder: str | Callable[..., keras.Model] | None,
        recipe: str | Recipe,
        space: str | Space = "default",
        *,
        input_shape: Sequence[int],
        classes: int,
        limits: Limits | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        check_number("`classes`", classes, least=2, whole=True)
        recipe = recipes.get(recipe) if not isinstance(recipe, Recipe) else recipe
        size, self.channels = _check_shape(input_shape)
        recipe = _fitted(_with_net(recipe, builder), size, classes)
        _check_phases(recipe)
        self.recipe = settle(recipe)
        self.classes = classes
        self.limits = limits or Limits()
        self.space = parse_space(space, self.recipe) if isinstance(space, str) else space
        try:
            self.limits.check(self.recipe, self.channels, classes)
        except InfeasibleError as error:
            raise InputError(
                f"A search begins with the recipe {recipe.name!r} itself. {error}"
            ) from error

    def declare_hyperparameters(self, hp: keras_tuner.HyperParameters) -> None:
        """Declares the space, such that the first trial has its defaults."""
        if not self.tunable:
            return
        declared = keras_tuner.HyperParameters()
        self.space.declare(declared, self.recipe)
        hp.merge([default_first(known) for known in declared.space], overwrite=False)

    def recipe_of(self, hp: keras_tuner.HyperParameters) -> Recipe:
        """Returns the recipe of a trial.

        Raises:
            InfeasibleError: if there is none, or its net is over a limit.
        """
        recipe = self.space.apply(self.recipe, self.space.declare(hp, self.recipe))
        self.limits.check(recipe, self.channels, self.classes)
        return recipe

    def build(self, hp: keras_tuner.HyperParameters) -> keras.Model:
        """Returns the compiled model of a trial; its images are raw, 0..255.

        Raises:
            InfeasibleTrialError: if there is none, or it is over a limit; nothing was built.
        """
        try:
            recipe = self.recipe_of(hp)
            mode = preprocessing_of(recipe, self.channels).mode
            model = build_training_model(recipe, self.channels, mode)
        except InputError as error:
            raise InfeasibleTrialError(str(error)) from error
        load_start(model, recipe, [str(i) for i in range(self.classes)])
        fitting.compile_by(model, recipe, steps_per_epoch=1)
        return model

    def fit(
        self, hp: keras_tuner.HyperParameters, model: keras.Model, *args: Any, **kwargs: Any
    ) -> keras.callbacks.History:
        """Trains the model of a trial by its recipe; see `fitting.fit`."""
        for callback in kwargs.get("callbacks") or ():
            if hasattr(callback, "tuner"):  # which Keras Tuner hands over by one of its own
                tolerate_infeasible(callback.tuner)
        return fitting.fit(model, self.recipe_of(hp), *args, **kwargs)


def _check_shape(input_shape: Sequence[int]) -> tuple[int, int]:
    """The size and the channels of images."""
    shape = tuple(input_shape) if isinstance(input_shape, Sequence) else ()
    if len(shape) != 3 or shape[0] != shape[1]:
        raise InputError(
            "`input_shape` should be (height, width, channels) of square images. "
            f"Received: input_shape={input_shape!r}"
        )
    for number in shape:
        check_number("Each of the numbers in `input_shape`", number, least=1, whole=True)
    return shape[0], shape[2]


def _with_net(recipe: Recipe, builder: str | Callable[..., keras.Model] | None) -> Recipe:
    """A recipe for a net; if that is its own, the options stay."""
    if builder is None:
        return recipe
    net = builder if isinstance(builder, str) else getattr(builder, "__name__", repr(builder))
    entry, variant = find_architecture(net)
    own_entry, own_variant = architecture_of(recipe)
    if entry is own_entry and (":" not in net or variant is own_variant):
        return recipe
    return recipe.with_model(net)


def _fitted(recipe: Recipe, size: int, classes: int) -> Recipe:
    """A recipe for images of a size and for some classes."""
    given = {"input_size": size, "classes": classes}
    others = {name: value for name, value in given.items() if getattr(recipe, name).value != value}
    return recipe.replace(**{n: choice(v, "the images of the search") for n, v in others.items()})


def _check_phases(recipe: Recipe) -> None:
    if recipe.head_phase.value is not None:
        raise InputError(
            f"The recipe {recipe.name!r} trains in two phases, which Keras' `fit` can't; give one "
            "whose `head_phase` is None, or search by `keras-convnets tune`. "
            f"Received: head_phase={recipe.head_phase.value}"
        )
