"""Files out of `.tar.gz` archives, and nothing but these."""

import gzip
import os
import shutil
import tarfile
import tempfile
import weakref
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import IO, TypeVar

from keras_convnets.errors import InputError

T = TypeVar("T")

# Weights hardly get smaller by compression; what unpacks to far more is a trap. An archive ends in
# zeros, which count little in large ones.
_EXPANSION = 20
_MARGIN = 2**20


class Folder:
    """A temporary folder that is gone when nothing refers to this object any longer.

    Attributes:
        path: of the folder.
    """

    def __init__(self):
        self.path = Path(tempfile.mkdtemp())
        weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)

    def kept(self, value: T) -> T:
        """Returns `value`; whoever holds this method keeps the folder."""
        return value


class _Limited:
    """A stream that ends with an error when it gives more than it may."""

    def __init__(self, stream: IO[bytes], path: Path, limit: int):
        self._stream, self._path, self._limit = stream, path, limit
        self._given = 0

    def read(self, size: int) -> bytes:
        if self._given + size > self._limit:
            size = self._limit + 1 - self._given
        content = self._stream.read(size)
        self._given += len(content)
        if self._given > self._limit:
            raise InputError(f"{str(self._path)!r} may unpack to {self._limit:,} bytes at most.")
        return content


def extract(path: Path, is_wanted: Callable[[str], bool]) -> tuple[Folder, list[str]]:
    """Unpacks the wanted files of an archive, whatever folders they are in.

    Args:
        path: the archive.
        is_wanted: tells by the base name.

    Returns:
        The folder that they are in, and their names.

    Raises:
        InputError: if one of them is no plain file, leads out of the archive, or is there twice;
            or if the archive is a trap for memory.
    """
    folder, names = Folder(), []
    limit = _EXPANSION * os.path.getsize(path) + _MARGIN
    with gzip.open(path) as unpacked:
        stream = _Limited(unpacked, path, limit)
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            for entry in archive:
                place = PurePosixPath(entry.name)
                if not is_wanted(place.name):
                    continue
                _check(path, entry, place, names)
                names.append(place.name)
                with (folder.path / place.name).open("xb") as file:
                    shutil.copyfileobj(archive.extractfile(entry), file)
    return folder, names


def _check(path: Path, entry: tarfile.TarInfo, place: PurePosixPath, names: list[str]) -> None:
    is_plain = entry.type in (tarfile.REGTYPE, tarfile.AREGTYPE)
    if not is_plain or place.is_absolute() or ".." in place.parts or place.name in names:
        raise InputError(
            f"{entry.name!r} in {str(path)!r} should be a plain file within the archive, and the "
            "only one of its name."
        )
