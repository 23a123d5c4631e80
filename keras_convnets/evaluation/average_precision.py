"""MAP@100, the metric of JFT's FastEval14k (Chollet 2017, arXiv 1610.02357, section 4.1)."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_convnets.errors import InputError, check_number


@keras.saving.register_keras_serializable(package="keras_convnets")
class MeanAveragePrecision(keras.metrics.Metric):
    """The mean over images of the average precision of the k best classes.

    For an image with the labels Y and the ranked classes c_1 ... c_k, with P(j) the share of the
    first j that are in Y,

        AP = sum over c_j in Y of w(c_j) P(j), divided by the sum of the min(|Y|, k) largest weights
        of labels.

    The Xception paper weights classes by how common they are in images of social media, and
    publishes neither weights nor normalizer. This normalizer is the project's choice: a perfect
    ranking, the heaviest labels first, has the value 1, and with equal weights it is the usual
    MAP@k. Of equal scores the class with the lower index comes first; a score that is not a number
    is never right. Images without labels, or whose labels weigh nothing, are left out.

    Args:
        k: how many classes count; 100 in the paper.
        class_weights: a weight of 0 or more for each class; `None` weights them alike.
        sparse: whether labels are indices, (n, most labels) padded with -1, lists of different
            lengths, or a ragged tensor; or else (n, classes) of zeros and ones.
        name: of the metric.
        dtype: as for every Keras metric; sums are float64.

    Raises:
        InputError: if an argument can't be used.

    Example:

    >>> metric = keras_convnets.evaluation.MeanAveragePrecision(k=2, sparse=True)
    >>> metric.update_state([[0, 2]], [[0.9, 0.8, 0.7]])
    >>> float(metric.result())
    0.5
    """

    def __init__(
        self,
        k: int = 100,
        class_weights: Sequence[float] | np.ndarray | None = None,
        sparse: bool = False,
        name: str | None = None,
        dtype: Any = None,
    ):
        check_number("The k of MeanAveragePrecision", k, least=1, whole=True)
        super().__init__(name=name or f"map_at_{k}", dtype=dtype)
        self.k = int(k)
        self.sparse = bool(sparse)
        self.class_weights = None if class_weights is None else _checked(class_weights)
        self.total = self._add("total")
        self.count = self._add("count")

    def _add(self, name: str) -> keras.Variable:
        return self.add_variable((), keras.initializers.Zeros(), dtype="float64", name=name)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Adds a batch.

        Args:
            y_true: labels; see `sparse`.
            y_pred: (n, classes) scores.
            sample_weight: (n,) what each image counts, or `None`.
        """
        y_pred = ops.convert_to_tensor(y_pred)
        classes = y_pred.shape[-1]
        weights = ops.ones((classes,), "float64")
        if self.class_weights is not None:
            if len(self.class_weights) != classes:
                raise InputError(
                    f"MeanAveragePrecision has {len(self.class_weights)} class weights, and the "
                    f"scores are those of {classes} classes."
                )
            weights = ops.convert_to_tensor(self.class_weights, "float64")
        missing = ops.isnan(y_pred)
        y_pred = ops.where(missing, ops.full_like(y_pred, -np.inf), y_pred)
        _, best = ops.top_k(y_pred, min(self.k, classes))  # equal scores: lower index first
        compare = _compare_sparse if self.sparse else _compare_dense
        is_right, label_weights = compare(y_true, best, weights)
        is_right = is_right & ~ops.take_along_axis(missing, best, axis=1)
        hits = ops.cast(is_right, "float64")
        places = ops.arange(1, hits.shape[1] + 1, dtype="float64")
        precision = ops.cumsum(hits, axis=1) / places
        gains = ops.sum(ops.take(weights, best) * precision * hits, axis=1)
        largest, _ = ops.top_k(label_weights, min(self.k, label_weights.shape[1]))
        normalizer = ops.sum(largest, axis=1)
        counts = ops.cast(normalizer > 0, "float64")
        if sample_weight is not None:
            counts = counts * ops.reshape(ops.cast(sample_weight, "float64"), (-1,))
        precisions = ops.divide_no_nan(gains, normalizer)
        self.total.assign_add(ops.sum(precisions * counts))
        self.count.assign_add(ops.sum(counts))

    def result(self) -> Any:
        """Returns the mean so far; 0 before the first image."""
        return ops.divide_no_nan(self.total, self.count)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments."""
        weights = None if self.class_weights is None else self.class_weights.tolist()
        own = {"k": self.k, "class_weights": weights, "sparse": self.sparse}
        return {**super().get_config(), **own}


def _compare_dense(y_true: Any, best: Any, weights: Any) -> tuple[Any, Any]:
    """Whether each of the best classes is right, and the weight of each label, 0 elsewhere."""
    is_label = ops.cast(ops.convert_to_tensor(y_true), "float32") > 0
    return ops.take_along_axis(is_label, best, axis=1), ops.where(is_label, weights, 0.0)


def _compare_sparse(y_true: Any, best: Any, weights: Any) -> tuple[Any, Any]:
    """The same for labels as indices."""
    labels = ops.sort(_padded(y_true), axis=1)
    # A label that is there twice counts once.
    is_again = ops.pad(labels[:, 1:] == labels[:, :-1], [[0, 0], [1, 0]])
    is_label = (labels >= 0) & ~is_again
    is_right = ops.any(labels[:, None] == ops.cast(best, "int32")[:, :, None], axis=2)
    chosen = ops.take(weights, ops.maximum(labels, 0))
    return is_right, ops.where(is_label, chosen, 0.0)


def _padded(labels: Any) -> Any:
    """Labels as (n, most labels) int32, with -1 where there are fewer."""
    if hasattr(labels, "to_tensor"):
        labels = labels.to_tensor(-1)
    elif isinstance(labels, list | tuple):
        most = max(map(len, labels), default=0)
        rows = np.full((len(labels), max(1, most)), -1, np.int32)
        for row, ids in zip(rows, labels, strict=True):
            row[: len(ids)] = ids
        labels = rows
    return ops.cast(ops.convert_to_tensor(labels), "int32")


def _checked(weights: Sequence[float] | np.ndarray) -> np.ndarray:
    weights = np.asarray(weights, np.float64)
    if weights.ndim != 1 or not np.isfinite(weights).all() or (weights < 0).any():
        raise InputError(
            "The class weights of MeanAveragePrecision should be finite numbers of at least 0, "
            f"one for each class. Received: {weights!r}"
        )
    return weights
