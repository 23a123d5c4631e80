"""Batches of images as a net expects them."""

import functools
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from keras_convnets.data.augmentation import Augmentation, Crop, FlipLeftRight, PadCrop
from keras_convnets.data.augmentation.base import fold
from keras_convnets.data.calls import call, is_shared
from keras_convnets.data.encoded import with_contents
from keras_convnets.data.labels import LabelSets
from keras_convnets.data.order import Worker, evaluation_rows, training_rows
from keras_convnets.data.splits import Split
from keras_convnets.data.windows import decode_window, whole
from keras_convnets.errors import InputError, check_number
from keras_convnets.preprocessing import Preprocessing

# What keeps pixels whole numbers from 0 to 255, or makes them so: their images stay bytes.
_KEEPS_BYTES = (Crop, FlipLeftRight, PadCrop)
_ALONE = Worker()

_AHEAD = 2  # batches that wait for the net


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
    epochs: int | None = 1,
    first_step: int = 0,
    worker: Worker = _ALONE,
    deterministic: bool = True,
) -> tf.data.Dataset:
    """Returns the batches of one epoch or several, from a step on.

    Each image is the same whatever else happens: its changes follow from `seed`, `epoch` and its
    number.

    Args:
        split: training images.
        preprocessing: geometry and scaling; with the mode "raw" pixels stay as they are, so that
            the net can scale them on its own device.
        augmentation: random changes, in order, those of batches last; one that crops comes first,
            in place of the central crop.
        batch_size: images in a batch, of all workers together; what does not fill one is left out.
        classes: number of classes.
        seed: with `epoch`, fixes the order and each image's random numbers.
        epoch: the first, from 0.
        epochs: how many follow each other; `None` for no end.
        first_step: batches to leave out at the start; none of their images is read.
        worker: whose share of the batches it is.
        deterministic: whether batches come in order; if not, slow images hold up none.

    Returns:
        A data set of (images (batch, size, size, channels), labels (batch,) int64). Images are
        float32, or uint8 if they are raw and no change makes other than whole numbers. Labels are
        (batch, classes) float32 if batches are mixed or images have several labels.

    Raises:
        InputError: if the batch size does not fit the images or the workers.
    """
    steps = count_steps(split, batch_size)
    check_number("The first step of an epoch", first_step, least=0, most=steps, whole=True)
    mixes = [(i, change) for i, change in enumerate(augmentation) if change.mixes_batches]
    rows = training_rows(
        len(split),
        batch_size,
        seed=seed,
        epoch=epoch,
        epochs=epochs,
        first_step=first_step,
        worker=worker,
    )
    examples = training_examples(split, preprocessing, augmentation, rows, deterministic)
    batches = examples.batch(worker.share(batch_size))
    labels_of = _label_reader(split, classes)

    def finish(batch_seed, batch):
        images, indices = batch
        labels = labels_of(indices)
        if mixes:
            images = tf.cast(images, tf.float32)
            labels = labels if split.is_multi_label else tf.one_hot(labels, classes)
        for i, change in mixes:
            # No image has this seed: theirs are folded with the numbers of other changes.
            images, labels = change(images, labels, fold(batch_seed, i))
        return images, labels

    first, last = epoch * steps + first_step, None if epochs is None else (epoch + epochs) * steps
    numbers = tf.data.Dataset.range(first, last or np.iinfo(np.int64).max)
    seeds = numbers.map(lambda number: tf.stack([tf.constant(seed, tf.int64), number]))
    # The generator of the rows does not say how many there are.
    count = tf.data.INFINITE_CARDINALITY if last is None else last - first
    batches = batches.apply(tf.data.experimental.assert_cardinality(count))
    return _finished(tf.data.Dataset.zip(seeds, batches), finish, deterministic)


def training_examples(
    split: Split,
    preprocessing: Preprocessing,
    augmentation: Sequence[Augmentation],
    rows: tf.data.Dataset,
    deterministic: bool = True,
) -> tf.data.Dataset:
    """Returns the images of some rows one by one, with every change but those of whole batches.

    Args:
        split: see `training_batches`.
        preprocessing: see `training_batches`.
        augmentation: see `training_batches`.
        rows: what `training_rows` gives.
        deterministic: whether they come in order.

    Returns:
        A data set of (image (size, size, channels), index () int64).
    """
    for change in augmentation:
        change.prepare()
    changes = [change for change in augmentation if not change.mixes_batches]
    crop = next((change for change in changes if isinstance(change, Crop)), None)
    take = _taker(split, preprocessing, crop)
    is_bytes = all(isinstance(change, _KEEPS_BYTES) for change in changes)

    def prepare(*row):
        *content, index, image_seed = row
        image = take(*content, index, fold(image_seed, changes.index(crop) if crop else 0))
        image = _to_bytes(image) if is_bytes else tf.cast(image, tf.float32)
        for i, change in enumerate(changes):
            if change is not crop:
                image = change(image, fold(image_seed, i), preprocessing.size)
        # One image stays in a core's cache, where a batch does not.
        return preprocessing.scale(image), index

    return _mapped(split, rows, prepare, deterministic)


