"""Batches of images as a net expects them; the order is a pure function of (seed, epoch)."""

import contextlib
import os
import re
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import tensorflow as tf

from keras_convnets.data.augmentation import Augmentation
from keras_convnets.data.images import read_image
from keras_convnets.data.splits import Split
from keras_convnets.errors import InputError
from keras_convnets.preprocessing import Preprocessing


def count_steps(split: Split, batch_size: int) -> int:
    """Returns how many whole batches an epoch has.

    Raises:
        InputError: if there is not even one.
    """
    steps = len(split) // batch_size
    if not steps:
        raise InputError(
            f"The batch size should be at most the number of training images, {len(split)}. "
            f"Received: {batch_size}"
        )
    return steps


def training_batches(
    split: Split,
    preprocessing: Preprocessing,
    augmentation: Sequence[Augmentation],
    batch_size: int,
    *,
    seed: int,
    epoch: int,
    first_step: int = 0,
) -> tf.data.Dataset:
    """Returns the batches of one epoch, from a step on.

    Args:
        split: training images.
        preprocessing: geometry and scaling.
        augmentation: random changes, in order; one that crops takes the place of the central crop.
        batch_size: images in a batch; what does not fill one is left out.
        seed: with `epoch`, fixes the order and each image's random numbers.
        epoch: from 0.
        first_step: batches to leave out at the start.

    Returns:
        A data set of (images (batch, size, size, channels) float32, labels (batch,) int64).
    """
    order = np.random.default_rng([seed, epoch]).permutation(len(split))
    order = order[: count_steps(split, batch_size) * batch_size]
    seeds = np.stack([np.full_like(order, seed), epoch * len(split) + order], axis=1)
    start = first_step * batch_size

    def prepare(index, image_seed):
        image, label = read(index)
        if not (whole or split.is_cropped):
            image = preprocessing.center(image)
        for i, change in enumerate(augmentation):
            own_seed = tf.random.experimental.stateless_fold_in(image_seed, i)
            image = change(
                tf.cast(preprocessing.to_channels(image), tf.float32), own_seed, preprocessing.size
            )
        return preprocessing.scale(image), label

    whole = any(change.sets_size for change in augmentation)
    read = _reader(split, None if whole else preprocessing.enough)
    rows = tf.data.Dataset.from_tensor_slices((order[start:], seeds[start:]))
    return _batches(rows, prepare, batch_size)


def evaluation_batches(
    split: Split, preprocessing: Preprocessing, batch_size: int
) -> tf.data.Dataset:
    """Returns each image once, in order, with its label; the last batch may be smaller."""
    read = _reader(split, preprocessing.enough)

    def prepare(index):
        image, label = read(index)
        if not split.is_cropped:
            image = preprocessing.center(image)
        return preprocessing.scale(image), label

    rows = tf.data.Dataset.range(len(split))
    return _batches(rows, prepare, batch_size)


@contextlib.contextmanager
def naming_faults() -> Iterator[None]:
    """Turns what TensorFlow makes of an unreadable file within a pipeline into its own sentence."""
    try:
        yield
    except tf.errors.OpError as error:
        sentence = re.search(r"InputError: (.*)", str(error))
        if sentence is None:
            raise
        raise InputError(sentence.group(1)) from error


def _reader(split: Split, enough: int | None):
    labels = tf.constant(split.labels)
    if split.images is not None:
        images = tf.constant(split.images)
        return lambda index: (images[index], labels[index])
    files = tf.constant([os.fsencode(file) for file in split.files or ()])

    def read_rgb(path: bytes) -> np.ndarray:
        return read_image(os.fsdecode(path), enough=enough)

    def read_file(index):
        image = tf.numpy_function(read_rgb, [files[index]], tf.uint8, stateful=False)
        return tf.ensure_shape(image, (None, None, 3)), labels[index]

    return read_file


def _batches(rows: tf.data.Dataset, prepare: Callable, batch_size: int) -> tf.data.Dataset:
    # Every condition in `prepare` is a Python one: there is nothing to convert.
    prepare = tf.autograph.experimental.do_not_convert(prepare)
    examples = rows.map(prepare, tf.data.AUTOTUNE, deterministic=True)
    return examples.batch(batch_size).prefetch(tf.data.AUTOTUNE)
