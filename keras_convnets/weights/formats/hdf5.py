"""HDF5 files, read so that nothing outside of the file is reached and nothing takes long."""

import contextlib
import functools
import io
import os
from collections.abc import Iterator

import ml_dtypes
import numpy as np

from keras_convnets.errors import InputError
from keras_convnets.weights.formats import hdf5_messages as kinds
from keras_convnets.weights.formats.hdf5_links import (
    ATTRIBUTE_NAMES,
    LINK_NAMES,
    Links,
    indexed_objects,
    read_link,
    table_links,
)
from keras_convnets.weights.formats.hdf5_numbers import Numbers
from keras_convnets.weights.formats.hdf5_parts import (
    NOWHERE,
    Fields,
    Parts,
    messages,
    root_address,
)
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
    def open(self) -> Iterator["Object"]:
        """Opens the file for reading; gives its first group.

        Raises:
            InputError: if it is no HDF5 file or is damaged.
        """
        with self.parts() as parts:
            yield Object(self, parts, kinds.Heap(parts), "", root_address(parts))

    @contextlib.contextmanager
    def parts(self) -> Iterator[Parts]:
        """Opens the file for reading by addresses."""
        with (
            reading(self.path, "HDF5 file"),
            open(self.path, "rb") if self._content is None else io.BytesIO(self._content) as file,
        ):
            yield Parts(file, file.seek(0, os.SEEK_END))


class Object:
    """A group or a dataset.

    Args:
        file: that it is in.
        parts: of the file.
        heap: of the file.
        where: its path in the file.
        address: of its header.
    """

    def __init__(self, file: Hdf5, parts: Parts, heap: kinds.Heap, where: str, address: int):
        self.file, self.where = file, where
        self._parts, self._heap = parts, heap
        self._messages: dict[int, list[bytes]] = {}
        for kind, content in messages(parts, address):
            self._messages.setdefault(kind, []).append(content)
        self._below: dict[str, Object] = {}

    @functools.cached_property
    def _links(self) -> Links:
        if kinds.TABLE in self._messages:
            fields = Fields(self._messages[kinds.TABLE][0])
            return table_links(self._parts, fields.number(), fields.number())
        dense = self._indexed(kinds.LINK_INFO, 8, LINK_NAMES)
        return dict(map(read_link, [*self._messages.get(kinds.LINK, ()), *dense]))

    @functools.cached_property
    def _attributes(self) -> dict[str, kinds.Attribute]:
        dense = self._indexed(kinds.ATTRIBUTE_INFO, 2, ATTRIBUTE_NAMES)
        found = map(kinds.read_attribute, [*self._messages.get(kinds.ATTRIBUTE, ()), *dense])
        return {attribute.name: attribute for attribute in found}

    def _indexed(self, info: int, count_size: int, kind: int) -> Iterator[bytes]:
        """What an object has too many of for its header."""
        for content in self._messages.get(info, ()):
            fields = Fields(content).expect(b"\0")
            fields.take(count_size if fields.number(1) & 1 else 0)
            heap, index = fields.number(), fields.number()
            if heap != NOWHERE:
                yield from indexed_objects(self._parts, heap, index, kind)

    @property
    def is_group(self) -> bool:
        """Whether it may have something below it."""
        return kinds.TABLE in self._messages or kinds.LINK_INFO in self._messages

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._links))

    def __contains__(self, name: str) -> bool:
        return name in self._links

    def __getitem__(self, path: str) -> "Object":
        """What is below a group, by its path from there.

        Raises:
            InputError: if it is not there, or a link leads to another place or file.
        """
        found = self
        for name in path.split("/"):
            found = found._child(name)
        return found

    def _child(self, name: str) -> "Object":
        where = f"{self.where}/{name}"
        if name not in self:
            raise InputError(f"{self.file.path!r} has nothing at {where!r}.")
        address = self._links[name]
        if address is None:
            raise InputError(
                f"{self.file.path!r} has a link to another place at {where!r}; weights are read "
                "from the file alone."
            )
        if name not in self._below:
            self._below[name] = Object(self.file, self._parts, self._heap, where, address)
        return self._below[name]

    def groups(self, path: str = "", depth: int = 0) -> Iterator[tuple[str, "Object"]]:
        """Gives (path, group) of all groups below a group, in the order of their names."""
        if depth > _DEEPEST:
            raise InputError(f"The groups of {self.file.path!r} are nested without end.")
        for name in self:
            if self[name].is_group:
                below = f"{path}/{name}".lstrip("/")
                yield below, self[name]
                yield from self[name].groups(below, depth + 1)

    def texts(self, attribute: str) -> list[str] | None:
        """The elements of an attribute; `None` if there is none of this name.

        Raises:
            ValueError: if they are no texts.
        """
        if attribute not in self._attributes:
            return None
        return [text.decode() for text in self._heap.texts(self._attributes[attribute])]

    def tensor(self) -> Stored:
        """A tensor of floating-point numbers; they are read after the file was closed.

        Raises:
            InputError: if it is no such tensor, or its numbers are not in the file.
        """
        header = {kind: contents[0] for kind, contents in self._messages.items()}
        if not {kinds.DATASPACE, kinds.DATATYPE, kinds.LAYOUT} <= header.keys():
            raise InputError(f"{self.where!r} in {self.file.path!r} should be a tensor.")
        if kinds.EXTERNAL in header:
            raise InputError(
                f"The numbers of {self.where!r} are not in {self.file.path!r} but in another "
                "file; weights are read from the file alone."
            )
        dtype = kinds.read_datatype(header[kinds.DATATYPE]).dtype
        is_bfloat16 = dtype == np.uint16 and self.texts("dtype") == ["bfloat16"]
        if dtype is None or (dtype.kind != "f" and not is_bfloat16):
            raise InputError(
                f"{self.where!r} in {self.file.path!r} should hold floating-point numbers."
            )
        numbers = Numbers(
            kinds.read_shape(header[kinds.DATASPACE]),
            dtype,
            kinds.read_layout(header[kinds.LAYOUT]),
            kinds.read_filters(header[kinds.FILTERS]) if kinds.FILTERS in header else (),
        )
        numbers.check(self._parts)
        file = self.file

        def read() -> np.ndarray:
            with file.parts() as parts:
                array = numbers.read(parts)
            return array.view(ml_dtypes.bfloat16) if is_bfloat16 else array

        return Stored(numbers.shape, read)
