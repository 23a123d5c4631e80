"""The figures of a run that claims are decided by."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Rows = Sequence[dict[str, float]]


@dataclasses.dataclass(frozen=True)
class Metric:
    """A figure of a run.

    Attributes:
        label: what it is, with its unit, for an axis.
        unit: of differences.
        scale: what a run's number is multiplied with; negative if less is better.
        of: the number, from the rows of the curve and the final evaluation.
        chance: what a run that diverged gets, from the number of classes and of steps.
        drawn: name of the metric that says the same of an arm to the eye; `None` for itself.
    """

    label: str
    unit: str
    scale: float
    of: Callable[[Rows, dict[str, Any]], float]
    chance: Callable[[int, int], float]
    drawn: str | None = None

    def value(self, rows: Rows, evaluation: dict[str, Any]) -> float:
        """Returns the figure of a finished run, in the unit; more is better."""
        return self.scale * self.of(rows, evaluation)

    def diverged(self, classes: int, steps: int) -> float:
        """Returns what counts for a run that did not come to its end."""
        return self.scale * self.chance(classes, steps)


def steps_to(rows: Rows, share: float) -> float:
    """Returns the step at which validation top-1 reaches a share, between evaluations on a line.

    A run that never reaches it gets its last step.
    """
    before_step, before = 0.0, 0.0
    for row in rows:
        step, top1 = row["step"], row["val_top1"]
        if top1 >= share:
            if top1 == before:
                return step
            part = (share - before) / (top1 - before)
            return before_step + max(part, 0.0) * (step - before_step)
        before_step, before = step, top1
    return rows[-1]["step"]


def mean_over_run(rows: Rows, column: str) -> float:
    """Returns the mean of a column over the steps of a run, between evaluations on a line."""
    steps = np.array([row["step"] for row in rows], float)
    values = np.array([row[column] for row in rows], float)
    if len(rows) == 1:
        return float(values[0])
    return float(np.trapezoid(values, steps) / (steps[-1] - steps[0]))


def _one_of(classes: int, steps: int) -> float:
    return 1 / classes


def _score(scores: dict[str, Any]) -> float:
    """MAP@100 where images have several labels, and top-1 where they have one."""
    return scores.get("map_at_100", scores["top1"])


METRICS = {
    "test_top1": Metric(
        "test accuracy, %", "points", 100, lambda rows, scores: scores["top1"], _one_of
    ),
    "mean_validation_top1": Metric(
        "validation accuracy, mean over the run, %",
        "points",
        100,
        lambda rows, scores: mean_over_run(rows, "val_top1"),
        _one_of,
    ),
    "train_top1": Metric(
        "training accuracy at the end, %",
        "points",
        100,
        lambda rows, scores: rows[-1]["top1"],
        _one_of,
    ),
    "map_at_100": Metric(
        "test MAP@100, %", "points", 100, lambda rows, scores: scores["map_at_100"], _one_of
    ),
    "score": Metric(
        "test MAP@100, or accuracy with one label, %",
        "points",
        100,
        lambda rows, scores: _score(scores),
        _one_of,
    ),
    # Differences are ratios: how much better in per cent of itself, as the paper of Xception tells.
    "log_score": Metric(
        "logarithms of the scores, log %",
        "log %",
        100,
        lambda rows, scores: float(np.log(max(_score(scores), 1e-6))),
        lambda classes, steps: float(np.log(1 / classes)),
        drawn="score",
    ),
    "minus_test_loss": Metric(
        "minus the test cross-entropy, nats",
        "nats",
        -1,
        lambda rows, scores: scores["loss"],
        lambda classes, steps: float(np.log(classes)),
    ),
    **{
        f"minus_steps_to_{share}": Metric(
            f"minus the steps to {share} % validation accuracy, steps",
            "steps",
            -1,
            lambda rows, scores, share=share: steps_to(rows, share / 100),
            lambda classes, steps: steps,
        )
        for share in (75, 80, 85)
    },
}
