"""Scores of a net on images that may have several labels, over every image once."""

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import keras
import numpy as np

from keras_convnets.data import LabelSets
from keras_convnets.evaluation.average_precision import MeanAveragePrecision
from keras_convnets.evaluation.score_histogram import ScoreHistogram
from keras_convnets.evaluation.scores import TOP

MAP_AT = 100  # Chollet 2017, arXiv 1610.02357, section 4.1

# Scores that are worked on at once; some tables of float64 are made of them.
_AT_ONCE = 2**20


@dataclasses.dataclass(frozen=True)
class LabelScore:
    """Scores of one class at its threshold.

    Attributes:
        n: number of images with the label.
        threshold: the probability from which on the label is given.
        precision: share of images with the label among those that were given it; `None` if none
            was.
        recall: share of those that were given it among the images with the label; `None` if there
            are none.
        f1: harmonic mean of both; `None` if there are none of either.
        average_precision: over all thresholds; `None` if no image has the label.
    """

    n: int
    threshold: float
    precision: float | None
    recall: float | None
    f1: float | None
    average_precision: float | None


@dataclasses.dataclass(frozen=True, eq=False)
class MultiLabelEvaluation:
    """Scores of a net on one split.

    Attributes:
        n: number of images.
        top1: share of images whose best class is among their labels.
        top5: share of images of whose best five classes one is among their labels.
        loss: mean over images of the binary cross-entropy in nats, summed over classes; without
            regularization or label smoothing.
        map_at_100: mean over images of the average precision of their best 100 classes.
        positives: (classes,) images with each label.
        average_precisions: (classes,) of each class; NaN where no image has the label.
        best_thresholds: (classes,) by these images; see `ScoreHistogram.choose_thresholds`.
        thresholds: (classes,) that the counts belong to: the given, or else the best.
        called: (classes,) images that are given each label by the thresholds.
        right: (classes,) those of them that have it.
        best: (n, 100) the best classes of each image, best first, or fewer if there are fewer; or
            `None` if they were not to be kept.
        probabilities: (n, 100) of the best classes, or `None`.
    """

    n: int
    top1: float
    top5: float
    loss: float
    map_at_100: float
    positives: np.ndarray
    average_precisions: np.ndarray
    best_thresholds: np.ndarray
    thresholds: np.ndarray
    called: np.ndarray
    right: np.ndarray
    best: np.ndarray | None = None
    probabilities: np.ndarray | None = None

    @property
    def figures(self) -> dict[str, float | None]:
        """The scores without the arrays."""
        names = ("n", "top1", "top5", "loss", "map_at_100", "macro_average_precision")
        return {name: getattr(self, name) for name in (*names, "micro_f1", "macro_f1")}

    @property
    def macro_average_precision(self) -> float | None:
        """Mean over classes of their average precision, of those that an image has."""
        return _mean(self.average_precisions[self.positives > 0])

    @property
    def micro_f1(self) -> float | None:
        """F1 of all images and labels together; `None` if there is none, given or true."""
        [share] = _shares(2 * self.right.sum(), self.called.sum() + self.positives.sum())
        return share

    @property
    def macro_f1(self) -> float | None:
        """Mean over classes of their F1, of those that an image has."""
        there = self.positives > 0
        return _mean(2 * self.right[there] / (self.called + self.positives)[there])

    @property
    def by_class(self) -> list[LabelScore]:
        """The scores of each class."""
        columns = (
            self.positives.tolist(),
            self.thresholds.tolist(),
            _shares(self.right, self.called),
            _shares(self.right, self.positives),
            _shares(2 * self.right, self.called + self.positives),
            [None if np.isnan(value) else float(value) for value in self.average_precisions],
        )
        return [LabelScore(*row) for row in zip(*columns, strict=True)]


