"""`.safetensors` files: a header in JSON, then the numbers."""

import os
from collections.abc import Callable

import numpy as np
import safetensors

from keras_convnets.weights.formats.reading import reading
from keras_convnets.weights.tensors import Stored

_KIND = ".safetensors file"


def read(path: str | os.PathLike) -> dict[str, Stored]:
    """Returns the tensors of a file by name; the numbers are read later.

    Raises:
        InputError: if it is no such file, or is damaged.
    """
    with reading(path, _KIND), safetensors.safe_open(path, "numpy") as file:
        shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118 - not a dict

    def reader(name: str) -> Callable[[], np.ndarray]:
        def read_one() -> np.ndarray:
            with reading(path, _KIND), safetensors.safe_open(path, "numpy") as file:
                return file.get_tensor(name)

        return read_one

    return {name: Stored(shape, reader(name)) for name, shape in shapes.items()}
