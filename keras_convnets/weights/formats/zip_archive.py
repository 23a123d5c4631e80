"""Members of zip archives, read into memory; none is ever written to a disk."""

import dataclasses
import os
import re
import zipfile
import zlib

# Weights hardly get smaller by compression; what unpacks to far more than its archive is a trap.
_EXPANSION = 20
_ENCRYPTED, _UTF8 = 1, 0x800  # flags of a member
_OUTSIDE = re.compile(r"[/\\]|[A-Za-z]:|(.*[/\\])?\.\.([/\\]|$)", re.DOTALL)
_LOCAL_HEADER = 30  # bytes before the name of a member, which stands before its content too


@dataclasses.dataclass(frozen=True)
class Member:
    """A file in an archive.

    Attributes:
        start: of its content in the archive.
        packed: bytes that it takes there.
        size: bytes that it has.
        is_packed: whether it is compressed.
        checksum: CRC-32 of what it has.
    """

    start: int
    packed: int
    size: int
    is_packed: bool
    checksum: int


class Archive:
    """A zip archive.

    Args:
        path: of it.

    Attributes:
        members: by their names.

    Raises:
        ValueError: if a member has a name that leads out of the archive or that another has too,
            if it is encrypted, or if its content can't be there; damaged archives have errors of
            `zipfile` too.
    """

    def __init__(self, path: str | os.PathLike):
        self._path = path
        self.members: dict[str, Member] = {}
        with zipfile.ZipFile(path) as archive:
            size = os.fstat(archive.fp.fileno()).st_size
            for info in archive.infolist():
                if re.match(r"[/\\]|[A-Za-z]:", info.filename) or ".." in re.split(
                    r"[/\\]", info.filename
                ):
                    raise ValueError(f"its member {info.filename!r} leads out of it")
                if info.filename in self.members:
                    raise ValueError(f"it has two members {info.filename!r}")
                self.members[info.filename] = _locate(archive.fp, info, size)

    def read(self, name: str) -> bytes:
        """Returns what a member has.

        Raises:
            ValueError: if it is not there, or not as it was written.
        """
        member = self.member(name)
        content = self.part(name, 0, member.packed)
        if member.is_packed:
            content = zlib.decompressobj(-zlib.MAX_WBITS).decompress(content, member.size)
        if len(content) != member.size or zlib.crc32(content) != member.checksum:
            raise ValueError(f"its member {name!r} is not as it was written")
        return content

    def part(self, name: str, first: int, size: int) -> bytes:
        """Returns some bytes of a member as the archive has them."""
        with open(self._path, "rb") as file:
            file.seek(self.member(name).start + first)
            return file.read(size)

    def member(self, name: str) -> Member:
        """Returns what is told of a member.

        Raises:
            ValueError: if it is not there.
        """
        if name not in self.members:
            raise ValueError(f"it has no member {name!r}")
        return self.members[name]


def _locate(file, info: zipfile.ZipInfo, end: int) -> Member:
    """Finds a member, of which the archive tells at its end and before its content."""
    if info.flag_bits & _ENCRYPTED:
        raise ValueError(f"its member {info.filename!r} is encrypted")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"its member {info.filename!r} is compressed in an unknown way")
    file.seek(info.header_offset)
    header = file.read(_LOCAL_HEADER)
    name = info.orig_filename.encode("utf-8" if info.flag_bits & _UTF8 else "cp437")
    if header[:4] != b"PK\3\4" or file.read(len(name)) != name:
        raise ValueError(f"its member {info.filename!r} is not where it should be")
    lengths = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
    start = info.header_offset + _LOCAL_HEADER + lengths
    is_packed = info.compress_type == zipfile.ZIP_DEFLATED
    possible = _EXPANSION * end if is_packed else info.compress_size
    if start + info.compress_size > end or info.file_size > possible:
        raise ValueError(f"its member {info.filename!r} can't have {info.file_size:,} bytes")
    return Member(start, info.compress_size, info.file_size, is_packed, info.CRC)
