"""Writes sorted tables and the messages of checkpoints, so that tests can write what is wrong."""

from collections.abc import Mapping

from keras_convnets.checksums import masked_crc32c

from .write_caffe import field, varint

MAGIC = bytes.fromhex("57fb808b247547db")


def block(entries: list[tuple[int, bytes, bytes]]) -> bytes:
    """The content of a block.

    Args:
        entries: how much of the last key each key shares, the rest of it, and the value.
    """
    content = b"".join(
        varint(shared) + varint(len(rest)) + varint(len(value)) + rest + value
        for shared, rest, value in entries
    )
    return content + bytes(4) + (1).to_bytes(4, "little")


def stored(content: bytes, compression: int = 0) -> bytes:
    """A block as it lies in the file, with the check sum that is right for it."""
    content += bytes([compression])
    return content + masked_crc32c(content).to_bytes(4, "little")


def table(*blocks: bytes, handles: list[bytes] | None = None) -> bytes:
    """A table of blocks.

    Args:
        *blocks: as they lie in the file.
        handles: what the index says of them, if not the truth.
    """
    places, start = [], 0
    for content in blocks:
        places.append(varint(start) + varint(len(content) - 5))
        start += len(content)
    handles = places if handles is None else handles
    index = stored(block([(0, b"%06d" % i, handle) for i, handle in enumerate(handles)]))
    footer = varint(0) + varint(0) + varint(start) + varint(len(index) - 5)
    return b"".join(blocks) + index + footer.ljust(40, b"\0") + MAGIC


def simple_table(values: Mapping[bytes, bytes]) -> bytes:
    """A table of one block."""
    return table(stored(block([(0, key, value) for key, value in sorted(values.items())])))


def shape(*lengths: int) -> bytes:
    """A TensorShapeProto."""
    return b"".join(field(2, field(1, length)) for length in lengths)


def entry(
    *lengths: int,
    dtype: int = 1,
    shard: int = 0,
    offset: int = 0,
    size: int | None = None,
    crc: int = 0,
    parts: bytes = b"",
) -> bytes:
    """A BundleEntryProto of a tensor of float32, unless another type is given."""
    if size is None:
        size = 4
        for length in lengths:
            size *= length
    message = field(1, dtype) + field(2, shape(*lengths)) + field(3, shard) + field(4, offset)
    return message + field(5, size) + varint(6 << 3 | 5) + crc.to_bytes(4, "little") + parts


HEADER = field(1, 1)  # a BundleHeaderProto: one file of data
