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
from keras_convnets.data.splits import Fault, Split
from keras_convnets.errors import InputError

# Decoded images of one split may take this much memory, in bytes; larger sets are decoded in each
# epoch anew.
MEMORY_LIMIT = 2**30

# Larger sets are not decoded for a check: it would take as long as a good part of an epoch.
CHECK_LIMIT = 20_000


def find_faults(
    files: Sequence[Path], *, decode: bool, on_file: Callable[[], None] = lambda: None
) -> list[Fault]:
    """Returns the files that are no images or damaged ones.

    Args:
        files: image files.
        decode: whether to decode them, or to read their headers only.
        on_file: called after each file, to show progress.
    """
    reasons = _map(functools.partial(check_image, decode=decode), files, on_file)
    return [Fault(file, why) for file, why in zip(files, reasons, strict=True) if why]


def decode_once(
    split: Split,
    preprocessing: Preprocessing,
    augmentation: Sequence[Augmentation],
    on_file: Callable[[], None] = lambda: None,
) -> tuple[Split, list[Fault]]:
    """Makes a split ready for many epochs: files become arrays if that fits in memory.

    If an augmentation crops from the whole image, or the arrays would be too large, the files stay
    files and are checked.

    Args:
        split: images as files or arrays.
        preprocessing: gives the central crop that is kept.
        augmentation: what training does to the images.
        on_file: called after each file, to show progress.

    Returns:
        The images that can be read, and the files that can't.
    """
    files = split.files
    if files is None:
        return split, []
    shape = (len(split), preprocessing.size, preprocessing.size, preprocessing.channels)
    if math.prod(shape) > MEMORY_LIMIT or any(change.sets_size for change in augmentation):
        faults = find_faults(files, decode=len(files) <= CHECK_LIMIT, on_file=on_file)
        return split.without(faults), faults
    images = np.zeros(shape, np.uint8)

    def decode(index: int) -> str | None:
        try:
            image = read_image(files[index], preprocessing.channels, enough=preprocessing.enough)
        except InputError as error:
            return str(error)
        images[index] = preprocessing.center(image).numpy()
        return None

    reasons = _map(decode, range(len(files)), on_file)
    good = np.array([why is None for why in reasons], bool)
    faults = [Fault(file, why) for file, why in zip(files, reasons, strict=True) if why]
    images = images if good.all() else images[good]
    return Split(split.labels[good], images=images, is_cropped=True), faults


def _map(function: Callable, items: Sequence, on_item: Callable[[], None]) -> list:
    """Runs a function over items in threads; Pillow decodes outside of Python's lock."""
    results = []
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for result in pool.map(function, items):
            results.append(result)
            on_item()
    return results
