"""Checkpoints of TensorFlow: V2, an index and its data; and V1, one file, as TF-slim's first ones.

They are read without TensorFlow, whose own reader ends the process on many a damaged index, and
runs through any type of tensor that a file names. The numbers of the fields are those of
tensorflow/core/protobuf/tensor_bundle.proto, util/saved_tensor_slice.proto, framework/tensor.proto
and framework/tensor_shape.proto.
"""

import math
import os
import re
from collections.abc import Mapping
from pathlib import Path

import ml_dtypes
import numpy as np

from keras_convnets.checksums import masked_crc32c
from keras_convnets.errors import InputError
from keras_convnets.weights.formats import tar_archive
from keras_convnets.weights.formats.reading import reading
from keras_convnets.weights.formats.sorted_table import SortedTable, Value, varint
from keras_convnets.weights.tensors import Stored

_KIND = "TensorFlow checkpoint"
_PREFIX = re.compile(r"(.+?)(?:\.index|\.data-\d{5}-of-\d{5})?")
_ARCHIVES = ".tar.gz", ".tgz"
# Types of tensors that can be weights, by their numbers in types.proto.
_TYPES = {
    1: np.dtype("<f4"),
    2: np.dtype("<f8"),
    14: np.dtype(ml_dtypes.bfloat16),
    19: np.dtype("<f2"),
}
_V1_VALUES = {1: 5, 2: 6}  # the fields with the numbers of these types in a TensorProto
_MOST_AXES = 32

# A message of protocol buffers: what it has by the numbers of the fields.
Message = Mapping[int, list[int | memoryview]]


def read(path: str | os.PathLike, member: str | None = None) -> dict[str, Stored]:
    """Returns the floating-point tensors of a checkpoint by name; their numbers are read later.

    Args:
        path: a V1 file; the prefix, the index or the data of a V2 checkpoint; or a `.tar.gz` or
            `.tgz` archive with either.
        member: base name of the V1 file or the V2 prefix within an archive that has several.

    Raises:
        InputError: if there is no checkpoint, or it is damaged.
    """
    path = Path(path)
    with reading(path, _KIND):
        if path.name.endswith(_ARCHIVES):
            return _read_archive(path, member)
        prefix = path.with_name(_prefix(path.name))
        index = path.with_name(f"{prefix.name}.index")
        if index.is_file():
            return _read_v2(prefix, SortedTable(index))
        if not path.is_file():
            raise InputError(f"There is no TensorFlow checkpoint at {str(path)!r}.")
        return _read_v1(SortedTable(path))


def _prefix(name: str) -> str:
    """What the names of the files of a checkpoint begin with."""
    return _PREFIX.fullmatch(name)[1]


def _read_archive(path: Path, member: str | None) -> dict[str, Stored]:
    def is_wanted(name: str) -> bool:
        prefix = _prefix(name)
        return prefix == member if member else re.search(r"\.ckpt(-\d+)?$", prefix) is not None

    folder, names = tar_archive.extract(path, is_wanted)
    prefixes = sorted({_prefix(name) for name in names})
    if len(prefixes) != 1:
        raise InputError(
            f"{str(path)!r} should have one checkpoint{f' {member!r}' if member else ''}. "
            f"Received: {', '.join(prefixes) or 'none'}"
        )
    stored = read(folder.path / prefixes[0])
    return {name: tensor.then(tensor.shape, folder.kept) for name, tensor in stored.items()}


def _read_v2(prefix: Path, table: SortedTable) -> dict[str, Stored]:
    values = dict(table.values)
    header = _message(table.read(values.pop(b"")))
    shards = _number(header, 1)
    if _number(header, 2):
        raise ValueError("its numbers have the order of bytes of another kind of machine.")
    stored = {}
    for key, value in values.items():
        entry = _message(table.read(value))
        dtype = _TYPES.get(_number(entry, 1))
        if dtype is not None:
            name = key.decode("utf-8", "replace")  # the keys of parts of tensors are no text
            data = prefix.with_name(f"{prefix.name}.data-{_number(entry, 3):05}-of-{shards:05}")
            stored[name] = _v2_tensor(name, entry, dtype, data)
    return stored


