"""From an image to the input of a net: what belongs to weights as much as their numbers."""

import dataclasses
from typing import TYPE_CHECKING

from keras_convnets.errors import InputError, check_choice, check_number
from keras_convnets.imagenet_utils import SCALINGS, preprocess_input

if TYPE_CHECKING:
    import tensorflow as tf

INTERPOLATIONS = ("bilinear", "bicubic")


@dataclasses.dataclass(frozen=True)
class Preprocessing:
    """How an image becomes the input of a net.

    Attributes:
        size: height and width in pixels.
        channels: 3 for RGB, 1 for grey.
        mode: of `imagenet_utils.preprocess_input`.
        crop: the share of the shorter side that the central crop takes, in (0, 2]; above 1 the
            image gets a black border.
        interpolation: of the resize, "bilinear" or "bicubic"; both take a mean where they shrink.

    Raises:
        InputError: if a value can't be used.
    """

    size: int
    channels: int
    mode: str
    crop: float = 1.0
    interpolation: str = "bilinear"

    def __post_init__(self):
        check_number("The input size", self.size, least=1, whole=True)
        check_number("The share of the central crop", self.crop, above=0, most=2)
        if self.channels not in (1, 3):
            raise InputError(f"A net's images have 1 or 3 channels. Received: {self.channels!r}")
        if self.mode not in SCALINGS:
            raise InputError(
                f"The preprocessing should be one of {', '.join(SCALINGS)}. Received: {self.mode!r}"
            )
        check_choice("interpolation", self.interpolation, INTERPOLATIONS)

    def __call__(self, image: "tf.Tensor") -> "tf.Tensor":
        """Resizes the shorter side, crops the centre and scales: (h, w, c) uint8 to float32."""
        return self.scale(self.center(image))

    @property
    def enough(self) -> int:
        """The shorter side in pixels that an image is resized to before the crop."""
        return round(self.size / self.crop)

    def center(self, image: "tf.Tensor") -> "tf.Tensor":
        """Resizes the shorter side to `enough` and takes the central `size` x `size`.

        Returns:
            (size, size, channels) float32 of whole numbers from 0 to 255, as a file would hold.
        """
        import tensorflow as tf

        if image.shape[:2] == (self.size, self.size) and self.crop == 1.0:
            return tf.cast(self.to_channels(image), tf.float32)
        image = self.resize(image, self.enough)
        return tf.image.resize_with_crop_or_pad(image, self.size, self.size)

    def resize(self, image: "tf.Tensor", shorter: "int | tf.Tensor") -> "tf.Tensor":
        """Resizes a whole image, of a very long one the middle four times as long as it is wide.

        Args:
            image: (height, width, channels) uint8 or float32 in 0..255.
            shorter: its shorter side thereafter, in pixels; the longer one is rounded up.

        Returns:
            (height, width, channels) float32 of whole numbers from 0 to 255.
        """
        import tensorflow as tf

        image = tf.cast(self.to_channels(image), tf.float32)
        # The rest of a very long image would take all memory.
        longest = 4 * tf.reduce_min(tf.shape(image)[:2])
        image = tf.image.resize_with_crop_or_pad(
            image, *tf.unstack(tf.minimum(tf.shape(image)[:2], longest))
        )
        height, width = tf.unstack(tf.cast(tf.shape(image)[:2], tf.float64))
        factor = tf.cast(shorter, tf.float64) / tf.minimum(height, width)
        # Rounded up, so that the crop always fits.
        new_size = tf.cast(tf.math.ceil(tf.stack([height, width]) * factor - 1e-6), tf.int32)
        image = tf.image.resize(image, new_size, self.interpolation, antialias=True)
        return tf.clip_by_value(tf.round(image), 0, 255)  # the bicubic swings beyond edges

    def to_channels(self, image: "tf.Tensor") -> "tf.Tensor":
        """Makes an image grey or RGB."""
        import tensorflow as tf

        if image.shape[-1] == self.channels:
            return image
        convert = tf.image.rgb_to_grayscale if self.channels == 1 else tf.image.grayscale_to_rgb
        return convert(tf.convert_to_tensor(image))

    def scale(self, image: "tf.Tensor") -> "tf.Tensor":
        """Scales pixels from 0..255 to what the net expects; raw ones stay as they are."""
        import tensorflow as tf

        image = tf.ensure_shape(image, (self.size, self.size, self.channels))
        if self.mode == "raw":
            return image
        return preprocess_input(image, data_format="channels_last", mode=self.mode)
