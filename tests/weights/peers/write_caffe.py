"""Writes `.caffemodel` files, byte by byte as protocol buffers are encoded.

The numbers of the fields are those of BVLC/caffe src/caffe/proto/caffe.proto.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

# How each generation of the format stores a layer: the fields that hold it, from the net inwards,
# and the fields of its name, its type and its blobs.
GENERATIONS = {
    "v0": ((2, 1), 1, 2, 50),
    "v1": ((2,), 4, 5, 6),
    "v2": ((100,), 1, 2, 7),
}
# What a layer with blobs is called in them; `layers` has numbers for it.
_TYPES = {
    "v0": {"conv": b"conv", "dense": b"innerproduct"},
    "v1": {"conv": 4, "dense": 14},
    "v2": {"conv": b"Convolution", "dense": b"InnerProduct"},
}


def varint(number: int) -> bytes:
    """Encodes a number; a negative one as its two's complement of 64 bits."""
    number %= 2**64
    encoded = b""
    while number > 127:
        encoded += bytes([number & 127 | 128])
        number >>= 7
    return encoded + bytes([number])


def field(number: int, value: int | bytes) -> bytes:
    """Encodes a field: an integer, or what has a length."""
    if isinstance(value, bytes):
        return varint(number << 3 | 2) + varint(len(value)) + value
    return varint(number << 3) + varint(value)


def blob(array: np.ndarray, *, legacy: bool = False) -> bytes:
    """Encodes a blob; in legacy files its shape has four axes."""
    if legacy:
        shape = (1,) * (4 - array.ndim) + array.shape
        head = b"".join(field(i, length) for i, length in enumerate(shape, start=1))
    else:
        head = field(7, field(1, b"".join(map(varint, array.shape))))
    if array.dtype == np.float64:
        return head + field(8, array.astype("<f8").tobytes())
    return head + field(5, array.astype("<f4").tobytes())


def layer(name: str, arrays: Iterable[np.ndarray], generation: str) -> bytes:
    """Encodes a layer as a field of the net."""
    arrays = list(arrays)
    holders, name_field, type_field, blobs_field = GENERATIONS[generation]
    kind = _TYPES[generation]["conv" if arrays[0].ndim == 4 else "dense"]
    content = field(name_field, name.encode()) + field(type_field, kind)
    for array in arrays:
        content += field(blobs_field, blob(array, legacy=generation != "v2"))
    for holder in reversed(holders):
        content = field(holder, content)
    return content


def write(path: Path, tensors: Mapping[str, np.ndarray], generation: str = "v2") -> None:
    """Writes a net.

    Args:
        path: the file.
        tensors: by "layer/index", the blobs of a layer one after the other.
        generation: "v2", "v1" or "v0".
    """
    layers: dict[str, list[np.ndarray]] = {}
    for name, array in tensors.items():
        layers.setdefault(name.rpartition("/")[0], []).append(array)
    with path.open("wb") as file:
        file.write(field(1, b"net"))
        for name, arrays in layers.items():
            file.write(layer(name, arrays, generation))
