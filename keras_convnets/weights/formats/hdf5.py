"""HDF5 files, read so that nothing outside of the file is reached."""

import contextlib
import io
import os
from collections.abc import Iterator

import h5py
import ml_dtypes
import numpy as np

from keras_convnets.errors import InputError
from keras_convnets.weights.formats.reading import reading
from keras_convnets.weights.tensors import Stored

# Deeper groups than those of any model are a trap.
_DEEPEST = 64


class Hdf5:
    """An HDF5 file, opened when something is read from it.

    Args:
        path: the file, as messages call it.
        content: what is in it, if it is a part of an archive.
    """

    def __init__(self, path: str | os.PathLike, content: bytes | None = None):
        self.path = os.fspath(path)
        self._content = content

    @contextlib.contextmanager
    def open(self) -> Iterator[h5py.File]:
        """Opens the file for reading.

        Raises:
            InputError: if it is no HDF5 file or is damaged.
        """
        source = self.path if self._content is None else io.BytesIO(self._content)
        with reading(self.path, "HDF5 file"), h5py.File(source, "r") as file:
            yield file

    def groups(
        self, group: h5py.Group, path: str = "", depth: int = 0
    ) -> Iterator[tuple[str, h5py.Group]]:
        """Gives (path, group) of all groups below a group, in the order of their names.

        Raises:
            InputError: if a link leads to another place or file.
        """
        if depth > _DEEPEST:
            raise InputError(f"The groups of {self.path!r} are nested without end.")
        for name in group:
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise InputError(
                    f"{self.path!r} has a link to another place at {path}/{name}; weights are read "
                    "from the file alone."
                )
            if group.get(name, getclass=True) is h5py.Group:
                below = f"{path}/{name}".lstrip("/")
                yield below, group[name]
                yield from self.groups(group[name], below, depth + 1)

    def tensor(self, dataset: h5py.Dataset) -> Stored:
        """A tensor of floating-point numbers; its numbers are read after the file was closed.

        Raises:
            InputError: if it is no such tensor, or its numbers are not in the file.
        """
        if not isinstance(dataset, h5py.Dataset) or dataset.shape is None:
            raise InputError(f"{dataset.name!r} in {self.path!r} should be a tensor.")
        name = dataset.name
        if dataset.external or dataset.is_virtual:
            raise InputError(
                f"The numbers of {name!r} are not in {self.path!r} but in another file; weights "
                "are read from the file alone."
            )
        is_bfloat16 = dataset.attrs.get("dtype") == "bfloat16" and dataset.dtype == np.uint16
        if not is_bfloat16 and dataset.dtype.kind != "f":
            raise InputError(
                f"{name!r} in {self.path!r} should hold floating-point numbers. "
                f"Received: {dataset.dtype}"
            )

        def read() -> np.ndarray:
            with self.open() as file:
                array = file[name][()]
            return array.view(ml_dtypes.bfloat16) if is_bfloat16 else array

        return Stored(tuple(dataset.shape), read)