def _v2_tensor(name: str, entry: Message, dtype: np.dtype, data: Path) -> Stored:
    shape, (offset, size, crc) = _shape(entry, 2), (_number(entry, i) for i in (4, 5, 6))
    if 7 in entry:
        raise ValueError(f"the tensor {name!r} is in several parts.")
    if size != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"the tensor {name!r} of shape {shape} should not have {size} bytes.")
    if offset + size > data.stat().st_size:
        raise ValueError(f"{data.name!r} is too short for the tensor {name!r}.")

    def read_one() -> np.ndarray:
        with reading(data, _KIND), data.open("rb") as file:
            file.seek(offset)
            content = file.read(size)
            if masked_crc32c(content) != crc:
                raise ValueError(f"the check sum of {name!r} is wrong.")
            return np.frombuffer(content, dtype).reshape(shape)

    return Stored(shape, read_one)


def _read_v1(table: SortedTable) -> dict[str, Stored]:
    values = dict(table.values)
    meta = _part(_message(table.read(values.pop(b""))), 1)
    values = {_v1_name(key): value for key, value in values.items()}
    stored = {}
    for part in _parts(_message(meta), 1):
        tensor = _message(part)
        name, number = bytes(_part(tensor, 1)).decode(), _number(tensor, 3)
        if number not in _V1_VALUES:
            continue
        if len(_parts(tensor, 4)) != 1:
            raise ValueError(f"the tensor {name!r} is in several parts.")
        shape = _shape(tensor, 2)
        size = math.prod(shape) * _TYPES[number].itemsize
        if name not in values or values[name].span.size < size:
            raise ValueError(f"the tensor {name!r} of shape {shape} should have {size} bytes.")
        stored[name] = _v1_tensor(table, name, values[name], shape, number)
    return stored


def _v1_name(key: bytes) -> str:
    """The name in a key, where it stands between a zero and a mark of the end."""
    return key[1:].partition(b"\0\1")[0].decode()


def _v1_tensor(
    table: SortedTable, name: str, value: Value, shape: tuple[int, ...], number: int
) -> Stored:
    def read_one() -> np.ndarray:
        with reading(table.path, _KIND):
            saved = _message(_part(_message(table.read(value)), 2))
            tensor = _message(_part(saved, 3))
            content = b"".join(_parts(tensor, _V1_VALUES[number]))
            if bytes(_part(saved, 1)).decode() != name:
                raise ValueError(f"in the place of the tensor {name!r} is another.")
            return np.frombuffer(content, _TYPES[number]).reshape(shape)

    return Stored(shape, read_one)


def _message(content: bytes | memoryview) -> Message:
    """Takes a message apart."""
    content, at = memoryview(content), 0
    message: dict[int, list[int | memoryview]] = {}
    while at < len(content):
        key, at = varint(content, at)
        wire_type = key & 7
        if wire_type == 0:
            value, at = varint(content, at)
        elif wire_type in (1, 2, 5):
            size, at = varint(content, at) if wire_type == 2 else (8 if wire_type == 1 else 4, at)
            value, at = content[at : at + size], at + size
            if at > len(content):
                raise ValueError("a message in it is too short.")
            if wire_type != 2:
                value = int.from_bytes(value, "little")
        else:
            raise ValueError("a message in it is none of protocol buffers.")
        message.setdefault(key >> 3, []).append(value)
    return message


def _number(message: Message, field: int) -> int:
    """The number in a field, which is zero if there is none."""
    value = message.get(field, [0])[-1]
    if not isinstance(value, int):
        raise ValueError("a number is missing in it.")
    return value


def _parts(message: Message, field: int) -> list[memoryview]:
    """The messages, texts or packed numbers in a field."""
    parts = message.get(field, [])
    if not all(isinstance(part, memoryview) for part in parts):
        raise ValueError("a message is missing in it.")
    return parts


def _part(message: Message, field: int) -> memoryview:
    parts = _parts(message, field)
    return parts[-1] if parts else memoryview(b"")


def _shape(message: Message, field: int) -> tuple[int, ...]:
    sizes = _parts(_message(_part(message, field)), 2)
    if len(sizes) > _MOST_AXES:
        raise ValueError(f"a tensor has more than {_MOST_AXES} axes.")
    return tuple(_number(_message(size), 1) for size in sizes)
