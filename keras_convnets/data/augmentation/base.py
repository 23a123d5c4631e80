"""What all random changes have in common."""

from typing import Any, ClassVar

import tensorflow as tf

from keras_convnets.errors import InputError, check_number


class Augmentation:
    """A random change.

    One of single images is called with an image (height, width, channels) float32 of 0..255, a seed
    (2,) of integers and the input size. Where its source does not clip colours, neither does it:
    some may leave 0..255 a little.

    Attributes:
        sets_size: whether it makes images of the input size from whole ones.
        mixes_batches: whether it takes whole batches with labels (batch, classes) float32.
    """

    sets_size: ClassVar[bool] = False
    mixes_batches: ClassVar[bool] = False

    def prepare(self) -> None:
        """Makes what can't be made while a pipeline is traced."""


def fold(seed: tf.Tensor, number: int) -> tf.Tensor:
    """Returns a seed of its own for each number: two draws from one seed would be equal.

    Args:
        seed: (2,) integers, the first of them below 2^32; it may be folded three times.
        number: from 0 to 1022.
    """
    # TensorFlow scrambles a seed before it draws, so that seeds need only differ; to scramble them
    # here as well takes a dozen operations for each image.
    return tf.cast(seed, tf.int64) * (1024, 1) + (number + 1, 0)


def clip(image: tf.Tensor) -> tf.Tensor:
    """Clips colours to 0..255."""
    # In one pass; `tf.clip_by_value` makes two.
    return tf.raw_ops.ClipByValue(t=image, clip_value_min=0.0, clip_value_max=255.0)


def check_range(owner: str, name: str, pair: Any, *, most: float | None = None) -> None:
    """Makes sure that a value is a pair of numbers above 0, the least and the largest.

    Args:
        owner: the class that has the value.
        name: what it is.
        pair: what was given.
        most: the largest number that is allowed.

    Raises:
        InputError: if it is not.
    """
    if not isinstance(pair, tuple) or len(pair) != 2:
        raise InputError(f"{owner} wants two numbers as {name}. Received: {pair!r}")
    check_number(f"The least {name} of {owner}", pair[0], above=0, most=most)
    check_number(f"The largest {name} of {owner}", pair[1], least=pair[0], most=most)
