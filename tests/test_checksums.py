"""The check sum of TensorFlow's files."""

import pytest

from keras_convnets.checksums import masked_crc32c


def unmasked(sum_):
    """Undoes the mask: subtracts LevelDB's constant, and turns right by 17 bits."""
    turned = (sum_ - 0xA282EAD8) % 2**32
    return (turned >> 17 | turned << 15) % 2**32


@pytest.mark.parametrize(
    ("content", "sum_"),
    [  # the check value of the polynomial, and RFC 3720, appendix B.4
        (b"123456789", 0xE3069283),
        (bytes(32), 0x8A9136AA),
        (bytes(range(32)), 0x46DD794E),
        (b"", 0),
    ],
)
def test_the_sum_is_that_of_the_standard(content, sum_):
    assert unmasked(masked_crc32c(content)) == sum_
