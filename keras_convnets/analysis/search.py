"""The index at which a monotone cost is nearest to a budget, in few evaluations."""

import math
from collections.abc import Callable

# How far an index without a cost may be from one with it: depths of nets are 6n + 2 or 9n + 2.
REACH = 32
# By how much an index is changed before costs that stay as they are count as their end.
FLAT = 64


class OutOfReachError(Exception):
    """No index costs as much, or as little, as the budget.

    Args:
        end: the index that comes nearest, or `None` if all indices cost the same.
    """

    def __init__(self, end: int | None):
        super().__init__(end)
        self.end = end


class Search:
    """A search among the indices 1, 2, 3, ..., whose costs rise or fall, in steps perhaps.

    Args:
        evaluate: returns the cost of an index, or `None` if the index has none.
        budget: the cost to come near to, above 0.
    """

    def __init__(self, evaluate: Callable[[int], int | None], budget: float):
        self.evaluate = evaluate
        self.budget = budget
        self.costs: dict[int, int | None] = {}

    def cost(self, index: int) -> int | None:
        """Returns the cost of an index, evaluated once."""
        if index not in self.costs:
            self.costs[index] = self.evaluate(index)
        return self.costs[index]

    def nearest(self, start: int) -> int:
        """Returns the index whose cost is nearest to the budget; of two the cheaper.

        Args:
            start: an index that has a cost.

        Raises:
            OutOfReachError: if the budget is above the greatest cost or below the least.
        """
        if self.cost(start) == self.budget:
            return start
        low, high = self._bracket(start)
        width = math.inf
        while self.budget not in (self.cost(low), self.cost(high)):
            guess = self._interpolate(low, high)
            if high - low > width / 2:  # the last guess told little
                guess = (low + high) // 2
            width = high - low
            found = self._with_cost(guess, low, high)
            if found is None:
                break
            if self._is_dear(found) == self._is_dear(low):
                low = found
            else:
                high = found
        return min(low, high, key=lambda i: (abs(self.cost(i) - self.budget), self.cost(i)))

    def rounder(self, index: int, unit: int) -> int | None:
        """Returns a multiple of `unit` with the same cost, the nearer of two, or `None`."""
        below = index // unit * unit
        for candidate in sorted((below, below + unit), key=lambda i: abs(i - index)):
            between = range(min(candidate, index), max(candidate, index) + 1)
            is_known_to_differ = any(
                i in between and cost != self.cost(index) for i, cost in self.costs.items()
            )
            if candidate < 1 or is_known_to_differ:
                continue
            if self.cost(candidate) == self.cost(index):
                return candidate
        return None

    def _bracket(self, start: int) -> tuple[int, int]:
        """Two indices with the budget between their costs."""
        upwards = self._rises(start) == (self.cost(start) < self.budget)
        near, far = start, start
        while self.cost(far) != self.budget and self._is_dear(far) == self._is_dear(start):
            near, far = far, self._other(far, upwards)
            if far is None:
                raise OutOfReachError(near)
        return min(near, far), max(near, far)

    def _rises(self, start: int) -> bool:
        """Whether the cost rises with the index."""
        towards = self.cost(start) < self.budget  # where the budget lies if it rises, as most do
        for upwards in (towards, not towards):
            other = self._other(start, upwards)
            if other is not None:
                return (self.cost(other) > self.cost(start)) == upwards
        raise OutOfReachError(None)

    def _other(self, index: int, upwards: bool) -> int | None:
        """An index with another cost, by doubling or halving; `None` if there is no such one."""
        other = index
        while max(index, other) < FLAT * min(index, other):
            other = self._step(other, upwards)
            if other is None:
                return None
            if self.cost(other) != self.cost(index):
                return other
        return None

    def _step(self, index: int, upwards: bool) -> int | None:
        """About twice or half the index; less where there are no costs; `None` at the end."""
        low, high = (index, math.inf) if upwards else (0, index)
        guess = 2 * index if upwards else index // 2
        while guess != index:
            found = self._with_cost(guess, low, high)
            if found is not None:
                return found
            guess = (guess + index + (not upwards)) // 2
        return None

    def _with_cost(self, guess: int, low: float, high: float) -> int | None:
        """The index nearest to a guess, between two others, that has a cost."""
        for distance in range(REACH + 1):
            for index in (guess - distance, guess + distance):
                if low < index < high and self.cost(index) is not None:
                    return index
        return None

    def _interpolate(self, low: int, high: int) -> int:
        """Where a power law has the budget; so far from both ends that the farther one moves."""
        costs = [math.log(max(1, self.cost(i))) for i in (low, high)]
        share = (math.log(self.budget) - costs[0]) / (costs[1] - costs[0])
        least = (high - low) / 16
        distance = low * (high / low) ** share - low
        return round(low + min(max(distance, least), high - low - least))

    def _is_dear(self, index: int) -> bool:
        return self.cost(index) > self.budget
