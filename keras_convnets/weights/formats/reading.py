"""One way for all formats to say that a file is not what it should be."""

import contextlib
import os
from collections.abc import Iterator

from keras_convnets.errors import InputError, reason_of

# Of what a library says: it may quote the file.
_LONGEST_REASON = 200


@contextlib.contextmanager
def reading(path: str | os.PathLike, what: str) -> Iterator[None]:
    """Turns whatever a reader finds wrong with a file into one sentence.

    Args:
        path: the file.
        what: what it should be, such as "HDF5 file".

    Raises:
        InputError: if the block raises anything.
    """
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # of damaged files each library has errors of its own
        reason = reason_of(error)[:_LONGEST_REASON]
        reason = reason if reason.isprintable() else repr(reason)
        raise InputError(f"{os.fspath(path)!r} is not a whole {what}: {reason}") from error


@contextlib.contextmanager
def naming(source: str) -> Iterator[None]:
    """Makes every error name the source of the weights, which not all who find errors know.

    Args:
        source: as messages call it.

    Raises:
        InputError: if the block raises one.
    """
    try:
        yield
    except InputError as error:
        if source in str(error):
            raise
        raise InputError(f"{source} can't be loaded: {error}") from error
