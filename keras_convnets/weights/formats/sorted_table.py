"""Sorted tables: the files of keys and values that TensorFlow has from LevelDB.

Blocks of entries come first, then one block that lists them, then a footer that says where that
is. Within a block, each key is given by what it adds to the key before it.
"""

import dataclasses
import mmap
from collections.abc import Iterator
from pathlib import Path

from keras_convnets.checksums import masked_crc32c

_FOOTER = 48
_MAGIC = bytes.fromhex("57fb808b247547db")
_TRAILER = 5  # of a block: whether it is compressed, and the check sum
# Far above what any checkpoint has, so that a small file can't claim much memory.
_LONGEST_KEY = 1024
_MOST_ENTRIES = 100_000


@dataclasses.dataclass(frozen=True)
class Span:
    """A part of a file, in bytes."""

    start: int
    size: int


@dataclasses.dataclass(frozen=True)
class Value:
    """A value, and the block that it is in."""

    span: Span
    block: Span


class SortedTable:
    """A table, whose values are read when they are wanted.

    Args:
        path: the file.

    Raises:
        ValueError: if it is no such file, or is damaged.
        OSError: if it can't be read.

    Attributes:
        values: of each key.
    """

    def __init__(self, path: Path):
        self.path = path
        self.values: dict[bytes, Value] = {}
        self._sound: set[Span] = set()  # blocks whose check sum was right
        with (
            path.open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
        ):
            footer = content[-_FOOTER:]
            if not footer.endswith(_MAGIC):
                raise ValueError("it does not end as one.")
            _, at = _span(footer, 0)  # of a block that TensorFlow leaves empty
            index, _ = _span(footer, at)
            self._check_place(content, index)
            self.read(Value(index, index))
            for _, place in _entries(content, index):
                block, _ = _span(content[place.start : place.start + place.size], 0)
                self._add(content, block)

    def _add(self, content: mmap.mmap, block: Span) -> None:
        self._check_place(content, block)
        last = next(reversed(self.values), None)
        for key, span in _entries(content, block):
            if last is not None and key <= last:
                raise ValueError("its keys are not in order.")
            self.values[key] = Value(span, block)
            last = key
            if len(self.values) > _MOST_ENTRIES:
                raise ValueError(f"it has more than {_MOST_ENTRIES:,} entries.")

    @staticmethod
    def _check_place(content: mmap.mmap, block: Span) -> None:
        end = block.start + block.size
        if end + _TRAILER > len(content):
            raise ValueError("a part of it is missing.")
        if content[end] != 0:
            raise ValueError("it is compressed, as those of TensorFlow are not.")

    def read(self, value: Value) -> bytes:
        """Reads a value, once the check sum of its block was found to be right.

        Raises:
            ValueError: if it is not.
        """
        block = value.block
        with self.path.open("rb") as file:
            if block not in self._sound:
                file.seek(block.start)
                content = file.read(block.size + _TRAILER)
                if int.from_bytes(content[-4:], "little") != masked_crc32c(content[:-4]):
                    raise ValueError(f"the check sum at byte {block.start:,} is wrong.")
                self._sound.add(block)
            file.seek(value.span.start)
            return file.read(value.span.size)


def varint(content: bytes, at: int) -> tuple[int, int]:
    """A number of up to 64 bits, seven in each byte, and where the next thing begins.

    Raises:
        ValueError: if there is none at that place.
    """
    number = 0
    for shift in range(0, 70, 7):
        if at >= len(content):
            break
        byte = content[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
    raise ValueError("a number in it has no end.")


def _span(content: bytes, at: int) -> tuple[Span, int]:
    start, at = varint(content, at)
    size, at = varint(content, at)
    return Span(start, size), at


def _entries(content: mmap.mmap, block: Span) -> Iterator[tuple[bytes, Span]]:
    """Gives the keys of a block, and where their values are."""
    end = block.start + block.size
    # Behind the entries are numbers for a search by halves, and last how many.
    end -= 4 * (int.from_bytes(content[max(end - 4, 0) : end], "little") + 1)
    if end < block.start:
        raise ValueError("a block of it is too short.")
    key, at = b"", block.start
    while at < end:
        shared, at = varint(content, at)
        added, at = varint(content, at)
        size, at = varint(content, at)
        if shared > len(key) or shared + added > _LONGEST_KEY or at + added + size > end:
            raise ValueError("an entry of it is larger than its block, or its key is too long.")
        key = key[:shared] + content[at : at + added]
        at += added
        yield key, Span(at, size)
        at += size
