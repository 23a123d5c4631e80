"""Random crops: a window that needs no pixels, and its resize to the input size."""

import abc
import dataclasses
import functools
from typing import ClassVar

import tensorflow as tf

from keras_convnets.data.augmentation.base import Augmentation, check_range, clip, fold
from keras_convnets.errors import InputError, check_choice, check_number

FILTERS = ("bilinear", "area", "nearest", "bicubic")

# What the draws of a crop fold its seed with.
_PATCH, _PLACE, _FILTER = range(3)

# The shares that `_place` turns into the half of any room, rounded down.
_CENTRAL = (0.49999, 0.49999)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Crop(Augmentation, abc.ABC):
    """A random window of the whole image, resized to the input size.

    Attributes:
        filters: how the window is resized: of "bilinear", "area", "nearest" and "bicubic" one, or
            several, of which each image gets one at random.
        antialias: whether a mean is taken where a window shrinks, as in Pillow and torchvision;
            TensorFlow 1 took none. For bilinear it is that of the area that a pixel covers, which
            differs from theirs by less than one level of 255 on the average and takes a quarter of
            the time.
    """

    sets_size: ClassVar[bool] = True
    filters: tuple[str, ...] = ("bilinear",)
    antialias: bool = True

    def __post_init__(self):
        if not isinstance(self.filters, tuple) or not self.filters:
            raise InputError(
                f"{type(self).__name__} wants a tuple of filters, of {', '.join(FILTERS)}. "
                f"Received: {self.filters!r}"
            )
        for name in self.filters:
            check_choice("filters", name, FILTERS)
        check_choice("antialias", self.antialias, (True, False))

    @abc.abstractmethod
    def window(self, shape: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Draws a window; no pixels are needed, so that a decoder can decode it alone.

        Args:
            shape: (2,) int32, height and width of the image.
            seed: (2,) integers.

        Returns:
            (4,) int32: top, left, height and width, of at least a pixel, within the image.
        """

    def resize(self, patch: tf.Tensor, seed: tf.Tensor, size: int) -> tf.Tensor:
        """Resizes the pixels of a window.

        Args:
            patch: (height, width, channels) of 0..255, uint8 or float32.
            seed: (2,) integers, those that the window was drawn with.
            size: input size.

        Returns:
            (size, size, channels) float32 of 0..255.
        """
        ways = [functools.partial(self._filter, patch, size, name) for name in self.filters]
        if len(ways) == 1:
            image = ways[0]()
        else:
            drawn = tf.random.stateless_uniform((), fold(seed, _FILTER), 0, len(ways), tf.int32)
            image = tf.switch_case(drawn, ways)
        return tf.ensure_shape(image, (size, size, patch.shape[-1]))  # for switch_case forgets it

    def _filter(self, patch: tf.Tensor, size: int, name: str) -> tf.Tensor:
        resize = functools.partial(tf.image.resize, patch, (size, size))
        if name == "bilinear" and self.antialias:
            shrinks = tf.reduce_all(tf.shape(patch)[:2] >= size)
            return tf.cond(shrinks, lambda: resize("area"), lambda: resize("bilinear"))
        image = tf.cast(resize(name, antialias=self.antialias), tf.float32)
        return clip(image) if name == "bicubic" else image  # it swings beyond

    def __call__(self, image: tf.Tensor, seed: tf.Tensor, size: int) -> tf.Tensor:
        top, left, height, width = tf.unstack(self.window(tf.shape(image)[:2], seed))
        patch = image[top : top + height, left : left + width]
        return self.resize(patch, seed, size)


@dataclasses.dataclass(frozen=True)
class InceptionCrop(Crop):
    """A patch whose area is drawn uniformly (GoogLeNet, arXiv 1409.4842, section 6).

    Where no patch fits, as in very long images, it is the central square. The paper gives the area,
    the aspect and, for late models, four filters; that the aspect is uniform too is fb.resnet's
    reading. `SlimCrop` is what TensorFlow's released code does.

    Attributes:
        area: least and largest share of the image's area.
        aspect: least and largest ratio of width to height.
    """

    tries: ClassVar[int] = 100  # as many as TensorFlow's released code
    swaps: ClassVar[bool] = False
    area: tuple[float, float] = (0.08, 1.0)
    aspect: tuple[float, float] = (3 / 4, 4 / 3)

    def __post_init__(self):
        super().__post_init__()
        check_range(type(self).__name__, "area", self.area, most=1)
        check_range(type(self).__name__, "aspect", self.aspect)

    def window(self, shape: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Draws a window (4,) int32 for an image of `shape` (2,): top, left, height, width."""
        # Each operation takes its time for each image: there are few, on all tries at once.
        drawn = tf.random.stateless_uniform((self.tries, 5), fold(seed, _PATCH))
        area, aspect, swap, places = tf.split(drawn, (1, 1, 1, 2), axis=1)
        area = self.area[0] + (self.area[1] - self.area[0]) * area
        aspect = self.aspect[0] + (self.aspect[1] - self.aspect[0]) * aspect
        if self.swaps:
            aspect = tf.where(swap < 0.5, aspect, 1 / aspect)
        pixels = area * tf.cast(tf.reduce_prod(shape), tf.float32)
        sides = tf.round(tf.sqrt(tf.concat([pixels / aspect, pixels * aspect], axis=1)))
        sides = tf.maximum(tf.cast(sides, tf.int32), 1)
        # The last of them always fits.
        sides = tf.concat([sides, tf.fill((1, 2), tf.reduce_min(shape))], axis=0)
        places = tf.concat([places, [_CENTRAL]], axis=0)
        room = shape - sides
        fits = tf.reduce_all(room >= 0, axis=1)
        return tf.concat([_place(room, places), sides], axis=1)[tf.argmax(fits)]


@dataclasses.dataclass(frozen=True)
class RandomSizedCrop(InceptionCrop):
    """The crop of fb.resnet.torch, which ResNeXt was trained with (datasets/transforms.lua).

    Width and height are swapped half of the time, up to ten patches are tried, then the central
    square is taken. Torch's bicubic does not take means; it puts the centres of the corner pixels
    onto each other, where TensorFlow's does it with their corners.
    """

    tries: ClassVar[int] = 10
    swaps: ClassVar[bool] = True
    _: dataclasses.KW_ONLY
    filters: tuple[str, ...] = ("bicubic",)
    antialias: bool = False


@dataclasses.dataclass(frozen=True)
class SlimCrop(InceptionCrop):
    """The crop of TensorFlow's released Inception code (slim/preprocessing).

    It is `tf.image.stateless_sample_distorted_bounding_box`, which draws the height uniformly, not
    the area, and is asked to cover a tenth of the object: where there is no bounding box this is
    the image, and patches of less than 10 % don't occur. Where none fits it takes the whole image.
    TensorFlow 1 put the corner pixels of a resized image elsewhere, by up to half a pixel.
    """

    area: tuple[float, float] = (0.05, 1.0)
    aspect: tuple[float, float] = (0.75, 1.33)
    _: dataclasses.KW_ONLY
    filters: tuple[str, ...] = FILTERS
    antialias: bool = False

    def window(self, shape: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Draws a window (4,) int32 for an image of `shape` (2,): top, left, height, width."""
        begin, extent, _ = tf.image.stateless_sample_distorted_bounding_box(
            tf.concat([shape, [3]], axis=0),
            tf.zeros([1, 0, 4]),
            fold(seed, _PATCH),
            min_object_covered=0.1,
            area_range=self.area,
            aspect_ratio_range=self.aspect,
            max_attempts=100,
            use_image_if_no_bounding_boxes=True,
        )
        return tf.concat([begin[:2], extent[:2]], axis=0)


@dataclasses.dataclass(frozen=True)
class ShorterSideCrop(Crop):
    """A square of the image whose shorter side was resized to S, drawn uniformly.

    The crop and S are the paper's pixels: of their ratio alone, `crop / S` of the shorter side,
    follows the window, whatever the input size. It is cut before it is resized, at whole pixels
    of the original: the resize does not see what lies outside.

    - VGG (arXiv 1409.1556, section 3.1): `(256, 256)`, `(384, 384)` or jittered, `(256, 512)`.
    - ResNet (arXiv 1512.03385, section 3.4): `(256, 480)`.
    - AlexNet (NIPS 2012, sections 2 and 4.1): `(256, 256, central_square=True)`.

    Attributes:
        low: the least S.
        high: the largest S.
        crop: side of the crop, at most `low`.
        central_square: whether the crop is taken from the central square of the image.
    """

    low: int
    high: int
    crop: int = 224
    central_square: bool = False

    def __post_init__(self):
        super().__post_init__()
        check_number("The crop of ShorterSideCrop", self.crop, least=1, whole=True)
        check_number("The low of ShorterSideCrop", self.low, least=self.crop, whole=True)
        check_number("The high of ShorterSideCrop", self.high, least=self.low, whole=True)
        check_choice("central_square", self.central_square, (True, False))

    def window(self, shape: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Draws a window (4,) int32 for an image of `shape` (2,): top, left, height, width."""
        scale = tf.random.stateless_uniform(
            (), fold(seed, _PATCH), self.low, self.high + 1, tf.int32
        )
        shorter = tf.reduce_min(shape)
        side = tf.cast(tf.round(self.crop * shorter / scale), tf.int32)
        extent = tf.fill([2], tf.maximum(side, 1))
        region = tf.fill([2], shorter) if self.central_square else shape
        shares = tf.random.stateless_uniform((2,), fold(seed, _PLACE))
        place = (shape - region) // 2 + _place(region - extent, shares)
        return tf.concat([place, extent], axis=0)


def _place(room: tf.Tensor, shares: tf.Tensor) -> tf.Tensor:
    """Turns numbers in [0, 1) into whole ones from 0 to `room`, all alike."""
    drawn = tf.cast(shares * tf.cast(room + 1, tf.float32), tf.int32)
    return tf.minimum(drawn, room)  # a product may be rounded up
