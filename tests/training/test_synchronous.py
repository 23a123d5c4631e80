"""Replicas and workers train as one device does, and stop, die and go on as one.

Each number of replicas has processes of its own, on this machine alone.
"""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from keras_convnets.training import Run

from . import small_runs

ROOT = Path(__file__).parents[2]
TIMEOUT = 600  # of a busy machine; a quiet one needs a tenth


def load_benchmark():
    """The script that trains the same nets at several places."""
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        spec = importlib.util.spec_from_file_location(
            "invariance", ROOT / "benchmarks" / "invariance.py"
        )
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(ROOT / "benchmarks"))
    return module


BENCHMARK = load_benchmark()
# Batch normalization in both ways, a net with auxiliary heads, and both precisions.
CASES = [
    "xception-synchronized-float64",
    "xception-synchronized-float32",
    "googlenet-inference-float32",
]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A function that trains the cases at a place, and returns the folder of the runs."""
    folder, done = tmp_path_factory.mktemp("invariance"), {}
    data = BENCHMARK.write_images(folder / "images")

    def at(place):
        if place not in done:
            BENCHMARK.train_at(place, folder / place, CASES, data)
            done[place] = folder / place
        return done[place]

    return at


@pytest.mark.parametrize("place", BENCHMARK.PLACES[1:])
def test_losses_and_weights_are_those_of_one_device(runs, place):
    """After ten updates: within 1e-10 in float64 and 1e-3 in float32, of each variable's largest.

    Losses are of each epoch's training and validation images, by averaged weights and raw ones.
    """
    for case in CASES:
        bound = BENCHMARK.BOUNDS[case.rpartition("-")[2]]
        assert BENCHMARK.difference(runs("1 device") / case, runs(place) / case) <= bound
        assert Run(runs(place) / case).evaluation["n"] == 8  # each test image once


@pytest.fixture(scope="module")
def two_devices():
    """What replicas did together on two devices."""
    found = subprocess.run(
        [sys.executable, Path(__file__).with_name("two_devices.py")],
        check=True,
        capture_output=True,
        timeout=TIMEOUT,
        cwd=ROOT,
    )
    return json.loads(found.stdout)


def test_several_devices_are_mirrored_by_themselves_and_once_a_process(two_devices):
    assert (two_devices["place"], two_devices["again"]) == ("mirrored", True)


def test_micro_batches_of_replicas_are_those_of_the_whole_batch(two_devices):
    """Losses and weights, where the norm of the gradient is clipped."""
    assert two_devices["accumulation"] < 1e-12


def test_statistics_of_replicas_are_their_own_until_they_are_united(two_devices):
    first, second = (np.array(copy) for copy in two_devices["statistics"]["before"])
    assert np.abs(first - second).max() > 1e-3
    np.testing.assert_allclose(
        two_devices["statistics"]["after"], [(first + second) / 2] * 2, rtol=1e-12
    )


def test_replicas_drop_other_units(two_devices):
    first, second = two_devices["statistics"]["seeds"]
    assert second == first + 1


def test_replicas_evaluate_each_image_once_and_in_order(two_devices):
    """13 images in batches of 4, of which each replica has 2."""
    found = two_devices["evaluation"]
    assert found["n"] == 13
    assert found["loss"] == pytest.approx(found["expected_loss"], rel=1e-12)
    assert found["same_order"]


def test_a_step_that_overflows_in_one_replica_is_skipped_by_all(two_devices):
    """In float16; the two that follow are not."""
    skipped, *_, last = two_devices["overflow"]
    assert (skipped["updates"], skipped["scales"]) == ([0, 0], [2.0**14] * 2)
    assert last["updates"] == [2, 2]
    assert np.isfinite(last["sums"]).all()
    assert last["sums"][0] == last["sums"][1] != skipped["sums"][0]


@pytest.mark.usefixtures("double_precision")
def test_replicas_take_the_decisions_of_one_device(two_devices, tmp_path):
    """When the rate falls, and when the run ends."""
    alone = small_runs.train_watching(tmp_path / "alone").history
    assert len({row["learning_rate"] for row in alone}) > 1
    assert len(alone) < small_runs.LONGEST
    for row, expected in zip(two_devices["watching"], alone, strict=True):
        assert row | {"seconds": 0} == pytest.approx(expected | {"seconds": 0}, rel=1e-9)
