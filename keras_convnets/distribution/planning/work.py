"""What is to be trained, in numbers."""

import dataclasses
import math

from keras_convnets.errors import check_choice, check_number

UNITS = ("epochs", "images", "updates")


@dataclasses.dataclass(frozen=True)
class Variable:
    """A variable of a net.

    Attributes:
        name: path in the net.
        shape: its shape.
        trainable: whether it has a gradient; the others are statistics of batch normalization.
        dense: whether it is the kernel of a dense layer, which can be split over servers.
    """

    name: str
    shape: tuple[int, ...]
    trainable: bool = True
    dense: bool = False

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return math.prod(self.shape)


@dataclasses.dataclass(frozen=True)
class Work:
    """A net and its training.

    Attributes:
        name: what the tables call it.
        macs: multiply-adds of one image, forward.
        variables: of the net, in the order in which they are made.
        activations: numbers that one image leaves for the backward pass.
        slots: numbers that the optimizer keeps for each one that learns.
        is_averaged: whether an average of all variables is kept, too.
        is_async: whether each worker updates by itself.
        batch_size: images of an update: over all workers if they are synchronous.
        length: of the whole training, in `unit`.
        unit: "epochs", "images" or "updates".
    """

    name: str
    macs: int
    variables: tuple[Variable, ...]
    activations: int
    slots: int
    is_averaged: bool
    is_async: bool
    batch_size: int
    length: float
    unit: str

    def __post_init__(self):
        for name in ("macs", "activations", "slots"):
            check_number(f"`{name}` of Work", getattr(self, name), least=0, whole=True)
        check_number("`batch_size` of Work", self.batch_size, least=1, whole=True)
        check_number("`length` of Work", self.length, above=0)
        check_choice("unit", self.unit, UNITS)

    @property
    def trainable(self) -> int:
        """Numbers that learn."""
        return sum(variable.size for variable in self.variables if variable.trainable)

    @property
    def total(self) -> int:
        """These and the statistics."""
        return sum(variable.size for variable in self.variables)

    def kept(self, variable: Variable) -> int:
        """Returns how many numbers the optimizer keeps for a variable."""
        slots = self.slots if variable.trainable else 0
        return (slots + self.is_averaged) * variable.size
