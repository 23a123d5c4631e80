"""The scaled sum of Inception-ResNet."""

import keras


@keras.saving.register_keras_serializable(package="keras_convnets")
class ResidualScale(keras.layers.Layer):
    """Adds a scaled residue: x + scale * residue.

    Scaling by 0.1 to 0.3 keeps nets of more than a thousand filters from dying early in training
    (Szegedy et al. 2016, arXiv 1602.07261, section 3.3). Called on [x, residue], two tensors of
    one shape; returns a tensor of that shape.

    Args:
        scale: float, the factor of the residue.
        **kwargs: as in `keras.layers.Layer`.

    Example:

    >>> x = keras.ops.ones((1, 4))
    >>> keras.ops.convert_to_numpy(keras_convnets.layers.ResidualScale(0.5)([x, x])).tolist()
    [[1.5, 1.5, 1.5, 1.5]]
    """

    def __init__(self, scale: float, **kwargs):
        super().__init__(**kwargs)
        self.scale = scale

    def call(self, inputs):
        x, residue = inputs
        return x + residue * self.scale

    def compute_output_shape(self, input_shape):
        return tuple(input_shape[0])

    def get_config(self):
        return {**super().get_config(), "scale": self.scale}
