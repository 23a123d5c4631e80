"""Labelled images: where they come from, how they are changed, how they are batched."""

from keras_convnets.data.augmentation import (
    CutMix,
    FlipLeftRight,
    InceptionCrop,
    MixUp,
    PadCrop,
    RandAugment,
)
from keras_convnets.data.decoding import decode_once
from keras_convnets.data.images import read_image
from keras_convnets.data.labels import LabelSets
from keras_convnets.data.pipeline import (
    count_steps,
    evaluation_batches,
    naming_faults,
    training_batches,
)
from keras_convnets.data.sources import SPECS, load
from keras_convnets.data.splits import Fault, ImageSet, Split
from keras_convnets.preprocessing import Preprocessing

__all__ = [
    "SPECS",
    "CutMix",
    "Fault",
    "FlipLeftRight",
    "ImageSet",
    "InceptionCrop",
    "LabelSets",
    "MixUp",
    "PadCrop",
    "Preprocessing",
    "RandAugment",
    "Split",
    "count_steps",
    "decode_once",
    "evaluation_batches",
    "load",
    "naming_faults",
    "read_image",
    "training_batches",
]
