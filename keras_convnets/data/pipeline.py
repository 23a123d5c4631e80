"""Batches of images as a net expects them; the order is a pure function of (seed, epoch)."""

import contextlib
import math
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
    classes: int,
    seed: int,
    epoch: int,
    first_step: int = 0,
) -> tf.data.Dataset:
    """Returns the batches of one epoch, from a step on.

    Args:
        split: training images.
        preprocessing: geometry and scaling.
        augmentation: random changes, in order, those of batches last; one that crops takes the
            place of the central crop.
        batch_size: images in a batch; what does not fill one is left out.
        classes: number of classes.
        seed: with `epoch`, fixes the order and each image's random numbers.
        epoch: from 0.
        first_step: batches to leave out at the start.

    Returns:
        A data set of (images (batch, size, size, channels) float32, labels (batch,) int64), or of
        labels (batch, classes) float32 if batches are mixed.
    """
    order = np.random.default_rng([seed, epoch]).permutation(len(split))
    steps = count_steps(split, batch_size)
    order = order[: steps * batch_size]
    seeds = np.stack([np.full_like(order, seed), epoch * len(split) + order], axis=1)
    start = first_step * batch_size
    for change in augmentation:
        change.prepare()
    mixes = [(i, change) for i, change in enumerate(augmentation) if change.mixes_batches]

    def prepare(index, image_seed):
        image, label = read(index)
        if not (crops or split.is_cropped):
            image = preprocessing.center(image)
        image = tf.cast(preprocessing.to_channels(image), tf.float32)
        for i, change in enumerate(augmentation[: len(augmentation) - len(mixes)]):
            own_seed = tf.random.experimental.stateless_fold_in(image_seed, i)
            image = change(image, own_seed, preprocessing.size)
        return preprocessing.scale(image), label

    crops = [change for change in augmentation if change.sets_size]
    # Even the smallest patch shall have more pixels than the net takes.
    sides = [math.ceil(preprocessing.size / change.least_side) for change in crops]
    read = _reader(split, max(sides, default=preprocessing.enough))
    rows = tf.data.Dataset.from_tensor_slices((order[start:], seeds[start:]))
    batches = _batches(rows, prepare, batch_size)
    if not mixes:
        return batches

    def mix(batch_seed, batch):
        images, labels = batch[0], tf.one_hot(batch[1], classes)
        for i, change in mixes:
            # No image has this seed: theirs are folded with the numbers of other changes.
            own_seed = tf.random.experimental.stateless_fold_in(batch_seed, i)
            images, labels = change(images, labels, own_seed)
        return images, labels

    numbers = epoch * steps + np.arange(first_step, steps)
    batch_seeds = np.stack([np.full_like(numbers, seed), numbers], axis=1)
    numbered = tf.data.Dataset.zip(tf.data.Dataset.from_tensor_slices(batch_seeds), batches)
    mix = tf.autograph.experimental.do_not_convert(mix)
    return numbered.map(mix, tf.data.AUTOTUNE, deterministic=True).prefetch(tf.data.AUTOTUNE)


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


def _reader(split: Split, enough: int):
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
