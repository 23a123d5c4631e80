"""Room for Keras to walk through graphs of thousands of layers, which it does by recursion."""

import contextlib
import sys
import threading
from collections.abc import Iterator

# Frames; ResNet-1202 needs 4,000, and a ResNeXt-101 of single paths about as many.
DEEP = 20_000

_lock = threading.Lock()
_users = 0
_before = 0


@contextlib.contextmanager
def deep_graphs() -> Iterator[None]:
    """Raises Python's recursion limit while a graph is built, loaded or copied.

    The limit is the interpreter's, so that the last one of several threads lowers it again.
    """
    global _users, _before
    with _lock:
        if _users == 0:
            _before = sys.getrecursionlimit()
            sys.setrecursionlimit(max(_before, DEEP))
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                sys.setrecursionlimit(_before)
