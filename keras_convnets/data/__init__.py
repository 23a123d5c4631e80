"""Labelled images: where they come from, how they are changed, how they are batched."""

from keras_convnets.data.augmentation import (
    ColorJitter,
    CutMix,
    FlipLeftRight,
    HowardDistortion,
    InceptionCrop,
    MixUp,
    PadCrop,
    PCALighting,
    RandAugment,
    RandomSizedCrop,
    ShorterSideCrop,
    SlimCrop,
    SlimDistortion,
)
from keras_convnets.data.batches import (
    count_steps,
    evaluation_batches,
    training_batches,
)
from keras_convnets.data.decoding import decode_once
from keras_convnets.data.faults import evaluation_faults, naming_faults, training_faults
from keras_convnets.data.image_set import ImageSet
from keras_convnets.data.images import read_image
from keras_convnets.data.labels import LabelSets
from keras_convnets.data.loader import pipeline
from keras_convnets.data.order import Worker
from keras_convnets.data.sources import SPECS, load
from keras_convnets.data.splits import Fault, Split
from keras_convnets.data.whitening import ZCA, global_contrast_normalize
from keras_convnets.preprocessing import Preprocessing

__all__ = [
    "SPECS",
    "ZCA",
    "ColorJitter",
    "CutMix",
    "Fault",
    "FlipLeftRight",
    "HowardDistortion",
    "ImageSet",
    "InceptionCrop",
    "LabelSets",
    "MixUp",
    "PCALighting",
    "PadCrop",
    "Preprocessing",
    "RandAugment",
    "RandomSizedCrop",
    "ShorterSideCrop",
    "SlimCrop",
    "SlimDistortion",
    "Split",
    "Worker",
    "count_steps",
    "decode_once",
    "evaluation_batches",
    "evaluation_faults",
    "global_contrast_normalize",
    "load",
    "naming_faults",
    "pipeline",
    "read_image",
    "training_batches",
    "training_faults",
]
