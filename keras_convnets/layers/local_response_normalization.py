"""Local response normalization across channels (Krizhevsky, Sutskever, Hinton 2012)."""

import keras
import numpy as np
from keras import ops

from keras_convnets.errors import check_choice, check_number

_DATA_FORMATS = ("channels_last", "channels_first")


@keras.saving.register_keras_serializable(package="keras_convnets")
class LocalResponseNormalization(keras.layers.Layer):
    """Divides each value by a power of the energy of its neighbours in the channel axis.

    b = a / (k + alpha / size * s) ** beta, where s is the sum of a ** 2 over `size` channels around
    the value's own, and channels beyond the ends count as zeros.

    **`alpha` is divided by `size`**, as in Caffe and torch; the defaults are the constants of
    Caffe's GoogLeNet. AlexNet's paper and TensorFlow do not divide. The same function is:

    - paper, k=2, n=5, alpha=1e-4, beta=0.75: `LocalResponseNormalization(5, alpha=5e-4, k=2.0)`;
    - `tf.nn.local_response_normalization(x, depth_radius=r, bias=b, alpha=a, beta=p)`:
      `LocalResponseNormalization(2 * r + 1, alpha=a * (2 * r + 1), beta=p, k=b)`.

    An even size takes one more channel before the value than after it, as torch does; Caffe and
    TensorFlow know odd sizes only.

    Args:
        size: int, number of channels in a sum.
        alpha: number of at least 0.
        beta: number of at least 0, the exponent.
        k: number above 0.
        data_format: "channels_last" or "channels_first"; Keras' own setting if `None`.
        **kwargs: as in `keras.layers.Layer`.

    Input and output: (n, height, width, channels), or (n, channels, height, width); any number of
    spatial axes. 16-bit types are computed in float32.

    Raises:
        InputError: if an argument can't be used (a `ValueError`).

    Example:

    >>> layer = keras_convnets.layers.LocalResponseNormalization(size=3, alpha=3.0, beta=1.0)
    >>> layer(np.array([[1.0, 2.0, 3.0]])).numpy().round(3)  # 1 / 6, 2 / 15, 3 / 14
    array([[0.167, 0.133, 0.214]], dtype=float32)

    Source: Krizhevsky et al. 2012, section 3.3; Caffe's bvlc_googlenet for the defaults.
    """

    def __init__(
        self,
        size: int = 5,
        alpha: float = 1e-4,
        beta: float = 0.75,
        k: float = 1.0,
        data_format: str | None = None,
        **kwargs,
    ):
        check_number("`size`", size, least=1, whole=True)
        check_number("`alpha`", alpha, least=0)
        check_number("`beta`", beta, least=0)
        check_number("`k`", k, above=0)
        data_format = data_format or keras.config.image_data_format()
        check_choice("data_format", data_format, _DATA_FORMATS)
        super().__init__(**kwargs)
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k
        self.data_format = data_format

    def call(self, inputs):
        dtype = keras.backend.standardize_dtype(inputs.dtype)
        wide = keras.backend.result_type(dtype, "float32")
        x = ops.cast(inputs, wide)
        last = self.data_format == "channels_last"
        # A product with a matrix of zeros and ones is several times faster than a sum of slices.
        equation = "...i,io->...o" if last else "ni...,io->no..."
        neighbours = _neighbours(x.shape[-1 if last else 1], self.size).astype(wide)
        energy = ops.einsum(equation, ops.square(x), neighbours)
        # exp of log, for TensorFlow's power takes thrice the time.
        scale = ops.exp(-self.beta * ops.log(self.k + self.alpha / self.size * energy))
        return ops.cast(x * scale, dtype)

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)

    def get_config(self):
        return {
            **super().get_config(),
            "size": self.size,
            "alpha": self.alpha,
            "beta": self.beta,
            "k": self.k,
            "data_format": self.data_format,
        }


def _neighbours(channels: int, size: int) -> np.ndarray:
    """Returns which input channels (rows) the sum of each output channel (columns) takes."""
    position = np.arange(channels)
    offset = position[:, None] - position[None]
    return (-(size // 2) <= offset) & (offset <= (size - 1) // 2)
