"""One part of an image set, whatever it is stored in."""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from keras_convnets.data.encoded import Encoded
from keras_convnets.data.images import decode_image
from keras_convnets.data.labels import LabelSets
from keras_convnets.errors import InputError

BEFORE_WORK = "before work"
WHILE_TRAINING = "while training"
WHILE_EVALUATING = "while evaluating"


@dataclasses.dataclass(frozen=True)
class Fault:
    """An image that can't be read.

    Attributes:
        file: the file, and where in it if it holds several.
        reason: why, in a sentence that names it.
        found: when: "before work", "while training" or "while evaluating".
    """

    file: str
    reason: str
    found: str = BEFORE_WORK


@dataclasses.dataclass(frozen=True)
class Split:
    """One part of an image set: labels, and images as arrays or encoded.

    Attributes:
        labels: (n,) int64, indices into the classes; or the several labels of each image.
        images: (n, height, width, channels) uint8, or `None`.
        encoded: n encoded images, or `None`.
        is_cropped: whether the arrays are the central crops that the net takes, ready to be scaled.
    """

    labels: np.ndarray | LabelSets
    images: np.ndarray | None = None
    encoded: Encoded | None = None
    is_cropped: bool = False

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: Sequence[int] | np.ndarray) -> "Split":
        """Returns the part of the split at these indices, in their order."""
        indices = np.asarray(indices, np.int64)
        labels = self.labels
        return Split(
            labels.take(indices) if isinstance(labels, LabelSets) else labels[indices],
            None if self.images is None else self.images[indices],
            None if self.encoded is None else self.encoded.take(indices),
            self.is_cropped,
        )

    def without(self, faults: Iterable[Fault]) -> "Split":
        """Returns the split without the images that can't be read."""
        bad = {fault.file for fault in faults}
        if not bad or self.encoded is None:
            return self
        return self.take([i for i, name in enumerate(self.names) if name not in bad])

    def substituting(self, faults: Iterable[Fault], others: Iterable[Fault] = ()) -> "Split":
        """Returns the split with the next good image in the row of each that can't be read.

        All other images keep their rows, and with them their places in each epoch.

        Args:
            faults: whose rows get another image.
            others: further images that can't be read, and are no substitutes.

        Raises:
            InputError: if no image is good.
        """
        bad = {fault.file for fault in faults}
        if not bad or self.encoded is None:
            return self
        unfit = bad | {fault.file for fault in others}
        names = list(self.names)
        rows = np.arange(len(names))
        good = rows[[name not in unfit for name in names]]
        if not len(good):
            raise InputError(f"None of the {len(names):,} images can be read.")
        replaced = rows[[name in bad for name in names]]
        # Behind the last row the first follows.
        rows[replaced] = good[np.searchsorted(good, replaced) % len(good)]
        return self.take(rows)

    def image(self, index: int, channels: int = 3) -> np.ndarray:
        """Returns one image, (height, width, channels) uint8; arrays keep their channels."""
        if self.encoded is None:
            return self.images[index]
        return decode_image(self.encoded.read(index), self.encoded.name(index), channels)

    @property
    def encoded_count(self) -> int:
        """How many images have to be decoded still."""
        return 0 if self.encoded is None else len(self.encoded)

    @property
    def names(self) -> Iterator[str]:
        """What messages call the images, if they are encoded."""
        return (self.encoded.name(i) for i in range(self.encoded_count))

    @property
    def is_multi_label(self) -> bool:
        """Whether an image may have several labels, or none."""
        return isinstance(self.labels, LabelSets)

    def with_label_sets(self) -> "Split":
        """Returns the images with sets of labels, of one label each if they had single ones."""
        if self.is_multi_label:
            return self
        ones = np.ones(len(self.labels), np.int64)
        return dataclasses.replace(self, labels=LabelSets.of_counts(self.labels, ones))

    @property
    def label_arrays(self) -> tuple[np.ndarray, ...]:
        """All labels, and where those of each image begin if it may have several."""
        if isinstance(self.labels, LabelSets):
            return self.labels.values, self.labels.offsets
        return (self.labels,)

    def label_counts(self, classes: int) -> np.ndarray:
        """Returns how many images have each label, (classes,) int64."""
        if isinstance(self.labels, LabelSets):
            return self.labels.counts(classes)
        return np.bincount(self.labels, minlength=classes)
