"""The parts of an HDF5 file by their addresses, as its format specification 3.0 has them.

The C library that most read such files with can be made to run without end, or to take all memory,
by a few wrong bytes. Here each part is read within the bounds of the file, and all of them together
may not be much longer than it.
"""

from collections.abc import Iterator
from typing import IO

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
NOWHERE = 2**64 - 1  # the address of what is not there
_CONTINUATION = 0x10
# Parts overlap little: a reader of a whole file comes to no part much more often than once.
_TIMES = 4
_MARGIN = 2**20
_COST_OF_PART = 16  # so that parts without length are not free


class Fields:
    """The fields of a part, taken one after the other; numbers are unsigned and little-endian."""

    def __init__(self, content: bytes):
        self._content = content
        self._position = 0

    @property
    def left(self) -> int:
        """Bytes that were not taken."""
        return len(self._content) - self._position

    def take(self, size: int) -> bytes:
        """Takes bytes."""
        if size > self.left:
            raise ValueError("a part of it is too short")
        self._position += size
        return self._content[self._position - size : self._position]

    def number(self, size: int = 8) -> int:
        """Takes a number of `size` bytes; addresses and lengths have 8."""
        return int.from_bytes(self.take(size), "little")

    def expect(self, signature: bytes) -> "Fields":
        """Takes what a part has to begin with."""
        if self.take(len(signature)) != signature:
            raise ValueError(f"there is no {signature!r} where it should be")
        return self


class Parts:
    """The parts of a file.

    Args:
        file: open for reading in binary.
        size: of the file in bytes.
    """

    def __init__(self, file: IO[bytes], size: int):
        self.size = size
        self._file = file
        self._left = _TIMES * size + _MARGIN

    def count(self, size: int) -> None:
        """Counts what the file makes a reader do, and refuses what has no end."""
        self._left -= size + _COST_OF_PART
        if self._left < 0:
            raise ValueError("its parts refer to each other without end")

    def at(self, address: int, size: int) -> bytes:
        """Returns the bytes at an address."""
        if size < 0 or address + size > self.size:
            raise ValueError("a part of it would lie behind its end")
        self._file.seek(address)
        return self._file.read(size)

    def read(self, address: int, size: int) -> Fields:
        """Returns the part at an address."""
        self.count(size)
        return Fields(self.at(address, size))


def root_address(parts: Parts) -> int:
    """Returns where the header of the first group is."""
    version = parts.read(0, 9).expect(_SIGNATURE).number(1)
    if version in (0, 1):
        sizes, addresses = parts.read(13, 2), parts.read(24 + 4 * version, 48)
    elif version in (2, 3):
        sizes, addresses = parts.read(9, 2), parts.read(12, 32)
    else:
        raise ValueError(f"its version {version} is unknown")
    base, _, end, *rest = (addresses.number() for _ in range(addresses.left // 8))
    if sizes.take(2) != b"\x08\x08" or base != 0:
        raise ValueError("its addresses are not counted from its start in 8 bytes")
    if end > parts.size:
        raise ValueError(f"it should have {end:,} bytes. Received: {parts.size:,}")
    return rest[-1]


def messages(parts: Parts, address: int) -> Iterator[tuple[int, bytes]]:
    """Gives the messages in an object's header, each with its kind."""
    is_new = parts.at(address, 4) == b"OHDR"
    if is_new:
        flags = parts.read(address + 4, 2).expect(b"\x02").number(1)
        start = address + 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
        width = 1 << (flags & 3)
        blocks = [(start + width, parts.read(start, width).number(width))]
        kind_width, rest = 1, 2 if flags & 4 else 0
    else:
        size = Fields(parts.read(address, 16).expect(b"\x01").take(11)[7:]).number(4)
        blocks = [(address + 16, size)]
        kind_width, rest = 2, 3
    for start, size in blocks:  # which grow
        block = parts.read(start, size)
        while block.left >= kind_width + 3 + rest:
            kind, size, flags = block.number(kind_width), block.number(2), block.number(1)
            block.take(rest)
            content = block.take(size)
            if kind == _CONTINUATION:
                fields = Fields(content)
                start, size = fields.number(), fields.number()
                blocks.append((start + 4, size - 8) if is_new else (start, size))
            elif flags & 2:
                raise ValueError("an object shares a part with others")
            else:
                yield kind, content
