"""Random changes to training images; each is a pure function of the image and a seed."""

import dataclasses
from typing import ClassVar

import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class FlipLeftRight:
    """Mirrors half of the images."""

    sets_size: ClassVar[bool] = False

    def __call__(self, image: tf.Tensor, seed: tf.Tensor, size: int) -> tf.Tensor:
        return tf.image.stateless_random_flip_left_right(image, seed)


@dataclasses.dataclass(frozen=True)
class PadCrop:
    """Pads with black on each side and crops the old size at random (papers.md 10c: 4 pixels).

    Attributes:
        pixels: padding on each side.
    """

    sets_size: ClassVar[bool] = False
    pixels: int = 4

    def __call__(self, image: tf.Tensor, seed: tf.Tensor, size: int) -> tf.Tensor:
        around = [[self.pixels, self.pixels], [self.pixels, self.pixels], [0, 0]]
        return tf.image.stateless_random_crop(tf.pad(image, around), tf.shape(image), seed)


@dataclasses.dataclass(frozen=True)
class InceptionCrop:
    """Resizes a random patch to the input size (GoogLeNet, arXiv 1409.4842, section 6).

    Attributes:
        area: least and largest share of the image's area.
        aspect: least and largest ratio of width to height.
    """

    sets_size: ClassVar[bool] = True
    area: tuple[float, float] = (0.08, 1.0)
    aspect: tuple[float, float] = (3 / 4, 4 / 3)

    def __call__(self, image: tf.Tensor, seed: tf.Tensor, size: int) -> tf.Tensor:
        begin, extent, _ = tf.image.stateless_sample_distorted_bounding_box(
            tf.shape(image),
            tf.zeros([1, 0, 4]),
            seed,
            area_range=self.area,
            aspect_ratio_range=self.aspect,
            use_image_if_no_bounding_boxes=True,
        )
        return tf.image.resize(tf.slice(image, begin, extent), (size, size), antialias=True)


Augmentation = FlipLeftRight | PadCrop | InceptionCrop
