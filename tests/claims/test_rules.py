"""Verdicts against numbers made by hand."""

import math

import pytest

from keras_convnets.claims.rules import Contrast, Finding, Slope, decide

# Two-sided 95 % of Student's t with 2, 4 and 1 degrees of freedom, from a printed table.
T2, T4, T1 = 4.303, 2.776, 12.706


def test_the_interval_is_that_of_paired_differences():
    """Seeds differ by more than the arms, which cancels: differences 1, 2, 3 of mean 2, sd 1."""
    found = Contrast("b", {"b": 1, "a": -1}).find({"a": [10, 50, 90], "b": [11, 52, 93]})
    reach = T2 / math.sqrt(3)
    assert found.estimate == pytest.approx(2)
    assert (found.low, found.high) == pytest.approx((2 - reach, 2 + reach), rel=1e-3)
    assert found.verdict == "undecided"  # 2 - 2.48 is below zero


@pytest.mark.parametrize(
    ("differences", "verdict"),
    [
        ([2.0, 2.1, 2.2], "holds"),
        ([-2.0, -2.1, -2.2], "does not hold"),
        ([-1.0, 2.0, 0.5], "undecided"),
        ([5.0], "undecided"),  # one seed says nothing of the spread
    ],
)
def test_a_contrast_holds_if_its_interval_is_above_zero(differences, verdict):
    figures = {"a": [0.0] * len(differences), "b": differences}
    assert Contrast("b is better", {"b": 1, "a": -1}).find(figures).verdict == verdict


def test_one_seed_gives_no_interval():
    found = Contrast("b", {"b": 1, "a": -1}).find({"a": [1.0], "b": [3.0]})
    assert (found.estimate, found.low, found.high) == (2.0, None, None)
    assert found.method == "no interval: too few runs"


def test_a_contrast_of_contrasts_is_weighed_seed_by_seed():
    """Does a lose more by a change than b? (10 - 4) - (10 - 9) = 5, and (12 - 5) - (11 - 9) = 5."""
    rule = Contrast("a loses more", {"a": 1, "a'": -1, "b": -1, "b'": 1})
    found = rule.find({"a": [10, 12], "a'": [4, 5], "b": [10, 11], "b'": [9, 9]})
    assert (found.estimate, found.low) == pytest.approx((5, 5))


def test_a_slope_is_that_of_least_squares():
    """Through (0, 1), (1, 3), (2, 2) and (3, 6) goes 0.9 + 1.4 x; residuals 0.1, 0.7, -1.7, 0.9."""
    rule = Slope("rises", (0, 1, 2, 3), ("a", "b", "c", "d"))
    found = rule.find({"a": [1], "b": [3], "c": [2], "d": [6]})
    error = math.sqrt((0.01 + 0.49 + 2.89 + 0.81) / 2 / 5)
    assert found.estimate == pytest.approx(1.4)
    assert found.high - found.estimate == pytest.approx(T2 * error, rel=1e-3)
    assert found.verdict == "undecided"


def test_seeds_have_intercepts_of_their_own():
    """Two lines of one slope, far apart: no residuals, so the interval is a point."""
    rule = Slope("rises", (0, 1, 2), ("a", "b", "c"))
    found = rule.find({"a": [0, 50], "b": [1, 51], "c": [2, 52]})
    assert (found.estimate, found.low, found.high) == pytest.approx((1, 1, 1))
    assert found.verdict == "holds"
    assert "3 degrees of freedom" in found.method


def test_two_points_of_one_seed_have_no_interval():
    found = Slope("rises", (0, 1), ("a", "b")).find({"a": [0], "b": [1]})
    assert (found.low, found.verdict) == (None, "undecided")


def test_a_falling_difference_crosses_zero_where_its_line_does():
    """Differences 3, 1, -1, -3.2 over log2 of 1, 2, 4, 8: about zero near log2 x = 1.5."""
    rule = Slope(
        "falls",
        (0, 1, 2, 3),
        ("a", "b", "c", "d"),
        ("A", "B", "C", "D"),
        falls=True,
        axis="log2 segments",
    )
    figures = dict(zip("abcdABCD", ([8], [6], [4], [1.8], [5], [5], [5], [5]), strict=True))
    found = rule.find(figures)
    assert found.estimate == pytest.approx(2.06)
    assert found.verdict == "holds"
    assert found.crossing == pytest.approx(2 ** (1.5 - 0.05 / 2.06))
    assert found.axis == "segments"


def test_there_is_no_crossing_beyond_the_points():
    rule = Slope("rises", (0, 1, 2), ("a", "b", "c"), ("A", "B", "C"))
    figures = dict(zip("abcABC", ([5], [6], [7.1], [0], [0], [0]), strict=True))
    assert rule.find(figures).crossing is None


@pytest.mark.parametrize(
    ("verdicts", "verdict"),
    [
        (["holds", "holds"], "holds"),
        (["holds", "undecided"], "undecided"),
        (["holds", "undecided", "does not hold"], "does not hold"),
    ],
)
def test_a_claim_holds_if_all_its_parts_do(verdicts, verdict):
    findings = [Finding("", "test_top1", 0, None, None, "", part) for part in verdicts]
    assert decide(findings) == verdict
