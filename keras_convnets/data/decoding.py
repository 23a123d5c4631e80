"""Work on every file of a set before training: checking, and decoding once what fits in memory."""

import concurrent.futures
import functools
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from keras_convnets.data.augmentation import Augmentation
from keras_convnets.data.images import check_image, read_image
from keras_convnets.data.pipeline import Preprocessing
from keras_convnets.data.splits import Split
from keras_convnets.errors import InputError

# Decoded images of one split may take this much memory, in bytes; larger sets are decoded in each
# epoch anew.
MEMORY_LIMIT = 2**30

# Larger sets are not decoded for a check: it would take as long as a good part of an epoch.
CHECK_LIMIT = 20_000


def check_files(
    files: Sequence[Path], *, decode: bool, on_file: Callable[[], None] = lambda: None
) -> None:
    """Makes sure that files are images.

    Args:
        files: image files.
        decode: whether to decode them, or to read their headers only.
        on_file: called after each file, to show progress.

    Raises:
        InputError: names the first bad file, and says how many more there are.
    """
    faults = _map(functools.partial(check_image, decode=decode), files, on_file)
    _refuse([fault for fault in faults if fault])


def decode_once(
    split: Split,
    preprocessing: Preprocessing,
    augmentation: Sequence[Augmentation],
    on_file: Callable[[], None] = lambda: None,
) -> Split:
    """Makes a split ready for many epochs: files become arrays if that fits in memory.

    A split is left as it is, and its files are checked, if an augmentation crops from the whole
    image or the arrays would be too large.

    Args:
        split: images as files or arrays.
        preprocessing: gives the central crop that is kept.
        augmentation: what training does to the images.
        on_file: called after each file, to show progress.

    Raises:
        InputError: if a file can't be decoded.
    """
    files = split.files
    if files is None:
        return split
    shape = (len(split), preprocessing.size, preprocessing.size, preprocessing.channels)
    if math.prod(shape) > MEMORY_LIMIT or any(change.sets_size for change in augmentation):
        check_files(files, decode=len(files) <= CHECK_LIMIT, on_file=on_file)
        return split
    images, faults = np.zeros(shape, np.uint8), []

    def decode(index: int) -> None:
        try:
            image = read_image(files[index], preprocessing.channels, enough=preprocessing.enough)
            images[index] = preprocessing.center(image).numpy()
        except InputError as error:
            faults.append(str(error))

    _map(decode, range(len(files)), on_file)
    _refuse(faults)
    return Split(split.labels, images=images, is_cropped=True)


def _map(function: Callable, items: Sequence, on_item: Callable[[], None]) -> list:
    """Runs a function over items in threads; Pillow decodes outside of Python's lock."""
    results = []
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for result in pool.map(function, items):
            results.append(result)
            on_item()
    return results


def _refuse(faults: list[str]) -> None:
    if faults:
        others = f" {len(faults) - 1} other files are bad too." if len(faults) > 1 else ""
        raise InputError(f"{min(faults)}{others} Mend or remove them.")
