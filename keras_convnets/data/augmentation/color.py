"""Random changes of colour, as their sources define them."""

import dataclasses
import itertools
from collections.abc import Callable, Sequence

import tensorflow as tf

from keras_convnets.data.augmentation.base import Augmentation, check_range, clip, fold
from keras_convnets.data.augmentation.lighting import PCALighting
from keras_convnets.errors import InputError, check_number

# Luma of ITU-R 601, by which Pillow and fb.resnet.torch make images grey.
_GREY = (0.299, 0.587, 0.114)

Change = Callable[[tf.Tensor], tf.Tensor]


@dataclasses.dataclass(frozen=True)
class ColorJitter(Augmentation):
    """Blends an image with black, its mean grey and its grey self (fb.resnet.torch).

    Each factor is drawn from 1 - f to 1 + f: 1 keeps the image, 0 gives what it is blended with.
    The source applies the three in random order and does not clip: they then commute, for the grey
    of an image is kept by `saturation`, and its mean by `contrast`. So all three are one step here.
    Grey images have no saturation to change.

    Attributes:
        brightness: f of the blend with black.
        contrast: f of the blend with the mean of the grey image.
        saturation: f of the blend with the grey image.
    """

    brightness: float = 0.4
    contrast: float = 0.4
    saturation: float = 0.4

    def __post_init__(self):
        for name in ("brightness", "contrast", "saturation"):
            check_number(f"The {name} of ColorJitter", getattr(self, name), least=0, most=1)

    def __call__(self, image: tf.Tensor, seed: tf.Tensor, size: int) -> tf.Tensor:
        shares = (self.brightness, self.contrast, self.saturation)
        factors = 1 + tf.random.stateless_uniform((3,), seed, -1.0, 1.0) * shares
        brightness, contrast, saturation = tf.unstack(factors)
        changed = _mix_channels(image, brightness * contrast, saturation)
        return changed + (1 - contrast) * brightness * _mean_grey(image)


@dataclasses.dataclass(frozen=True)
class HowardDistortion(Augmentation):
    """Changes contrast, brightness and colour in random order, then the lighting.

    The photometric distortion of GoogLeNet, after Howard (arXiv 1312.5402), by Pillow's
    definitions, which clip to 0..255 after each. Grey images have no colour to change and need a
    lighting of their own, or none.

    Attributes:
        factors: least and largest factor of each of the three; 1 keeps the image.
        lighting: what is added at the end, or `None`.
    """

    factors: tuple[float, float] = (0.5, 1.5)
    lighting: PCALighting | None = PCALighting()  # noqa: RUF009, for it is frozen

    def __post_init__(self):
        check_range("HowardDistortion", "factors", self.factors)
        if not isinstance(self.lighting, PCALighting | None):
            raise InputError(
                "HowardDistortion wants a PCALighting or None as lighting. "
                f"Received: {self.lighting!r}"
            )

    def __call__(self, image: tf.Tensor, seed: tf.Tensor, size: int) -> tf.Tensor:
        factors = tf.random.stateless_uniform((3,), fold(seed, 0), *self.factors)
        changes = [
            lambda x: clip(x * factors[0] + (1 - factors[0]) * _mean_grey(x)),
            lambda x: clip(x * factors[1]),
            lambda x: clip(_mix_channels(x, 1.0, factors[2])),
        ]
        image = _one_of(list(itertools.permutations(changes)), image, fold(seed, 1))
        return self.lighting(image, fold(seed, 2), size) if self.lighting else image


@dataclasses.dataclass(frozen=True)
class SlimDistortion(Augmentation):
    """The colour distortion of TensorFlow's released Inception code (slim/preprocessing).

    Brightness by up to 32 levels, saturation and contrast by 0.5 to 1.5, hue by up to a fifth of
    the circle, in one of four orders, by the definitions of `tf.image`; then it clips. Grey images
    have neither saturation nor hue to change.
    """

    def __call__(self, image: tf.Tensor, seed: tf.Tensor, size: int) -> tf.Tensor:
        seeds = [fold(seed, i) for i in range(5)]

        def brightness(x):
            return tf.image.stateless_random_brightness(x, 32.0, seeds[0])

        def saturation(x):
            return tf.image.stateless_random_saturation(x, 0.5, 1.5, seeds[1])

        def hue(x):
            return tf.image.stateless_random_hue(x, 0.2, seeds[2])

        def contrast(x):
            return tf.image.stateless_random_contrast(x, 0.5, 1.5, seeds[3])

        orders = [
            [brightness, saturation, hue, contrast],
            [saturation, brightness, contrast, hue],
            [contrast, hue, brightness, saturation],
            [hue, saturation, contrast, brightness],
        ]
        if image.shape[-1] == 1:
            orders = [[x for x in order if x in (brightness, contrast)] for order in orders]
        return clip(_one_of(orders, image, seeds[4]))


def _one_of(orders: Sequence[Sequence[Change]], image: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Makes changes in one of several orders, all alike."""

    def chain(order):
        changed = image
        for change in order:
            changed = change(changed)
        return changed

    ways = [lambda order=order: chain(order) for order in orders]
    drawn = tf.random.stateless_uniform((), seed, 0, len(ways), tf.int32)
    return tf.switch_case(drawn, ways)


def _grey(channels: int) -> tf.Tensor:
    return tf.constant(_GREY if channels == 3 else (1.0,))


def _mean_grey(image: tf.Tensor) -> tf.Tensor:
    """The mean of the grey image, a scalar."""
    # One axis at a time: twice as fast as both at once.
    color = tf.reduce_mean(tf.reduce_mean(image, axis=0), axis=0)
    return tf.reduce_sum(color * _grey(image.shape[-1]))


def _mix_channels(image: tf.Tensor, factor: tf.Tensor, saturation: tf.Tensor) -> tf.Tensor:
    """Blends with the grey image, and multiplies: one small matrix for each pixel."""
    channels = image.shape[-1]
    to_grey = tf.repeat(_grey(channels)[:, None], channels, axis=1)
    matrix = factor * (saturation * tf.eye(channels) + (1 - saturation) * to_grey)
    pixels = tf.matmul(tf.reshape(image, (-1, channels)), matrix)
    return tf.reshape(pixels, tf.shape(image))
