"""Learning rates that depend on the position in the run alone; converted to steps once."""

import dataclasses

import keras
import numpy as np

from keras_convnets.errors import InputError, check_number
from keras_convnets.training.schedules.lengths import Epochs, Length, check_length

_AN_EPOCH = Epochs(1)


@dataclasses.dataclass(frozen=True)
class Constant:
    """One learning rate for the whole run."""

    initial: float

    def __post_init__(self):
        check_number("A learning rate", self.initial, above=0)

    def scaled(self, factor: float) -> "Constant":
        """Returns the schedule with every rate multiplied."""
        return Constant(self.initial * factor)

    def build(self, steps_per_epoch: int, batch_size: int, steps: int):
        """Returns a Keras schedule or number for a stretch of training of so many steps."""
        return self.initial


@dataclasses.dataclass(frozen=True)
class Exponential:
    """`initial`, multiplied by `rate` after every `every`, in stairs."""

    initial: float
    rate: float
    every: Length

    def __post_init__(self):
        check_number("A learning rate", self.initial, above=0)
        check_number("The factor of Exponential", self.rate, above=0)
        check_length("Exponential(every=...)", self.every)

    def scaled(self, factor: float) -> "Exponential":
        """Returns the schedule with every rate multiplied."""
        return dataclasses.replace(self, initial=self.initial * factor)

    def build(self, steps_per_epoch: int, batch_size: int, steps: int):
        """Returns a Keras schedule or number for a stretch of training of so many steps."""
        return keras.optimizers.schedules.ExponentialDecay(
            self.initial,
            decay_steps=self.every.steps(steps_per_epoch, batch_size),
            decay_rate=self.rate,
            staircase=True,
        )


@dataclasses.dataclass(frozen=True)
class Piecewise:
    """A rate for each of several stretches, and one for the rest.

    Attributes:
        rates: the learning rates, one more than `stretches`.
        stretches: the length of each stretch but the last.
    """

    rates: tuple[float, ...]
    stretches: tuple[Length, ...]

    def __post_init__(self):
        for rate in self.rates:
            check_number("A learning rate", rate, above=0)
        for stretch in self.stretches:
            check_length("A stretch of Piecewise", stretch)
        if len(self.rates) != len(self.stretches) + 1:
            raise InputError(
                "Piecewise wants one rate more than stretches. "
                f"Received: {len(self.rates)} rates and {len(self.stretches)} stretches"
            )

    def scaled(self, factor: float) -> "Piecewise":
        """Returns the schedule with every rate multiplied."""
        return dataclasses.replace(self, rates=tuple(rate * factor for rate in self.rates))

    def build(self, steps_per_epoch: int, batch_size: int, steps: int):
        """Returns a Keras schedule or number for a stretch of training of so many steps."""
        lengths = [stretch.steps(steps_per_epoch, batch_size) for stretch in self.stretches]
        # Keras keeps the old rate at a boundary itself: step k is the (k + 1)-th update.
        boundaries = [int(end) - 1 for end in np.cumsum(lengths)]
        return keras.optimizers.schedules.PiecewiseConstantDecay(boundaries, list(self.rates))


@dataclasses.dataclass(frozen=True)
class Cosine:
    """Half a period of the cosine, after a linear warm-up.

    With W steps of warm-up and D steps after it, the k-th update from 0 has the rate
    `rate * k / W` in the warm-up, and then
    `final + (rate - final) * (1 + cos(pi * (k - W) / D)) / 2`
    (Loshchilov and Hutter, arXiv 1608.03983, equation 5, without restarts).

    Attributes:
        rate: the greatest learning rate.
        warmup: how long the rate rises from 0; `None` for no warm-up. A run that is no longer than
            that ends within it.
        final: the learning rate at the end.
    """

    rate: float
    warmup: Length | None = _AN_EPOCH
    final: float = 0.0

    def __post_init__(self):
        check_number("The rate of Cosine", self.rate, above=0)
        check_number("The final rate of Cosine", self.final, least=0, most=self.rate)
        if self.warmup is not None:
            check_length("The warm-up of Cosine", self.warmup)

    def scaled(self, factor: float) -> "Cosine":
        """Returns the schedule with every rate multiplied."""
        return dataclasses.replace(self, rate=self.rate * factor, final=self.final * factor)

    def build(self, steps_per_epoch: int, batch_size: int, steps: int):
        """Returns a Keras schedule or number for a stretch of training of so many steps."""
        warmup = self.warmup.steps(steps_per_epoch, batch_size) if self.warmup else 0
        return keras.optimizers.schedules.CosineDecay(
            0.0 if warmup else self.rate,
            decay_steps=max(1, steps - warmup),
            alpha=self.final / self.rate,
            warmup_target=self.rate if warmup else None,
            warmup_steps=warmup,
        )


@dataclasses.dataclass(frozen=True)
class Polynomial:
    """A power of the share of the run that is left.

    The k-th of K updates from 0 has the rate `final + (initial - final) * (1 - k / K) ** power`:
    the rule "poly" of Caffe (BVLC/caffe src/caffe/solvers/sgd_solver.cpp).

    Attributes:
        initial: the learning rate of the first update.
        power: above 0; 1 is a straight line.
        final: the learning rate at the end.
    """

    initial: float
    power: float
    final: float = 0.0

    def __post_init__(self):
        check_number("A learning rate", self.initial, above=0)
        check_number("The power of Polynomial", self.power, above=0)
        check_number("The final rate of Polynomial", self.final, least=0, most=self.initial)

    def scaled(self, factor: float) -> "Polynomial":
        """Returns the schedule with every rate multiplied."""
        return dataclasses.replace(self, initial=self.initial * factor, final=self.final * factor)

    def build(self, steps_per_epoch: int, batch_size: int, steps: int):
        """Returns a Keras schedule or number for a stretch of training of so many steps."""
        return keras.optimizers.schedules.PolynomialDecay(
            self.initial, decay_steps=steps, end_learning_rate=self.final, power=self.power
        )


Planned = Constant | Cosine | Exponential | Piecewise | Polynomial
