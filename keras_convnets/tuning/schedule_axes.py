"""Axes of the learning rate: how great it is, and how it falls."""

import dataclasses
import math

from keras_convnets.errors import check_number
from keras_convnets.training.recipe import Recipe
from keras_convnets.training.schedules import (
    Constant,
    Cosine,
    Exponential,
    Piecewise,
    Plateau,
    Polynomial,
    Schedule,
    Warmup,
)
from keras_convnets.tuning.axes import Axis, around, rounded, tuned
from keras_convnets.tuning.domains import Domain, Range


class Rate(Axis):
    """The greatest learning rate of the schedule; the others keep their ratios to it."""

    name, about = "rate", "greatest learning rate"

    def own(self, recipe: Recipe) -> float:
        """Returns the recipe's own value."""
        return greatest_rate(recipe.schedule.value)

    def domain(self, recipe: Recipe) -> Domain:
        """Returns the values to try where the user names none."""
        return around(self.own(recipe), 10, otherwise=1.0)

    def change(self, recipe: Recipe, value: float) -> Recipe:
        """Returns the recipe with another value."""
        check_number("The learning rate", value, above=0)
        old = recipe.schedule
        schedule = old.value.scaled(value / self.own(recipe))
        return recipe.replace(schedule=tuned(old, schedule, f"rate={value:g}"))


class Decay(Axis):
    """How the rate falls, in the one number that each kind of schedule has for it.

    It is the factor of Exponential and Plateau, the mean one of the falls of Piecewise, the power
    of Polynomial, and the last rate of Cosine as a share of the greatest.
    """

    name, about = "decay", "how far or how fast the rate falls"

    def lack(self, recipe: Recipe) -> str | None:
        """Returns why a recipe has no such hyper-parameter, as a clause; `None` if it has it."""
        schedule = _falling(recipe.schedule.value)
        if isinstance(schedule, Constant) or (
            isinstance(schedule, Piecewise) and schedule.rates[0] == schedule.rates[-1]
        ):
            return "its learning rate does not fall"
        return None

    def own(self, recipe: Recipe) -> float:
        """Returns the recipe's own value."""
        return float(_fall(_falling(recipe.schedule.value)))

    def domain(self, recipe: Recipe) -> Domain:
        """Returns the values to try where the user names none."""
        schedule, own = _falling(recipe.schedule.value), self.own(recipe)
        if isinstance(schedule, Cosine):
            return Range(0.0, 0.2)
        if isinstance(schedule, Polynomial):
            return around(own, 4, otherwise=1.0)
        # A third of the falls, and three times as many.
        low, high = sorted((own**3, own ** (1 / 3)))
        return Range(rounded(low), rounded(high), "log")

    def change(self, recipe: Recipe, value: float) -> Recipe:
        """Returns the recipe with another value."""
        old = recipe.schedule
        schedule = _with_fall(_falling(old.value), value)
        if isinstance(old.value, Warmup):
            schedule = dataclasses.replace(old.value, then=schedule)
        return recipe.replace(schedule=tuned(old, schedule, f"decay={value:g}"))


def greatest_rate(schedule: Schedule) -> float:
    """Returns the greatest learning rate of a schedule."""
    match schedule:
        case Piecewise():
            return float(max(schedule.rates))
        case Cosine():
            return float(schedule.rate)
        case Warmup():
            return max(float(schedule.rate), greatest_rate(schedule.then))
    return float(schedule.initial)


def _falling(schedule: Schedule) -> Schedule:
    """The part of a schedule that falls."""
    return schedule.then if isinstance(schedule, Warmup) else schedule


def _fall(schedule: Schedule) -> float:
    match schedule:
        case Exponential():
            return schedule.rate
        case Plateau():
            return schedule.factor
        case Polynomial():
            return schedule.power
        case Cosine():
            return schedule.final / schedule.rate
    return (schedule.rates[-1] / schedule.rates[0]) ** (1 / (len(schedule.rates) - 1))


def _with_fall(schedule: Schedule, value: float) -> Schedule:
    match schedule:
        case Exponential():
            return dataclasses.replace(schedule, rate=value)
        case Plateau():
            return dataclasses.replace(schedule, factor=value)
        case Polynomial():
            return dataclasses.replace(schedule, power=value)
        case Cosine():
            return dataclasses.replace(schedule, final=value * schedule.rate)
    check_number("The factor of a fall", value, above=0)
    # Falls of different depths keep the ratios of their logarithms.
    first, power = schedule.rates[0], math.log(value) / math.log(_fall(schedule))
    return dataclasses.replace(
        schedule, rates=tuple(first * (rate / first) ** power for rate in schedule.rates)
    )
