"""One part of an image set, whatever it is stored in."""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from keras_convnets.data.encoded import Encoded
from keras_convnets.data.images import decode_image
from keras_convnets.data.labels import LabelSets


@dataclasses.dataclass(frozen=True)
class Fault:
    """An image that can't be read.

    Attributes:
        file: the file, and where in it if it holds several.
        reason: why, in a sentence that names it.
    """

    file: str
    reason: str


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
