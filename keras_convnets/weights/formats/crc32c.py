"""The check sum of TensorFlow's files: CRC-32C, masked as LevelDB does.

A register that goes through the bytes one by one takes minutes in Python. But what bytes do to it
is linear, and zeros in front do nothing; so pieces of equal length are gone through side by side,
two bytes a step, and their registers are joined in pairs.
"""

import numpy as np

_POLYNOMIAL = np.uint32(0x82F63B78)  # of Castagnoli, with the lowest power in the highest bit
_MASK = 0xA282EAD8
_PIECES = 1024
_COLUMNS = 128  # gone through between transpositions, so that these stay in the cache
_BITS = np.uint32(1) << np.arange(32, dtype=np.uint32)


def masked_crc32c(content: bytes) -> int:
    """The masked check sum of some bytes."""
    crc = crc32c(content)
    return ((crc >> 15 | crc << 17) + _MASK) & 0xFFFFFFFF


def crc32c(content: bytes) -> int:
    """The check sum of some bytes."""
    length = -(-len(content) // (2 * _PIECES))
    pieces = np.zeros(2 * length * _PIECES, np.uint8)
    pieces[len(pieces) - len(content) :] = np.frombuffer(content, np.uint8)
    registers = _step_through(pieces.view("<u2").reshape(_PIECES, length))
    images = _after_zeros(16 * length)
    while len(registers) > 1:
        registers = _linear(images, registers[0::2]) ^ registers[1::2]
        images = _linear(images, images)
    ones = np.array([0xFFFFFFFF], np.uint32)  # what the register starts with
    return int((registers ^ _linear(_after_zeros(8 * len(content)), ones) ^ ones)[0])


def _shift(registers: np.ndarray) -> np.ndarray:
    """The registers after a bit that is zero."""
    return (registers >> 1) ^ np.where(registers & 1, _POLYNOMIAL, np.uint32(0))


def _table() -> np.ndarray:
    """The registers after two bytes, by what these and the register's low bits add up to."""
    registers = np.arange(2**16, dtype=np.uint32)
    for _ in range(16):
        registers = _shift(registers)
    return registers


_TABLE = _table()


def _step_through(pieces: np.ndarray) -> np.ndarray:
    """The register after each piece, from one of zeros."""
    registers = np.zeros(len(pieces), np.uint32)
    for start in range(0, pieces.shape[1], _COLUMNS):
        for column in np.ascontiguousarray(pieces[:, start : start + _COLUMNS].T):
            registers = _TABLE.take((registers ^ column) & 0xFFFF) ^ (registers >> 16)
    return registers


def _after_zeros(bits: int) -> np.ndarray:
    """What so many zeros make of each bit of a register."""
    images, power = _BITS, _shift(_BITS)
    while bits:
        if bits & 1:
            images = _linear(power, images)
        power = _linear(power, power)
        bits >>= 1
    return images


def _linear(images: np.ndarray, registers: np.ndarray) -> np.ndarray:
    """The sum of the images of the bits that are set in each register."""
    chosen = np.where(registers[:, None] & _BITS, images, np.uint32(0))
    return np.bitwise_xor.reduce(chosen, axis=1)
