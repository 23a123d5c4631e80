"""Top-1, top-5 and cross-entropy over every image once."""

import collections
import dataclasses
import functools
from collections.abc import Callable, Iterable
from typing import Any

import keras
import numpy as np

from keras_convnets.evaluation.calibration import Calibration, calibration, wilson_interval

TOP = 5


@dataclasses.dataclass(frozen=True)
class ClassScore:
    """Scores of one class.

    Attributes:
        n: number of its images.
        precision: share of its images among those that were called so; `None` if none was.
        recall: share of those that were called so among its images; `None` if it has none.
    """

    n: int
    precision: float | None
    recall: float | None


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """Scores of a net on one split.

    Attributes:
        n: number of images.
        top1: share of images whose best class is right.
        top5: share of images whose class is among the best five.
        loss: mean cross-entropy in nats, without regularization or label smoothing.
        labels: (n,) true classes.
        best: (n, 5) the best classes, best first; fewer columns if there are fewer classes.
        probabilities: (n, 5) of the best classes.
    """

    n: int
    top1: float
    top5: float
    loss: float
    labels: np.ndarray
    best: np.ndarray
    probabilities: np.ndarray

    @property
    def predicted(self) -> np.ndarray:
        """(n,) the best class of each image."""
        return self.best[:, 0]

    @property
    def confidence(self) -> np.ndarray:
        """(n,) the probability of the best class of each image."""
        return self.probabilities[:, 0]

    @property
    def figures(self) -> dict[str, float]:
        """The scores without the arrays."""
        return {"n": self.n, "top1": self.top1, "top5": self.top5, "loss": self.loss}

    @property
    def top1_interval(self) -> tuple[float, float]:
        """The 95 % confidence interval of `top1`."""
        return wilson_interval(round(self.top1 * self.n), self.n)

    @property
    def top5_interval(self) -> tuple[float, float]:
        """The 95 % confidence interval of `top5`."""
        return wilson_interval(round(self.top5 * self.n), self.n)

    @functools.cached_property
    def calibration(self) -> Calibration:
        """How far the confidence can be trusted."""
        return calibration(self.confidence, self.predicted == self.labels)

    def confusion(self, classes: int) -> np.ndarray:
        """Returns how often a true class (row) was called another (column)."""
        matrix = np.zeros((classes, classes), np.int64)
        np.add.at(matrix, (self.labels, self.predicted), 1)
        return matrix

    def confusions(self, classes: int) -> np.ndarray:
        """Returns the entries of the confusion matrix above 0: (entries, 3) of row, column, count.

        They take little memory, however many classes there are.
        """
        pairs, counts = np.unique(self.labels * classes + self.predicted, return_counts=True)
        return np.stack([*np.divmod(pairs, classes), counts], axis=1)

    def by_class(self, classes: int) -> list[ClassScore]:
        """Returns the scores of each class."""
        is_right = self.predicted == self.labels
        right = np.bincount(self.labels[is_right], minlength=classes)
        called = np.bincount(self.predicted, minlength=classes)
        there = np.bincount(self.labels, minlength=classes)
        return [
            ClassScore(
                int(there[i]),
                float(right[i] / called[i]) if called[i] else None,
                float(right[i] / there[i]) if there[i] else None,
            )
            for i in range(classes)
        ]

    def worst_mistakes(self, limit: int) -> np.ndarray:
        """Returns the indices of the wrong predictions, the most confident first."""
        wrong = np.flatnonzero(self.predicted != self.labels)
        return wrong[np.argsort(-self.confidence[wrong], kind="stable")][:limit]


class Scorer:
    """Collects predictions, batch after batch; ties go to the class that comes first."""

    def __init__(self):
        self._columns: dict[str, list[np.ndarray]] = collections.defaultdict(list)

    def add(self, probabilities: np.ndarray, labels: np.ndarray) -> None:
        """Takes a batch.

        Args:
            probabilities: (n, classes) float64.
            labels: (n,) integers.
        """
        rows = np.arange(len(labels))
        right = probabilities[rows, labels]
        # The rank of the true class: those above it, and its equals that come first. What is not
        # a number is above everything, so that a net that gives none is never right.
        above = (~(probabilities <= right[:, None])).sum(axis=1)
        equal_before = (
            (probabilities == right[:, None])
            & (np.arange(probabilities.shape[1]) < labels[:, None])
        ).sum(axis=1)
        heights = np.where(np.isnan(probabilities), np.inf, probabilities)
        best = np.argsort(-heights, axis=1, kind="stable")[:, :TOP]
        batch = {
            "labels": labels,
            "best": best,
            "probabilities": probabilities[rows[:, None], best],
            "ranks": above + equal_before,
            "losses": -np.log(np.maximum(right, keras.config.epsilon())),
        }
        for name, column in batch.items():
            self._columns[name].append(column)

    def result(self) -> Evaluation:
        """Returns the scores of all batches."""
        columns = {name: np.concatenate(parts) for name, parts in self._columns.items()}
        ranks, losses = columns.pop("ranks"), columns.pop("losses")
        return Evaluation(
            n=len(ranks),
            top1=float(np.mean(ranks == 0)),
            top5=float(np.mean(ranks < TOP)),
            loss=float(np.mean(losses)),
            **columns,
        )


def evaluate(
    model: keras.Model,
    batches: Iterable[tuple[Any, Any]],
    on_batch: Callable[[int], None] = lambda count: None,
) -> Evaluation:
    """Runs a classifier over batches of (images, labels); ties go to the class that comes first.

    Args:
        model: gives probabilities (n, classes).
        batches: every image once; labels are (n,) integers.
        on_batch: called with the number of images of each batch, to show progress.
    """
    scorer = Scorer()
    for images, labels in batches:
        labels = np.asarray(labels)
        scorer.add(model.predict_on_batch(images).astype("float64"), labels)
        on_batch(len(labels))
    return scorer.result()
