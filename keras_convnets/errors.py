"""The errors that a user can mend; on the command line each is a sentence and an exit code."""

import difflib
from collections.abc import Iterable


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


class StoppedError(RuntimeError):
    """The run was asked to stop; its state is saved and `train --resume` goes on from it."""


def nearest(word: str, allowed: Iterable[str], limit: int = 3) -> str:
    """Returns the allowed words that look most like `word`, as a phrase for an error message."""
    allowed = sorted(allowed)
    lowered = {name.lower(): name for name in allowed}
    close = difflib.get_close_matches(word.lower(), lowered, n=limit, cutoff=0.5)
    names = [lowered[name] for name in close] or allowed
    return ", ".join(names)
