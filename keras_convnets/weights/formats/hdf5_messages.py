"""What the header of an HDF5 object tells: shape, type and place of its numbers, attributes."""

import dataclasses
import math

import numpy as np

from keras_convnets.weights.formats.hdf5_parts import Fields, Parts

DATASPACE, LINK_INFO, DATATYPE, LINK, EXTERNAL, LAYOUT = 1, 2, 3, 6, 7, 8
FILTERS, ATTRIBUTE, TABLE, ATTRIBUTE_INFO = 11, 12, 17, 21

_INTEGER, _FLOAT, _STRING, _VARIABLE = 0, 1, 3, 9
_COMPACT, _CONTIGUOUS, _CHUNKED = 0, 1, 2
# Of each float that NumPy has: sign, offset, bits, and place, size and bias of its parts.
_FLOATS = {
    2: (15, 0, 16, 10, 5, 0, 10, 15),
    4: (31, 0, 32, 23, 8, 0, 23, 127),
    8: (63, 0, 64, 52, 11, 0, 52, 1023),
}


def read_shape(content: bytes) -> tuple[int, ...]:
    """Reads the shape of a dataset or an attribute."""
    fields = Fields(content)
    version, axes, _ = (fields.number(1) for _ in range(3))
    kind = fields.number(1)
    if version == 1:
        fields.take(4)
    elif version != 2 or kind > 1:
        raise ValueError("a shape in it is unknown")
    return tuple(fields.number() for _ in range(axes))


@dataclasses.dataclass(frozen=True)
class Datatype:
    """What the elements of a dataset or an attribute are.

    Attributes:
        size: of one in bytes.
        dtype: of numbers.
        is_text: whether they are texts of `size` bytes.
        is_reference: whether they refer to texts in a heap.
    """

    size: int
    dtype: np.dtype | None = None
    is_text: bool = False
    is_reference: bool = False


def read_datatype(content: bytes) -> Datatype:
    """Reads a type; those that weights have no use for are only measured."""
    fields = Fields(content)
    kind = fields.number(1) & 15
    flags, sign, _ = (fields.number(1) for _ in range(3))
    size = fields.number(4)
    order = ">" if flags & 1 else "<"
    if kind == _FLOAT:
        layout = (sign, *(fields.number(width) for width in (2, 2, 1, 1, 1, 1, 4)))
        if _FLOATS.get(size) == layout and not flags & 64:
            return Datatype(size, np.dtype(f"{order}f{size}"))
    elif kind == _INTEGER and size == 2 and not flags & 8:
        return Datatype(size, np.dtype(f"{order}u2"))
    return Datatype(
        size, is_text=kind == _STRING, is_reference=kind == _VARIABLE and flags & 15 == 1
    )


@dataclasses.dataclass(frozen=True)
class Attribute:
    """An attribute of an object.

    Attributes:
        name: of it.
        shape: of its elements.
        datatype: of each.
        data: of all.
    """

    name: str
    shape: tuple[int, ...]
    datatype: Datatype
    data: bytes


def read_attribute(content: bytes) -> Attribute:
    """Reads an attribute."""
    fields = Fields(content)
    version, is_shared = fields.number(1), fields.number(1)
    sizes = [fields.number(2) for _ in range(3)]
    if version not in (1, 2, 3) or (version > 1 and is_shared):
        raise ValueError("an attribute in it is unknown")
    fields.take(1 if version == 3 else 0)
    name, datatype, shape = (
        fields.take(size + (-size % 8 if version == 1 else 0)) for size in sizes
    )
    return Attribute(
        name.partition(b"\0")[0].decode(),
        read_shape(shape),
        read_datatype(datatype),
        fields.take(fields.left),
    )


@dataclasses.dataclass(frozen=True)
class Layout:
    """Where the numbers of a dataset are.

    Attributes:
        content: the numbers, if they are in the header.
        address: of the numbers, or of the tree of their chunks.
        size: of the numbers in bytes.
        chunk: shape of a chunk; `None` if the numbers are in one piece.
    """

    content: bytes | None = None
    address: int = 0
    size: int = 0
    chunk: tuple[int, ...] | None = None


def read_layout(content: bytes) -> Layout:
    """Reads where numbers are."""
    fields = Fields(content)
    version, kind = fields.number(1), fields.number(1)
    if version in (3, 4) and kind == _COMPACT:
        return Layout(fields.take(fields.number(2)))
    if version in (3, 4) and kind == _CONTIGUOUS:
        return Layout(address=fields.number(), size=fields.number())
    if version == 3 and kind == _CHUNKED:
        axes = fields.number(1)
        address = fields.number()
        *chunk, _ = (fields.number(4) for _ in range(axes))
        return Layout(address=address, chunk=tuple(chunk))
    raise ValueError("numbers in it are kept in another way than Keras has")


def read_filters(content: bytes) -> tuple[int, ...]:
    """Reads by which filters chunks were changed, in their order."""
    fields = Fields(content)
    version, count = fields.number(1), fields.number(1)
    fields.take(6 if version == 1 else 0)
    filters = []
    for _ in range(count):
        kind = fields.number(2)
        name_size = fields.number(2) if version == 1 or kind >= 256 else 0
        _, values = fields.number(2), fields.number(2)
        fields.take(name_size + -name_size % 8 if version == 1 else name_size)
        fields.take(4 * (values + (values % 2 if version == 1 else 0)))
        filters.append(kind)
    return tuple(filters)


class Heap:
    """The texts that attributes refer to.

    Args:
        parts: of the file.
    """

    def __init__(self, parts: Parts):
        self._parts = parts
        self._collections: dict[int, dict[int, bytes]] = {}

    def texts(self, attribute: Attribute) -> list[bytes]:
        """Returns the elements of an attribute.

        Raises:
            ValueError: if they are no texts.
        """
        count, datatype = math.prod(attribute.shape), attribute.datatype
        if not count:
            return []
        if not (datatype.is_text or datatype.is_reference) or not datatype.size:
            raise ValueError(f"its attribute {attribute.name!r} is no text")
        if count * datatype.size > len(attribute.data):
            raise ValueError(f"its attribute {attribute.name!r} is cut")
        fields = Fields(attribute.data)
        elements = (fields.take(datatype.size) for _ in range(count))
        if datatype.is_text:
            return [element.rstrip(b"\0") for element in elements]
        return [self._text(element) for element in elements]

    def _text(self, reference: bytes) -> bytes:
        fields = Fields(reference)
        size, address, index = fields.number(4), fields.number(), fields.number(4)
        if not size:
            return b""
        if address not in self._collections:
            self._collections[address] = self._read(address)
        text = self._collections[address].get(index, b"")
        if len(text) < size:
            raise ValueError("a text in it is cut")
        self._parts.count(size)
        return text[:size]

    def _read(self, address: int) -> dict[int, bytes]:
        head = self._parts.read(address, 16).expect(b"GCOL\1")
        head.take(3)
        fields = self._parts.read(address + 16, head.number() - 16)
        objects = {}
        while fields.left >= 16:
            index, _, _, size = (fields.number(width) for width in (2, 2, 4, 8))
            if index == 0:  # what follows is free
                break
            objects[index] = fields.take(size)
            fields.take(min(-size % 8, fields.left))
        return objects
