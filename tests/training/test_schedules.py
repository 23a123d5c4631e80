"""Schedules against their formulas, and where they change."""

import numpy as np
import pytest

from keras_convnets.training import (
    Constant,
    Cosine,
    Epochs,
    Exponential,
    Piecewise,
    Plateau,
    Polynomial,
    Samples,
    Steps,
    Warmup,
)


@pytest.mark.parametrize(
    ("length", "steps"),
    [(Epochs(2), 200), (Epochs(0.001), 1), (Samples(3_000_000), 93_750), (Steps(7), 7)],
)
def test_lengths_become_steps(length, steps):
    assert length.steps(steps_per_epoch=100, batch_size=32) == steps


def test_exponential_falls_in_stairs():
    """Xception: 0.045, times 0.94 every 2 epochs (papers.md 9b)."""
    rate = Exponential(0.045, rate=0.94, every=Epochs(2)).build(100, 32, 1000)
    found = [float(rate(step)) for step in (0, 199, 200, 399, 400)]
    np.testing.assert_allclose(
        found, [0.045, 0.045, 0.045 * 0.94, 0.045 * 0.94, 0.045 * 0.94**2], rtol=1e-6
    )


def test_piecewise_changes_with_the_first_step_of_a_stretch():
    rate = Piecewise((0.1, 0.01, 0.001), (Epochs(2), Steps(3))).build(10, 32, 100)
    found = [float(rate(step)) for step in (0, 19, 20, 22, 23, 99)]
    np.testing.assert_allclose(found, [0.1, 0.1, 0.01, 0.01, 0.001, 0.001], rtol=1e-6)


@pytest.mark.parametrize(("warmup", "final"), [(Epochs(2), 0.0), (Steps(7), 0.02), (None, 0.0)])
def test_cosine_is_half_a_period_after_a_linear_warmup(warmup, final):
    """1608.03983, equation 5; k counts updates from 0."""
    rate, total = Cosine(0.1, warmup, final).build(10, 32, 100), 100
    count = warmup.steps(10, 32) if warmup else 0
    k = np.arange(total + 20)
    part = np.minimum((k - count) / (total - count), 1)  # the rate stays where it ended
    expected = np.where(
        k < count,
        0.1 * k / max(count, 1),
        final + (0.1 - final) * (1 + np.cos(np.pi * part)) / 2,
    )
    np.testing.assert_allclose([float(rate(step)) for step in k], expected, rtol=1e-5, atol=1e-7)


def test_a_run_may_be_shorter_than_its_warmup():
    rate = Cosine(0.1, warmup=Epochs(2)).build(10, 32, 5)
    found = [float(rate(step)) for step in range(5)]
    np.testing.assert_allclose(found, 0.1 * np.arange(5) / 20, rtol=1e-6)


@pytest.mark.parametrize(
    "schedule",
    [
        Constant(0.2),
        Cosine(0.2, Epochs(1), final=0.1),
        Exponential(0.2, 0.9, Epochs(1)),
        Piecewise((0.2, 0.1), (Steps(5),)),
        Polynomial(0.2, 0.5, final=0.1),
        Plateau(0.2),
        Warmup(0.2, 0.8, Constant(0.4)),
    ],
)
def test_scaling_multiplies_every_rate(schedule):
    def rates(schedule):
        built = schedule.build(10, 32, 100)
        return [float(built(s)) if callable(built) else built for s in range(30)]

    np.testing.assert_allclose(
        rates(schedule.scaled(0.5)), np.array(rates(schedule)) / 2, rtol=1e-6
    )


def test_googlenet_falls_by_four_percent_every_eight_epochs():
    """papers.md 5b; its Caffe replica, 320,000 iterations of 32 images, is about as long."""
    rate = Exponential(0.01, rate=0.96, every=Epochs(8)).build(1000, 32, 100_000)
    found = [float(rate(step)) for step in (7_999, 8_000, 15_999, 16_000)]
    np.testing.assert_allclose(found, 0.01 * 0.96 ** np.array([0, 1, 1, 2]), rtol=1e-6)