def evaluation_batches(
    split: Split,
    preprocessing: Preprocessing,
    batch_size: int,
    *,
    classes: int | None = None,
    worker: Worker = _ALONE,
) -> tf.data.Dataset:
    """Returns each image once, in order, with its label; the last batch may be smaller.

    Args:
        split: images.
        preprocessing: geometry and scaling; see `training_batches`.
        batch_size: images in a batch of one worker.
        classes: number of classes; wanted if images have several labels.
        worker: whose share it is. Several get as many full batches each: what fills them up has
            the weight 0.

    Returns:
        A data set of (images, labels) as `training_batches` has them; with several workers of
        (images, labels, weights (batch,) float32).
    """
    labels_of = _label_reader(split, classes)

    def finish(images, indices, is_real):
        pair = images, labels_of(indices)
        return pair if worker.count == 1 else (*pair, tf.cast(is_real, tf.float32))

    rows = evaluation_rows(len(split), batch_size, worker)
    examples = evaluation_examples(split, preprocessing, rows)
    return _finished(examples.batch(batch_size), finish, True)


def evaluation_examples(
    split: Split, preprocessing: Preprocessing, rows: tf.data.Dataset
) -> tf.data.Dataset:
    """Returns the images of some rows one by one, in order.

    Args:
        split: see `evaluation_batches`.
        preprocessing: see `evaluation_batches`.
        rows: what `evaluation_rows` gives.

    Returns:
        A data set of (image (size, size, channels), index () int64, is_real () bool).
    """
    take = _taker(split, preprocessing, None)

    def prepare(*row):
        *content, index, is_real = row
        return preprocessing.scale(_to_bytes(take(*content, index, None))), index, is_real

    return _mapped(split, rows, prepare, True)


def _taker(
    split: Split, preprocessing: Preprocessing, crop: Crop | None
) -> Callable[..., tf.Tensor]:
    """Returns what gives an image at the size of the net, (size, size, channels).

    It takes the number of an image and a seed, and before them the content if that is encoded.
    """
    size = preprocessing.size
    if split.encoded is not None:
        decode = functools.partial(
            decode_window, encoded=split.encoded, channels=preprocessing.channels
        )

        def take_window(content, index, seed):
            if crop is None:
                # The resize that follows shall have more pixels than it makes.
                enough = 2 * preprocessing.enough
                return preprocessing.center(decode(content, index, window=whole, enough=enough))
            part = decode(
                content, index, window=lambda shape: crop.window(shape, seed), enough=size
            )
            return crop.resize(part, seed, size)

        return take_window
    pixels = _array_reader(split.images)

    def take(index, seed):
        image = preprocessing.to_channels(pixels(index))
        if crop is not None:
            return crop(tf.cast(image, tf.float32), seed, size)
        return image if split.is_cropped else preprocessing.center(image)

    return take


def _array_reader(images: np.ndarray) -> Callable[[tf.Tensor], tf.Tensor]:
    """Returns what gives the pixels of a number; arrays in a file, or of others, stay there."""
    if not isinstance(images, np.memmap) and not is_shared():
        held = tf.constant(images)
        return lambda index: held[index]

    def take(index: np.ndarray) -> np.ndarray:
        return images[index]

    def read(index):
        return tf.ensure_shape(call(take, [index], images.dtype), images.shape[1:])

    return read


def _label_reader(split: Split, classes: int | None) -> Callable[[tf.Tensor], tf.Tensor]:
    """Returns what gives the labels of a batch of numbers."""
    labels = split.labels
    if not isinstance(labels, LabelSets):
        if not is_shared():
            single = tf.constant(labels)
            return lambda indices: tf.gather(single, indices)
        return lambda indices: tf.ensure_shape(call(labels.take, [indices], tf.int64), (None,))

    def dense(indices: np.ndarray) -> np.ndarray:
        return labels.to_dense(indices, classes)

    def read(indices):
        return tf.ensure_shape(call(dense, [indices], tf.float32), (None, classes))

    return read


def _to_bytes(image: tf.Tensor) -> tf.Tensor:
    if image.dtype == tf.uint8:
        return image
    return tf.cast(image + 0.5, tf.uint8)  # rounded; no resize leaves 0..255


def _mapped(
    split: Split, rows: tf.data.Dataset, prepare: Callable, deterministic: bool
) -> tf.data.Dataset:
    if split.encoded is not None:
        rows = with_contents(split.encoded, rows)
    # Every condition in `prepare` is a Python one: there is nothing to convert.
    prepare = tf.autograph.experimental.do_not_convert(prepare)
    return rows.map(prepare, tf.data.AUTOTUNE, deterministic=deterministic)


def _finished(batches: tf.data.Dataset, finish: Callable, deterministic: bool) -> tf.data.Dataset:
    finish = tf.autograph.experimental.do_not_convert(finish)
    # TensorFlow's own choice doubles the buffer after each pause, as for a validation.
    return untuned(batches.map(finish, 1, deterministic=deterministic).prefetch(_AHEAD))


def untuned(batches: tf.data.Dataset) -> tf.data.Dataset:
    """Keeps TensorFlow from tuning a pipeline; `AUTOTUNE` is the number of cores then.

    The end of an epoch waits for the thread that tunes, in some epochs: for a second behind one of
    1.6 s, and longer behind longer ones, for it sleeps twice as long each time (TensorFlow 2.21).
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return batches.with_options(options)
