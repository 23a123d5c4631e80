"""How figures of several seeds decide: an interval, and on which side of zero it lies."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from scipy import stats

LEVEL = 0.95

HOLDS = "holds"
FAILS = "does not hold"
UNDECIDED = "undecided"
Verdict = Literal["holds", "does not hold", "undecided"]

# For each arm its figure with each seed, in the order of the seeds.
Figures = Mapping[str, Sequence[float]]


@dataclasses.dataclass(frozen=True)
class Finding:
    """What a rule found.

    Attributes:
        statement: what is true if the estimate is above zero.
        metric: name of the metric, as `metrics.METRICS` has it.
        estimate: in the unit of the metric.
        low: lower end of the interval; `None` if there are too few runs for one.
        high: upper end.
        method: how the interval is made.
        verdict: on the statement.
        crossing: where a line crosses zero, in the unit of its axis, or `None`.
        axis: what the line runs along; empty if it is none.
    """

    statement: str
    metric: str
    estimate: float
    low: float | None
    high: float | None
    method: str
    verdict: Verdict
    crossing: float | None = None
    axis: str = ""


@dataclasses.dataclass(frozen=True)
class Contrast:
    """A weighted sum of the arms' figures, which the claim expects to be above zero.

    The sum is taken seed by seed: runs of one seed share held-out images and data order, so that
    what they share cancels.

    Attributes:
        statement: what is true if the sum is above zero.
        weights: of the arms.
        metric: name of the metric.
    """

    statement: str
    weights: Mapping[str, float]
    metric: str = "test_top1"

    @property
    def arms(self) -> tuple[str, ...]:
        """Names of the arms that it reads."""
        return tuple(self.weights)

    def find(self, figures: Figures) -> Finding:
        """Returns what the figures of the arms say."""
        sums = sum(weight * np.asarray(figures[arm], float) for arm, weight in self.weights.items())
        estimate, error = float(np.mean(sums)), None
        if len(sums) > 1:
            error = float(np.std(sums, ddof=1)) / len(sums) ** 0.5
        method = f"t interval of {LEVEL:.0%} of the sums seed by seed, {len(sums)} seeds"
        return _found(self, estimate, error, len(sums) - 1, method)


@dataclasses.dataclass(frozen=True)
class Slope:
    """The rise of a figure, or of a difference, along an axis; expected to be above zero.

    A line is fitted by least squares, with an intercept of its own for each seed.

    Attributes:
        statement: what is true if the line rises.
        positions: of the points on the axis.
        plus: the arm of each point.
        minus: for each point the arm whose figure is subtracted; empty if none is.
        falls: whether the claim is that the line falls.
        metric: name of the metric.
        axis: what the positions are; "log2 X" where a crossing is to be told in X.
    """

    statement: str
    positions: tuple[float, ...]
    plus: tuple[str, ...]
    minus: tuple[str, ...] = ()
    falls: bool = False
    metric: str = "test_top1"
    axis: str = ""

    @property
    def arms(self) -> tuple[str, ...]:
        """Names of the arms that it reads."""
        return self.plus + self.minus

    def find(self, figures: Figures) -> Finding:
        """Returns what the figures of the arms say; the estimate is per unit of the axis."""
        points = np.array([figures[arm] for arm in self.plus], float)  # (points, seeds)
        if self.minus:
            points = points - np.array([figures[arm] for arm in self.minus], float)
        x = np.asarray(self.positions) - np.mean(self.positions)
        spread = float(np.sum(x**2)) * points.shape[1]
        rise = float(np.sum(x[:, None] * points)) / spread
        residuals = points - points.mean(axis=0) - rise * x[:, None]
        freedom = points.shape[1] * (points.shape[0] - 1) - 1
        error = None
        if freedom > 0:
            error = (float(np.sum(residuals**2)) / freedom / spread) ** 0.5
        method = (
            f"t interval of {LEVEL:.0%} of the slope by least squares, an intercept for each "
            f"seed ({points.shape[1]}), {max(freedom, 0)} degrees of freedom"
        )
        found = _found(self, -rise if self.falls else rise, error, freedom, method)
        crossing, axis = self._crossing(points.mean(), rise), self.axis.removeprefix("log2 ")
        return dataclasses.replace(found, crossing=crossing, axis=axis)

    def _crossing(self, mean: float, rise: float) -> float | None:
        """Where the mean line of a difference is zero, if that is between the first and last."""
        if not self.minus or not rise:
            return None
        position = float(np.mean(self.positions) - mean / rise)
        if not min(self.positions) <= position <= max(self.positions):
            return None
        return 2**position if self.axis.startswith("log2 ") else position


def decide(findings: Sequence[Finding]) -> Verdict:
    """Returns the verdict on a claim: it holds if all parts do, and does not if one does not."""
    verdicts = {finding.verdict for finding in findings}
    if FAILS in verdicts:
        return FAILS
    return HOLDS if verdicts == {HOLDS} else UNDECIDED


def _found(
    rule: Contrast | Slope, estimate: float, error: float | None, freedom: int, method: str
) -> Finding:
    if error is None:
        method = "no interval: too few runs"
        return Finding(rule.statement, rule.metric, estimate, None, None, method, UNDECIDED)
    reach = float(stats.t.ppf((1 + LEVEL) / 2, freedom)) * error
    low, high = estimate - reach, estimate + reach
    verdict = HOLDS if low > 0 else FAILS if high < 0 else UNDECIDED
    return Finding(rule.statement, rule.metric, estimate, low, high, method, verdict)
