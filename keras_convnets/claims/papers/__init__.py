"""The claims by paper; each module has the tuple `CLAIMS`."""

from keras_convnets.claims.claim import Claim
from keras_convnets.claims.papers import (
    batch_norm,
    googlenet,
    inception,
    resnet,
    resnext,
    xception,
)
from keras_convnets.errors import InputError, nearest

_MODULES = (xception, resnext, resnet, googlenet, batch_norm, inception)
_ALL = {claim.name: claim for module in _MODULES for claim in module.CLAIMS}


def names() -> list[str]:
    """Returns the names of all claims, paper by paper."""
    return list(_ALL)


def get(name: str) -> Claim:
    """Returns a claim by its name.

    Raises:
        InputError: if there is none; the message names the nearest ones.

    Example:

    >>> keras_convnets.claims.get("xception_residuals").section
    '4.7, figure 9'
    """
    if name not in _ALL:
        raise InputError(
            f"There is no claim named {name!r}; the nearest names are {nearest(name, _ALL)}."
        )
    return _ALL[name]
