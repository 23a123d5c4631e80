"""Values that know where they come from."""

import dataclasses
from typing import Generic, Literal, TypeVar

from keras_convnets.errors import InputError

T = TypeVar("T")

KINDS = {"paper": "paper", "code": "public code", "choice": "our choice"}


@dataclasses.dataclass(frozen=True)
class Sourced(Generic[T]):
    """A value and its source.

    Attributes:
        value: the value.
        kind: "paper", "code" or "choice".
        source: section or table of the paper, repository and path of the code, or our reason.
    """

    value: T
    kind: Literal["paper", "code", "choice"]
    source: str

    def __post_init__(self):
        if self.kind not in KINDS or not isinstance(self.source, str):
            raise InputError(
                f"A source is one of {', '.join(KINDS)} and a text. "
                f"Received: {self.kind!r}, {self.source!r}"
            )


def P(value: T, section: str) -> Sourced[T]:
    """A value that the paper prints, with the section, table or figure."""
    return Sourced(value, "paper", section)


def C(value: T, path: str) -> Sourced[T]:
    """A value read in public code, with the repository and path."""
    return Sourced(value, "code", path)


def choice(value: T, reason: str) -> Sourced[T]:
    """A value of ours, where the paper is silent or the run is another, with the reason."""
    return Sourced(value, "choice", reason)
