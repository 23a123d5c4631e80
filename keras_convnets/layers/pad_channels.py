"""More channels, all of them zero: the shortcut of ResNet that has no parameters."""

import keras
from keras import ops

from keras_convnets.errors import check_choice, check_number


@keras.saving.register_keras_serializable(package="keras_convnets")
class PadChannels(keras.layers.Layer):
    """Appends maps of zeros until there are `channels` of them.

    Args:
        channels: int, number of output channels, at least that of the input.
        data_format: "channels_last", "channels_first", or `None` for Keras' setting.
        **kwargs: as in `keras.layers.Layer`.

    Input: (n, height, width, c), or (n, c, height, width) with "channels_first".
    Output: the same with `channels` channels, those of the input first.

    Raises:
        ValueError: if an argument can't be used, or the input has more channels.

    Example:

    >>> layer = keras_convnets.layers.PadChannels(5)
    >>> layer(np.ones((1, 1, 1, 3), "float32")).numpy().ravel().tolist()
    [1.0, 1.0, 1.0, 0.0, 0.0]

    Source: He et al. 2015, arXiv 1512.03385, section 3.3, option A.
    """

    def __init__(self, channels: int, data_format: str | None = None, **kwargs):
        check_number("`channels`", channels, least=1, whole=True)
        data_format = data_format or keras.config.image_data_format()
        check_choice("data_format", data_format, ("channels_last", "channels_first"))
        super().__init__(**kwargs)
        self.channels = channels
        self.data_format = data_format

    @property
    def _axis(self) -> int:
        return 3 if self.data_format == "channels_last" else 1

    def build(self, input_shape):
        """Makes sure that there are no more channels than there shall be."""
        self.compute_output_shape(input_shape)

    def call(self, inputs):
        padding = [(0, 0)] * 4
        padding[self._axis] = (0, self.channels - inputs.shape[self._axis])
        return ops.pad(inputs, padding)

    def compute_output_shape(self, input_shape):
        """The shape of the output for an input of a shape."""
        shape = list(input_shape)
        if shape[self._axis] > self.channels:
            raise ValueError(
                f"PadChannels gives {self.channels} channels, so that it can't take more. "
                f"Received: an input of shape {tuple(input_shape)}"
            )
        shape[self._axis] = self.channels
        return tuple(shape)

    def get_config(self):
        """What makes the layer anew."""
        return {
            **super().get_config(),
            "channels": self.channels,
            "data_format": self.data_format,
        }
