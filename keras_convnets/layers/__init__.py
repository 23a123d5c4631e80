"""The layers that Keras lacks, or computes more slowly than the machine can."""

from keras_convnets.layers.batch_normalization import BatchNormalization
from keras_convnets.layers.biased import BiasedConv2D, BiasedSeparableConv2D
from keras_convnets.layers.contrast_whitening import ContrastWhitening
from keras_convnets.layers.grouped import GroupedConv2D
from keras_convnets.layers.image_scaling import ImageScaling
from keras_convnets.layers.lenet import (
    ConnectionTableConv2D,
    LeNetUniform,
    RadialBasisOutput,
    TrainableSubsampling,
    scaled_tanh,
)
from keras_convnets.layers.local_response_normalization import LocalResponseNormalization
from keras_convnets.layers.pad_channels import PadChannels
from keras_convnets.layers.pointwise import PointwiseConv2D
from keras_convnets.layers.residual_scale import ResidualScale
from keras_convnets.layers.segmented import SegmentedConv2D

__all__ = [
    "BatchNormalization",
    "BiasedConv2D",
    "BiasedSeparableConv2D",
    "ConnectionTableConv2D",
    "ContrastWhitening",
    "GroupedConv2D",
    "ImageScaling",
    "LeNetUniform",
    "LocalResponseNormalization",
    "PadChannels",
    "PointwiseConv2D",
    "RadialBasisOutput",
    "ResidualScale",
    "SegmentedConv2D",
    "TrainableSubsampling",
    "scaled_tanh",
]
