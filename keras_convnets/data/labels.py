"""The labels of images that may have several."""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from keras_convnets.errors import InputError


@dataclasses.dataclass(frozen=True, eq=False)
class LabelSets:
    """For each of n images the set of its labels, in two arrays.

    Attributes:
        values: (m,) int64, the labels of the first image, those of the second, and so on.
        offsets: (n + 1,) int64; the labels of image i are `values[offsets[i] : offsets[i + 1]]`.

    Raises:
        InputError: if the arrays don't fit each other.

    Example:

    >>> labels = keras_convnets.data.LabelSets.of([[0, 2], [1]])
    >>> labels[0]
    array([0, 2])
    >>> labels.to_dense([1, 0], classes=3)
    array([[0., 1., 0.],
           [1., 0., 1.]], dtype=float32)
    """

    values: np.ndarray
    offsets: np.ndarray

    def __post_init__(self):
        arrays = self.values, self.offsets
        are_rows = all(array.ndim == 1 and array.dtype == np.int64 for array in arrays)
        if not (
            are_rows
            and len(self.offsets)
            and self.offsets[0] == 0
            and self.offsets[-1] == len(self.values)
            and (np.diff(self.offsets) >= 0).all()
        ):
            raise InputError(
                "The offsets of sets of labels should rise from 0 to the number of values, both "
                f"(n,) int64. Received: offsets {self.offsets!r}, values {self.values!r}"
            )

    @classmethod
    def of(cls, sets: Iterable[Sequence[int]]) -> "LabelSets":
        """Returns the sets of labels that these sequences are."""
        sets = list(sets)
        values = [label for labels in sets for label in labels]
        return cls.of_counts(np.array(values, np.int64), np.array([len(x) for x in sets], np.int64))

    @classmethod
    def of_counts(cls, values: np.ndarray, counts: np.ndarray) -> "LabelSets":
        """Returns sets of labels from all labels in a row, and how many each image has."""
        return cls(values.astype(np.int64, copy=False), _offsets(counts))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> np.ndarray:
        index = range(len(self))[index]
        return self.values[self.offsets[index] : self.offsets[index + 1]]

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self[i] for i in range(len(self)))

    @property
    def sizes(self) -> np.ndarray:
        """How many labels each image has, (n,) int64."""
        return np.diff(self.offsets)

    def take(self, indices: Sequence[int] | np.ndarray) -> "LabelSets":
        """Returns the sets at these indices, in their order; a mask (n,) bool chooses too."""
        positions, offsets = self._find(indices)
        return LabelSets(self.values[positions], offsets)

    def counts(self, classes: int) -> np.ndarray:
        """Returns how many images have each label, (classes,) int64."""
        return np.bincount(self.values, minlength=classes)

    def padded(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """Returns the labels of k images as (k, longest) int64, filled with -1."""
        positions, offsets = self._find(indices)
        sizes = np.diff(offsets)
        longest = int(sizes.max(initial=0))
        table = np.full((len(sizes), longest), -1, np.int64)
        table[np.arange(longest) < sizes[:, None]] = self.values[positions]
        return table

    def to_dense(self, indices: Sequence[int] | np.ndarray, classes: int) -> np.ndarray:
        """Returns the labels of k images as (k, classes) float32 of zeros and ones."""
        positions, offsets = self._find(indices)
        sizes = np.diff(offsets)
        table = np.zeros((len(sizes), classes), np.float32)
        table[np.repeat(np.arange(len(sizes)), sizes), self.values[positions]] = 1
        return table

    def _find(self, indices: Sequence[int] | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where the values of some images stand, and the offsets that they have in a row."""
        indices = np.asarray(indices)
        if indices.dtype == bool:
            indices = np.flatnonzero(indices)
        indices = indices.astype(np.int64, copy=False)  # an empty list would be of floats
        starts = self.offsets[:-1][indices]
        sizes = self.offsets[1:][indices] - starts
        offsets = _offsets(sizes)
        return np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], sizes), offsets


def _offsets(counts: np.ndarray) -> np.ndarray:
    offsets = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=offsets[1:])
    return offsets
