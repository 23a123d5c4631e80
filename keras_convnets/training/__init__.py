"""Recipes, and training by them: runs that can be killed, resumed and read."""

from keras_convnets.training.averaging import MovingAverage, PolyakMean
from keras_convnets.training.compiling import Compilation, compile_recipe
from keras_convnets.training.fine_tuning import EarlyStop, HeadPhase
from keras_convnets.training.initializers import (
    HeNormal,
    Layerwise,
    Normal,
    TruncatedNormal,
    Uniform,
)
from keras_convnets.training.optimizers import SGD, RMSprop
from keras_convnets.training.profiling import Profile, profile
from keras_convnets.training.recipe import Recipe
from keras_convnets.training.reproducibility import set_reproducible
from keras_convnets.training.run import Run
from keras_convnets.training.schedules import (
    Constant,
    Cosine,
    Epochs,
    Exponential,
    Piecewise,
    Plateau,
    Polynomial,
    Samples,
    Steps,
    Warmup,
)
from keras_convnets.training.smoke import smoke
from keras_convnets.training.sourced import C, P, Sourced, choice
from keras_convnets.training.start import settle
from keras_convnets.training.train import resume, train
from keras_convnets.training.watch import watch

__all__ = [
    "SGD",
    "C",
    "Compilation",
    "Constant",
    "Cosine",
    "EarlyStop",
    "Epochs",
    "Exponential",
    "HeNormal",
    "HeadPhase",
    "Layerwise",
    "MovingAverage",
    "Normal",
    "P",
    "Piecewise",
    "Plateau",
    "PolyakMean",
    "Polynomial",
    "Profile",
    "RMSprop",
    "Recipe",
    "Run",
    "Samples",
    "Sourced",
    "Steps",
    "TruncatedNormal",
    "Uniform",
    "Warmup",
    "choice",
    "compile_recipe",
    "profile",
    "resume",
    "set_reproducible",
    "settle",
    "smoke",
    "train",
    "watch",
]
