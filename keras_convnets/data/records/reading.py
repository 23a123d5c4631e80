"""Records at any place of their shards."""

import functools
import os
import threading
from pathlib import Path

from keras_convnets.data.records.examples import decode_example, image_of
from keras_convnets.data.records.framing import FRAME, place, unframe
from keras_convnets.errors import InputError

# Files that a reader keeps open; systems allow a process 1,024 or more.
_OPEN_FILES = 256


class RecordReader:
    """Reads records at any place; from any number of threads at once.

    Files stay open for the next record, the last 256 that were used. A file that is replaced
    meanwhile is read as it was.
    """

    def __init__(self):
        # A file is closed when no cache and no thread that reads it has it any more.
        self._descriptor = functools.lru_cache(_OPEN_FILES)(_Descriptor)

    def read(self, path: Path, offset: int, length: int) -> bytes:
        """Returns the image file that a record holds.

        Args:
            path: the shard.
            offset: bytes from its beginning to the record.
            length: bytes of the record's content.

        Raises:
            InputError: if it can't be read, or is damaged; the message has file and offset.
        """
        offset, length = int(offset), int(length)
        try:
            record = self._descriptor(path).read(offset, FRAME + length)
        except OSError as error:
            reason = error.strerror or error
            raise InputError(f"The record file {str(path)!r} can't be read: {reason}.") from error
        where = place(path, offset)
        return image_of(decode_example(unframe(record, length, where), where), where)


class _Descriptor:
    """A file that is open as long as someone holds this."""

    def __init__(self, path: Path):
        self._number = None
        self._number = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))

    def read(self, offset: int, count: int) -> bytes:
        parts = []
        while count > 0:  # Linux reads at most 2 GB at once
            part = _read_at(self._number, count, offset)
            if not part:
                break
            parts.append(part)
            offset += len(part)
            count -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def __del__(self):
        if self._number is not None:
            os.close(self._number)


def _seek_and_read(descriptor: int, count: int, offset: int) -> bytes:
    """What `os.pread` does, for Windows, which has none."""
    with _SEEKING:
        os.lseek(descriptor, offset, os.SEEK_SET)
        return os.read(descriptor, count)


_SEEKING = threading.Lock()
_read_at = getattr(os, "pread", _seek_and_read)
