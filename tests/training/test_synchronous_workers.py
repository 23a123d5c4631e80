"""Workers, each a process with two devices, take the same decisions, stop, die and go on as one.

All of it on this machine alone.
"""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import tensorflow as tf

from keras_convnets import data
from keras_convnets.data.order import shuffled
from keras_convnets.distribution import local_roles
from keras_convnets.training import Run
from keras_convnets.training.preparation import VALIDATION_SHARE

from . import small_runs

HERE = Path(__file__).parent
TIMEOUT = 600  # of a busy machine; a quiet one needs a tenth


@contextlib.contextmanager
def two_workers(arguments, folder):
    """Two processes of a cluster; they end with the block, come what may."""
    processes = []
    with local_roles(2, 0) as roles:
        try:
            for i, role in enumerate(roles):
                environ = {"TF_CONFIG": role.tf_config, "TF_GRPC_REUSE_PORT": "1"}
                with (folder / f"{i}.log").open("wb") as log:
                    processes.append(
                        subprocess.Popen(
                            [sys.executable, *arguments],
                            env=os.environ | environ,
                            stdout=log,
                            stderr=log,
                            cwd=HERE.parents[1],
                        )
                    )
            yield processes
        finally:
            for process in processes:
                process.kill()
                process.wait()


@pytest.fixture
def large_sets(monkeypatch):
    """What stays encoded and unchecked before work."""
    monkeypatch.setattr("keras_convnets.data.decoding.CHECK_LIMIT", 0)
    monkeypatch.setattr("keras_convnets.data.decoding.MEMORY_LIMIT", 0)


def spoil(folder):
    """Cuts a training image of the second worker's share in half, and one that is held out."""
    images = data.load(f"folder:{folder}").hold_out(VALIDATION_SHARE, 0)
    order = next(shuffled(len(images.train), 0, 0))
    # Of the third batch of four the second worker has the last two.
    names = [images.train.encoded.name(order[10]), images.validation.encoded.name(1)]
    for name in names:
        content = Path(name).read_bytes()
        Path(name).write_bytes(content[: len(content) // 2])
    return names


@pytest.fixture(scope="module")
def together(tmp_path_factory):
    """What each of two processes saw, and how both ended; the folders of images, good and bad."""
    folder = tmp_path_factory.mktemp("together")
    for name in ("good", "bad"):
        make_photos(folder / name)
    bad = spoil(folder / "bad")
    arguments = [
        HERE / "two_workers.py",
        folder,
        *(f"folder:{folder / n}" for n in ("good", "bad")),
    ]
    with two_workers(arguments, folder) as workers:
        codes = [worker.wait(TIMEOUT) for worker in workers]
    logs = [(folder / f"{i}.log").read_text() for i in range(2)]
    assert all((folder / f"{i}.json").exists() for i in range(2)), "".join(logs)
    told = [json.loads((folder / f"{i}.json").read_text()) for i in range(2)]
    return {"folder": folder, "bad": bad, "codes": codes, "logs": logs, "told": told}


def make_photos(folder):
    """Writes images of two classes, red and blue."""
    rng = np.random.default_rng(7)
    for name, channel in (("blue", 2), ("red", 0)):
        (folder / name).mkdir(parents=True)
        for i in range(12):
            pixels = rng.integers(0, 80, (20 + i, 40, 3), dtype=np.uint8)
            pixels[..., channel] += 150
            PIL.Image.fromarray(pixels).save(folder / name / f"{i}.png")


def assert_same_rows(rows, expected, rel):
    """All figures of all epochs but the time that they took."""
    for row, other in zip(rows, expected, strict=True):
        assert row | {"seconds": 0} == pytest.approx(other | {"seconds": 0}, rel=rel)


@pytest.mark.usefixtures("double_precision")
def test_a_rate_that_falls_and_an_early_end_come_behind_the_same_epochs(together, tmp_path):
    """Those of one device, although the second process is made to see other losses."""
    alone = small_runs.train_watching(tmp_path / "alone")
    rates = [row["learning_rate"] for row in alone.history]
    assert len(set(rates)) > 1
    assert len(rates) < small_runs.LONGEST
    for told in together["told"]:
        assert_same_rows(told["watching"], alone.history, 1e-9)
    shared = Run(together["folder"] / "watching")
    pairs = zip(alone.load_model().weights, shared.load_model().weights, strict=True)
    for ours, theirs in pairs:
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9)


@pytest.mark.usefixtures("large_sets")
def test_an_image_that_one_worker_cannot_read_is_left_out_by_all(together, tmp_path):
    """And listed, as in one process."""
    data = f"folder:{together['folder'] / 'bad'}"
    alone = small_runs.train_with_bad_images(data, tmp_path / "alone")
    assert {row["file"] for row in alone.skipped} == set(together["bad"])
    for told in together["told"]:
        assert told["skipped"] == alone.skipped
        assert told["evaluation"]["n"] == alone.evaluation["n"] == 1
        assert_same_rows(told["history"], alone.history, 1e-3)


def test_an_image_too_many_is_named_by_all_workers_and_ends_them(together):
    assert together["codes"] == [1, 1]
    for log in together["logs"]:
        assert together["bad"][0] in log
        assert "at most 0.0% may be skipped" in log
        assert "Traceback" not in log


def test_an_image_that_is_bad_for_one_worker_alone_ends_all_with_a_sentence(together):
    """As on disks of their own; none waits for another."""
    first, second = (told["unlike"] for told in together["told"])
    assert first.startswith("Another worker can't read an image that this one can")
    assert str(together["folder"] / "good" / "red") in second
    assert second.endswith("Another worker sees another file; all should see the same.")


def test_workers_skip_the_step_that_overflows_in_one_replica(together):
    copies = [
        [copy for told in together["told"] for copy in told["overflow"][step][name]]
        for step, name in ((0, "updates"), (0, "scales"), (2, "updates"), (2, "sums"))
    ]
    assert copies[:3] == [[0] * 4, [2.0**14] * 4, [2] * 4]
    assert np.isfinite(copies[3]).all()
    assert len(set(copies[3])) == 1


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
    run, command = tmp_path / "run", ["-m", "keras_convnets.cli", "train"]
    endless = [small_runs.__file__, "--data", "smoke_grey", "--epochs", "100000", "--out", run]
    with two_workers([*command, *endless], tmp_path) as workers:
        wait_for_epochs(run, 2, workers)
        workers[1].send_signal(signal.SIGTERM)  # the one that does not write
        assert [worker.wait(TIMEOUT) for worker in workers] == [75, 75]
    told = [(tmp_path / f"{i}.log").read_text() for i in range(2)]
    steps = [re.search(r"Stopped by .* at step (\d+) of", text).group(1) for text in told]
    assert steps[0] == steps[1] == str(newest(run))

    with two_workers([*command, "--resume", run], tmp_path) as workers:
        wait_for_epochs(run, 2, workers)
        workers[1].kill()
        assert workers[0].wait(TIMEOUT) == 75
    assert "Another worker is gone" in (tmp_path / "0.log").read_text()
    assert newest(run) > int(steps[0])
