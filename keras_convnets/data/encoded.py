"""Encoded images, wherever their bytes are: in files of their own, or in memory."""

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import tensorflow as tf

from keras_convnets.data.calls import call
from keras_convnets.errors import InputError

_AT_ONCE = 16  # images that are read by one step into Python
_READERS = 4  # such steps at a time; each holds its images in memory
_BYTES_AT_ONCE = 2**23  # behind as many a step reads no more images


class Encoded(Protocol):
    """Encoded images, any of which can be read at any time, by several threads at once."""

    def __len__(self) -> int: ...

    def read(self, index: int) -> bytes:
        """Returns the bytes of one image.

        Raises:
            InputError: if they can't be read.
        """

    def size(self, index: int) -> int:
        """Returns how many bytes an image has.

        Raises:
            InputError: if it is not there.
        """

    def name(self, index: int) -> str:
        """Returns what a message calls an image: its file, and where in it."""

    def take(self, indices: Sequence[int] | np.ndarray) -> "Encoded":
        """Returns those at these indices, in their order."""

    def identity(self) -> Iterator[bytes]:
        """Gives what tells these images from others, without reading them all."""


class Files:
    """Image files.

    Args:
        paths: of the files.
    """

    def __init__(self, paths: Sequence[Path]):
        self.paths = tuple(paths)

    def __len__(self) -> int:
        return len(self.paths)

    def read(self, index: int) -> bytes:
        with _naming(self.paths[index]):
            return self.paths[index].read_bytes()

    def size(self, index: int) -> int:
        with _naming(self.paths[index]):
            return self.paths[index].stat().st_size

    def name(self, index: int) -> str:
        return str(self.paths[index])

    def take(self, indices: Sequence[int] | np.ndarray) -> "Files":
        return Files([self.paths[i] for i in indices])

    def identity(self) -> Iterator[bytes]:
        for i, path in enumerate(self.paths):
            yield os.fsencode(f"{path.parent.name}/{path.name}")
            yield str(self.size(i)).encode()


class Blobs:
    """Encoded images in memory.

    Args:
        blobs: the bytes of each.
        names: what each is called.
    """

    def __init__(self, blobs: Sequence[bytes], names: Sequence[str]):
        self._blobs, self._names = tuple(blobs), tuple(names)

    def __len__(self) -> int:
        return len(self._blobs)

    def read(self, index: int) -> bytes:
        return self._blobs[index]

    def size(self, index: int) -> int:
        return len(self._blobs[index])

    def name(self, index: int) -> str:
        return self._names[index]

    def take(self, indices: Sequence[int] | np.ndarray) -> "Blobs":
        return Blobs([self._blobs[i] for i in indices], [self._names[i] for i in indices])

    def identity(self) -> Iterator[bytes]:
        for name, blob in zip(self._names, self._blobs, strict=True):
            yield name.encode()
            yield str(len(blob)).encode()


@contextlib.contextmanager
def _naming(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise InputError(f"There is no image file at {str(path)!r}.") from error
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"The image file {str(path)!r} can't be read: {reason}.") from error


def with_contents(encoded: Encoded, rows: tf.data.Dataset) -> tf.data.Dataset:
    """Reads the images of rows, some at a time and ahead of what decodes them.

    For each image a step from TensorFlow's graph into Python would take longer than to read it.

    Args:
        encoded: images.
        rows: a data set of (index () int64, ...).

    Returns:
        A data set of (content () string, index, ...). The content is empty of what can't be read,
        and of some images where they are large, for many would wait in memory: `decode_window`
        reads them, and fails where an image is wanted that it can't.
    """

    def read(index: int) -> bytes:
        try:
            return encoded.read(int(index))
        except InputError:
            return b""

    def read_some(indices: np.ndarray) -> np.ndarray:
        contents, count = np.full(len(indices), b"", object), 0
        for i, index in enumerate(indices):
            if count < _BYTES_AT_ONCE:
                contents[i] = read(index)
                count += len(contents[i])
        return contents

    def add(indices, *others):
        return tf.ensure_shape(call(read_some, [indices], tf.string), (None,)), indices, *others

    chunks = rows.batch(_AT_ONCE)
    return chunks.map(tf.autograph.experimental.do_not_convert(add), _READERS).unbatch()
