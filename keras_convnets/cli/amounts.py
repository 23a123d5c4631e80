"""Amounts as people type them: 70k, 300M, 4.1G."""

from decimal import Decimal

from keras_convnets.errors import InputError

# What no net costs.
MOST = 10**18
SUFFIXES = {"k": 10**3, "m": 10**6, "g": 10**9}


def readable(amount: int) -> str:
    """Returns an amount with three digits or four: 61.0M, 4.23G."""
    for suffix, scale in (("G", 1e9), ("M", 1e6)):
        if amount >= scale:
            return f"{amount / scale:.{2 if amount < 10 * scale else 1}f}{suffix}"
    return f"{amount / 1e3:.0f}k"


def mebibytes(size: int) -> str:
    """Returns a number of bytes in MiB, with two digits at least."""
    return f"{size / 2**20:.{1 if size >= 2**20 else 2}f}"


def megabytes(size: int) -> str:
    """Returns the size of a file in MB, as downloads have it."""
    return f"{size / 1e6:,.1f} MB"


def parse_amount(option: str, text: str | None) -> int | None:
    """Returns the number that a text means, `None` for none.

    Raises:
        InputError: if it means no number above 0.
    """
    if text is None:
        return None
    scale = SUFFIXES.get(text[-1:].lower(), 1)
    try:
        amount = Decimal(text if scale == 1 else text[:-1]) * scale
        is_good = 1 <= amount <= MOST
    except ArithmeticError:
        is_good = False
    if not is_good:
        raise InputError(
            f"{option} should be a number of at least 1 such as 70k, 300M or 4.1G. "
            f"Received: {text[:80]!r}"
        )
    return int(amount)
