"""Lengths and learning rates, in the units that the papers use."""

from keras_convnets.training.schedules.lengths import Epochs, Length, Samples, Steps, check_length
from keras_convnets.training.schedules.planned import (
    Constant,
    Cosine,
    Exponential,
    Piecewise,
    Planned,
    Polynomial,
)
from keras_convnets.training.schedules.watching import Plateau, Rows, Warmup, Watching

Schedule = Planned | Plateau | Warmup

__all__ = [
    "Constant",
    "Cosine",
    "Epochs",
    "Exponential",
    "Length",
    "Piecewise",
    "Planned",
    "Plateau",
    "Polynomial",
    "Rows",
    "Samples",
    "Schedule",
    "Steps",
    "Warmup",
    "Watching",
    "check_length",
]
