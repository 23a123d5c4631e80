"""Images with several labels, made of those with one: four garments in each, and where they are."""

import os
from pathlib import Path

import numpy as np

from keras_convnets import data
from keras_convnets.data import ImageSet, LabelSets, Split, records
from keras_convnets.errors import InputError

PLACES = ("upper left", "upper right", "lower left", "lower right")
# Enough files to be written and read at once.
_SHARDS = 4


def write_mosaics(
    spec: str, images: int, seed: int, folder: str | os.PathLike, *, one_label: bool = False
) -> str:
    """Writes records of mosaics: four images at half their size, side by side.

    The labels of a mosaic are the classes of its four parts, and each class with its place: with
    ten classes there are fifty labels, and five to eight of them in a mosaic. Training and test
    mosaics are made of the training and the test images.

    Args:
        spec: of `data.load`: grey images in arrays, of an even size, with one label each.
        images: how many training mosaics; as many as training images if 0.
        seed: fixes them.
        folder: where the records go; what is there already is kept.
        one_label: whether the same mosaics have one label each in place of several: the class of
            the first part, that on the upper left.

    Returns:
        The spec of the records.

    Raises:
        InputError: if the images are of another kind.
    """
    whole = data.load(spec)
    if whole.train.images is None or whole.is_multi_label or whole.test is None:
        raise InputError(
            f"Mosaics are made of fashion_mnist, mnist or fashion_mnist_6k. Received: {spec!r}"
        )
    generator = np.random.default_rng(seed)
    splits = {
        "train": _mosaics(whole.train, images or len(whole.train), generator, one_label),
        "test": _mosaics(whole.test, len(whole.test) // len(PLACES), generator, one_label),
    }
    placed = (f"{name}, {place}" for place in PLACES for name in whole.classes)
    classes = whole.classes if one_label else (*whole.classes, *placed)
    made = ImageSet("mosaics", classes, whole.channels, **splits)
    records.write(made, folder, _SHARDS, seed=seed, quiet=True)
    return f"tfrecord:{Path(folder).absolute()}"


def _mosaics(split: Split, count: int, generator: np.random.Generator, one_label: bool) -> Split:
    """Draws the parts of each mosaic evenly, with repetition."""
    chosen = generator.integers(0, len(split), (count, len(PLACES)))
    parts = split.images[chosen].astype(np.float32)  # (count, 4, height, width, 1)
    height, width = parts.shape[2:4]
    small = parts.reshape(count, 4, height // 2, 2, width // 2, 2, -1).mean(axis=(3, 5))
    rows = small.reshape(count, 2, 2, height // 2, width // 2, -1)
    whole = rows.transpose(0, 1, 3, 2, 4, 5).reshape(count, height, width, -1)
    classes = split.labels[chosen]
    labels = classes[:, 0] if one_label else _label_sets(classes, int(split.labels.max()) + 1)
    return Split(labels, images=np.round(whole).astype(np.uint8))


def _label_sets(classes: np.ndarray, kinds: int) -> LabelSets:
    """The labels of mosaics: the classes of their parts (count, 4), and each with its place."""
    return LabelSets.of(
        sorted({*own, *(kinds * (place + 1) + label for place, label in enumerate(own))})
        for own in classes.tolist()
    )
