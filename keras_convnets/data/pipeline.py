"""Batches of images as a net expects them; the order is a pure function of (seed, epoch)."""

import contextlib
import dataclasses
import math
import os
import re
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import tensorflow as tf

from keras_convnets.data.augmentation import Augmentation
from keras_convnets.data.images import read_image
from keras_convnets.data.splits import Split
from keras_convnets.errors import InputError, check_number
from keras_convnets.imagenet_utils import SCALINGS, preprocess_input


@dataclasses.dataclass(frozen=True)
class Preprocessing:
    """How an image becomes the input of a net.

    Attributes:
        size: height and width in pixels.
        channels: 3 for RGB, 1 for grey.
        mode: of `imagenet_utils.preprocess_input`.
        crop: the share of the shorter side that the central crop takes, in (0, 2]; above 1 the
            image gets a black border.

    Raises:
        InputError: if a value can't be used.
    """

    size: int
    channels: int
    mode: str
    crop: float = 1.0

    def __post_init__(self):
        check_number("The input size", self.size, least=1, whole=True)
        check_number("The share of the central crop", self.crop, above=0, most=2)
        if self.channels not in (1, 3):
            raise InputError(f"A net's images have 1 or 3 channels. Received: {self.channels!r}")
        if self.mode not in SCALINGS:
            raise InputError(
                f"The preprocessing should be one of {', '.join(SCALINGS)}. Received: {self.mode!r}"
            )

    def __call__(self, image: tf.Tensor) -> tf.Tensor:
        """Resizes the shorter side, crops the centre and scales: (h, w, c) uint8 to float32."""
        return self.scale(self.center(image))

    @property
    def enough(self) -> int:
        """The shorter side in pixels that an image is resized to before the crop."""
        return round(self.size / self.crop)

    def center(self, image: tf.Tensor) -> tf.Tensor:
        """Resizes the shorter side to `enough` and takes the central `size` x `size`.

        Returns:
            (size, size, channels) float32 of whole numbers from 0 to 255, as a file would hold.
        """
        image = tf.cast(self.to_channels(image), tf.float32)
        if image.shape[:2] == (self.size, self.size) and self.crop == 1.0:
            return image
        # Of a very long image only the middle can be seen: the rest would take all memory.
        longest = 4 * tf.reduce_min(tf.shape(image)[:2])
        image = tf.image.resize_with_crop_or_pad(
            image, *tf.unstack(tf.minimum(tf.shape(image)[:2], longest))
        )
        height, width = tf.unstack(tf.cast(tf.shape(image)[:2], tf.float64))
        factor = self.enough / tf.minimum(height, width)
        # Rounded up, so that the crop always fits.
        new_size = tf.cast(tf.math.ceil(tf.stack([height, width]) * factor - 1e-6), tf.int32)
        image = tf.image.resize(image, new_size, antialias=True)
        return tf.round(tf.image.resize_with_crop_or_pad(image, self.size, self.size))

    def to_channels(self, image: tf.Tensor) -> tf.Tensor:
        """Makes an image grey or RGB."""
        if image.shape[-1] == self.channels:
            return image
        convert = tf.image.rgb_to_grayscale if self.channels == 1 else tf.image.grayscale_to_rgb
        return convert(image)

    def scale(self, image: tf.Tensor) -> tf.Tensor:
        """Scales pixels from 0..255 to what the net expects."""
        image = tf.ensure_shape(image, (self.size, self.size, self.channels))
        return preprocess_input(image, data_format="channels_last", mode=self.mode)


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
