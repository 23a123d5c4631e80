"""The links of HDF5 groups: in tables as of old, in the header, or in a heap with an index."""

from collections.abc import Iterator

from keras_convnets.weights.formats.hdf5_parts import Fields, Parts

# Names to the address of an object; to `None` where the link leads to another place or file.
Links = dict[str, int | None]

LINK_NAMES, ATTRIBUTE_NAMES = 5, 8  # kinds of indexes
_RECORDS = {LINK_NAMES: 11, ATTRIBUTE_NAMES: 17}  # and the bytes of their records
_IDENTIFIERS = {LINK_NAMES: slice(4, 11), ATTRIBUTE_NAMES: slice(0, 8)}  # where objects are
_LONGEST_NAME = 4096
_DEEPEST = 16  # of an index; each level multiplies what it may hold
_MOST_ROWS = 64  # of a heap's block; each doubles it
_SOFT = 2  # what an entry of a table says of a link to another place


def table_links(parts: Parts, tree: int, heap: int) -> Links:
    """Reads links that are in tables under a tree, and their names in a heap."""
    header = parts.read(heap, 32).expect(b"HEAP\0")
    header.take(3)
    size, _, start = header.number(), header.number(), header.number()
    names = parts.read(start, size).take(size)
    links: Links = {}
    for _, table in tree_entries(parts, tree, kind=0, key_size=8):
        head = parts.read(table, 8).expect(b"SNOD\1")
        head.take(1)
        count = head.number(2)
        entries = parts.read(table + 8, 40 * count)
        for _ in range(count):
            first, address, cached = entries.number(), entries.number(), entries.number(4)
            entries.take(20)
            name = names[first : names.index(b"\0", first, first + _LONGEST_NAME)]
            parts.count(len(name))
            links[name.decode()] = None if cached == _SOFT else address
    return links


def tree_entries(
    parts: Parts, address: int, kind: int, key_size: int, level: int | None = None
) -> Iterator[tuple[bytes, int]]:
    """Gives (key, address) of what is under a tree of the first kind.

    Args:
        parts: of the file.
        address: of the tree or of a node in it.
        kind: 0 for links, 1 for chunks of numbers.
        key_size: in bytes.
        level: that the node has to have.
    """
    head = parts.read(address, 24).expect(b"TREE" + bytes([kind]))
    found, count = head.number(1), head.number(2)
    if level is not None and found != level:
        raise ValueError("the levels of a tree do not follow each other")
    entries = parts.read(address + 24, count * (key_size + 8))
    for _ in range(count):
        key, child = entries.take(key_size), entries.number()
        if found:
            yield from tree_entries(parts, child, kind, key_size, found - 1)
        else:
            yield key, child


def read_link(content: bytes) -> tuple[str, int | None]:
    """Reads a link of the newer form."""
    fields = Fields(content).expect(b"\1")
    flags = fields.number(1)
    is_hard = not flags & 8 or fields.number(1) == 0
    fields.take((8 if flags & 4 else 0) + (1 if flags & 16 else 0))
    name = fields.take(fields.number(1 << (flags & 3))).decode()
    return name, fields.number() if is_hard else None


def indexed_objects(parts: Parts, heap: int, index: int, kind: int) -> Iterator[bytes]:
    """Gives the objects in a heap that an index lists."""
    fractal = _FractalHeap(parts, heap)
    for record in _index_records(parts, index, kind):
        yield fractal.object(record[_IDENTIFIERS[kind]])


def _index_records(parts: Parts, address: int, kind: int) -> Iterator[bytes]:
    """Gives the records of a tree of the second kind, in no order."""
    head = parts.read(address, 26).expect(b"BTHD\0" + bytes([kind]))
    node_size, record_size, depth = head.number(4), head.number(2), head.number(2)
    head.take(2)
    if record_size != _RECORDS[kind] or depth > _DEEPEST or node_size < 10 + record_size:
        raise ValueError("an index in it is unlike any other")
    # The more records may be below a node, the more bytes has the pointer to it.
    most = (node_size - 10) // record_size
    count_width, total, total_width = _width(most), most, 0
    pointer_sizes = [0]
    for _ in range(depth):
        pointer_sizes.append(8 + count_width + total_width)
        most = (node_size - 10 - pointer_sizes[-1]) // (record_size + pointer_sizes[-1])
        total = (most + 1) * total + most
        total_width = _width(max(total, 0))
    nodes = [(head.number(), head.number(2), depth)]
    while nodes:
        node, count, level = nodes.pop()
        pointer_size = pointer_sizes[level]
        size = 6 + count * record_size + ((count + 1) * pointer_size if level else 0)
        fields = parts.read(node, size).expect(b"BTIN" if level else b"BTLF")
        fields.take(2)
        for _ in range(count):
            yield fields.take(record_size)
        while fields.left:
            pointer = Fields(fields.take(pointer_size))
            nodes.append((pointer.number(), pointer.number(count_width), level - 1))


class _FractalHeap:
    """Objects in blocks, each row of which has blocks of twice the size."""

    def __init__(self, parts: Parts, address: int):
        self._parts = parts
        head = parts.read(address, 142).expect(b"FRHP\0")
        _, filters, _, most = (head.number(size) for size in (2, 2, 1, 4))
        head.take(96)
        self._columns, self._first_size, self._largest = (head.number(s) for s in (2, 8, 8))
        bits, _, self._root, self._rows = (head.number(size) for size in (2, 2, 8, 2))
        self._offset_width = (bits + 7) // 8
        self._length_width = min((self._largest.bit_length() + 6) // 8, _width(most))
        if filters:
            raise ValueError("names in it are compressed")
        if not (self._columns and self._first_size) or self._rows > _MOST_ROWS:
            raise ValueError("a heap in it is unlike any other")

    def object(self, identifier: bytes) -> bytes:
        """Returns an object."""
        if identifier[0]:  # neither version 0 nor within a block
            raise ValueError("a name or attribute in it is too long")
        fields = Fields(identifier[1:])
        offset, length = fields.number(self._offset_width), fields.number(self._length_width)
        block, rows, start = self._root, self._rows, 0
        while rows:
            index, size, start = self._find(offset, start, rows)
            entry = block + 13 + self._offset_width + 8 * index
            block = self._parts.read(entry, 8).number()
            is_leaf = size <= self._largest
            rows = 0 if is_leaf else (size // (self._first_size * self._columns)).bit_length()
        return self._parts.read(block + offset - start, length).take(length)

    def _find(self, offset: int, start: int, rows: int) -> tuple[int, int, int]:
        """The index, the size and the start of the block below a block that has an offset."""
        for row in range(rows):
            size = self._first_size << max(row - 1, 0)
            column = (offset - start) // size
            if column < self._columns:
                return row * self._columns + column, size, start + column * size
            start += self._columns * size
        raise ValueError("an object lies outside of its heap")


def _width(most: int) -> int:
    """Bytes of a number that is at most so large."""
    return max(most.bit_length() + 7, 8) // 8
