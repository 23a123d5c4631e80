"""Contrast normalization and ZCA whitening as a layer in front of a net."""

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_convnets.errors import InputError, check_number
from keras_convnets.layers.image_scaling import image_dtype

# What recipes and builders call this preprocessing.
GCN_ZCA = "gcn_zca"
# A float32 matrix of that many rows and columns takes 600 MB: 64 x 64 RGB images.
MOST_VALUES = 12_288


@keras.saving.register_keras_serializable("keras_convnets")
class ContrastWhitening(keras.layers.Layer):
    """Global contrast normalization, then ZCA whitening, as Network in Network saw CIFAR.

    What whitening subtracts and multiplies with are weights that no optimizer changes: `learn` sets
    them, from training images, and they are saved with the net. Until then nothing is whitened.

    Args:
        scale: Euclidean norm that each image gets; the default is that of maxout's released code,
            which Network in Network took (lisa-lab/pylearn2
            pylearn2/scripts/datasets/make_cifar10_gcn_whitened.py).
        **kwargs: as for every layer.

    Shapes: (n, height, width, channels) in 0..255 to the same; channels first if Keras is set so.

    Raises:
        InputError: if the scale is not above 0, or images have a free size or too many values.

    Example:

    >>> layer = keras_convnets.layers.ContrastWhitening(scale=2.0)
    >>> layer(np.array([[[[0.0], [2.0]]]])).numpy().astype(float).ravel().round(3).tolist()
    [-1.414, 1.414]
    """

    # Bytes that are not all alike have a greater norm; rounding may give those that are a tiny one.
    epsilon = 1e-2

    def __init__(self, scale: float = 55.0, **kwargs: Any):
        check_number("The scale of the contrast", scale, above=0)
        kwargs.setdefault("dtype", image_dtype())
        super().__init__(**kwargs)
        self.scale = scale

    def build(self, input_shape):
        shape = tuple(input_shape[1:])
        if None in shape or math.prod(shape) > MOST_VALUES:
            raise InputError(
                f"Whitening is for images of one size, of at most {MOST_VALUES:,} values, as 64 x "
                f"64 x 3. Received: images of shape {shape}"
            )
        size = math.prod(shape)
        self.mean = self.add_weight(name="mean", shape=shape, initializer="zeros", trainable=False)
        self.matrix = self.add_weight(
            name="matrix", shape=(size, size), initializer="identity", trainable=False
        )

    def learn(self, mean: np.ndarray, matrix: np.ndarray) -> None:
        """Sets what images of normalized contrast are whitened with.

        Args:
            mean: (height, width, channels) of the training images.
            matrix: (d, d), where d is height x width x channels.
        """
        self.mean.assign(mean)
        self.matrix.assign(matrix)

    def call(self, inputs):
        rows = ops.cast(inputs, self.compute_dtype)  # for Keras leaves bytes as they are
        rows = ops.reshape(rows, (-1, math.prod(inputs.shape[1:])))
        rows = rows - ops.mean(rows, axis=1, keepdims=True)
        norms = ops.sqrt(ops.sum(ops.square(rows), axis=1, keepdims=True))
        rows = rows * (self.scale / ops.where(norms < self.epsilon, self.scale, norms))
        rows = ops.matmul(rows - ops.reshape(self.mean, (-1,)), self.matrix)
        return ops.reshape(rows, (-1, *inputs.shape[1:]))

    def compute_output_shape(self, input_shape):
        return input_shape

    def count_macs(self, input_shape, output_shape) -> int:
        """Returns the multiply-adds of one image: those of the matrix."""
        return math.prod(self.matrix.shape)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments."""
        return {**super().get_config(), "scale": self.scale}
