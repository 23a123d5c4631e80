"""Files that are either whole or not there."""

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from keras_convnets.errors import InputError


@contextlib.contextmanager
def replacing(path: str | os.PathLike) -> Iterator[Path]:
    """Gives a temporary path of the same suffix; what is written there becomes `path` at the end.

    Nothing is left if the block raises, and a kill at any moment leaves the old file whole.
    """
    path = Path(path)
    temporary = path.with_name(f".{os.getpid()}.partial.{path.name}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: str | os.PathLike, text: str) -> None:
    """Writes a text file whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: str | os.PathLike, value: Any) -> None:
    """Writes a JSON file whole or not at all."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def read_json(path: str | os.PathLike) -> Any:
    """Reads a JSON file.

    Raises:
        InputError: if there is no such file or it is no JSON.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"There is no file {str(path)!r}.") from error
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"The file {str(path)!r} can't be read as JSON: {error}.") from error


def check_writable(folder: str | os.PathLike) -> None:
    """Makes sure that a folder can be made, or written into, before work starts.

    Raises:
        InputError: if it can't; the message gives the reason.
    """
    existing = Path(folder).absolute()
    while not existing.exists():
        existing = existing.parent
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"The folder {str(folder)!r} can't be written to: {reason}.") from error


def check_space(folder: str | os.PathLike, need: int, what: str) -> None:
    """Makes sure that the disk below a folder has room.

    Args:
        folder: where the files will be.
        need: their size in bytes.
        what: what they are, as the message shall call them.

    Raises:
        InputError: if it has less.
    """
    free = shutil.disk_usage(folder).free
    if free < need:
        raise InputError(
            f"The disk of {str(folder)!r} needs {need / 1e6:,.1f} MB free for {what}. "
            f"Received: {free / 1e6:,.1f} MB"
        )
