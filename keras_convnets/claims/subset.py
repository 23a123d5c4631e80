"""Fewer images of a large set, as files of their own that runs are resumed with."""

import os
import struct
from pathlib import Path

import numpy as np

from keras_convnets import data
from keras_convnets.errors import InputError, check_number
from keras_convnets.files import replacing

_UBYTE = 8  # the code of unsigned bytes in the header of an idx file


def cut(spec: str, images: int, seed: int, folder: str | os.PathLike) -> str:
    """Writes a seeded part of the training images, and all test images, as idx files.

    Args:
        spec: of `data.load`; a set of grey images in arrays.
        images: how many training images are kept.
        seed: the choice depends on it alone.
        folder: where the files go; those that are there already are kept.

    Returns:
        The spec of the part; `spec` itself if the set has no more images.

    Raises:
        InputError: if the set is not of that kind.
    """
    check_number("`--images`", images, least=1, whole=True)
    whole = data.load(spec)
    if len(whole.train) <= images:
        return spec
    kind = spec.partition(":")[0]
    if kind not in ("fashion_mnist", "mnist"):
        raise InputError(
            "Only fashion_mnist and mnist can be cut to fewer images; give `--images 0` for all "
            f"of {spec!r}. Received: {len(whole.train):,} training images"
        )
    chosen = np.sort(np.random.default_rng(seed).permutation(len(whole.train))[:images])
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for prefix, split in (("t10k", whole.test), ("train", whole.train.take(chosen))):
        write_idx(folder / f"{prefix}-images-idx3-ubyte", split.images[..., 0])
        write_idx(folder / f"{prefix}-labels-idx1-ubyte", split.labels)
    return f"{kind}:{folder.absolute()}"


def write_idx(path: str | os.PathLike, values: np.ndarray) -> None:
    """Writes numbers from 0 to 255 as an idx file, unless it is there."""
    if Path(path).is_file():
        return
    header = struct.pack(f">HBB{values.ndim}I", 0, _UBYTE, values.ndim, *values.shape)
    with replacing(path) as temporary:
        temporary.write_bytes(header + values.astype(np.uint8).tobytes())
