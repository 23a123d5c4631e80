"""Weights from files: what exists for which net, and how each file format is read."""

from keras_convnets.weights.dialects.keras_applications import has_imagenet, imagenet_names
from keras_convnets.weights.loading import load, load_imagenet

__all__ = ["has_imagenet", "imagenet_names", "load", "load_imagenet"]
