"""A set of labelled images with its classes and parts."""

import dataclasses
import functools
import hashlib

import numpy as np

from keras_convnets.data.splits import WHILE_TRAINING, Fault, Split
from keras_convnets.errors import InputError, check_number

# From so many held-out images of a class on, chance alone gives each class its share of them.
ENOUGH_BY_CHANCE = 10


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
        skipped: files that can't be read, which are in none of the splits any more.
    """

    name: str
    classes: tuple[str, ...]
    channels: int
    train: Split
    validation: Split | None = None
    test: Split | None = None
    skipped: tuple[Fault, ...] = ()

    def __post_init__(self):
        if len(self.classes) < 2:
            raise InputError(
                f"The data set {self.name!r} needs at least two classes. "
                f"Received: {', '.join(self.classes) or 'none'}"
            )
        for name, split in self.splits.items():
            if not len(split):
                raise InputError(f"The {name} set of {self.name!r} has no images.")
            values = split.label_arrays[0]
            low, high = int(values.min(initial=0)), int(values.max(initial=0))
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

    @property
    def is_multi_label(self) -> bool:
        """Whether an image may have several labels, or none."""
        return self.train.is_multi_label

    def with_label_sets(self) -> "ImageSet":
        """Returns the images with sets of labels, of one label each if they had single ones."""
        splits = {name: split.with_label_sets() for name, split in self.splits.items()}
        return dataclasses.replace(self, **splits)

    def fingerprint(self) -> str:
        """Returns a hash of classes, labels, and arrays or the names and sizes of files."""
        digest = hashlib.sha256("\0".join(self.classes).encode())
        for name, split in self.splits.items():
            digest.update(name.encode())
            for part in split.label_arrays:
                digest.update(part.tobytes())
            if split.images is not None:
                digest.update(np.ascontiguousarray(split.images))
            for part in split.encoded.identity() if split.encoded is not None else ():
                digest.update(part)
        return digest.hexdigest()

    @property
    def total(self) -> int:
        """How many images there are, with those that can't be read."""
        # The row of one that training met has another image, and is counted with its split.
        gone = sum(fault.found != WHILE_TRAINING for fault in self.skipped)
        return gone + sum(len(split) for split in self.splits.values())

    def check_skipped(self, limit: float) -> None:
        """Makes sure that not too many files can't be read.

        Args:
            limit: the share of all files that may be skipped.

        Raises:
            InputError: if there are more.
        """
        total = self.total
        share = len(self.skipped) / total
        if share > limit:
            raise InputError(
                f"Of the {total} images of {self.name!r} {len(self.skipped)} can't be read, which "
                f"is {share:.1%}; at most {limit:.1%} may be skipped (`--max-skipped`). The first: "
                f"{min(fault.reason for fault in self.skipped)}"
            )

    def check_classes(self, least: int = 1) -> None:
        """Makes sure that each class has at least so many training images.

        Where an image has several labels, the rare ones of a long tail may be missing.

        Raises:
            InputError: if one has fewer.
        """
        if self.is_multi_label:
            return
        counts = self.train.label_counts(len(self.classes))
        few = [f"{self.classes[i]!r} {counts[i]}" for i in np.flatnonzero(counts < least)]
        if few:
            others = f" and {len(few) - 3} other classes fewer than that" if len(few) > 3 else ""
            images = "one image" if least == 1 else f"{least} images, for one is held out"
            raise InputError(
                f"Each class of {self.name!r} should have at least {images}. "
                f"Received: {', '.join(few[:3])}{others}"
            )

    def hold_out(self, fraction: float, seed: int) -> "ImageSet":
        """Makes a validation set of a seeded share of the training images, if there is none.

        Each class gives its share, but at least one image and not all of them. In sets so large
        that the least class gives ten or more, the draw is from all images together.

        Args:
            fraction: share of the training images, in (0, 1).
            seed: the choice depends on it alone.

        Raises:
            InputError: if a class has fewer than two images.
        """
        check_number("The seed", seed, least=0, whole=True)
        check_number("The share to hold out", fraction, above=0, below=1)
        if self.validation is not None:
            self.check_classes()
            return self
        self.check_classes(least=2)
        order = np.random.default_rng(seed).permutation(len(self.train))
        counts = self.train.label_counts(len(self.classes))
        if self.is_multi_label or counts.min() * fraction >= ENOUGH_BY_CHANCE:
            is_held = np.arange(len(order)) < round(len(order) * fraction)
        else:
            quotas = np.clip(np.round(counts * fraction), 1, counts - 1)
            labels = self.train.labels[order]
            is_held = _places(labels) < quotas[labels]
        return dataclasses.replace(
            self,
            validation=self.train.take(np.sort(order[is_held])),
            train=self.train.take(np.sort(order[~is_held])),
        )


def _places(labels: np.ndarray) -> np.ndarray:
    """For each label, how many equal ones stand before it."""
    places = np.zeros_like(labels)
    for label in np.unique(labels):
        is_equal = labels == label
        places[is_equal] = np.arange(is_equal.sum())
    return places
