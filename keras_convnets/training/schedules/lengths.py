"""Lengths in the units that the papers use."""

import dataclasses

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


def check_length(owner: str, length: object) -> None:
    """Makes sure that something is a length.

    Raises:
        InputError: if it is not; the message calls it `owner`.
    """
    if not isinstance(length, Length):
        raise InputError(f"{owner} should be Epochs, Samples or Steps. Received: {length!r}")
