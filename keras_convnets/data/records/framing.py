"""The frames of TFRecord files: length, check sum of the length, content, check sum of the content.

The format is that of tensorflow/core/lib/io/record_writer.h; numbers are little-endian.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from keras_convnets.checksums import masked_crc32c
from keras_convnets.errors import InputError

HEADER = 12  # bytes: a length of 8 and its check sum of 4
FRAME = HEADER + 4  # what a record takes besides its content

_GZIP, _ZLIB = b"\x1f\x8b", tuple(bytes([0x78, level]) for level in (0x01, 0x5E, 0x9C, 0xDA))


def frame(content: bytes) -> bytes:
    """Returns a record of a TFRecord file."""
    length = struct.pack("<Q", len(content))
    return b"".join(
        (length, _packed_sum(length), content, _packed_sum(content)),
    )


def unframe(record: bytes, length: int, where: str) -> bytes:
    """Returns the content of a record.

    Args:
        record: what was read at the place of the record; `FRAME + length` bytes.
        length: bytes of the content.
        where: the place, as messages shall call it.

    Raises:
        InputError: if there is no such record, or it is damaged.
    """
    if len(record) < FRAME + length:
        raise InputError(f"The record {where} is cut short; the file should be copied again.")
    if record[:8] != struct.pack("<Q", length) or record[8:HEADER] != _packed_sum(record[:8]):
        raise InputError(f"There is no record of {length:,} bytes {where}; the file has changed.")
    content = record[HEADER:-4]
    if record[-4:] != _packed_sum(content):
        raise InputError(f"The record {where} is damaged: its check sum is wrong.")
    return content


def walk(file: BinaryIO, size: int, path: Path) -> Iterator[tuple[int, int, bytes]]:
    """Goes through the records of a file.

    Args:
        file: is at its beginning.
        size: bytes of the file.
        path: the file, for messages.

    Yields:
        (offset of the record, length of its content, the whole record).

    Raises:
        InputError: if the file holds no records, is compressed, or so damaged that the next record
            can't be found.
    """
    offset = 0
    while offset < size:
        header = file.read(HEADER)
        if offset == 0:
            _check_kind(header, path)
        where = place(path, offset)
        if len(header) == HEADER and header[8:] != _packed_sum(header[:8]):
            raise InputError(
                f"The length of the record {where} is damaged, so that the records behind it "
                "can't be found; the file should be copied again."
            )
        length = int.from_bytes(header[:8], "little")
        if len(header) < HEADER or offset + FRAME + length > size:
            raise InputError(f"The record {where} is cut short; the file should be copied again.")
        yield offset, length, header + file.read(length + 4)
        offset += FRAME + length


def place(path: Path, offset: int) -> str:
    """How messages call the place of a record."""
    return f"at byte {offset:,} of {str(path)!r}"


def name_of(path: Path, offset: int) -> str:
    """What a record is called where files are."""
    return f"{path}, byte {offset:,}"


def _check_kind(start: bytes, path: Path) -> None:
    if start[8:] == _packed_sum(start[:8]):
        return
    if start.startswith((_GZIP, *_ZLIB)):
        raise InputError(
            f"{str(path)!r} is compressed; records are read at any place, for which the file "
            "should be plain: unpack it first."
        )
    raise InputError(f"{str(path)!r} is no TFRecord file: it begins with {start!r}.")


def _packed_sum(content: bytes) -> bytes:
    return struct.pack("<I", masked_crc32c(content))
