"""`--data`: from the words of a user to a set of labelled images."""

import os
from pathlib import Path

import numpy as np

from keras_convnets.data.csv_file import load_csv
from keras_convnets.data.decoding import find_bad_headers
from keras_convnets.data.encoded import Files
from keras_convnets.data.folder import load_folder
from keras_convnets.data.idx import read_idx_folder
from keras_convnets.data.image_set import ImageSet
from keras_convnets.data.prepared import load_prepared
from keras_convnets.data.records import open_records
from keras_convnets.data.smoke import SMOKE_SETS, load_smoke
from keras_convnets.data.splits import Split
from keras_convnets.errors import InputError, nearest, reason_of

FASHION_CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
DIGITS = tuple("0123456789")

# Where Debian's package dataset-fashion-mnist puts its files.
_IDX_FOLDERS = {"fashion_mnist": "/usr/share/datasets/fashion-mnist", "mnist": None}

SPECS = (
    "fashion_mnist_6k",
    "fashion_mnist[:IDX_FOLDER]",
    "mnist[:IDX_FOLDER]",
    "folder:DIR",
    "csv:FILE",
    "tfrecord:GLOB",
    "tfds:NAME[:SPLIT]",
)


def load(spec: str) -> ImageSet:
    """Loads a set of labelled images by its name.

    Args:
        spec: one of
            `fashion_mnist_6k`: 5,000 training and 1,000 test images that ship with the package;
            `fashion_mnist[:IDX_FOLDER]`, `mnist[:IDX_FOLDER]`: the full set from idx files, from
            Debian's package where it is installed, or else from TensorFlow Datasets;
            `folder:DIR`: a folder for each class, optionally below `train`, `val` and `test`;
            `csv:FILE`: lines of path, label or labels `a;b`, and maybe split;
            `tfrecord:GLOB`: record files, or the folder that `make-records` wrote;
            `tfds:NAME[:SPLIT]`: a set of TensorFlow Datasets that is prepared on this machine;
            `smoke_grey`, `smoke_rgb`, `smoke_labels`: the few images of `train --smoke`.

    Returns:
        An `ImageSet`.

    Raises:
        InputError: if there is no such data, or it can't serve to train a classifier.

    Example:

    >>> keras_convnets.data.load("fashion_mnist_6k").train.images.shape
    (5000, 28, 28, 1)
    """
    kind, _, rest = spec.partition(":")
    if spec == "fashion_mnist_6k":
        return _load_embedded()
    if spec in SMOKE_SETS:
        return load_smoke(spec, _load_embedded())
    if kind == "fashion_mnist":
        return _load_idx(spec, kind, rest, FASHION_CLASSES)
    if kind == "mnist":
        return _load_idx(spec, kind, rest, DIGITS)
    if kind in _LOADERS and rest:
        return _LOADERS[kind](os.path.expanduser(rest), spec)
    hint = f" Did you mean 'folder:{spec}'?" if Path(spec).is_dir() else ""
    raise InputError(
        f"There is no data named {spec!r}; the nearest are {nearest(spec, SPECS)}.{hint}"
    )


def is_installed(name: str) -> bool:
    """Whether Debian's package of a full set is on this machine.

    Args:
        name: "fashion_mnist" or "mnist".
    """
    return os.path.isdir(_IDX_FOLDERS[name] or "")


def _load_csv(path: str, name: str) -> ImageSet:
    listed = load_csv(path)
    faults = find_bad_headers([file for split in listed.splits.values() for file in split.files])
    splits = {
        split: Split(part.labels, encoded=Files(part.files)).without(faults)
        for split, part in listed.splits.items()
    }
    return ImageSet(name, listed.classes, 3, **splits, skipped=tuple(faults))


def _load_records(pattern: str, name: str) -> ImageSet:
    index = open_records(pattern)
    splits = index.splits
    if "train" not in splits:  # what is only evaluated may be all that there is
        splits = {"train": next(iter(splits.values()))}
    splits = {split: Split(part.labels, encoded=part) for split, part in splits.items()}
    return ImageSet(name, index.classes, index.channels, **splits, skipped=index.skipped)


_LOADERS = {
    "folder": load_folder,
    "csv": _load_csv,
    "tfrecord": _load_records,
    "tfds": load_prepared,
}


def _load_embedded() -> ImageSet:
    path = Path(__file__).parent / "embedded" / "fashion_mnist_6k.npz"
    with np.load(path, allow_pickle=False) as arrays:
        pairs = {
            split: (arrays[f"{split}_images"], arrays[f"{split}_labels"])
            for split in ("train", "test")
        }
    return _grey_set("fashion_mnist_6k", FASHION_CLASSES, pairs)


def _load_idx(spec: str, name: str, folder: str, classes: tuple[str, ...]) -> ImageSet:
    if folder:
        pairs = read_idx_folder(os.path.expanduser(folder))
    elif is_installed(name):
        pairs = read_idx_folder(_IDX_FOLDERS[name])
    else:
        pairs = _load_tfds(name)
    return _grey_set(spec, classes, pairs)


def _load_tfds(name: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    import tensorflow_datasets as tfds

    try:
        train, test = tfds.load(name, split=["train", "test"], batch_size=-1, as_supervised=True)
    except Exception as error:  # each of its downloaders and readers has its own errors
        raise InputError(
            f"TensorFlow Datasets could not get {name!r} ({reason_of(error)}); give the folder of "
            f"its idx files as '{name}:FOLDER', or use 'fashion_mnist_6k', which is embedded."
        ) from error
    return {
        "train": tuple(np.asarray(tensor) for tensor in train),
        "test": tuple(np.asarray(tensor) for tensor in test),
    }


def _grey_set(name: str, classes: tuple[str, ...], pairs: dict) -> ImageSet:
    splits = {
        split: Split(
            labels.astype(np.int64), images=images.reshape(len(images), *images.shape[1:3], 1)
        )
        for split, (images, labels) in pairs.items()
    }
    return ImageSet(name, classes, 1, train=splits["train"], test=splits["test"])