def test_jft_falls_by_a_tenth_every_three_million_samples():
    """Xception: 0.001, times 0.9 (papers.md 9b); in steps, whatever the batch."""
    for batch in (32, 1000):
        rate = Exponential(0.001, rate=0.9, every=Samples(3_000_000)).build(5, batch, 10**6)
        steps = 3_000_000 // batch
        found = [float(rate(step)) for step in (steps - 1, steps, 2 * steps)]
        np.testing.assert_allclose(found, 0.001 * 0.9 ** np.array([0, 1, 2]), rtol=1e-6)


@pytest.mark.parametrize(("power", "final"), [(0.5, 0.0), (1.0, 0.02), (2.0, 0.0)])
def test_polynomial_is_a_power_of_what_is_left(power, final):
    """Caffe's rule "poly": rate = initial * (1 - k / K) ** power (papers.md 5b)."""
    rate, k = Polynomial(0.1, power, final).build(10, 32, 50), np.arange(50)
    expected = final + (0.1 - final) * (1 - k / 50) ** power
    np.testing.assert_allclose([float(rate(step)) for step in k], expected, rtol=1e-5)


def rows_of(figures, column="val_top1", steps=10):
    return [{"step": steps * (i + 1), column: value} for i, value in enumerate(figures)]


def rates_of(schedule, rows, steps_per_epoch=10):
    """The rate before the first epoch and behind each."""
    built = schedule.build(steps_per_epoch, 32, 1000)
    rates = [float(built(0))]
    for count in range(1, len(rows) + 1):
        built.observe(rows[:count])
        rates.append(float(built(10 * count)))
    return rates


@pytest.mark.parametrize(
    ("schedule", "figures", "expected"),
    [
        # A new best in each epoch: never.
        (Plateau(0.1, patience=Epochs(1)), [0.1, 0.2, 0.3], [0.1, 0.1, 0.1, 0.1]),
        # To equal the best is no new best.
        (Plateau(0.1, patience=Epochs(2)), [0.5, 0.4, 0.5, 0.6], [0.1, 0.1, 0.1, 0.01, 0.01]),
        # Behind a fall the patience begins anew, and the best stays.
        (Plateau(0.1, patience=Epochs(2)), [0.5] + [0.4] * 4, [0.1, 0.1, 0.1, 0.01, 0.01, 0.001]),
        (Plateau(0.1, patience=Steps(20)), [0.5] + [0.4] * 4, [0.1, 0.1, 0.1, 0.01, 0.01, 0.001]),
        # AlexNet and VGG: three falls (papers.md 2b, 4b).
        (
            Plateau(1.0, patience=Epochs(1)),
            [0.5] * 6,
            [1, 1, 0.1, 0.01, 0.001, 0.001, 0.001],
        ),
        (Plateau(1.0, factor=0.5, patience=Epochs(1), falls=1), [0.5] * 4, [1, 1, 0.5, 0.5, 0.5]),
    ],
)
def test_plateau_falls_where_the_error_stalls(schedule, figures, expected):
    found = rates_of(schedule, rows_of(figures))
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize(("watch", "expected"), [("val_loss", 0.1), ("top1", 1.0)])
def test_plateau_knows_whether_less_is_better(watch, expected):
    rising = rows_of([0.1, 0.2, 0.3], watch)
    assert rates_of(Plateau(1.0, patience=Epochs(2), watch=watch), rising)[-1] == pytest.approx(
        expected
    )


def test_warmup_ends_with_the_training_error_and_for_good():
    """ResNet-110: 0.01 until the training error is below 80 %, then 0.1 (papers.md 10c)."""
    schedule = Warmup(0.01, error=0.8, then=Piecewise((0.1, 0.001), (Steps(40),)))
    rows = rows_of([0.1, 0.2, 0.3, 0.1, 0.5], "top1")
    np.testing.assert_allclose(
        rates_of(schedule, rows), [0.01, 0.01, 0.01, 0.1, 0.001, 0.001], rtol=1e-6
    )


def test_a_resumed_schedule_finds_its_rate_in_the_history():
    rows = rows_of([0.5, 0.4, 0.4, 0.4])
    schedule = Plateau(0.1, patience=Epochs(1))
    again = schedule.build(10, 32, 1000)
    assert again.observe(rows)
    assert float(again(0)) == rates_of(schedule, rows)[-1]
    assert not again.observe(rows)
