"""What happens to each channel behind a convolution, as a bias and a batch normalization.

A file may have a batch normalization as it was trained, one that was folded into the convolution,
one with another scale and shift behind it, or one that is written out as a product and a sum.
"""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

Vector = np.ndarray


@dataclasses.dataclass(frozen=True)
class Norm:
    """A batch normalization: gamma * (x - mean) / sqrt(variance + epsilon) + beta."""

    gamma: Vector
    beta: Vector
    mean: Vector
    variance: Vector
    epsilon: float

    def after(self, factor: Vector, summand: Vector) -> "Norm":
        """The same on factor * x + summand."""
        if np.all(factor == 1):
            return dataclasses.replace(self, mean=self.mean - summand) if summand.any() else self
        mean = (self.mean - summand) / factor
        return dataclasses.replace(self, gamma=self.gamma * factor, mean=mean)

    def before(self, factor: Vector, summand: Vector) -> "Norm":
        """The same with factor * y + summand behind it."""
        if np.all(factor == 1) and not summand.any():
            return self
        return dataclasses.replace(
            self, gamma=self.gamma * factor, beta=self.beta * factor + summand
        )

    def with_epsilon(self, epsilon: float) -> "Norm":
        """The same with another epsilon, and a variance that makes up for it.

        Files have epsilon in float32, so that a difference in the last digit is none.
        """
        if math.isclose(epsilon, self.epsilon, rel_tol=1e-6):
            return self
        variance = self.variance.astype("float64") + (self.epsilon - epsilon)
        return dataclasses.replace(self, variance=variance, epsilon=epsilon)

    def line(self) -> tuple[Vector, Vector]:
        """The factor and the summand that it comes to."""
        deviation = np.sqrt(self.variance.astype("float64") + self.epsilon)
        factor = self.gamma / deviation
        return factor, self.beta - self.mean * factor


class Affine:
    """Steps that each multiply, shift or normalize channels.

    Args:
        channels: how many there are.
        steps: those to begin with.
    """

    def __init__(self, channels: int, steps: Sequence[Norm | tuple[Vector, Vector]] = ()):
        self.channels = channels
        self._steps = list(steps)

    def normalize(self, norm: Norm) -> None:
        """Adds a batch normalization."""
        for vector in (norm.gamma, norm.beta, norm.mean, norm.variance):
            self._check(vector)
        self._steps.append(norm)

    def multiply(self, factor: Vector) -> None:
        """Adds a product."""
        self._check(factor)
        self._steps.append((factor, np.zeros(self.channels)))

    def add(self, summand: Vector) -> None:
        """Adds a sum."""
        self._check(summand)
        self._steps.append((np.ones(self.channels), summand))

    def _check(self, vector: Vector) -> None:
        if vector.shape != (self.channels,):
            raise ValueError(f"a vector of shape {vector.shape} for {self.channels} channels")

    def split_bias(self) -> tuple[Vector, "Affine"]:
        """The sums that stand first, as a bias, and the steps that follow."""
        count = next((i for i, step in enumerate(self._steps) if _multiplies(step)), None)
        _, bias = self._line(self._steps[:count])
        return bias, Affine(self.channels, [] if count is None else self._steps[count:])

    @property
    def is_empty(self) -> bool:
        """Whether there is no step."""
        return not self._steps

    def norm(self, epsilon: float) -> Norm:
        """All steps as one batch normalization.

        The statistics of a single one are kept; else they are such that they do nothing.
        """
        norms = [i for i, step in enumerate(self._steps) if isinstance(step, Norm)]
        with np.errstate(all="ignore"):  # what is not finite is refused with its layer's name
            if len(norms) == 1:
                [i] = norms
                norm = self._steps[i].after(*self._line(self._steps[:i]))
                return norm.before(*self._line(self._steps[i + 1 :])).with_epsilon(epsilon)
            factor, summand = self._line(self._steps)
        zeros = np.zeros(self.channels)
        return Norm(factor, summand, zeros, np.full(self.channels, 1 - epsilon), epsilon)

    def _line(self, steps: Sequence[Norm | tuple[Vector, Vector]]) -> tuple[Vector, Vector]:
        """The factor and the summand that steps come to."""
        factor, summand = np.ones(self.channels), np.zeros(self.channels)
        for step in steps:
            own_factor, own_summand = step.line() if isinstance(step, Norm) else step
            factor, summand = factor * own_factor, summand * own_factor + own_summand
        return factor, summand


def _multiplies(step: Norm | tuple[Vector, Vector]) -> bool:
    return isinstance(step, Norm) or bool(np.any(step[0] != 1))
