"""`.pth` files of PyTorch, read without it and without running what is in them.

A file is a pickle of tensors beside their numbers: in a zip archive since PyTorch 1.6, one after
the other before that. What a pickle may do stands in `pickled.py`.
"""

import dataclasses
import math
import os
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np

from keras_convnets.errors import InputError
from keras_convnets.weights.formats.pickled import (
    LONGEST,
    Buildable,
    ForeignError,
    run,
    set_items,
)
from keras_convnets.weights.formats.reading import reading
from keras_convnets.weights.formats.zip_archive import Archive
from keras_convnets.weights.tensors import Stored

_KIND = "file of PyTorch"
# The first pickle of a file of before 1.6.
_MAGIC = 0x1950A86A20F9469CFC6C
_MOST_AXES = 8

_DTYPES: dict[str, Any] = {
    "FloatStorage": np.float32,
    "DoubleStorage": np.float64,
    "HalfStorage": np.float16,
    "BFloat16Storage": ml_dtypes.bfloat16,
    "LongStorage": np.int64,
    "IntStorage": np.int32,
    "ShortStorage": np.int16,
    "CharStorage": np.int8,
    "ByteStorage": np.uint8,
    "BoolStorage": np.bool_,
}
# Where a training script keeps the weights among other things.
_NESTS = ("state_dict", "model_state_dict", "model_state", "model", "net")
_DEEPEST = 8


@dataclasses.dataclass(frozen=True)
class _Storage:
    """A run of numbers that tensors are views of."""

    dtype: np.dtype
    count: int
    read: Callable[[int, int], bytes]  # first byte, number of bytes


