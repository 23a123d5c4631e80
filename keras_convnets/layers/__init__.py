"""The layers that Keras lacks, or computes more slowly than the machine can."""

from keras_convnets.layers.batch_normalization import BatchNormalization
from keras_convnets.layers.lenet import (
    ConnectionTableConv2D,
    LeNetUniform,
    RadialBasisOutput,
    TrainableSubsampling,
    scaled_tanh,
)
from keras_convnets.layers.pointwise import PointwiseConv2D

__all__ = [
    "BatchNormalization",
    "ConnectionTableConv2D",
    "LeNetUniform",
    "PointwiseConv2D",
    "RadialBasisOutput",
    "TrainableSubsampling",
    "scaled_tanh",
]
