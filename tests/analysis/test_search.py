"""The search, on functions whose answer is known by trying every index."""

import pytest

from keras_convnets.analysis.search import OutOfReachError, Search

LAST = 2_000


def rounded(index):
    """Filters in multiples of 8, as widths make them."""
    wide = [max(1, round(filters * index / 8_000)) * 8 for filters in (24, 64, 200, 728)]
    return sum(9 * a * b for a, b in zip([3, *wide], wide, strict=False))


COSTS = {
    "quadratic": lambda i: 1_000 + 30 * i + 9 * i * i,
    "linear": lambda i: 5 * i,
    "falling": lambda i: 500 + 90_000 // i,
    "in steps": rounded,
    "every sixth": lambda i: 20 * i if i % 6 == 2 else None,
}


def brute_force(cost, budget):
    costs = [cost(i) for i in range(1, LAST) if cost(i) is not None]
    return min(abs(cost - budget) for cost in costs)


@pytest.mark.parametrize("start", [2, 62, 1_004])
@pytest.mark.parametrize("name", COSTS)
def test_the_nearest_is_found_from_anywhere_in_few_steps(name, start):
    cost = COSTS[name]
    ends = sorted((cost(2), cost(1_004)))
    for budget in range(ends[0], ends[1], max(1, (ends[1] - ends[0]) // 53)):
        search = Search(cost, budget)
        index = search.nearest(start)
        assert abs(cost(index) - budget) == brute_force(cost, budget)
        evaluated = [i for i, found in search.costs.items() if found is not None]
        assert len(evaluated) <= 22


def test_of_two_equally_near_the_cheaper_is_taken():
    assert Search(lambda i: 10 * i, 45).nearest(7) == 4
    assert Search(lambda i: 100 - 10 * i, 45).nearest(2) == 6


def test_a_budget_that_is_met_ends_the_search():
    search = Search(lambda i: i * i, 64)
    assert search.nearest(8) == 8
    assert search.costs == {8: 64}


@pytest.mark.parametrize(
    ("cost", "budget", "end"),
    [
        (lambda i: 10 * i, 9, 1),
        (lambda i: 10 * min(i, 100), 2_000, 128),  # the first of the doubled ones that cost 1,000
        (lambda i: 10 * i if i < 800 else None, 20_000, 799),
        (lambda i: 1_000 // i, 2_000, 1),
        (lambda i: 7, 9, None),
        (lambda i: 7 if i == 1 else None, 9, None),
    ],
)
def test_the_end_of_what_can_be_reached_is_told(cost, budget, end):
    with pytest.raises(OutOfReachError) as error:
        Search(cost, budget).nearest(1)
    assert error.value.end == end


def test_an_index_is_rounded_only_within_its_step():
    search = Search(lambda i: i // 300, 7)
    assert search.rounder(2_345, 1_000) is None
    assert search.rounder(2_345, 100) == 2_300
    assert search.rounder(2_102, 1_000) is None
    assert search.rounder(2_160, 100) == 2_200
    assert search.rounder(5, 10) == 10  # never 0
