"""The check sum of TensorFlow's checkpoints and record files: CRC-32C, masked as LevelDB does."""

import google_crc32c

_MASK = 0xA282EAD8


def masked_crc32c(content: bytes) -> int:
    """Returns the masked check sum of some bytes."""
    crc = google_crc32c.value(content)
    return ((crc >> 15 | crc << 17) + _MASK) & 0xFFFFFFFF
