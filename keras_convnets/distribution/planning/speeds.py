"""Speeds of networks as people type them: 10Gbit, 1.25GB/s."""

import math
import re

from keras_convnets.errors import InputError

_SPEED = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([kKmMgGtT]?)([bB]it|B)(?:/s)?")
_SCALES = {"": 1, "k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12}


def parse_speed(text: str) -> float:
    """Returns the bytes per second that a text means.

    Args:
        text: a number and a unit: bit or B (bytes), with k, M, G or T before it.

    Raises:
        InputError: if it means no speed above 0.

    Example:

    >>> from keras_convnets.distribution.planning import parse_speed
    >>> parse_speed("10Gbit")
    1250000000.0
    """
    match = _SPEED.fullmatch(text.strip())
    # A small b alone is bits to some and bytes to others.
    speed = float(match[1]) * _SCALES[match[2].lower()] if match else 0.0
    if not 0 < speed < math.inf:
        raise InputError(
            "The speed of the network should be a number above 0 with bit or B such as 10Gbit or "
            f"1.25GB, a second. Received: {text[:80]!r}"
        )
    return speed if match[3] == "B" else speed / 8
