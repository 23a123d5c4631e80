"""The scaling of pixels as a layer."""

from typing import Any

import keras

# The module, not its function: whoever imports it first imports Keras, and Keras these layers.
from keras_convnets import imagenet_utils


def image_dtype() -> str:
    """The dtype of layers that take pixels: float32 at least."""
    # 16 bits would round pixels: bfloat16 tells no odd numbers above 256 apart after a shift.
    policy = keras.config.dtype_policy().variable_dtype
    return policy if policy == "float64" else "float32"


@keras.saving.register_keras_serializable("keras_convnets")
class ImageScaling(keras.layers.Layer):
    """Scales pixels as `imagenet_utils.preprocess_input` does; computes in float32 at least.

    Args:
        mode: of `preprocess_input`.
        **kwargs: as for every layer.

    Shapes: (n, height, width, channels) in 0..255 to the same; channels first if Keras is set so.

    Example:

    >>> keras_convnets.layers.ImageScaling("tf")(np.full((1, 1, 1, 3), 255.0)).numpy()
    array([[[[1., 1., 1.]]]], dtype=float32)
    """

    def __init__(self, mode: str, **kwargs: Any):
        kwargs.setdefault("dtype", image_dtype())
        super().__init__(**kwargs)
        self.mode = mode
        self.data_format = keras.config.image_data_format()

    def call(self, inputs):
        return imagenet_utils.preprocess_input(inputs, data_format=self.data_format, mode=self.mode)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments."""
        return {**super().get_config(), "mode": self.mode}
