"""`.pth` files of PyTorch, read without it and without running what is in them.

A file is a pickle of tensors beside their numbers: in a zip archive since PyTorch 1.6, one after
the other before that. What a pickle may do stands in `pickled.py`.
"""

import dataclasses
import io
import math
import os
import zipfile
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np

from keras_convnets.errors import InputError
from keras_convnets.weights.formats.pickled import LONGEST, Buildable, ForeignError, run
from keras_convnets.weights.formats.reading import reading
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
        data = self.storage.read(self.offset * item, (self.end - self.offset) * item)
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
            content = (_read_zip if zipfile.is_zipfile(path) else _read_sequence)(path)
        except ForeignError as error:
            raise InputError(
                f"{os.fspath(path)!r} asks to run {error}, and only tensors are read; save the "
                "weights alone, by `torch.save(model.state_dict(), path)`."
            ) from error
        return {
            str(name).removeprefix("module."): Stored(tensor.shape, _guarded(path, tensor))
            for name, tensor in _state_dict(content, path).items()
        }


def _guarded(path: str | os.PathLike, tensor: _Tensor) -> Callable[[], np.ndarray]:
    def read_one() -> np.ndarray:
        with reading(path, _KIND):
            return tensor.read()

    return read_one


def _state_dict(content: Any, path: str | os.PathLike) -> dict[str, _Tensor]:
    """The dictionary of tensors, wherever a training script put it."""
    while isinstance(content, dict):
        found = {key: getattr(value, "tensor", value) for key, value in content.items()}
        tensors = {key: value for key, value in found.items() if isinstance(value, _Tensor)}
        if tensors:
            return tensors
        content = next((content[name] for name in _NESTS if name in content), None)
    raise InputError(f"{os.fspath(path)!r} has no tensors by name.")


class _Classes:
    """What the pickles of PyTorch may ask for, over the storages of one file."""

    def __init__(self, storage: Callable[[np.dtype, str, int], _Storage]):
        self._storage = storage

    def find(self, module: str, name: str) -> Any:
        """Returns what a name of a pickle stands for."""
        if module in ("torch", "torch.storage") and name in _DTYPES:
            return np.dtype(_DTYPES[name])
        if (module, name) not in _ALLOWED:
            raise ForeignError(f"{module}.{name}")
        return _ALLOWED[module, name]

    def storage(self, reference: Any) -> _Storage:
        """Returns the storage that a reference of a pickle means."""
        kind, dtype, key, _, count, *view = reference
        if kind != "storage" or not isinstance(dtype, np.dtype) or any(view):
            raise ValueError("its tensors are kept in an unknown way")
        if type(count) is not int or count < 0:
            raise ValueError("a storage has no size")
        return self._storage(dtype, str(key), count)


def _rebuild_tensor(storage: _Storage, offset: int, shape: Any, strides: Any, *_: Any) -> _Tensor:
    if not isinstance(storage, _Storage):
        raise ValueError("a tensor has no numbers")
    return _Tensor(storage, offset, tuple(shape), tuple(strides))


class _FirstTensor(Buildable):
    """A tensor as the first versions of PyTorch kept it."""

    tensor: _Tensor | None = None

    def build(self, state: Any) -> None:
        """Takes storage, offset, shape and strides."""
        self.tensor = _rebuild_tensor(*state)


_ALLOWED: dict[tuple[str, str], Callable] = {
    ("collections", "OrderedDict"): dict,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch._utils", "_rebuild_tensor"): _rebuild_tensor,
    ("torch._utils", "_rebuild_parameter"): lambda tensor, *_: tensor,
    ("torch.nn.parameter", "Parameter"): lambda tensor, *_: tensor,
    **{("torch", name.replace("Storage", "Tensor")): _FirstTensor for name in _DTYPES},
}


def _read_zip(path: str | os.PathLike) -> Any:
    """The content of a file of since 1.6; each storage is a member of its own."""
    with zipfile.ZipFile(path) as archive:
        members = {info.filename: info for info in archive.infolist()}
        program = next((name for name in members if name.endswith("/data.pkl")), None)
        if program is None:
            raise ValueError("it has no data.pkl")
        folder = program.removesuffix("data.pkl")
        if members.get(f"{folder}byteorder") and archive.read(f"{folder}byteorder") != b"little":
            raise ValueError("its numbers are big-endian")

        def storage(dtype: np.dtype, key: str, count: int) -> _Storage:
            info = members[f"{folder}data/{key}"]
            size = count * dtype.itemsize
            if info.file_size < size or info.compress_type != zipfile.ZIP_STORED:
                raise ValueError(f"the numbers of {info.filename} are not all there")

            def read_bytes(first: int, length: int) -> bytes:
                with zipfile.ZipFile(path) as again, again.open(info) as member:
                    member.seek(first)
                    return member.read(length)

            return _Storage(dtype, count, read_bytes)

        if members[program].file_size > LONGEST:
            raise ValueError("its data.pkl is too long")
        return run(io.BytesIO(archive.read(program)), _Classes(storage))


def _read_sequence(path: str | os.PathLike) -> Any:
    """The content of a file of before 1.6: pickles, then each storage behind its size."""
    sizes: dict[str, _Storage] = {}
    starts: dict[str, int] = {}

    def storage(dtype: np.dtype, key: str, count: int) -> _Storage:
        def read_bytes(first: int, length: int) -> bytes:
            with open(path, "rb") as file:
                file.seek(starts[key] + first)
                return file.read(length)

        return sizes.setdefault(key, _Storage(dtype, count, read_bytes))

    classes = _Classes(storage)
    with open(path, "rb") as file:
        if run(file, classes) != _MAGIC:
            raise ValueError("it does not begin like one")
        _, system, content, keys = (run(file, classes) for _ in range(4))
        if not system.get("little_endian", True):
            raise ValueError("its numbers are big-endian")
        end = os.path.getsize(path)
        for key in map(str, keys):
            count = int.from_bytes(file.read(8), "little")
            starts[key] = file.tell()
            file.seek(count * sizes[key].dtype.itemsize, os.SEEK_CUR)
            if count < sizes[key].count or file.tell() > end:
                raise ValueError("its numbers are not all there")
    missing = sizes.keys() - starts.keys()
    if missing:
        raise ValueError("some of its tensors have no numbers")
    return content
