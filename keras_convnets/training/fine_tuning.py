"""What a recipe says of a run that starts from trained weights."""

import dataclasses
import math
from collections.abc import Sequence

from keras_convnets.errors import InputError, check_number
from keras_convnets.training.schedules import Epochs, Length, Schedule


@dataclasses.dataclass(frozen=True)
class HeadPhase:
    """The first part of a run, in which the head alone learns and the trunk stays as it was.

    Attributes:
        length: how much of the run it takes.
        schedule: the learning rate in it; that of the recipe begins behind it.
    """

    length: Length
    schedule: Schedule

    def __post_init__(self):
        for name, value, kind in (
            ("length", self.length, Length),
            ("schedule", self.schedule, Schedule),
        ):
            if not isinstance(value, kind):
                allowed = " or ".join(member.__name__ for member in kind.__args__)
                raise InputError(
                    f"The {name} of HeadPhase should be {allowed}. Received: {value!r}"
                )

    def scaled(self, factor: float) -> "HeadPhase":
        """Returns the phase with every rate multiplied."""
        return dataclasses.replace(self, schedule=self.schedule.scaled(factor))

    def within(self, old: Length, new: Length) -> "HeadPhase":
        """Returns the phase with its share of a run of another length.

        It gets a whole number of at least one, and leaves something to the rest of the run; of less
        than two epochs it gets half. It stays what it is where units differ, or where it was the
        whole run.
        """
        own = self.length
        if not type(own) is type(old) is type(new) or own.count >= old.count:
            return self
        count = max(1, min(round(own.count / old.count * new.count), math.ceil(new.count) - 1))
        if isinstance(new, Epochs) and new.count < 2:
            count = new.count / 2
        return dataclasses.replace(self, length=type(new)(count))


@dataclasses.dataclass(frozen=True)
class EarlyStop:
    """Ends a run whose validation loss falls no more, and keeps the weights of its best epoch.

    Attributes:
        patience: epochs in a row without a new least loss that end the run.
    """

    patience: int = 5

    def __post_init__(self):
        check_number("The patience of EarlyStop", self.patience, least=1, whole=True)

    def is_due(self, losses: Sequence[float], head_epochs: int) -> bool:
        """Whether the run ends here; it never does for what happened in the head phase.

        Args:
            losses: the validation loss of each epoch so far.
            head_epochs: epochs that belong to the head phase.
        """
        return bool(losses) and (
            len(losses) - max(best_epoch(losses) + 1, head_epochs) >= self.patience
        )


def best_epoch(losses: Sequence[float]) -> int:
    """Returns the epoch, from 0, of the least loss; of equal ones the first."""
    return losses.index(min(losses))
