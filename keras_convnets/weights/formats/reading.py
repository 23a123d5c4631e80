"""One way for all formats to say that a file is not what it should be."""

import contextlib
import os
from collections.abc import Iterator

from keras_convnets.errors import InputError, reason_of


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
        raise InputError(
            f"{os.fspath(path)!r} is not a whole {what}: {reason_of(error)}"
        ) from error
