"""Spaces of a search: which hyper-parameters vary, and between which values."""

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from keras_convnets.errors import InputError, nearest
from keras_convnets.training.recipe import Recipe
from keras_convnets.tuning.augmentation_axes import Mixing, Strength
from keras_convnets.tuning.axes import L2, AuxWeight, Axis, BatchSize, Dropout, Smoothing
from keras_convnets.tuning.domains import Domain, Value, parse_domain
from keras_convnets.tuning.limits import InfeasibleError
from keras_convnets.tuning.net_axes import (
    Activation,
    Cardinality,
    Depth,
    ResidualScale,
    Segments,
    Width,
)
from keras_convnets.tuning.schedule_axes import Decay, Rate

if TYPE_CHECKING:
    import keras_tuner

# In the order in which they change a recipe: the batch scales the rate, which may have a value of
# its own; the cardinality keeps the multiply-adds of the width and the depth.
AXES: dict[str, Axis] = {
    axis.name: axis
    for axis in (
        BatchSize(),
        Rate(),
        Decay(),
        L2(),
        Dropout(),
        Smoothing(),
        AuxWeight(),
        Strength(),
        Mixing(),
        Width(),
        Depth(),
        Segments(),
        Activation(),
        ResidualScale(),
        Cardinality(),
    )
}

# Of a named space a recipe has the axes that it does not lack.
PAPERS = ("cardinality", "segments", "activation", "residual_scale", "aux_weight")
SPACES = {
    "default": ("rate", "decay", "l2", "dropout", "width"),
    "training": ("batch", "rate", "decay", "l2", "dropout", "smoothing", "augmentation"),
    "size": ("rate", "width", "depth"),
    "paper": ("rate", *PAPERS),
}

# What Keras Tuner's Hyperband writes among the values of a trial.
_OF_TUNER = "tuner/"


@dataclasses.dataclass(frozen=True)
class Space:
    """Hyper-parameters, each with the values that it may take.

    Attributes:
        domains: the values by the name of the axis.
    """

    domains: Mapping[str, Domain]

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The axes, in the order in which they change a recipe."""
        return tuple(axis for name, axis in AXES.items() if name in self.domains)

    def declare(self, hp: "keras_tuner.HyperParameters", recipe: Recipe) -> dict[str, Value]:
        """Declares all hyper-parameters; the defaults are the recipe's own values.

        Returns:
            The value of each.
        """
        return {
            axis.name: self.domains[axis.name].declare(hp, axis.name, axis.own(recipe))
            for axis in self.axes
        }

    def defaults(self, recipe: Recipe) -> dict[str, Value]:
        """Returns the recipe's own values, with which a search begins."""
        return {axis.name: axis.own(recipe) for axis in self.axes}

    def apply(self, recipe: Recipe, values: Mapping[str, Any]) -> Recipe:
        """Returns what a trial trains.

        Args:
            recipe: of the search.
            values: of a trial; a hyper-parameter without one keeps the recipe's own. What Keras
                Tuner adds for itself is passed over.

        Raises:
            InfeasibleError: if there is no such combination.
            InputError: if a value belongs to no axis of the space.
        """
        unknown = [n for n in values if n not in self.domains and not n.startswith(_OF_TUNER)]
        if unknown:
            raise InputError(
                f"The space has the hyper-parameters {', '.join(self.domains)}. "
                f"Received: {unknown[0]!r}"
            )
        try:
            for axis in self.axes:
                if axis.name in values:
                    recipe = axis.apply(recipe, values[axis.name])
        except InputError as error:
            raise InfeasibleError(str(error)) from error
        return recipe

    def describe(self) -> dict[str, Any]:
        """Returns the space as JSON, equal for equal spaces."""
        return {axis.name: self.domains[axis.name].describe() for axis in self.axes}


def parse_space(text: str, recipe: Recipe) -> Space:
    """Reads a space such as "rate,l2=1e-6..1e-3,width=0.5|0.75|1".

    Args:
        text: names of hyper-parameters (`AXES`) or spaces (`SPACES`) with commas between. A
            hyper-parameter may have limits: `LOW..HIGH`, or choices `A|B|C`, which the recipe's
            own value is added to.
        recipe: that the space is for.

    Raises:
        InputError: if a name is unknown, the recipe or its net lacks it, or nothing is left to
            choose.

    Example:

    >>> from keras_convnets.tuning import parse_space
    >>> recipe = keras_convnets.recipes.get("xception_imagenet")
    >>> parse_space("rate,dropout=0.2..0.6", recipe).describe()["dropout"]
    {'low': 0.2, 'high': 0.6, 'scale': 'linear'}
    """
    domains: dict[str, Domain] = {}
    given: set[str] = set()
    for item in text.split(","):
        name, equals, limits = (part.strip() for part in item.partition("="))
        if name in SPACES and not equals:
            for axis in _present(name, recipe):
                domains.setdefault(axis.name, axis.domain(recipe))
            continue
        axis = _axis(name, recipe)
        if name in given:
            raise InputError(f"The space has {name!r} twice. Received: {text!r}")
        given.add(name)
        domains[name] = _domain(axis, limits, recipe) if equals else axis.domain(recipe)
    return Space(domains)


def _present(space: str, recipe: Recipe) -> list[Axis]:
    """The axes of a named space that a recipe has."""
    present = [AXES[name] for name in SPACES[space] if AXES[name].lack(recipe) is None]
    if [axis.name for axis in present] == ["rate"]:
        others = ", ".join(name for name in SPACES[space] if name != "rate")
        raise InputError(
            f"The space {space!r} is of {others}, and the recipe {recipe.name!r} has none of them; "
            f"it can vary {_all_present(recipe)}."
        )
    return present


def _all_present(recipe: Recipe) -> str:
    return ", ".join(axis.name for axis in AXES.values() if axis.lack(recipe) is None)


def _axis(name: str, recipe: Recipe) -> Axis:
    if name not in AXES:
        raise InputError(
            "A space is made of hyper-parameters and named spaces, such as 'default' or "
            f"'rate,l2=1e-6..1e-3'; the nearest names are {nearest(name, (*AXES, *SPACES))}. "
            f"Received: {name!r}"
        )
    lack = AXES[name].lack(recipe)
    if lack is not None:
        raise InputError(
            f"The recipe {recipe.name!r} can't vary {name!r}, for {lack}; it can vary "
            f"{_all_present(recipe)}."
        )
    return AXES[name]


def _domain(axis: Axis, limits: str, recipe: Recipe) -> Domain:
    domain = parse_domain(axis.name, limits, axis.own(recipe), axis.domain(recipe))
    for value in domain.ends():
        axis.check(recipe, value)
    return domain
