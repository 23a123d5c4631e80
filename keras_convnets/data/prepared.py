"""Sets of TensorFlow Datasets; images stay encoded, so that a crop decodes its window alone."""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_convnets.data.encoded import Blobs
from keras_convnets.data.folder import SPLIT_NAMES
from keras_convnets.data.image_set import ImageSet
from keras_convnets.data.labels import LabelSets
from keras_convnets.data.records import open_records
from keras_convnets.data.splits import Split
from keras_convnets.errors import InputError, reason_of

if TYPE_CHECKING:
    import tensorflow_datasets as tfds

# Encoded images of up to as many bytes are held in memory; larger sets are read from their files.
MEMORY_LIMIT = 2**30

_VERSION = re.compile(r"\d+\.(\d+|\*)\.(\d+|\*)")


def load_prepared(words: str, name: str) -> ImageSet:
    """Loads a set by its name, and prepares it if it is not yet.

    Args:
        words: `NAME` or `NAME:SPLIT` as TensorFlow Datasets has them, such as `cifar10`,
            `cifar10:train[:80%]` or `imagenet2012:5.1.0:validation`.
        name: what the user called it.

    Raises:
        InputError: if it can't be had, or has no images with labels.
    """
    import tensorflow_datasets as tfds

    title, _, split = words.partition(":")
    version = _VERSION.match(split)
    if version is not None:
        title, split = f"{title}:{version[0]}", split[version.end() :].lstrip(":")
    try:
        builder = tfds.builder(title)
        builder.download_and_prepare()
    except Exception as error:  # each of its downloaders and readers has its own errors
        raise InputError(
            f"TensorFlow Datasets could not get {title!r} ({reason_of(error)}); sets that it can't "
            "download are put where its page on them says."
        ) from error
    return read_builder(builder, split or None, name)


def read_builder(builder: "tfds.core.DatasetBuilder", split: str | None, name: str) -> ImageSet:
    """Makes an image set of a prepared builder.

    Args:
        builder: with one feature of images, and one of labels: a class, or several.
        split: as TensorFlow Datasets takes it, and then all of the set; `None` for all splits that
            are called train, validation or test.
        name: of the set.

    Raises:
        InputError: if there are no such features or splits.
    """
    image, label, classes = _features(builder.info.features, name)
    chosen = {"train": split} if split else _splits(builder.info.splits, name)
    if _bytes_of(builder, split) > MEMORY_LIMIT:
        return _of_files(builder, split, name)
    splits = {part: _read(builder, words, image, label) for part, words in chosen.items()}
    channels = 1 if builder.info.features[image].shape[-1] == 1 else 3
    return ImageSet(name, classes, channels, **splits)


def _features(features: Mapping[str, Any], name: str) -> tuple[str, str, tuple[str, ...]]:
    """The names of the images and of the labels, and the classes."""
    import tensorflow_datasets as tfds

    images = [key for key, each in features.items() if isinstance(each, tfds.features.Image)]
    classes = {
        key: getattr(each, "feature", each).names
        for key, each in features.items()
        if isinstance(getattr(each, "feature", each), tfds.features.ClassLabel)
    }
    if len(images) != 1 or not classes:
        raise InputError(
            f"{name!r} should have one feature of images, and one of classes. Received: "
            f"{', '.join(features)}"
        )
    label = next((key for key in ("label", "labels") if key in classes), next(iter(classes)))
    return images[0], label, tuple(classes[label])


def _splits(splits: Mapping[str, Any], name: str) -> dict[str, str]:
    found = {part: word for part, words in SPLIT_NAMES.items() for word in words if word in splits}
    if "train" not in found:
        raise InputError(
            f"{name!r} has no split train; name one as '{name}:SPLIT'. It has: "
            f"{', '.join(splits) or 'none'}"
        )
    return found


def _read(builder: "tfds.core.DatasetBuilder", words: str, image: str, label: str) -> Split:
    """Reads the encoded images of a split into memory, in the order of their files."""
    import tensorflow_datasets as tfds

    try:
        examples = builder.as_dataset(
            split=words, decoders={image: tfds.decode.SkipDecoding()}, shuffle_files=False
        )
    except (AssertionError, ValueError, KeyError) as error:
        raise InputError(
            f"TensorFlow Datasets has no {words!r} of {builder.name!r}: {reason_of(error)}"
        ) from error
    pairs = [(each[image], each[label]) for each in examples.as_numpy_iterator()]
    blobs = Blobs(
        [content for content, _ in pairs],
        [f"{builder.name}:{words}, image {i}" for i in range(len(pairs))],
    )
    return Split(_labels([labels for _, labels in pairs]), encoded=blobs)


def _labels(labels: Sequence[np.ndarray]) -> np.ndarray | LabelSets:
    if labels and np.ndim(labels[0]):
        return LabelSets.of(labels)
    return np.array(labels, np.int64)


def _bytes_of(builder: "tfds.core.DatasetBuilder", split: str | None) -> int:
    """How many bytes a split has, or all of them; of a part of one as many as of the whole."""
    splits = builder.info.splits
    chosen = splits if split is None else [word for word in splits if word in split]
    return sum(splits[word].num_bytes for word in chosen)


def _of_files(builder: "tfds.core.DatasetBuilder", split: str | None, name: str) -> ImageSet:
    """Opens the record files of a large set."""
    if split is not None and split not in builder.info.splits:
        raise InputError(
            f"{name!r} is too large to be held in memory, and so has to be a whole split: one of "
            f"{', '.join(builder.info.splits)}. Received: {split!r}"
        )
    pattern = f"{builder.name}-{split or '*'}.tfrecord*"
    index = open_records(str(Path(builder.data_dir, pattern)))
    if split is not None:
        splits = {"train": next(iter(index.splits.values()))}
        index = dataclasses.replace(index, splits=splits)
    splits = {part: Split(rows.labels, encoded=rows) for part, rows in index.splits.items()}
    return ImageSet(name, index.classes, index.channels, **splits, skipped=index.skipped)
