"""Figures of a run, from rows made by hand."""

import pytest

from keras_convnets.claims.metrics import METRICS, mean_over_run, steps_to

ROWS = [{"step": step, "val_top1": top1} for step, top1 in ((100, 0.5), (200, 0.7), (400, 0.9))]


def test_steps_to_an_accuracy_lie_between_epochs_on_a_line():
    assert steps_to(ROWS, 0.8) == pytest.approx(300)
    assert steps_to(ROWS, 0.7) == pytest.approx(200)
    assert steps_to(ROWS, 0.25) == pytest.approx(50)  # from nothing at step 0


def test_a_run_that_never_gets_there_counts_with_its_length():
    assert steps_to(ROWS, 0.95) == 400


def test_the_mean_over_a_run_is_of_steps_not_of_epochs():
    """(0.6 over 100 steps + 0.8 over 200) / 300."""
    assert mean_over_run(ROWS, "val_top1") == pytest.approx((0.6 * 100 + 0.8 * 200) / 300)
    assert mean_over_run(ROWS[:1], "val_top1") == 0.5


def test_every_label_ends_with_a_unit():
    """What stands before it is what texts call the figure."""
    for metric in METRICS.values():
        what, _, unit = metric.label.rpartition(", ")
        assert what
        assert unit in ("%", metric.unit)


def test_more_is_better_in_every_figure():
    assert METRICS["test_top1"].value(ROWS, {"top1": 0.875}) == 87.5
    assert METRICS["minus_steps_to_80"].value(ROWS, {}) == pytest.approx(-300)
    assert METRICS["minus_test_loss"].value(ROWS, {"loss": 0.4}) == -0.4


def test_a_score_by_its_logarithm_is_of_several_labels_or_of_one():
    """Differences are the logarithms of ratios: 0.78 over 0.75 is 3.92 log %."""
    metric = METRICS["log_score"]
    ahead = metric.value(ROWS, {"top1": 0.2, "map_at_100": 0.78})
    assert ahead - metric.value(ROWS, {"top1": 0.75}) == pytest.approx(3.922, abs=1e-3)


def test_a_run_that_diverged_counts_as_chance():
    assert METRICS["test_top1"].diverged(10, 400) == 10
    assert METRICS["minus_steps_to_80"].diverged(10, 400) == -400
    assert METRICS["minus_test_loss"].diverged(10, 400) == pytest.approx(-2.302585)
