"""Lengths and learning rates, in the units that the papers use; converted to steps once."""

import dataclasses

import keras
import numpy as np

from keras_convnets.errors import InputError, check_number


@dataclasses.dataclass(frozen=True)
class Epochs:
    """A length in passes over the training images."""

    count: float

    def __post_init__(self):
        check_number("A count of Epochs", self.count, above=0)

    def steps(self, steps_per_epoch: int, batch_size: int) -> int:
        """Returns the length in steps, at least one."""
        return max(1, round(self.count * steps_per_epoch))


@dataclasses.dataclass(frozen=True)
class Samples:
    """A length in training images."""

    count: int

    def __post_init__(self):
        check_number("A count of Samples", self.count, least=1, whole=True)

    def steps(self, steps_per_epoch: int, batch_size: int) -> int:
        """Returns the length in steps, at least one."""
        return max(1, round(self.count / batch_size))


@dataclasses.dataclass(frozen=True)
class Steps:
    """A length in updates of the weights."""

    count: int

    def __post_init__(self):
        check_number("A count of Steps", self.count, least=1, whole=True)

    def steps(self, steps_per_epoch: int, batch_size: int) -> int:
        """Returns the length in steps, at least one."""
        return self.count


Length = Epochs | Samples | Steps


def _check_length(owner: str, length: object) -> None:
    if not isinstance(length, Length):
        raise InputError(f"{owner} should be Epochs, Samples or Steps. Received: {length!r}")


@dataclasses.dataclass(frozen=True)
class Constant:
    """One learning rate for the whole run."""

    initial: float

    def __post_init__(self):
        check_number("A learning rate", self.initial, above=0)

    def scaled(self, factor: float) -> "Constant":
        """Returns the schedule with every rate multiplied."""
        return Constant(self.initial * factor)

    def build(self, steps_per_epoch: int, batch_size: int):
        """Returns a Keras schedule or number."""
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
        _check_length("Exponential(every=...)", self.every)

    def scaled(self, factor: float) -> "Exponential":
        """Returns the schedule with every rate multiplied."""
        return dataclasses.replace(self, initial=self.initial * factor)

    def build(self, steps_per_epoch: int, batch_size: int):
        """Returns a Keras schedule or number."""
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
            _check_length("A stretch of Piecewise", stretch)
        if len(self.rates) != len(self.stretches) + 1:
            raise InputError(
                "Piecewise wants one rate more than stretches. "
                f"Received: {len(self.rates)} rates and {len(self.stretches)} stretches"
            )

    def scaled(self, factor: float) -> "Piecewise":
        """Returns the schedule with every rate multiplied."""
        return dataclasses.replace(self, rates=tuple(rate * factor for rate in self.rates))

    def build(self, steps_per_epoch: int, batch_size: int):
        """Returns a Keras schedule or number."""
        lengths = [stretch.steps(steps_per_epoch, batch_size) for stretch in self.stretches]
        # Keras keeps the old rate at a boundary itself: step k is the (k + 1)-th update.
        boundaries = [int(end) - 1 for end in np.cumsum(lengths)]
        return keras.optimizers.schedules.PiecewiseConstantDecay(boundaries, list(self.rates))


Schedule = Constant | Exponential | Piecewise