class MultiLabelScorer:
    """Collects predictions, batch after batch; memory is that of a few hundred bins a class.

    Args:
        classes: number of classes.
        thresholds: (classes,) the probability from which on each label is given; `None` for those
            that turn out to be the best.
        keep_best: whether to keep the best classes of each image, too: 800 bytes an image.
    """

    def __init__(
        self,
        classes: int,
        thresholds: Sequence[float] | np.ndarray | None = None,
        keep_best: bool = False,
    ):
        self._thresholds = None if thresholds is None else np.asarray(thresholds, np.float64)
        self._histogram = ScoreHistogram(classes)
        self._mean_average_precision = MeanAveragePrecision(MAP_AT)
        self._called, self._right = np.zeros((2, classes), np.int64)
        self._top = np.zeros(TOP, np.int64)
        self._loss = 0.0
        self._n = 0
        self._kept: list[tuple[np.ndarray, np.ndarray]] | None = [] if keep_best else None

    def add(self, scores: np.ndarray, labels: np.ndarray | LabelSets) -> None:
        """Takes a batch.

        Args:
            scores: (n, classes) probabilities.
            labels: (n, classes) of zeros and ones, or the labels of each image.
        """
        rows = max(1, _AT_ONCE // scores.shape[1])
        for start in range(0, len(scores), rows):
            part = np.arange(start, min(start + rows, len(scores)))
            if isinstance(labels, LabelSets):
                dense = labels.to_dense(part, scores.shape[1])
            else:
                dense = np.asarray(labels)[part]
            self._add(scores[part], dense > 0)

    def _add(self, scores: np.ndarray, is_label: np.ndarray) -> None:
        heights = np.where(np.isnan(scores), -np.inf, scores)
        # Of equal scores the class with the lower index comes first.
        count = min(TOP if self._kept is None else MAP_AT, scores.shape[1])
        best = np.asarray(keras.ops.top_k(heights, count)[1])
        if self._kept is not None:
            self._kept.append((best, np.take_along_axis(scores, best, axis=1).astype(np.float32)))
            best = best[:, :TOP]
        hits = np.take_along_axis(is_label & (heights >= 0), best, axis=1)
        self._top[: hits.shape[1]] += np.maximum.accumulate(hits, axis=1).sum(axis=0)
        self._top[hits.shape[1] :] += hits.any(axis=1).sum()
        right = np.where(is_label, scores, 1 - scores.astype(np.float64))
        self._loss -= np.log(np.maximum(right, keras.config.epsilon())).sum()
        self._n += len(scores)
        self._mean_average_precision.update_state(is_label, scores)
        self._histogram.add(scores, is_label)
        if self._thresholds is not None:
            is_called = scores >= self._thresholds
            self._called += is_called.sum(axis=0)
            self._right += (is_called & is_label).sum(axis=0)

    def result(self) -> MultiLabelEvaluation:
        """Returns the scores of all batches."""
        chosen = self._histogram.choose_thresholds()
        counts = {"called": chosen.called, "right": chosen.right}
        if self._thresholds is not None:
            counts = {"called": self._called, "right": self._right}
        kept = {}
        if self._kept:
            columns = map(np.concatenate, zip(*self._kept, strict=True))
            kept = dict(zip(("best", "probabilities"), columns, strict=True))
        return MultiLabelEvaluation(
            n=self._n,
            top1=float(self._top[0] / self._n),
            top5=float(self._top[-1] / self._n),
            loss=float(self._loss / self._n),
            map_at_100=float(self._mean_average_precision.result()),
            positives=self._histogram.positives,
            average_precisions=self._histogram.average_precisions(),
            best_thresholds=chosen.thresholds,
            thresholds=chosen.thresholds if self._thresholds is None else self._thresholds,
            **counts,
            **kept,
        )


def evaluate_multi_label(
    model: keras.Model,
    batches: Iterable[tuple[Any, Any]],
    thresholds: Sequence[float] | np.ndarray | None = None,
    on_batch: Callable[[int], None] = lambda count: None,
) -> MultiLabelEvaluation:
    """Runs a net over batches of (images, labels).

    Args:
        model: gives a probability for each class, (n, classes).
        batches: every image once; labels are (n, classes) of zeros and ones.
        thresholds: (classes,) the probability from which on each label is given; `None` for those
            that are the best on these images.
        on_batch: called with the number of images of each batch, to show progress.
    """
    scorer = MultiLabelScorer(model.output_shape[-1], thresholds)
    for images, labels in batches:
        scorer.add(model.predict_on_batch(images), np.asarray(labels))
        on_batch(len(labels))
    return scorer.result()


def _mean(values: np.ndarray) -> float | None:
    return float(values.mean()) if len(values) else None


def _shares(parts: np.ndarray, wholes: np.ndarray) -> list[float | None]:
    """Quotients, with `None` where there is nothing to divide by."""
    pairs = zip(np.ravel(parts).tolist(), np.ravel(wholes).tolist(), strict=True)
    return [part / whole if whole else None for part, whole in pairs]
