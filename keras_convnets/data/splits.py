"""A set of labelled images, whatever it is stored in."""

import dataclasses
import functools
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from keras_convnets.data.images import read_image
from keras_convnets.errors import InputError, check_number


@dataclasses.dataclass(frozen=True)
class Split:
    """One part of an image set: labels, and images as arrays or as files.

    Attributes:
        labels: (n,) int64, indices into the classes.
        images: (n, height, width, channels) uint8, or `None`.
        files: the paths of n image files, or `None`.
        is_cropped: whether the arrays are the central crops that the net takes, ready to be scaled.
    """

    labels: np.ndarray
    images: np.ndarray | None = None
    files: tuple[Path, ...] | None = None
    is_cropped: bool = False

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: Sequence[int] | np.ndarray) -> "Split":
        """Returns the part of the split at these indices, in their order."""
        return Split(
            self.labels[indices],
            None if self.images is None else self.images[indices],
            None if self.files is None else tuple(self.files[i] for i in indices),
            self.is_cropped,
        )

    def image(self, index: int, channels: int = 3) -> np.ndarray:
        """Returns one image, (height, width, channels) uint8; arrays keep their channels."""
        if self.images is not None:
            return self.images[index]
        files = self.files or ()
        return read_image(files[index], channels)


@dataclasses.dataclass(frozen=True)
class ImageSet:
    """Labelled images with their classes, in up to three splits.

    Attributes:
        name: what the user called it.
        classes: names of the classes, in the order of the labels.
        channels: channels of the images.
        train: training images.
        validation: images to choose hyper-parameters by, or `None`: then `hold_out` takes some.
        test: images that only the final evaluation reads, or `None`.
    """

    name: str
    classes: tuple[str, ...]
    channels: int
    train: Split
    validation: Split | None = None
    test: Split | None = None

    def __post_init__(self):
        if len(self.classes) < 2:
            raise InputError(
                f"The data set {self.name!r} needs at least two classes. "
                f"Received: {', '.join(self.classes) or 'none'}"
            )
        for name, split in self.splits.items():
            if not len(split):
                raise InputError(f"The {name} set of {self.name!r} has no images.")
            low, high = int(split.labels.min()), int(split.labels.max())
            if low < 0 or high >= len(self.classes):
                raise InputError(
                    f"The labels of the {name} set of {self.name!r} should be 0 to "
                    f"{len(self.classes) - 1}. Received: {low} to {high}"
                )

    @functools.cached_property
    def splits(self) -> dict[str, Split]:
        """The splits that there are, by name."""
        named = {"train": self.train, "validation": self.validation, "test": self.test}
        return {name: split for name, split in named.items() if split is not None}

    @property
    def held_back(self) -> tuple[str, Split]:
        """The split to evaluate on and its name: test, or else validation, or else train."""
        return list(self.splits.items())[-1]

    def fingerprint(self) -> str:
        """Returns a hash of classes, labels, and arrays or the names and sizes of files."""
        digest = hashlib.sha256("\0".join(self.classes).encode())
        for name, split in self.splits.items():
            digest.update(name.encode())
            digest.update(split.labels.tobytes())
            if split.images is not None:
                digest.update(np.ascontiguousarray(split.images))
            for file in split.files or ():
                digest.update(os.fsencode(f"{file.parent.name}/{file.name}"))
                digest.update(str(file.stat().st_size).encode())
        return digest.hexdigest()

    def hold_out(self, fraction: float, seed: int) -> "ImageSet":
        """Makes a validation set of a seeded share of the training images, if there is none.

        Args:
            fraction: share of the training images, in (0, 1).
            seed: the choice depends on it alone.
        """
        check_number("The seed", seed, least=0, whole=True)
        if self.validation is not None:
            return self
        count = round(len(self.train) * fraction)
        if not 0 < count < len(self.train):
            raise InputError(
                f"The data set {self.name!r} is too small to hold out {fraction:.0%} of its "
                f"training images. Received: {len(self.train)} images"
            )
        order = np.random.default_rng(seed).permutation(len(self.train))
        return dataclasses.replace(
            self,
            validation=self.train.take(np.sort(order[:count])),
            train=self.train.take(np.sort(order[count:])),
        )
