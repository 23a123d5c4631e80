"""The idx files of MNIST and of the sets made like it."""

import gzip
import os
import struct
from pathlib import Path

import numpy as np

from keras_convnets.errors import InputError

_DTYPES = {8: np.uint8, 9: np.int8, 11: np.int16, 12: np.int32, 13: np.float32, 14: np.float64}


def read_idx(path: str | os.PathLike) -> np.ndarray:
    """Reads one idx file, plain or gzipped.

    Args:
        path: the file, for instance `train-images-idx3-ubyte.gz`.

    Returns:
        An array of the shape and type that the file's header states, in native byte order.

    Raises:
        InputError: if the file is no idx file or is cut short.
    """
    path = Path(path)
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            content = file.read()
    except (OSError, EOFError) as error:
        raise InputError(f"The idx file {str(path)!r} can't be read: {error}.") from error
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in _DTYPES:
        raise InputError(f"{str(path)!r} is not an idx file: its first bytes are {content[:4]!r}.")
    dtype, rank = np.dtype(_DTYPES[content[2]]), content[3]
    start = 4 + 4 * rank
    shape = struct.unpack(f">{rank}I", content[4:start]) if len(content) >= start else ()
    expected = start + int(np.prod(shape)) * dtype.itemsize
    if len(content) != expected:
        raise InputError(
            f"The idx file {str(path)!r} should have {expected} bytes. Received: {len(content)}"
        )
    return (
        np.frombuffer(content, dtype.newbyteorder(">"), offset=start).reshape(shape).astype(dtype)
    )


def read_idx_folder(folder: str | os.PathLike) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Reads the four idx files of a set made like MNIST.

    Args:
        folder: holds `{train,t10k}-{images-idx3,labels-idx1}-ubyte`, plain or with `.gz`.

    Returns:
        {"train": (images, labels), "test": ...}; images (n, 28, 28) uint8, labels (n,) uint8.
    """
    pairs = {}
    for split, prefix in (("train", "train"), ("test", "t10k")):
        images = read_idx(_find(folder, f"{prefix}-images-idx3-ubyte"))
        labels = read_idx(_find(folder, f"{prefix}-labels-idx1-ubyte"))
        if len(images) != len(labels):
            raise InputError(
                f"The {split} set in {str(folder)!r} has {len(images)} images "
                f"and {len(labels)} labels."
            )
        pairs[split] = (images, labels)
    return pairs


def _find(folder: str | os.PathLike, name: str) -> Path:
    for candidate in (Path(folder, name), Path(folder, f"{name}.gz")):
        if candidate.is_file():
            return candidate
    raise InputError(f"There is no {name} or {name}.gz in {str(folder)!r}.")
