"""The errors that a user can mend; on the command line each is a sentence and an exit code."""

import difflib
import math
import numbers
from collections.abc import Iterable
from typing import Any

# Of more names than these, the nearest are told however far they are.
_MANY = 20


class InputError(ValueError):
    """Something the user gave can't be used.

    The message is one sentence: what is wrong, where, what is allowed, and what was received.
    """


class DivergedError(RuntimeError):
    """A loss or a weight became NaN or infinite.

    Args:
        what: what did, as the start of a sentence.
        step: the step, counted from 1.
    """

    def __init__(self, what: str, step: int):
        super().__init__(
            f"{what} became NaN or infinite at step {step}; lower the learning rate "
            "(`--set schedule=...`), clip the gradient (`--set clip_norm=1`), or train without "
            "--mixed-precision."
        )


class UnreadableError(RuntimeError):
    """A run met an image that can't be read, and may not leave it out; its checkpoints stay."""


class StoppedError(RuntimeError):
    """The run was asked to stop; its state is saved and `train --resume` goes on from it."""


def check_number(
    owner: str,
    value: Any,
    *,
    least: float | None = None,
    above: float | None = None,
    most: float | None = None,
    below: float | None = None,
    whole: bool = False,
) -> None:
    """Makes sure that a value is a finite number in a range.

    Args:
        owner: what has the value, as the message shall call it.
        value: what was given.
        least: the least value that is allowed.
        above: what the value must be greater than.
        most: the greatest value that is allowed.
        below: what the value must be less than.
        whole: whether it must be an integer.

    Raises:
        InputError: if it is not.
    """
    kind = numbers.Integral if whole else numbers.Real
    is_good = (
        isinstance(value, kind)
        and not isinstance(value, bool)
        and (isinstance(value, numbers.Integral) or math.isfinite(value))
        and (least is None or value >= least)
        and (above is None or value > above)
        and (most is None or value <= most)
        and (below is None or value < below)
    )
    if not is_good:
        limits = (
            ("of at least", least),
            ("above", above),
            ("of at most", most),
            ("below", below),
        )
        range_ = " and ".join(f"{word} {limit:g}" for word, limit in limits if limit is not None)
        raise InputError(
            f"{owner} should be {'an integer' if whole else 'a number'} {range_}. "
            f"Received: {value!r}"
        )


def check_choice(option: str, value: Any, allowed: Iterable[Any]) -> None:
    """Makes sure that the value of an option is one of those allowed.

    Raises:
        InputError: if it is not.
    """
    allowed = tuple(allowed)
    if value not in allowed:
        choices = ", ".join(map(repr, allowed))
        raise InputError(f"`{option}` should be one of {choices}. Received: {option}={value!r}")


def reason_of(error: Exception) -> str:
    """Returns the first line of what a library's error says."""
    return (str(error).strip() or repr(error)).splitlines()[0]


def nearest(word: str, allowed: Iterable[str], limit: int = 3) -> str:
    """Returns the allowed words that look most like `word`, or all of them, as a phrase."""
    allowed = sorted(allowed)
    lowered = {name.lower(): name for name in allowed}
    close = difflib.get_close_matches(word.lower(), lowered, n=limit, cutoff=0.5)
    names = [lowered[name] for name in close] or allowed
    if len(names) > _MANY:
        close = difflib.get_close_matches(word.lower(), lowered, limit, cutoff=0)
        names = [lowered[name] for name in close]
    return ", ".join(names)
