"""Axes of a search: hyper-parameters that know what they are in a recipe, and how to change it."""

import abc
import dataclasses
import inspect
from typing import Any, ClassVar

from keras_convnets.errors import check_number
from keras_convnets.training.initializers import Layerwise
from keras_convnets.training.recipe import Recipe
from keras_convnets.training.sourced import Sourced, choice
from keras_convnets.training.start import architecture_of
from keras_convnets.tuning.domains import Choices, Domain, Range, Value


class Axis(abc.ABC):
    """A hyper-parameter of recipes.

    Attributes:
        name: what users and Keras Tuner call it.
        about: what it is, as a phrase.
    """

    name: ClassVar[str]
    about: ClassVar[str]

    def lack(self, recipe: Recipe) -> str | None:
        """Returns why a recipe has no such hyper-parameter, as a clause; `None` if it has it."""
        return None

    @abc.abstractmethod
    def own(self, recipe: Recipe) -> Value:
        """Returns the recipe's own value."""

    @abc.abstractmethod
    def domain(self, recipe: Recipe) -> Domain:
        """Returns the values to try where the user names none."""

    @abc.abstractmethod
    def change(self, recipe: Recipe, value: Value) -> Recipe:
        """Returns the recipe with another value.

        Raises:
            InputError: if the value is not allowed.
        """

    def check(self, recipe: Recipe, value: Value) -> None:
        """Makes sure that a value is allowed, as far as that is known without counting nets.

        Raises:
            InputError: if it is not.
        """
        self.apply(recipe, value)

    def apply(self, recipe: Recipe, value: Value) -> Recipe:
        """Returns the recipe with a value; with its own one it stays as it is, sources and all."""
        return recipe if value == self.own(recipe) else self.change(recipe, value)


def tuned(old: Sourced, new: Any, what: str) -> Sourced:
    """Returns a value in place of an old one, whose source is told, too.

    Args:
        old: what the recipe had.
        new: what it gets.
        what: was tuned, and to which value.
    """
    return choice(new, f"tuned: {what}; before that {old.source}")


def builder_takes(recipe: Recipe, option: str) -> bool:
    """Whether the builder of a recipe's net has an option."""
    return option in inspect.signature(architecture_of(recipe)[0].builder).parameters


def needs_option(recipe: Recipe, option: str) -> str | None:
    """Returns, as a clause, that a recipe's net lacks an option of builders, if it does."""
    entry, _ = architecture_of(recipe)
    return None if builder_takes(recipe, option) else f"{entry.name} has no option {option!r}"


def around(own: float, factor: float, *, otherwise: float) -> Range:
    """Returns the numbers around one, on a log scale; from 0, a range to another on a linear one.

    Args:
        own: the middle.
        factor: how many times more or less the ends are.
        otherwise: the upper end where `own` is 0, of which nothing is a multiple.
    """
    if not own:
        return Range(0.0, otherwise)
    return Range(rounded(own / factor), rounded(own * factor), "log")


def rounded(value: float) -> float:
    """Returns a number with three digits: limits need no more."""
    return float(f"{value:.3g}")


class Field(Axis):
    """A field of recipes that is a number, where `None` stands for 0."""

    field: ClassVar[str]
    option: ClassVar[str | None] = None

    def lack(self, recipe: Recipe) -> str | None:
        """Returns why a recipe has no such hyper-parameter, as a clause; `None` if it has it."""
        return needs_option(recipe, self.option) if self.option else None

    def own(self, recipe: Recipe) -> float:
        """Returns the recipe's own value."""
        return float(getattr(recipe, self.field).value or 0.0)

    def change(self, recipe: Recipe, value: float) -> Recipe:
        """Returns the recipe with another value."""
        old = getattr(recipe, self.field)
        return recipe.replace(**{self.field: tuned(old, value, f"{self.field}={value:g}")})


class L2(Field):
    """The weight decay."""

    name, about, field = "l2", "weight decay", "l2"

    def domain(self, recipe: Recipe) -> Domain:
        """Returns the values to try where the user names none."""
        return around(self.own(recipe), 10, otherwise=1e-3)


class Dropout(Field):
    """Dropout before the classifier."""

    name, about = "dropout", "dropout before the classifier"
    field = option = "dropout_rate"

    def domain(self, recipe: Recipe) -> Domain:
        """Returns the values to try where the user names none."""
        return Range(0.0, 0.8)


class Smoothing(Field):
    """Label smoothing."""

    name, about, field = "smoothing", "label smoothing", "label_smoothing"

    def domain(self, recipe: Recipe) -> Domain:
        """Returns the values to try where the user names none."""
        return Range(0.0, 0.3)


class AuxWeight(Field):
    """The weight of the auxiliary heads; 0 leaves them out."""

    name, about, field = "aux_weight", "weight of the auxiliary heads", "aux_weight"
    option = "aux_logits"

    def domain(self, recipe: Recipe) -> Domain:
        """Returns the values to try where the user names none."""
        return Range(0.0, 1.0)

    def change(self, recipe: Recipe, value: float) -> Recipe:
        """Returns the recipe with another value."""
        check_number("The weight of auxiliary heads", value, least=0)
        if value:
            return super().change(recipe, value)
        what = "no auxiliary heads"
        changed = {"aux_weight": tuned(recipe.aux_weight, None, what)}
        old = recipe.initializer
        if isinstance(old.value, Layerwise):
            rules = {
                field: {name: v for name, v in rule.items() if not name.startswith("aux")}
                for field, rule in (("kernels", old.value.kernels), ("biases", old.value.biases))
            }
            if rules != {"kernels": old.value.kernels, "biases": old.value.biases}:
                changed["initializer"] = tuned(old, dataclasses.replace(old.value, **rules), what)
        return recipe.replace(**changed)


class BatchSize(Axis):
    """The batch, with which the rate goes in proportion."""

    name, about = "batch", "images in a batch; the rate goes in proportion"

    def own(self, recipe: Recipe) -> int:
        """Returns the recipe's own value."""
        return recipe.batch_size.value

    def domain(self, recipe: Recipe) -> Domain:
        """Returns the values to try where the user names none."""
        own = self.own(recipe)
        return Choices(tuple(sorted({max(1, own // 2), own, 2 * own})))

    def change(self, recipe: Recipe, value: int) -> Recipe:
        """Returns the recipe with another value."""
        changed = recipe.scaled(batch_size=value)
        return changed.replace(batch_size=tuned(recipe.batch_size, value, f"batch_size={value}"))
