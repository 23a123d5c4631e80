"""The papers' comparisons, tried on small nets; and runs of one's own, compared."""

from keras_convnets.claims.claim import Arm, Claim, HeatMap
from keras_convnets.claims.papers import get, names
from keras_convnets.claims.reproduction import reproduce
from keras_convnets.claims.rules import Contrast, Finding, Slope

__all__ = [
    "Arm",
    "Claim",
    "Contrast",
    "Finding",
    "HeatMap",
    "Slope",
    "get",
    "names",
    "reproduce",
]
