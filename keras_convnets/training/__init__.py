"""Recipes, and training by them: runs that can be killed, resumed and read."""

from keras_convnets.training.fine_tuning import EarlyStop, HeadPhase
from keras_convnets.training.optimizers import SGD, RMSprop
from keras_convnets.training.recipe import Recipe
from keras_convnets.training.reproducibility import set_reproducible
from keras_convnets.training.run import Run
from keras_convnets.training.schedules import (
    Constant,
    Cosine,
    Epochs,
    Exponential,
    Piecewise,
    Samples,
    Steps,
)
from keras_convnets.training.sourced import C, P, Sourced, choice
from keras_convnets.training.start import settle
from keras_convnets.training.train import resume, train

__all__ = [
    "SGD",
    "C",
    "Constant",
    "Cosine",
    "EarlyStop",
    "Epochs",
    "Exponential",
    "HeadPhase",
    "P",
    "Piecewise",
    "RMSprop",
    "Recipe",
    "Run",
    "Samples",
    "Sourced",
    "Steps",
    "choice",
    "resume",
    "set_reproducible",
    "settle",
    "train",
]
