"""One process at a time in a folder."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from keras_convnets.errors import InputError

try:
    import fcntl
except ImportError:  # on Windows, where nothing keeps two processes apart
    fcntl = None

FILE = ".lock"


@contextlib.contextmanager
def locked(folder: str | os.PathLike) -> Iterator[None]:
    """Keeps other processes out of a folder; the system lets go of it when a process dies.

    Args:
        folder: made if it is not there.

    Raises:
        InputError: if another process works in it.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / FILE).open("a") as file:
        if fcntl is not None:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise InputError(
                    f"Another process works in the folder {str(folder)!r}; wait for its end, or "
                    "choose another `--out`."
                ) from error
        yield
