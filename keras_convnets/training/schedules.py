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
        _check_length("Exponential(every=...)", self.every)

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
            _check_length("A stretch of Piecewise", stretch)
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
    warmup: Length | None = Epochs(1)
    final: float = 0.0

    def __post_init__(self):
        check_number("The rate of Cosine", self.rate, above=0)
        check_number("The final rate of Cosine", self.final, least=0, most=self.rate)
        if self.warmup is not None:
            _check_length("The warm-up of Cosine", self.warmup)

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


Schedule = Constant | Cosine | Exponential | Piecewise
