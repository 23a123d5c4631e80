"""Changes that layers of Keras make: RandAugment, and the mixing of batches."""

import abc
import dataclasses
import functools
from typing import ClassVar

import keras
import tensorflow as tf

from keras_convnets.data.augmentation.base import Augmentation, fold
from keras_convnets.errors import check_number

# Their own seed is never drawn from; without one Keras would take it from Python's generator.
_LAYER_OPTIONS = {"seed": 0, "data_format": "channels_last", "dtype": "float32"}


class _Seeds(keras.random.SeedGenerator):
    """Seeds that follow from one seed alone, where Keras' generator counts in a variable."""

    def __init__(self):
        self._seed: tf.Tensor | None = None
        self._drawn = 0

    def begin(self, seed: tf.Tensor) -> None:
        """Draws from `seed` from now on."""
        self._seed, self._drawn = seed, 0

    def next(self, ordered: bool = True) -> tf.Tensor:
        """Returns the next seed."""
        self._drawn += 1
        return fold(self._seed, self._drawn)


class _OfKeras(Augmentation, abc.ABC):
    """A change that a layer of Keras makes, with all its random numbers from a given seed."""

    @abc.abstractmethod
    def make_layer(self) -> keras.Layer:
        """Makes the layer."""

    @functools.lru_cache(maxsize=32)  # noqa: B019, for equal changes share the few layers
    def _layer(self) -> keras.Layer:
        layer = self.make_layer()
        layer.generator = _Seeds()
        return layer

    def prepare(self) -> None:
        """Makes the layer, for it makes variables."""
        self._layer()

    def seeded(self, seed: tf.Tensor) -> keras.Layer:
        """Returns the layer, which draws from `seed` next."""
        layer = self._layer()
        layer.generator.begin(seed)
        return layer


@dataclasses.dataclass(frozen=True)
class RandAugment(_OfKeras):
    """Applies some of eleven changes of geometry and colour (Cubuk et al., arXiv 1909.13719).

    It is `keras.layers.RandAugment`, and so are its magnitudes, which are not the paper's: an image
    is turned by up to `factor` of a full turn and moved by up to `factor` of its side.

    Attributes:
        num_ops: how many changes an image gets.
        factor: their strength, from 0 to 1.
    """

    num_ops: int = 2
    factor: float = 0.5

    def __post_init__(self):
        check_number("The num_ops of RandAugment", self.num_ops, least=1, whole=True)
        check_number("The factor of RandAugment", self.factor, above=0, most=1)

    def __call__(self, image: tf.Tensor, seed: tf.Tensor, size: int) -> tf.Tensor:
        return tf.ensure_shape(self.seeded(seed)(image), image.shape)

    def make_layer(self) -> keras.Layer:
        """Makes the layer."""
        return keras.layers.RandAugment(
            num_ops=self.num_ops, factor=float(self.factor), **_LAYER_OPTIONS
        )


@dataclasses.dataclass(frozen=True)
class MixUp(_OfKeras):
    """Blends each image of a batch, and its label, with another (Zhang et al., arXiv 1710.09412).

    It is `keras.layers.MixUp`: the share of an image is drawn from Beta(alpha, alpha).

    Attributes:
        alpha: above 0; the smaller, the less is mixed.
    """

    mixes_batches: ClassVar[bool] = True
    alpha: float = 0.2

    def __post_init__(self):
        check_number("The alpha of MixUp", self.alpha, above=0)

    def __call__(
        self, images: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        return _mix(self.seeded(seed), images, labels)

    def make_layer(self) -> keras.Layer:
        """Makes the layer."""
        return keras.layers.MixUp(alpha=float(self.alpha), **_LAYER_OPTIONS)


@dataclasses.dataclass(frozen=True)
class CutMix(_OfKeras):
    """Puts a patch of another image into each image of a batch (Yun et al., arXiv 1905.04899).

    It is `keras.layers.CutMix`: the share of the image that stays is drawn from Beta(alpha, alpha),
    and the label is mixed by the area of the patch.

    Attributes:
        alpha: above 0, at most 1, which is the paper's: every share is as likely as any other.
    """

    mixes_batches: ClassVar[bool] = True
    alpha: float = 1.0

    def __post_init__(self):
        check_number("The alpha of CutMix", self.alpha, above=0, most=1)

    def __call__(
        self, images: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        return _mix(self.seeded(seed), images, labels)

    def make_layer(self) -> keras.Layer:
        """Makes the layer."""
        # Keras draws alpha from a range; one of no width is the paper's constant.
        return keras.layers.CutMix(factor=(float(self.alpha),) * 2, **_LAYER_OPTIONS)


def _mix(layer: keras.Layer, images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    mixed = layer({"images": images, "labels": labels})
    return tf.ensure_shape(mixed["images"], images.shape), mixed["labels"]
