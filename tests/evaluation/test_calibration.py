"""Confidence intervals and calibration against formulas and a plain loop."""

import numpy as np
import pytest
from scipy.stats import binomtest

from keras_convnets.evaluation.calibration import calibration, wilson_interval


@pytest.mark.parametrize(("right", "n"), [(0, 7), (1, 3), (38_500, 50_000), (24, 24), (1, 1)])
def test_the_interval_is_wilsons(right, n):
    expected = binomtest(right, n).proportion_ci(0.95, "wilson")
    assert wilson_interval(right, n) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_calibration_equals_a_plain_loop(rng):
    confidence = rng.random(500)
    confidence[:3] = 0, 1, 1 / 3
    is_right = rng.random(500) < confidence**2
    found = calibration(confidence, is_right)
    error = 0
    for i, part in enumerate(found.bins):
        low, high = i / 15, (i + 1) / 15
        members = [
            j for j in range(500) if low < confidence[j] <= high or (i == 0 and confidence[j] == 0)
        ]
        assert part.n == len(members)
        assert part.confidence == pytest.approx(np.mean(confidence[members]))
        assert part.accuracy == pytest.approx(np.mean(is_right[members]))
        error += len(members) / 500 * abs(part.accuracy - part.confidence)
    assert found.error == pytest.approx(error)
    assert sum(part.n for part in found.bins) == 500


def test_edges_belong_to_the_lower_bin():
    bins = calibration(np.array([0.2, 0.2000001]), np.array([True, True]), bins=5).bins
    assert [part.n for part in bins] == [1, 1, 0, 0, 0]
    assert (bins[4].confidence, bins[4].accuracy) == (None, None)


def test_a_net_that_knows_what_it_knows_has_no_error():
    confidence = np.repeat([0.25, 0.75], 8)
    is_right = np.concatenate([np.arange(8) < 2, np.arange(8) < 6])
    assert calibration(confidence, is_right).error == pytest.approx(0)
    assert calibration(np.ones(8), np.zeros(8, bool)).error == 1
