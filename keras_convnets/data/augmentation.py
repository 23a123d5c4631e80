"""Random changes to training images; each is a pure function of the image and a seed."""

import dataclasses
from typing import ClassVar

import tensorflow as tf

from keras_convnets.errors import InputError, check_number


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

    def __post_init__(self):
        check_number("The pixels of PadCrop", self.pixels, least=0, whole=True)

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

    def __post_init__(self):
        for name, pair in (("area", self.area), ("aspect", self.aspect)):
            if not isinstance(pair, tuple) or len(pair) != 2:
                raise InputError(f"InceptionCrop wants two numbers as {name}. Received: {pair!r}")
            check_number(f"The least {name} of InceptionCrop", pair[0], above=0)
            check_number(f"The largest {name} of InceptionCrop", pair[1], least=pair[0])
        check_number("The largest area of InceptionCrop", self.area[1], most=1)

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
