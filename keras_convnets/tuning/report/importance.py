"""Which hyper-parameters the result depends on, as far as the trials tell."""

import dataclasses

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.ensemble import RandomForestRegressor
from sklearn.inspection import permutation_importance
from sklearn.metrics import r2_score
from sklearn.model_selection import KFold

from keras_convnets.tuning.report.found import Found
from keras_convnets.tuning.report.scales import Scale

# Fewer trials say nothing: each fold shall have two at least.
LEAST = 8
# What fewer trials say may be chance.
PLENTY = 40
EPOCHS = "epochs (Hyperband)"
_FOLDS = 4
_TREES = 100
_REPEATS = 10


@dataclasses.dataclass(frozen=True)
class Importance:
    """Importance of hyper-parameters.

    Attributes:
        names: of them, the most important one first.
        means: points that a prediction is worse by where the values of one are shuffled.
        spreads: standard deviation of that over shuffles.
        explained: share of the variance that the forest explains of trials it was not fitted to;
            0 or less means that it knows nothing.
        trials: how many there were.
    """

    names: tuple[str, ...]
    means: tuple[float, ...]
    spreads: tuple[float, ...]
    explained: float
    trials: int


class _OutOfFold(RegressorMixin, BaseEstimator):
    """Random forests, of which each predicts what it was not fitted to."""

    def fit(self, values: np.ndarray, results: np.ndarray) -> "_OutOfFold":
        folds = KFold(_FOLDS, shuffle=True, random_state=0)
        self.folds_ = [
            (RandomForestRegressor(_TREES, random_state=0).fit(values[seen], results[seen]), held)
            for seen, held in folds.split(values)
        ]
        return self

    def predict(self, values: np.ndarray) -> np.ndarray:
        """Predicts the results of the same trials, whatever was done to their values."""
        results = np.empty(len(values))
        for forest, held in self.folds_:
            results[held] = forest.predict(values[held])
        return results


def importance(found: Found, scales: list[Scale]) -> Importance:
    """Measures importance by permutation (Breiman 2001, Random Forests, section 10).

    Args:
        found: a search with `LEAST` completed trials and two hyper-parameters at least.
        scales: of the hyper-parameters.
    """
    rows = found.completed
    columns = {s.name: [s.place(row["values"][s.name]) for row in rows] for s in scales}
    epochs = [row["epochs"] for row in rows]
    if len(set(epochs)) > 1:
        columns[EPOCHS] = epochs
    values = np.array(list(columns.values()), float).T
    results = np.array([found.percent(row) for row in rows])
    forest = _OutOfFold().fit(values, results)
    measured = permutation_importance(
        forest,
        values,
        results,
        scoring="neg_root_mean_squared_error",
        n_repeats=_REPEATS,
        random_state=0,
    )
    order = np.argsort(-measured.importances_mean, kind="stable")
    return Importance(
        names=tuple(list(columns)[i] for i in order),
        means=tuple(measured.importances_mean[order].tolist()),
        spreads=tuple(measured.importances_std[order].tolist()),
        explained=float(r2_score(results, forest.predict(values))),
        trials=len(rows),
    )
