"""Learning rates that depend on what the run has reached; they change at the ends of epochs."""

import dataclasses
from collections.abc import Callable, Sequence

import keras
from keras import ops

from keras_convnets.errors import InputError, check_choice, check_number
from keras_convnets.training.schedules.lengths import Epochs, Length, check_length
from keras_convnets.training.schedules.planned import Planned

_FIVE_EPOCHS = Epochs(5)

Rows = Sequence[dict[str, float]]

# The columns of history.csv that a schedule may watch, and whether less is better.
WATCHED = {"val_top1": False, "val_loss": True, "top1": False, "loss": True}


class Watching(keras.optimizers.schedules.LearningRateSchedule):
    """One of several rates or Keras schedules, as the epochs so far choose.

    Which one follows from the rows of history.csv alone, so that a resumed run finds it again.

    Args:
        choices: the rates, or Keras schedules.
        choose: a function from the rows of the stretch so far to the index of one of them.
    """

    def __init__(self, choices: Sequence, choose: Callable[[Rows], int]):
        super().__init__()
        self._choices = tuple(choices)
        self._choose = choose
        self._index = keras.Variable(0, dtype="int32", trainable=False, name="chosen_rate")

    def __call__(self, step):
        rates = [choice(step) if callable(choice) else choice for choice in self._choices]
        return ops.take(ops.stack([ops.convert_to_tensor(rate) for rate in rates]), self._index)

    def observe(self, rows: Rows) -> bool:
        """Chooses anew.

        Args:
            rows: of the epochs so far of the stretch of training.

        Returns:
            Whether the choice changed.
        """
        index = self._choose(rows)
        is_other = index != int(ops.convert_to_numpy(self._index))
        self._index.assign(index)
        return is_other


@dataclasses.dataclass(frozen=True)
class Plateau:
    """A rate that is multiplied by a factor where a figure of the epochs stalls.

    It stalls where `patience` goes by without a new best, or since the last fall if that came
    later. The papers divide by 10 when the validation error stops improving (AlexNet: section 5;
    VGG: section 3.1; ResNet: section 3.4).

    Attributes:
        initial: the first learning rate.
        factor: in (0, 1).
        patience: how long without a new best, seen at the ends of epochs.
        watch: a column of history.csv: "val_top1", "val_loss", "top1" or "loss".
        falls: how often the rate falls at most.
    """

    initial: float
    factor: float = 0.1
    patience: Length = _FIVE_EPOCHS
    watch: str = "val_top1"
    falls: int = 3

    def __post_init__(self):
        check_number("A learning rate", self.initial, above=0)
        check_number("The factor of Plateau", self.factor, above=0, below=1)
        check_length("The patience of Plateau", self.patience)
        check_choice("watch", self.watch, WATCHED)
        check_number("The falls of Plateau", self.falls, least=1, whole=True)

    def scaled(self, factor: float) -> "Plateau":
        """Returns the schedule with every rate multiplied."""
        return dataclasses.replace(self, initial=self.initial * factor)

    def build(self, steps_per_epoch: int, batch_size: int, steps: int):
        """Returns a Keras schedule for a stretch of training of so many steps."""
        patience = self.patience.steps(steps_per_epoch, batch_size)
        rates = [self.initial * self.factor**falls for falls in range(self.falls + 1)]
        return Watching(rates, lambda rows: self._count_falls(rows, patience))

    def _count_falls(self, rows: Rows, patience: int) -> int:
        sign = 1 if WATCHED[self.watch] else -1
        best, since, falls = float("inf"), 0, 0
        for row in rows:
            figure = sign * row[self.watch]
            if figure < best:
                best, since = figure, row["step"]
            elif row["step"] - since >= patience and falls < self.falls:
                falls, since = falls + 1, row["step"]
        return falls


@dataclasses.dataclass(frozen=True)
class Warmup:
    """A small rate until the training error of an epoch is below a bound, then another schedule.

    The 110-layer ResNet for CIFAR-10 starts so: 0.01 until the training error is below 80 %, in
    about 400 iterations, which is an epoch (He et al., arXiv 1512.03385, section 4.2).

    Attributes:
        rate: the learning rate of the warm-up.
        error: the top-1 error, in (0, 1), below which the warm-up ends; that of an epoch's training
            images as they were met.
        then: the schedule behind it; its own lengths count from the beginning of the run.
    """

    rate: float
    error: float
    then: Planned

    def __post_init__(self):
        check_number("The rate of Warmup", self.rate, above=0)
        check_number("The error of Warmup", self.error, above=0, below=1)
        if not isinstance(self.then, Planned):
            allowed = ", ".join(kind.__name__ for kind in Planned.__args__)
            raise InputError(
                f"What comes behind Warmup should be one of {allowed}. Received: {self.then!r}"
            )

    def scaled(self, factor: float) -> "Warmup":
        """Returns the schedule with every rate multiplied."""
        return dataclasses.replace(self, rate=self.rate * factor, then=self.then.scaled(factor))

    def build(self, steps_per_epoch: int, batch_size: int, steps: int):
        """Returns a Keras schedule for a stretch of training of so many steps."""
        then = self.then.build(steps_per_epoch, batch_size, steps)
        return Watching(
            [self.rate, then], lambda rows: any(1 - row["top1"] < self.error for row in rows)
        )
