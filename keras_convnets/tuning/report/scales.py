"""Where the values of a hyper-parameter stand on an axis."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from keras_convnets.tuning.display import show
from keras_convnets.tuning.domains import Value

# The least distance between two labels, where an axis has the length 1.
_APART = 0.055
# Whole numbers that each get a label.
_FEW = 9


@dataclasses.dataclass(frozen=True)
class Scale:
    """The places of values on an axis, from 0 to 1.

    Attributes:
        name: of the hyper-parameter.
        low: the least number; of choices 0.
        high: the greatest; of choices their number less 1.
        choices: values at equal distances; `None` if all numbers between the limits may occur.
        is_log: whether the logarithms are at equal distances.
        step: between whole numbers; `None` for real ones.
    """

    name: str
    low: float
    high: float
    choices: tuple[Value, ...] | None = None
    is_log: bool = False
    step: int | None = None

    @classmethod
    def of(cls, name: str, domain: Mapping[str, Any], values: Sequence[Value]) -> "Scale":
        """Returns the scale of a hyper-parameter.

        Args:
            name: of it.
            domain: as `Space.describe` has it.
            values: that trials had; a recipe's own value need not be within the limits.
        """
        if "values" in domain:
            choices = tuple(dict.fromkeys((*domain["values"], *values)))
            return cls(name, 0, len(choices) - 1, choices)
        low, high = min((domain["low"], *values)), max((domain["high"], *values))
        is_log = domain["scale"] == "log" and low > 0
        return cls(name, low, high, is_log=is_log, step=domain.get("step"))

    def place(self, value: Value) -> float:
        """Returns where a value is, from 0 to 1."""
        number = self.choices.index(value) if self.choices else value
        low, high = self.low, self.high
        if self.is_log:
            number, low, high = math.log(number), math.log(low), math.log(high)
        return (number - low) / (high - low) if high > low else 0.5

    def ticks(self) -> list[tuple[float, str]]:
        """Returns places and labels: the limits, and round numbers between them."""
        if self.choices:
            return [(self.place(value), show(value)) for value in self.choices]
        kept = {self.place(value): show(value) for value in (self.low, self.high)}
        for value in self._between():
            place = self.place(value)
            if all(abs(place - other) >= _APART for other in kept):
                kept[place] = show(value)
        return sorted(kept.items())

    def _between(self) -> list[float]:
        if self.step is not None and self.high - self.low < _FEW * self.step:
            return list(range(int(self.low) + self.step, int(self.high), self.step))
        if self.is_log and self.high >= 10 * self.low:
            exponents = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)))
            # Powers of ten go before what is between them.
            numbers = [factor * 10.0**k for factor in (1, 3, 2, 5) for k in exponents]
        else:
            locator = MaxNLocator(6, integer=self.step is not None, steps=[1, 2, 2.5, 5, 10])
            numbers = [float(x) for x in np.round(locator.tick_values(self.low, self.high), 12)]
        numbers = [number for number in numbers if self.low < number < self.high]
        return numbers if self.step is None else [int(number) for number in numbers]
