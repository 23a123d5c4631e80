"""Batches in one call, for training loops of one's own."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_convnets.data.augmentation import Augmentation
from keras_convnets.data.batches import evaluation_batches, training_batches
from keras_convnets.data.decoding import MEMORY_LIMIT, decode_once
from keras_convnets.data.image_set import ImageSet
from keras_convnets.data.order import Worker
from keras_convnets.data.splits import Split
from keras_convnets.errors import InputError, check_choice, check_number
from keras_convnets.files import replacing
from keras_convnets.preprocessing import Preprocessing
from keras_convnets.progress import counting


def pipeline(
    images: ImageSet,
    preprocessing: Preprocessing,
    batch_size: int,
    *,
    split: str = "train",
    augmentation: Sequence[Augmentation] = (),
    seed: int = 0,
    epoch: int = 0,
    epochs: int | None = 1,
    first_step: int = 0,
    worker: Worker = Worker(),  # noqa: B008 - frozen
    deterministic: bool = True,
    cache: str | os.PathLike | None = None,
) -> tf.data.Dataset:
    """Returns batches of images for `model.fit`, or for a loop of one's own.

    Training images come shuffled, in an order that `seed` and the epoch fix, and only in whole
    batches. Of the other splits each image comes once, in order.

    Args:
        images: what `data.load` gives.
        preprocessing: geometry and scaling, such as `weights.preprocessing` gives; with the mode
            "raw" images stay bytes, for a net with `include_preprocessing`.
        batch_size: images in a batch; in training of all workers together.
        split: "train", "validation" or "test".
        augmentation: random changes to training images.
        seed: of order and changes.
        epoch: the first of training, from 0.
        epochs: how many follow each other; `None` for no end.
        first_step: batches of the first epoch to leave out, to go on where a run was; their images
            are not read.
        worker: which of several workers this is; see `training_batches` and `evaluation_batches`.
        deterministic: whether training batches come in order; if not, slow images hold up none.
        cache: "memory", or a folder in which they are found again: images are decoded and cropped
            once. That wants changes that don't crop from whole images themselves.

    Returns:
        A data set of (images, labels); see `training_batches` and `evaluation_batches`.

    Raises:
        InputError: if something does not fit, or a cached image can't be read.

    Example:

    >>> from keras_convnets import data
    >>> images = data.load("fashion_mnist_6k")
    >>> batches = data.pipeline(images, data.Preprocessing(28, 1, "tf"), 50)
    >>> next(iter(batches))[0].shape
    TensorShape([50, 28, 28, 1])
    """
    check_choice("split", split, images.splits)
    check_number("The batch size", batch_size, least=1, whole=True)
    part, classes = images.splits[split], len(images.classes)
    if cache is not None:
        part = _cached(part, preprocessing, augmentation, cache)
    if split != "train":
        return evaluation_batches(part, preprocessing, batch_size, classes=classes, worker=worker)
    return training_batches(
        part,
        preprocessing,
        augmentation,
        batch_size,
        classes=classes,
        seed=seed,
        epoch=epoch,
        epochs=epochs,
        first_step=first_step,
        worker=worker,
        deterministic=deterministic,
    )


def _cached(
    part: Split,
    preprocessing: Preprocessing,
    augmentation: Sequence[Augmentation],
    cache: str | os.PathLike,
) -> Split:
    """Returns the central crops of a split, which are made if they are not there yet."""
    if any(change.sets_size for change in augmentation):
        raise InputError(
            "A cache holds central crops, and the augmentation crops from whole images; leave out "
            f"one of them. Received: cache={os.fspath(cache)!r}"
        )
    if part.encoded is None:
        return part
    if cache != "memory":
        return _cached_in_folder(part, preprocessing, Path(cache))
    decoded = _decoded(part, preprocessing)
    if decoded.encoded is not None:
        raise InputError(
            f"The {len(part)} images take more than {MEMORY_LIMIT / 2**30:g} GB decoded; name a "
            "folder to cache them in. Received: cache='memory'"
        )
    return decoded


def _cached_in_folder(part: Split, preprocessing: Preprocessing, folder: Path) -> Split:
    """The crops of the same images and the same preprocessing are found again."""
    key = hashlib.sha256(repr(preprocessing).encode())
    for word in part.encoded.identity():
        key.update(word)
    path = folder / f"{key.hexdigest()[:32]}.npy"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            _decoded(part, preprocessing, temporary)
    images = np.load(path, mmap_mode="r", allow_pickle=False)
    return Split(part.labels, images=images, is_cropped=True)


def _decoded(part: Split, preprocessing: Preprocessing, file: Path | None = None) -> Split:
    with counting("reading images", len(part)) as advance:
        decoded, faults = decode_once(part, preprocessing, (), advance, file=file)
    if faults:
        raise InputError(faults[0].reason)
    return decoded
