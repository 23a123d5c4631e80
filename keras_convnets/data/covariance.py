"""Mean and covariance of data that comes in parts."""

from collections.abc import Iterable, Iterator

import numpy as np

from keras_convnets.errors import InputError

# Images of an array that are worked on at a time.
_PART = 1000


class Covariance:
    """Mean and covariance of rows, each seen once; exact as if they came together.

    Attributes:
        count: rows so far.
        mean: (d,) float64.
    """

    def __init__(self):
        self.count = 0
        self.mean = np.zeros(())
        self._scatter = np.zeros(())

    def add(self, rows: np.ndarray) -> None:
        """Adds rows (n, d); the moments of parts are merged as Chan, Golub and LeVeque did."""
        rows = np.asarray(rows, np.float64)
        mean = rows.mean(axis=0)
        centered = rows - mean
        total = self.count + len(rows)
        step = mean - self.mean
        between = np.outer(step, step) * (self.count * len(rows) / total)
        self._scatter = self._scatter + centered.T @ centered + between
        self.mean = self.mean + step * (len(rows) / total)
        self.count = total

    @property
    def covariance(self) -> np.ndarray:
        """(d, d) float64: the mean product of deviations, divided by `count`."""
        return self._scatter / self.count


def batches_of(images: np.ndarray | Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Gives images in parts (n, height, width, channels), at most a thousand at a time.

    Args:
        images: one array of that form, or an iterable of such.

    Raises:
        InputError: if there are none, or a part has another form.
    """
    parts = [images] if isinstance(images, np.ndarray) else images
    is_empty = True
    for part in parts:
        part = np.asarray(part)
        if part.ndim != 4 or part.dtype.kind not in "uif":
            raise InputError(
                "Images should be arrays of numbers (n, height, width, channels). "
                f"Received: an array {part.shape} of {part.dtype}"
            )
        for start in range(0, len(part), _PART):
            is_empty = False
            yield part[start : start + _PART]
    if is_empty:
        raise InputError("There should be at least one image. Received: none")
