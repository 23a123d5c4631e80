"""`.safetensors` files: a header in JSON, then the numbers."""

import json
import os
from collections.abc import Callable
from typing import Any

import numpy as np
import safetensors

from keras_convnets.weights.formats.reading import reading
from keras_convnets.weights.tensors import Stored

_KIND = ".safetensors file"
# Bytes; that of a deep net has some 100,000.
_LONGEST_HEADER = 2**23
_FLOATS = ("BF16", "F16", "F32", "F64")


def read(path: str | os.PathLike) -> dict[str, Stored]:
    """Returns the tensors of a file by name; the numbers are read later.

    Raises:
        InputError: if it is no such file, or is damaged.
    """
    with reading(path, _KIND):
        _check_header(path)
        file = safetensors.safe_open(path, "numpy")
        shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118 - not a dict

    def reader(name: str) -> Callable[[], np.ndarray]:
        def read_one() -> np.ndarray:
            with reading(path, _KIND):
                dtype = file.get_slice(name).get_dtype()
                if dtype not in _FLOATS:
                    raise ValueError(
                        f"weights should be {', '.join(_FLOATS)}. Received: {dtype} for {name!r}"
                    )
                return file.get_tensor(name)

        return read_one

    return {name: Stored(shape, reader(name)) for name, shape in shapes.items()}


def _check_header(path: str | os.PathLike) -> None:
    """Makes sure of what the library takes as it comes: the header's length, and its names."""
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > _LONGEST_HEADER:
            raise ValueError(f"its header may have {_LONGEST_HEADER:,} bytes. Received: {length:,}")
        json.loads(file.read(length), object_pairs_hook=_distinct)


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("its header has a name twice")
    return found
