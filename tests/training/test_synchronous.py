"""Replicas and workers train as one device does, and stop, die and go on as one.

Each number of replicas has processes of its own, on this machine alone.
"""

import contextlib
import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from keras_convnets.training import Run

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
CASES = ["xception-synchronized-float64", "googlenet-inference-float32"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A function that trains the cases at a place, and returns the folder of the runs."""
    folder, done = tmp_path_factory.mktemp("invariance"), {}

    def at(place):
        if place not in done:
            BENCHMARK.train_at(place, folder / place, CASES)
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
        assert Run(runs(place) / case).evaluation["n"] == 32  # each test image once


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


RECIPE = '''
"""A small net that never ends."""

from keras_convnets import recipes
from keras_convnets.training import Epochs, choice


def recipe():
    values = {
        "model": "LeNet5", "variant": "modern", "model_options": {}, "length": Epochs(100_000),
        "batch_size": 16, "input_size": 32, "classes": None, "dropout_rate": 0.0,
        "batch_norm": None, "initializer": None, "data": "smoke_grey",
    }
    base = recipes.get(recipes.DEFAULT)
    return base.replace(**{field: choice(value, "fast") for field, value in values.items()})
'''
COMMAND = [sys.executable, "-c", "from keras_convnets.cli import main; main()", "train"]


@contextlib.contextmanager
def two_workers(arguments, folder):
    """Two processes of a cluster that train; they end with the block, come what may."""
    processes = []
    try:
        for i, config in enumerate(BENCHMARK.cluster(2)):
            with (folder / f"{i}.log").open("wb") as log:
                processes.append(
                    subprocess.Popen(
                        [*COMMAND, *arguments],
                        env=os.environ | {"TF_CONFIG": config},
                        stdout=log,
                        stderr=log,
                        cwd=ROOT,
                    )
                )
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.wait()


def wait_for_epochs(run, count, processes):
    """Returns when a run has so many rows more; fails if a process ends before."""
    history = run / "history.csv"
    first, end = len(Run(run).history) if history.exists() else 0, time.monotonic() + TIMEOUT
    while not history.exists() or len(Run(run).history) < first + count:
        assert time.monotonic() < end
        assert all(process.poll() is None for process in processes)
        time.sleep(0.2)


def newest(run):
    """The step of the newest checkpoint of a run."""
    return int(tf.train.latest_checkpoint(run / "checkpoints").rpartition("-")[2])


def test_workers_stop_as_one_and_do_not_outlive_each_other(tmp_path):
    (tmp_path / "endless.py").write_text(RECIPE)
    run = tmp_path / "run"
    arguments = [str(tmp_path / "endless.py"), "--out", str(run)]
    with two_workers(arguments, tmp_path) as workers:
        wait_for_epochs(run, 2, workers)
        workers[1].send_signal(signal.SIGTERM)  # the one that does not write
        assert [worker.wait(TIMEOUT) for worker in workers] == [75, 75]
    told = [(tmp_path / f"{i}.log").read_text() for i in range(2)]
    steps = [re.search(r"Stopped by .* at step (\d+) of", text).group(1) for text in told]
    assert steps[0] == steps[1] == str(newest(run))

    with two_workers(["--resume", str(run)], tmp_path) as workers:
        wait_for_epochs(run, 2, workers)
        workers[1].kill()
        assert workers[0].wait(TIMEOUT) == 75
    assert "Another worker is gone" in (tmp_path / "0.log").read_text()
    assert newest(run) > int(steps[0])
