"""The check sum of TensorFlow's files."""

import numpy as np
import pytest

from keras_convnets.weights.formats.crc32c import crc32c


def by_bits(content):
    """The check sum by its definition."""
    register = 0xFFFFFFFF
    for byte in content:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0x82F63B78 if register & 1 else 0)
    return register ^ 0xFFFFFFFF


def test_the_sum_is_that_of_the_standard():
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA  # RFC 3720, appendix B.4
    assert crc32c(bytes(range(32))) == 0x46DD794E


@pytest.mark.parametrize("length", [0, 1, 2, 3, 2047, 2048, 2049, 5000])
def test_the_sum_is_right_for_any_length(length, rng):
    content = rng.integers(0, 256, length, dtype=np.uint8).tobytes()
    assert crc32c(content) == by_bits(content)


def test_the_sum_goes_on_where_columns_of_pieces_end(rng):
    content = rng.integers(0, 256, 2 * 1024 * 129, dtype=np.uint8).tobytes()
    assert crc32c(content) == by_bits(content)
