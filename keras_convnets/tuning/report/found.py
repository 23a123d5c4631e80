"""The content of trials.json, as the figures of a report need it."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_convnets.tuning.display import name_of, show
from keras_convnets.tuning.outcome import COMPLETED

Row = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Found:
    """What a search has found so far.

    Attributes:
        results: the content of trials.json.
    """

    results: Mapping[str, Any]

    @property
    def trials(self) -> list[Row]:
        """Rows of all trials that ended."""
        return self.results["trials"]

    @property
    def completed(self) -> list[Row]:
        """Rows of the completed trials, the best first."""
        rows = [row for row in self.trials if row["status"] == COMPLETED]
        return sorted(rows, key=lambda row: (-row["objective"], row["loss"]))

    @property
    def others(self) -> list[Row]:
        """Rows of the trials that failed or were infeasible."""
        return [row for row in self.trials if row["status"] != COMPLETED]

    @property
    def column(self) -> str:
        """The column of history.csv that was maximized."""
        return self.results["objective"]["name"]

    @property
    def objective(self) -> str:
        """What people call that."""
        return name_of(self.column)

    @property
    def floor(self) -> float:
        """What is worse than this is drawn as this, in %, so that the others can be told apart.

        It is the lower fence of a box plot (Tukey 1977, Exploratory Data Analysis), or the worst.
        """
        values = [100 * row["objective"] for row in self.completed]
        low, high = np.quantile(values, (0.25, 0.75))
        return max(min(values), float(low - 1.5 * (high - low)))

    @property
    def below(self) -> int:
        """How many completed trials are worse than the floor."""
        return sum(100 * row["objective"] < self.floor for row in self.completed)

    def percent(self, row: Row) -> float:
        """Returns the objective of a completed trial in %, the floor at least."""
        return max(100 * row["objective"], self.floor)


def values_of(row: Row) -> str:
    """Returns the values of a trial as text."""
    return ", ".join(f"{name} {show(value)}" for name, value in row["values"].items())


def is_own(row: Row) -> bool:
    """Whether a trial has the recipe's own setting: the first one does."""
    return int(row["id"]) == 0


def front(costs: Sequence[float], gains: Sequence[float]) -> list[int]:
    """Returns which points no other one beats, the cheapest first.

    One beats another if it costs no more and gains no less, and one of both is better. Of equal
    points the first is returned.
    """
    order = sorted(range(len(costs)), key=lambda i: (costs[i], -gains[i]))
    best, kept = float("-inf"), []
    for place in order:
        if gains[place] > best:
            best = gains[place]
            kept.append(place)
    return kept
