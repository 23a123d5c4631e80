"""Writes a golden as the file of weights that it was, in the formats of Torch nets, without Torch.

A file of `torch.save` holds pickles that refer to storages, which are the plain numbers of tensors.
The names in the pickles are Torch's; what bears them here has these names and nothing else.
"""

import dataclasses
import io
import pickle
import sys
import types
import zipfile
from collections import OrderedDict
from pathlib import Path
from unittest import mock

import numpy as np
from safetensors.numpy import save_file

from .drawing import Golden, draw

_PROTOCOL = 2  # of pickles, the one that torch.save uses
_MAGIC_NUMBER = 0x1950A86A20F9469CFC6C  # starts a legacy file
_LEGACY_VERSION = 1001
_ALIGNMENT = 64  # of the storages in a zip file, in bytes


def write_safetensors(golden: Golden, path: Path) -> None:
    """Writes a .safetensors file, with the note that those of Torch nets have."""
    tensors = {name: draw(name, shape) for name, shape in golden.shapes.items()}
    save_file(tensors, path, metadata={"format": "pt"})


def write_pth(golden: Golden, path: Path) -> None:
    """Writes what torch.save writes since version 1.6: a zip file of a pickle and storages."""
    state_dict = _StateDict(golden, [str(number) for number in range(len(golden.shapes))])
    with path.open("wb") as file, zipfile.ZipFile(file, "w") as archive:

        def write(record: str, content: bytes) -> None:
            info = zipfile.ZipInfo(f"{path.stem}/{record}")
            end_of_header = file.tell() + 30 + len(info.filename) + 4
            info.extra = _padding(-end_of_header % _ALIGNMENT)
            archive.writestr(info, content)
            info.extra = b""  # the directory at the end has none

        write("data.pkl", state_dict.pickled())
        write(".format_version", b"1")
        write(".storage_alignment", b"%d" % _ALIGNMENT)
        write("byteorder", b"little")
        for storage in state_dict.storages:
            write(f"data/{storage.key}", storage.content())
        write("version", b"3\n")
        write(".data/serialization_id", b"0" * 40)


def write_legacy_pth(golden: Golden, path: Path) -> None:
    """Writes what torch.save wrote before version 1.6: pickles, and storages by their keys."""
    # Keys are addresses; falling ones put the storages in another order than the names have.
    keys = [str(94_500_000_000_000 - 64 * number) for number in range(len(golden.shapes))]
    state_dict = _StateDict(golden, keys)
    system = {
        "protocol_version": _LEGACY_VERSION,
        "little_endian": True,
        "type_sizes": {"short": 2, "int": 4, "long": 4},
    }
    with path.open("wb") as file:
        for header in (_MAGIC_NUMBER, _LEGACY_VERSION, system):
            pickle.dump(header, file, _PROTOCOL)
        file.write(state_dict.pickled(view_metadata=(None,)))
        pickle.dump(sorted(keys), file, _PROTOCOL)
        for storage in sorted(state_dict.storages, key=lambda storage: storage.key):
            file.write(storage.length.to_bytes(8, "little"))
            file.write(storage.content())


class _StateDict:
    """A golden's tensors, each with a storage of its own that is drawn when it is written."""

    def __init__(self, golden: Golden, keys: list[str]):
        self.storages = [
            _Storage(key, name, shape)
            for key, (name, shape) in zip(keys, golden.shapes.items(), strict=True)
        ]
        self.metadata = _metadata(golden.shapes)

    def pickled(self, view_metadata: tuple = ()) -> bytes:
        """The pickle of the tensors by their names.

        Args:
            view_metadata: what the legacy format adds to the reference to a storage.
        """
        tensors = OrderedDict((storage.name, _Tensor(storage)) for storage in self.storages)
        tensors._metadata = self.metadata
        stream = io.BytesIO()
        with mock.patch.dict(sys.modules, _STAND_INS):  # pickle looks for the names that it writes
            _Pickler(stream, view_metadata).dump(tensors)
        return stream.getvalue()


@dataclasses.dataclass(frozen=True)
class _Storage:
    """The numbers of one tensor.

    Attributes:
        key: of the storage in the file.
        name: of the tensor.
        shape: of the tensor.
    """

    key: str
    name: str
    shape: tuple[int, ...]

    @property
    def length(self) -> int:
        return int(np.prod(self.shape))

    @property
    def kind(self) -> type:
        """The class that names the type of the numbers."""
        return _LongStorage if self.name.endswith("num_batches_tracked") else _FloatStorage

    def content(self) -> bytes:
        return draw(self.name, self.shape).tobytes()


class _Tensor:
    """What is pickled as a tensor."""

    def __init__(self, storage: _Storage):
        self.storage = storage

    def __reduce__(self):
        shape = self.storage.shape
        strides = tuple(int(np.prod(shape[axis + 1 :])) for axis in range(len(shape)))
        offset, requires_grad, hooks = 0, False, OrderedDict()
        return _rebuild_tensor_v2, (self.storage, offset, shape, strides, requires_grad, hooks)


class _Pickler(pickle.Pickler):
    """Writes references in place of storages."""

    def __init__(self, stream, view_metadata: tuple):
        super().__init__(stream, _PROTOCOL)
        self.view_metadata = view_metadata

    def persistent_id(self, obj):
        if isinstance(obj, _Storage):
            return ("storage", obj.kind, obj.key, "cpu", obj.length, *self.view_metadata)
        return None


def _metadata(names) -> OrderedDict:
    """The versions of the modules that have tensors; batch normalization is in its second."""
    modules = {}
    for name in names:
        parts = name.split(".")[:-1]
        modules.update(dict.fromkeys(".".join(parts[:end]) for end in range(len(parts) + 1)))
    return OrderedDict(
        (module, {"version": 2 if f"{module}.running_mean" in names else 1}) for module in modules
    )


def _padding(length: int) -> bytes:
    """An extra field of a zip file's header, as Torch fills it; 4 bytes more than `length`."""
    return b"FB" + length.to_bytes(2, "little") + b"Z" * length


def _stand_in(module: str, name: str) -> type:
    """A class that is pickled under the name of something in Torch."""
    return type(name, (), {"__module__": module})


_FloatStorage = _stand_in("torch", "FloatStorage")
_LongStorage = _stand_in("torch", "LongStorage")
_rebuild_tensor_v2 = _stand_in("torch._utils", "_rebuild_tensor_v2")
_STAND_INS = {
    "torch": types.SimpleNamespace(FloatStorage=_FloatStorage, LongStorage=_LongStorage),
    "torch._utils": types.SimpleNamespace(_rebuild_tensor_v2=_rebuild_tensor_v2),
}
