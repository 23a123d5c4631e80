"""Random changes to training images; each is a pure function of the images and a seed."""

from keras_convnets.data.augmentation.base import Augmentation
from keras_convnets.data.augmentation.color import (
    ColorJitter,
    HowardDistortion,
    SlimDistortion,
)
from keras_convnets.data.augmentation.crops import (
    Crop,
    InceptionCrop,
    RandomSizedCrop,
    ShorterSideCrop,
    SlimCrop,
)
from keras_convnets.data.augmentation.lighting import PCALighting
from keras_convnets.data.augmentation.of_keras import CutMix, MixUp, RandAugment
from keras_convnets.data.augmentation.shifts import FlipLeftRight, PadCrop

__all__ = [
    "Augmentation",
    "ColorJitter",
    "Crop",
    "CutMix",
    "FlipLeftRight",
    "HowardDistortion",
    "InceptionCrop",
    "MixUp",
    "PCALighting",
    "PadCrop",
    "RandAugment",
    "RandomSizedCrop",
    "ShorterSideCrop",
    "SlimCrop",
    "SlimDistortion",
]
