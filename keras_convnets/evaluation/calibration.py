"""How sure a score is, and how far a net's confidence can be trusted."""

import dataclasses
import math
import statistics

import numpy as np

BINS = 15  # Guo et al. 2017, arXiv 1706.04599, section 5


def wilson_interval(right: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Returns the confidence interval of a share (Wilson 1927, the score interval).

    It holds near 0 and 1, and for few images, where the normal one leaves the range.

    Args:
        right: how many of n are right.
        n: how many there are.
        level: how often such an interval holds the true share.
    """
    z = statistics.NormalDist().inv_cdf((1 + level) / 2)
    share = right / n
    center = share + z * z / (2 * n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return max(0.0, (center - half) / scale), min(1.0, (center + half) / scale)


@dataclasses.dataclass(frozen=True)
class ReliabilityBin:
    """The images whose confidence lies in (low, high].

    Attributes:
        low: lower end; the first bin holds 0, too.
        high: upper end.
        n: number of its images.
        confidence: their mean confidence; `None` if there are none.
        accuracy: the share of them that is right; `None` if there are none.
    """

    low: float
    high: float
    n: int
    confidence: float | None
    accuracy: float | None


@dataclasses.dataclass(frozen=True)
class Calibration:
    """How confidence and accuracy compare (Guo et al. 2017, arXiv 1706.04599, section 2).

    Attributes:
        error: the expected calibration error: the mean distance between accuracy and mean
            confidence of a bin, weighted by its images.
        bins: the reliability table, of bins of equal width.
    """

    error: float
    bins: tuple[ReliabilityBin, ...]


def calibration(confidence: np.ndarray, is_right: np.ndarray, bins: int = BINS) -> Calibration:
    """Compares confidence and accuracy.

    Args:
        confidence: (n,) probabilities of the predicted classes.
        is_right: (n,) whether these are the true ones.
        bins: number of bins of equal width.
    """
    edges = np.linspace(0, 1, bins + 1)
    places = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
    counts = np.bincount(places, minlength=bins)
    sums = np.bincount(places, weights=confidence, minlength=bins)
    hits = np.bincount(places, weights=is_right, minlength=bins)
    rows = tuple(
        ReliabilityBin(
            float(edges[i]),
            float(edges[i + 1]),
            int(counts[i]),
            float(sums[i] / counts[i]) if counts[i] else None,
            float(hits[i] / counts[i]) if counts[i] else None,
        )
        for i in range(bins)
    )
    return Calibration(float(np.abs(sums - hits).sum() / len(confidence)), rows)
