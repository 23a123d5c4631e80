"""Work on every image of a set before training: checking, and decoding once what fits in memory."""

import concurrent.futures
import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from keras_convnets.data.augmentation import Augmentation
from keras_convnets.data.encoded import Encoded
from keras_convnets.data.images import check_header, check_image, decode_image
from keras_convnets.data.splits import Fault, Split
from keras_convnets.errors import InputError
from keras_convnets.files import check_space
from keras_convnets.preprocessing import Preprocessing

# Decoded images of one split may take this much memory, in bytes; larger sets are decoded in each
# epoch anew.
MEMORY_LIMIT = 2**30

# Larger sets are not decoded for a check: it would take as long as a good part of an epoch.
CHECK_LIMIT = 20_000

_AT_ONCE = 1024  # images that are given to threads


def find_bad_headers(paths: Sequence[Path]) -> list[Fault]:
    """Returns the files that are no images by their headers."""
    reasons = _map(check_header, paths)
    return [Fault(str(path), why) for path, why in zip(paths, reasons, strict=True) if why]


def decode_once(
    split: Split,
    preprocessing: Preprocessing,
    augmentation: Sequence[Augmentation],
    on_image: Callable[[], None] = lambda: None,
    *,
    file: Path | None = None,
) -> tuple[Split, list[Fault]]:
    """Makes a split ready for many epochs: images become arrays if that fits in memory.

    If an augmentation crops from the whole image, or the arrays would be too large, the images stay
    encoded; all but very many are checked.

    Args:
        split: images.
        preprocessing: gives the central crop that is kept.
        augmentation: what training does to the images.
        on_image: called after each image, to show progress.
        file: a new `.npy` file for the arrays in place of memory; then they are made however large.

    Returns:
        The images that can be read, and those that can't.
    """
    encoded = split.encoded
    if encoded is None:
        return split, []
    shape = (len(split), preprocessing.size, preprocessing.size, preprocessing.channels)
    is_too_large = math.prod(shape) > MEMORY_LIMIT and file is None
    if is_too_large or any(change.sets_size for change in augmentation):
        faults = find_faults(encoded, on_image) if len(split) <= CHECK_LIMIT else []
        return split.without(faults), faults
    images = np.zeros(shape, np.uint8) if file is None else _new_array(file, shape)

    def keep(content: bytes, index: int) -> None:
        # The resize that follows shall have more pixels than it makes.
        enough = 2 * preprocessing.enough
        name = encoded.name(index)
        image = decode_image(content, name, preprocessing.channels, enough=enough)
        images[index] = preprocessing.center(image).numpy()

    faults = find_faults(encoded, on_image, keep)
    good = split.without(faults)
    if faults:
        bad = {fault.file for fault in faults}
        places = np.flatnonzero([name not in bad for name in split.names])
        # In its place: an array in a file may be larger than memory.
        for i, place in enumerate(places):
            images[i] = images[place]
        images = images[: len(places)]
    return Split(good.labels, images=images, is_cropped=True), faults


def first_fault(split: Split) -> Fault | None:
    """Returns the first image that can't be decoded, or `None`."""
    for i, name in enumerate(split.names):
        try:
            check_image(split.encoded.read(i), name)
        except InputError as error:
            return Fault(name, str(error))
    return None


def find_faults(
    encoded: Encoded,
    on_image: Callable[[], None] = lambda: None,
    use: Callable[[bytes, int], None] | None = None,
) -> list[Fault]:
    """Decodes every image, and returns those that can't be.

    Args:
        encoded: images.
        on_image: called after each, to show progress.
        use: decodes the bytes of an image, given its number, and raises `InputError` if it can't;
            `None` to look at none of their pixels.
    """

    def decode(index: int) -> str | None:
        try:
            content = encoded.read(index)
            if use is None:
                check_image(content, encoded.name(index))
            else:
                use(content, index)
        except InputError as error:
            return str(error)
        return None

    reasons = _map(decode, range(len(encoded)), on_image)
    return [Fault(encoded.name(i), why) for i, why in enumerate(reasons) if why]


def _new_array(file: Path, shape: tuple[int, ...]) -> np.memmap:
    file.parent.mkdir(parents=True, exist_ok=True)
    check_space(file.parent, math.prod(shape), "the decoded images")
    return np.lib.format.open_memmap(file, "w+", np.uint8, shape)


def _map(
    function: Callable, items: Sequence, on_item: Callable[[], None] = lambda: None
) -> list[str | None]:
    """Runs a function over items in threads; Pillow decodes outside of Python's lock."""
    results = []
    # No more than there are cores: each may hold an image of hundreds of megabytes.
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        # The pool would make a list of all that is to be done.
        for i in range(0, len(items), _AT_ONCE):
            for result in pool.map(function, items[i : i + _AT_ONCE]):
                results.append(result)
                on_item()
    return results
