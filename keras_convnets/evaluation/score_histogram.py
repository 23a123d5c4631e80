"""How the scores of each class are distributed, in memory that no number of images changes."""

from typing import NamedTuple

import numpy as np

# The log-odds of a score are rounded to a sixteenth: at most 0.016 of a probability. Beyond 16 a
# float32 hardly tells a probability from 1.
BINS = 512
BINS_PER_UNIT = 16

# Of fewer images with a label no threshold of its own is chosen: it would be that of a few scores.
LEAST_POSITIVES = 5

_AT_ONCE = 1024  # classes, of which some tables of float64 are made


class Chosen(NamedTuple):
    """Thresholds, and how many images they give each label.

    Attributes:
        thresholds: (classes,) float64 probabilities.
        called: (classes,) int64, images that are given the label.
        right: (classes,) int64, those of them that have it.
    """

    thresholds: np.ndarray
    called: np.ndarray
    right: np.ndarray


class ScoreHistogram:
    """Counts the scores of each class, those of images with the label apart.

    What follows from it is exact but for the rounding of scores to 1/16 in their log-odds; of
    17,000 classes it has 70 MB.

    Args:
        classes: number of classes.
    """

    def __init__(self, classes: int):
        self._all = np.zeros((classes, BINS), np.uint32)
        self._positive = np.zeros((classes, BINS), np.uint32)

    def add(self, scores: np.ndarray, is_label: np.ndarray) -> None:
        """Takes a batch.

        Args:
            scores: (n, classes) probabilities; what is not a number counts as 0.
            is_label: (n, classes) bool.
        """
        # With places in one row NumPy adds some 17 times as fast as with pairs.
        places = bins_of(scores) + np.arange(scores.shape[1]) * BINS
        np.add.at(self._all.reshape(-1), places.ravel(), np.uint32(1))
        np.add.at(self._positive.reshape(-1), places[is_label], np.uint32(1))

    @property
    def positives(self) -> np.ndarray:
        """(classes,) int64, how many images have the label."""
        return self._positive.sum(axis=1, dtype=np.int64)

    def average_precisions(self) -> np.ndarray:
        """Returns the average precision of each class, (classes,) float64, without interpolation.

        It is the mean over the images with the label of the share of labelled images among those
        with at least their score; NaN where no image has the label.
        """
        parts = []
        for positive, every in self._parts():
            right, called = _from_above(positive), _from_above(every)
            gains = positive * right / np.maximum(called, 1)
            with np.errstate(invalid="ignore"):
                parts.append(gains.sum(axis=1) / right[:, 0])
        return np.concatenate(parts)

    def choose_thresholds(self) -> Chosen:
        """Returns for each class the score from which on an image is given the label.

        It is that of the greatest F1, in the middle of the gap between scores; of several gaps the
        highest. A class that fewer than 5 images have gets the threshold of the greatest F1 over
        the images and labels of all classes together (micro), and 0.5 if there are none.
        """
        sums = (table.sum(axis=0, dtype=np.int64)[None] for table in (self._positive, self._all))
        [common] = _best_places(*map(_from_above, sums))
        parts = []
        for part in self._parts():
            right, called = map(_from_above, part)
            own = _best_places(right, called)
            places = np.where(right[:, 0] < LEAST_POSITIVES, common, own)
            first = np.ceil(places).astype(np.int64)[:, None]
            counts = (np.take_along_axis(table, first, axis=1) for table in (called, right))
            parts.append((lower_edges(places), *(count[:, 0].astype(np.int64) for count in counts)))
        return Chosen(*map(np.concatenate, zip(*parts, strict=True)))

    def _parts(self):
        """The counts of some classes at a time."""
        for start in range(0, len(self._all), _AT_ONCE):
            rows = slice(start, start + _AT_ONCE)
            yield self._positive[rows], self._all[rows]


def bins_of(scores: np.ndarray) -> np.ndarray:
    """Returns the bin of each probability, integers from 0 to BINS - 1."""
    scores = np.nan_to_num(np.asarray(scores, np.float64))
    with np.errstate(divide="ignore"):
        odds = np.log(scores) - np.log1p(-scores)
    return np.clip(np.floor(odds * BINS_PER_UNIT) + BINS // 2, 0, BINS - 1).astype(np.int64)


def lower_edges(bins: np.ndarray) -> np.ndarray:
    """Returns the least probability in each bin."""
    return 1 / (1 + np.exp((BINS // 2 - bins) / BINS_PER_UNIT))


def _from_above(counts: np.ndarray) -> np.ndarray:
    """How many scores are in a bin or above it, (classes, bins) float64."""
    return np.cumsum(counts[:, ::-1], axis=1, dtype=np.float64)[:, ::-1]


def _best_places(right: np.ndarray, called: np.ndarray) -> np.ndarray:
    """Where among the bins, or between two, the threshold of the greatest F1 is, (classes,)."""
    f1 = 2 * right / np.maximum(called + right[:, :1], 1)
    is_best = f1 == f1.max(axis=1, keepdims=True)
    # The highest run of bins that are equally good begins with scores, which are at its top.
    highest = BINS - 1 - np.argmax(is_best[:, ::-1], axis=1)
    places = np.arange(BINS)
    is_below = ~is_best & (places < highest[:, None])
    lowest = np.where(is_below, places, -1).max(axis=1) + 1
    return np.where(f1.any(axis=1), (lowest + highest) / 2, BINS // 2)
