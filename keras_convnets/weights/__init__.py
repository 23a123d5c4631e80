"""Public weights and files of weights: what there is, where it is, and how it is loaded."""

from keras_convnets.weights.catalog import Entry, entries, find
from keras_convnets.weights.inputs import preprocessing
from keras_convnets.weights.loading import load
from keras_convnets.weights.report import LoadReport

__all__ = ["Entry", "LoadReport", "entries", "find", "load", "preprocessing"]
