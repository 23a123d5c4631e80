"""Changes that move or mirror an image and keep its size."""

import dataclasses

import tensorflow as tf

from keras_convnets.data.augmentation.base import Augmentation
from keras_convnets.errors import check_number


@dataclasses.dataclass(frozen=True)
class FlipLeftRight(Augmentation):
    """Mirrors half of the images."""

    def __call__(self, image: tf.Tensor, seed: tf.Tensor, size: int) -> tf.Tensor:
        return tf.image.stateless_random_flip_left_right(image, seed)


@dataclasses.dataclass(frozen=True)
class PadCrop(Augmentation):
    """Pads with black on each side and crops the old size at random.

    As ResNet did on CIFAR-10 (arXiv 1512.03385, section 4.2).

    Attributes:
        pixels: padding on each side.
    """

    pixels: int = 4

    def __post_init__(self):
        check_number("The pixels of PadCrop", self.pixels, least=0, whole=True)

    def __call__(self, image: tf.Tensor, seed: tf.Tensor, size: int) -> tf.Tensor:
        around = [[self.pixels, self.pixels], [self.pixels, self.pixels], [0, 0]]
        return tf.image.stateless_random_crop(tf.pad(image, around), tf.shape(image), seed)