@dataclasses.dataclass(frozen=True)
class _Tensor:
    """A view of a storage."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def __post_init__(self):
        whole = (self.offset, *self.shape, *self.strides)
        if not all(type(number) is int and number >= 0 for number in whole):
            raise ValueError("a tensor has a shape, stride or offset that is no whole number")
        if len(self.shape) != len(self.strides) or len(self.shape) > _MOST_AXES:
            raise ValueError("a tensor's shape and strides do not belong together")
        if math.prod(self.shape) > self.storage.count or self.end > self.storage.count:
            raise ValueError("a tensor is larger than its numbers")

    @property
    def end(self) -> int:
        """Behind the last number."""
        if 0 in self.shape:
            return self.offset
        lasts = ((n - 1) * stride for n, stride in zip(self.shape, self.strides, strict=True))
        return self.offset + sum(lasts) + 1

    def read(self) -> np.ndarray:
        """Returns the array."""
        item = self.storage.dtype.itemsize
        size = (self.end - self.offset) * item
        data = self.storage.read(self.offset * item, size)
        if len(data) != size:  # or the array would reach into foreign memory
            raise ValueError("the numbers of a tensor are not all there")
        flat = np.frombuffer(data, self.storage.dtype.newbyteorder("<"))
        strides = tuple(stride * item for stride in self.strides)
        return np.lib.stride_tricks.as_strided(flat, self.shape, strides, writeable=False)


def read(path: str | os.PathLike) -> dict[str, Stored]:
    """Returns the tensors of a state dict by name; the numbers are read later.

    Raises:
        InputError: if it is no such file, is damaged, or holds something else than tensors.
    """
    with reading(path, _KIND):
        try:
            content = (_read_zip if _is_zip(path) else _read_sequence)(path)
        except ForeignError as error:
            raise InputError(
                f"{os.fspath(path)!r} asks to run {error}, and only tensors are read; save the "
                "weights alone, by `torch.save(model.state_dict(), path)`."
            ) from error
        tensors = _state_dict(content)
        names = [str(name).removeprefix("module.") for name in tensors]
        if len(set(names)) < len(names):
            raise ValueError("two of its tensors have the same name")
        return {
            name: Stored(tensor.shape, _guarded(path, tensor))
            for name, tensor in zip(names, tensors.values(), strict=True)
        }


def _is_zip(path: str | os.PathLike) -> bool:
    with open(path, "rb") as file:
        return file.read(2) == b"PK"


def _guarded(path: str | os.PathLike, tensor: _Tensor) -> Callable[[], np.ndarray]:
    def read_one() -> np.ndarray:
        with reading(path, _KIND):
            return tensor.read()

    return read_one


def _state_dict(content: Any) -> dict[str | int, _Tensor]:
    """The dictionary of tensors, wherever a training script put it."""
    for _ in range(_DEEPEST):
        if not isinstance(content, dict):
            break
        found = {
            key: value.tensor if isinstance(value, _FirstTensor) else value
            for key, value in content.items()
        }
        tensors = {key: value for key, value in found.items() if isinstance(value, _Tensor)}
        if tensors:
            return tensors
        content = next((content[name] for name in _NESTS if name in content), None)
    raise ValueError("it has no tensors by name")


class _Classes:
    """What the pickles of PyTorch may ask for, over the storages of one file."""

    def __init__(self, storage: Callable[[np.dtype, str, int], _Storage]):
        self._storage = storage

    def find(self, module: str, name: str) -> Any:
        """Returns what a name of a pickle stands for."""
        if module in ("torch", "torch.storage") and name in _DTYPES:
            return np.dtype(_DTYPES[name])
        if (module, name) not in _ALLOWED:
            asked = f"{module}.{name}"
            raise ForeignError(asked if asked.isprintable() else repr(asked))
        return _ALLOWED[module, name]

    def storage(self, reference: tuple) -> _Storage:
        """Returns the storage that a reference of a pickle means."""
        kind, dtype, key, _, count, *view = reference
        is_known = kind == "storage" and isinstance(dtype, np.dtype) and isinstance(key, str)
        if not is_known or any(part is not None for part in view):
            raise ValueError("its tensors are kept in an unknown way")
        if type(count) is not int or count < 0:
            raise ValueError("a storage has no size")
        return self._storage(dtype, key, count)


def _rebuild_tensor(storage: _Storage, offset: int, shape: Any, strides: Any, *_: Any) -> _Tensor:
    if not isinstance(storage, _Storage):
        raise ValueError("a tensor has no numbers")
    if not all(isinstance(axes, tuple) and len(axes) <= _MOST_AXES for axes in (shape, strides)):
        raise ValueError("a tensor has no shape or strides")
    return _Tensor(storage, offset, shape, strides)


def _ordered_dict(pairs: Any = ()) -> dict:
    made: dict = {}
    set_items(made, pairs)
    return made


class _FirstTensor(Buildable):
    """A tensor as the first versions of PyTorch kept it."""

    tensor: _Tensor | None = None

    def build(self, *state: Any) -> None:
        """Takes storage, offset, shape and strides."""
        self.tensor = _rebuild_tensor(*state)


_ALLOWED: dict[tuple[str, str], Callable] = {
    ("collections", "OrderedDict"): _ordered_dict,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch._utils", "_rebuild_tensor"): _rebuild_tensor,
    ("torch._utils", "_rebuild_parameter"): lambda tensor, *_: tensor,
    ("torch.nn.parameter", "Parameter"): lambda tensor, *_: tensor,
    **{("torch", name.replace("Storage", "Tensor")): _FirstTensor for name in _DTYPES},
}


def _read_zip(path: str | os.PathLike) -> Any:
    """The content of a file of since 1.6; each storage is a member of its own."""
    archive = Archive(path)
    program = next((name for name in archive.members if name.endswith("/data.pkl")), "data.pkl")
    folder = program.removesuffix("data.pkl")
    order = f"{folder}byteorder"
    if order in archive.members and archive.read(order) != b"little":
        raise ValueError("its numbers are big-endian")

    def storage(dtype: np.dtype, key: str, count: int) -> _Storage:
        name = f"{folder}data/{key}"
        member = archive.member(name)
        if member.size < count * dtype.itemsize or member.is_packed:
            raise ValueError(f"the numbers of {name} are not all there")

        def read_bytes(first: int, length: int) -> bytes:
            is_whole = length == member.size
            return archive.read(name) if is_whole else archive.part(name, first, length)

        return _Storage(dtype, count, read_bytes)

    if archive.member(program).size > LONGEST:
        raise ValueError("its data.pkl is too long")
    content, _ = run(archive.read(program), _Classes(storage))
    return content


def _read_sequence(path: str | os.PathLike) -> Any:
    """The content of a file of before 1.6: pickles, then each storage behind its size."""
    sizes: dict[str, _Storage] = {}
    starts: dict[str, int] = {}

    def storage(dtype: np.dtype, key: str, count: int) -> _Storage:
        def read_bytes(first: int, length: int) -> bytes:
            with open(path, "rb") as file:
                file.seek(starts[key] + first)
                return file.read(length)

        known = sizes.setdefault(key, _Storage(dtype, count, read_bytes))
        if (known.dtype, known.count) != (dtype, count):
            raise ValueError("a storage has two sizes")
        return known

    classes = _Classes(storage)
    with open(path, "rb") as file:

        def next_pickle() -> Any:
            start = file.tell()
            content, length = run(file.read(LONGEST), classes)
            file.seek(start + length)
            return content

        if next_pickle() != _MAGIC:
            raise ValueError("it does not begin like one")
        _, system, content, keys = (next_pickle() for _ in range(4))
        if not isinstance(system, dict) or not system.get("little_endian", True):
            raise ValueError("its numbers are big-endian")
        if not isinstance(keys, list) or set(map(type, keys)) - {str}:
            raise ValueError("it has no list of its storages")
        if sorted(keys) != sorted(sizes):
            raise ValueError("some of its tensors have no numbers")
        end = os.path.getsize(path)
        for key in keys:
            count = int.from_bytes(file.read(8), "little")
            starts[key] = file.tell()
            size = count * sizes[key].dtype.itemsize
            if count < sizes[key].count or starts[key] + size > end:
                raise ValueError("its numbers are not all there")
            file.seek(size, os.SEEK_CUR)
    return content
