"""A dense layer in parts that lie on several parameter servers."""

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from keras_convnets.recursion import deep_graphs

# Kernels of at least so many numbers are split. Servers get whole variables in turns, so that one
# of the Xception paper's for JFT, 2048 x 17,000, would lie on one of them.
LARGE = 2**18


class SplitDense(keras.layers.Layer):
    """`keras.layers.Dense` with a kernel in parts of neighbouring columns, and one bias.

    The outputs are those of one `Dense` with the parts side by side as kernel. The parts have no
    biases of their own: servers get variables in turns, and of two a part all kernels would go to
    the same servers.

    Args:
        units: number of outputs.
        parts: number of kernels.
        activation: as in `Dense`.
        use_bias: as in `Dense`.
        **kwargs: of a layer.
    """

    def __init__(self, units: int, parts: int, activation=None, use_bias: bool = True, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.parts = parts
        self.use_bias = use_bias
        self.activation = keras.activations.get(activation)

    def build(self, input_shape: Sequence[int | None]):
        ends = np.linspace(0, self.units, self.parts + 1).round().astype(int)
        self.kernels = [
            self.add_weight(shape=(input_shape[-1], int(size)), name=f"kernel_{i}")
            for i, size in enumerate(np.diff(ends))
        ]
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias")

    def call(self, inputs):
        outputs = ops.concatenate([ops.matmul(inputs, part) for part in self.kernels], axis=-1)
        if self.bias is not None:
            outputs = ops.add(outputs, self.bias)
        return self.activation(outputs)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)


def with_split_layers(model: keras.Model, parts: int) -> keras.Model:
    """Returns a net like another, with fresh variables and its large dense layers in parts.

    Args:
        model: a functional model.
        parts: into how many a kernel is split.
    """

    def copy(layer: keras.layers.Layer) -> keras.layers.Layer:
        is_dense = type(layer) is keras.layers.Dense
        if not is_dense or parts < 2 or layer.kernel.shape[0] * layer.units < LARGE:
            return layer.__class__.from_config(layer.get_config())
        return SplitDense(
            layer.units,
            parts,
            activation=layer.activation,
            use_bias=layer.use_bias,
            name=layer.name,
            dtype=layer.dtype_policy,
        )

    with deep_graphs():
        # Of a compiled model Keras would copy the optimizer, too.
        plain = keras.Model(model.input, model.output, name=model.name)
        return keras.models.clone_model(plain, clone_function=copy)
