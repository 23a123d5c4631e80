"""The numbers of HDF5 datasets: in one piece, or in chunks that may be compressed."""

import dataclasses
import math
import zlib

import numpy as np

from keras_convnets.weights.formats.hdf5_links import tree_entries
from keras_convnets.weights.formats.hdf5_messages import Layout
from keras_convnets.weights.formats.hdf5_parts import Fields, Parts

_DEFLATE, _SHUFFLE = 1, 2
# Weights hardly get smaller by compression; what unpacks to far more is a trap.
_EXPANSION = 20


@dataclasses.dataclass(frozen=True)
class Numbers:
    """The numbers of a dataset.

    Attributes:
        shape: of the array.
        dtype: of the numbers in the file.
        layout: where they are.
        filters: that changed the chunks, in the order of their use.
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    layout: Layout
    filters: tuple[int, ...] = ()

    def check(self, parts: Parts) -> None:
        """Makes sure that the file can have them, before one is read.

        Raises:
            ValueError: if it can't.
        """
        layout = self.layout
        need = self._size(self.shape)
        if layout.content is not None:
            have = len(layout.content)
        elif layout.chunk is None:
            have = min(layout.size, max(0, parts.size - layout.address))
        else:
            have = _EXPANSION * parts.size if self.filters else parts.size
            if len(layout.chunk) != len(self.shape) or not all(layout.chunk):
                raise ValueError("chunks in it have a shape that their dataset can't have")
            need = max(need, self._size(layout.chunk))
            unknown = set(self.filters) - {_DEFLATE, _SHUFFLE}
            if unknown:
                raise ValueError(f"numbers in it went through an unknown filter {min(unknown)}")
        if need > have:
            raise ValueError(f"numbers in it should have {need:,} bytes. Received: {have:,}")

    def read(self, parts: Parts) -> np.ndarray:
        """Reads them.

        Raises:
            ValueError: if they are not all there.
        """
        if self.layout.chunk is not None:
            array = self._read_chunks(parts, self.layout.chunk)
        else:
            size = self._size(self.shape)
            data = self.layout.content or parts.at(self.layout.address, size)
            array = np.frombuffer(data[:size], self.dtype).reshape(self.shape)
        return array.astype(self.dtype.newbyteorder("="), copy=False)

    def _size(self, shape: tuple[int, ...]) -> int:
        return math.prod(shape) * self.dtype.itemsize

    def _read_chunks(self, parts: Parts, chunk: tuple[int, ...]) -> np.ndarray:
        array = np.empty(self.shape, self.dtype)
        counts = tuple(-(-n // m) for n, m in zip(self.shape, chunk, strict=True))
        seen = set()
        key_size = 8 * (len(chunk) + 2)
        for key, address in tree_entries(parts, self.layout.address, kind=1, key_size=key_size):
            fields = Fields(key)
            size, passed = fields.number(4), fields.number(4)
            starts = tuple(fields.number() for _ in chunk)
            index = tuple(start // m for start, m in zip(starts, chunk, strict=True))
            place = tuple(slice(i * m, i * m + m) for i, m in zip(index, chunk, strict=True))
            if index in seen or any(i >= n for i, n in zip(index, counts, strict=True)):
                raise ValueError("a chunk in it has no place of its own")
            seen.add(index)
            data = parts.read(address, size).take(size)
            used = [kind for i, kind in enumerate(self.filters) if not passed >> i & 1]
            numbers = _unpack(data, used, math.prod(chunk), self.dtype).reshape(chunk)
            target = array[place]
            target[...] = numbers[tuple(map(slice, target.shape))]
        if len(seen) != math.prod(counts):
            raise ValueError("some numbers of a dataset are not in it")
        return array


def _unpack(data: bytes, filters: list[int], count: int, dtype: np.dtype) -> np.ndarray:
    """The numbers of a chunk, whose filters were applied in the order given."""
    size = count * dtype.itemsize
    for kind in reversed(filters):
        if kind == _DEFLATE:
            data = zlib.decompressobj().decompress(data, size)
        elif len(data) == size:  # shuffled: the first bytes of all numbers, the second, ...
            data = np.frombuffer(data, np.uint8).reshape(dtype.itemsize, count).T.tobytes()
    if len(data) != size:
        raise ValueError("a chunk in it has not the numbers that it should have")
    return np.frombuffer(data, dtype)
