"""Top-1, top-5 and cross-entropy over every image once."""

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

import keras
import numpy as np


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
        predicted: (n,) best classes.
        confidence: (n,) probabilities of the best classes.
    """

    n: int
    top1: float
    top5: float
    loss: float
    labels: np.ndarray
    predicted: np.ndarray
    confidence: np.ndarray

    @property
    def figures(self) -> dict[str, float]:
        """The scores without the arrays."""
        return {"n": self.n, "top1": self.top1, "top5": self.top5, "loss": self.loss}

    def confusion(self, classes: int) -> np.ndarray:
        """Returns how often a true class (row) was called another (column)."""
        matrix = np.zeros((classes, classes), np.int64)
        np.add.at(matrix, (self.labels, self.predicted), 1)
        return matrix

    def by_class(self, classes: int) -> list[ClassScore]:
        """Returns the scores of each class."""
        matrix = self.confusion(classes)
        right, called, there = matrix.diagonal(), matrix.sum(axis=0), matrix.sum(axis=1)
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
    labels, predicted, confidence, ranks, losses = [], [], [], [], []
    for images, truth in batches:
        probabilities = model.predict_on_batch(images).astype("float64")
        truth = np.asarray(truth)
        rows = np.arange(len(truth))
        right = probabilities[rows, truth]
        best = probabilities.argmax(axis=1)
        # The rank of the true class: those above it, and its equals that come first. What is not
        # a number is above everything, so that a net that gives none is never right.
        above = (~(probabilities <= right[:, None])).sum(axis=1)
        equal_before = (
            (probabilities == right[:, None]) & (np.arange(probabilities.shape[1]) < truth[:, None])
        ).sum(axis=1)
        labels.append(truth)
        predicted.append(best)
        confidence.append(probabilities[rows, best])
        ranks.append(above + equal_before)
        losses.append(-np.log(np.maximum(right, keras.config.epsilon())))
        on_batch(len(truth))
    rank = np.concatenate(ranks)
    return Evaluation(
        n=len(rank),
        top1=float(np.mean(rank == 0)),
        top5=float(np.mean(rank < 5)),
        loss=float(np.mean(np.concatenate(losses))),
        labels=np.concatenate(labels),
        predicted=np.concatenate(predicted),
        confidence=np.concatenate(confidence),
    )
