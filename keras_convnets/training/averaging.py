"""Averages of the weights over the steps, which evaluation may use in place of the last ones."""

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Sequence

import keras
from keras import ops

from keras_convnets.errors import check_number
from keras_convnets.training.schedules import Length, check_length

# How much the newest weights count in the average, behind so many updates before.
Share = Callable[[keras.KerasTensor], keras.KerasTensor]


@dataclasses.dataclass(frozen=True)
class MovingAverage:
    """The exponential moving average: a <- d * a + (1 - d) * w behind each update.

    Without a ramp a starts as the weights behind the first update, and d is `decay`. With a ramp it
    starts as the weights before that, and d is min(decay, (1 + n) / (10 + n)) where n updates came
    before: what TensorFlow's ExponentialMovingAverage does where it is told the step, as in the
    trainer of Inception-v3 (tensorflow/models research/inception/inception/inception_train.py).

    Attributes:
        decay: in (0, 1).
        ramp: whether d rises, so that the first weights are forgotten sooner.
    """

    decay: float = 0.9999
    ramp: bool = True

    def __post_init__(self):
        check_number("The decay of MovingAverage", self.decay, above=0, below=1)

    def build(self, steps_per_epoch: int, batch_size: int, first_step: int) -> Share:
        """Returns how much the newest weights count, in training from a step of the run on."""
        least = 1 - self.decay

        def share(updates):
            updates = ops.cast(updates, keras.backend.floatx())
            if self.ramp:
                return ops.maximum(least, 9 / (10 + updates))
            return ops.where(ops.equal(updates, 0), ops.ones_like(updates), least)

        return share


@dataclasses.dataclass(frozen=True)
class PolyakMean:
    """The mean of the weights behind each update since `start`, which all count alike.

    Until then the average is the weights themselves (Polyak and Juditsky 1992, SIAM Journal on
    Control and Optimization 30, 838-855).

    Attributes:
        start: the part of the run that is left out; `None` for the mean since the first update.
    """

    start: Length | None = None

    def __post_init__(self):
        if self.start is not None:
            check_length("The start of PolyakMean", self.start)

    def build(self, steps_per_epoch: int, batch_size: int, first_step: int) -> Share:
        """Returns how much the newest weights count, in training from a step of the run on."""
        start = self.start.steps(steps_per_epoch, batch_size) - first_step if self.start else 0

        def share(updates):
            counted = ops.cast(updates, keras.backend.floatx()) - max(start, 0) + 1
            return 1 / ops.maximum(counted, 1)

        return share


Average = MovingAverage | PolyakMean


def average_of(ema: float | Average | None) -> Average | None:
    """Returns the average that a recipe's `ema` means: a number is a decay without a ramp."""
    return MovingAverage(ema, ramp=False) if isinstance(ema, int | float) else ema


def has_average(model: keras.Model) -> bool:
    """Whether a compiled model keeps an average of its weights."""
    return bool(averages_of(model.optimizer))


@contextlib.contextmanager
def averaged(model: keras.Model) -> Iterator[None]:
    """Puts the average of the weights into a compiled model, if it has one, for a while."""
    pairs = averages_of(model.optimizer)
    raw = [keras.ops.convert_to_numpy(variable) for _, variable in pairs]
    for average, variable in pairs:
        variable.assign(average)
    try:
        yield
    finally:
        for (_, variable), value in zip(pairs, raw, strict=True):
            variable.assign(value)


def averages_of(
    optimizer: keras.optimizers.Optimizer,
) -> Sequence[tuple[keras.Variable, keras.Variable]]:
    """Returns the average of each variable that an optimizer keeps one of, and the variable."""
    return getattr(optimizer, "inner_optimizer", optimizer).averages()
