"""What libraries write to the terminal and no user can act upon, kept out of it."""

import contextlib
import functools
import os
import sys
import tempfile
import warnings
from collections.abc import Callable
from typing import Any

import rich.console


def with_quiet_tensorflow(verb: Callable[..., None]) -> Callable[..., None]:
    """Returns a verb that imports TensorFlow quietly before it starts, and not for its help."""

    @functools.wraps(verb)
    def run(*args: Any, **kwargs: Any) -> None:
        _import_tensorflow()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what libraries tell developers
            warnings.simplefilter("default", UserWarning)
            # Pillow warns at half of the size that it refuses, which is then named in a sentence.
            warnings.filterwarnings("ignore", "Image size .* could be decompression bomb")
            warnings.showwarning = _note
            verb(*args, **kwargs)

    return run


def _note(message: Warning | str, *_: Any, **__: Any) -> None:
    """Prints a warning as a sentence, without the place in the code that it comes from."""
    rich.console.Console(stderr=True).print(
        f"note: {message}", style="yellow", markup=False, highlight=False, soft_wrap=True
    )


def _import_tensorflow() -> None:
    """Imports TensorFlow, and shows what it writes to stderr only if that fails.

    It writes notes on oneDNN and CUDA before its own log level holds, whatever that is set to.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with tempfile.TemporaryFile() as notes:
        try:
            with _stderr_into(notes.fileno()):
                import tensorflow  # noqa: F401 - imported for what it writes
        except BaseException:
            notes.seek(0)
            sys.stderr.write(notes.read().decode(errors="replace"))
            raise


@contextlib.contextmanager
def _stderr_into(descriptor: int):
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        os.dup2(descriptor, 2)
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)
