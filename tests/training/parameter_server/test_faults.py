"""Real processes that die, stop, or meet bad data while a net is trained."""

import os
import signal
import textwrap
import threading
import time

import numpy as np
import PIL.Image

from keras_convnets.training.parameter_server.dispatch import STEPS_AT_ONCE

STEPS = 1500
LENGTH = ("--set", f"length=Steps({STEPS})")


def check_curve(cluster, deaths=0):
    """Nothing is lost, and nothing is done twice but what workers that died had in hand."""
    steps = [row["step"] for row in cluster.history]
    most = deaths * STEPS_AT_ONCE
    assert steps == sorted(set(steps))
    assert STEPS <= steps[-1] <= STEPS + most
    assert 0 <= cluster.figures["surplus"] <= most
    assert [row["epoch"] for row in cluster.history] == list(range(1, len(steps) + 1))
    losses = [row["val_loss"] for row in cluster.history]
    assert np.isfinite(losses).all()
    assert losses[-1] < losses[0]


def test_workers_may_be_slow_die_and_all_be_gone(start):
    cluster = start(2, 1, *LENGTH)
    cluster.wait_until(lambda: cluster.steps >= 100)

    # A slow worker: the other one goes on.
    before, is_over = cluster.figures["workers"], threading.Event()
    slow = threading.Thread(target=_slow_down, args=(cluster, is_over))
    slow.start()
    try:
        cluster.wait_for_steps(300)
    finally:
        is_over.set()
        slow.join()
    done = {
        worker: row["steps"] - before.get(worker, {"steps": 0})["steps"]
        for worker, row in cluster.figures["workers"].items()
    }
    assert done["0"] > done["1"]

    cluster.kill("worker 0")
    cluster.wait_until(lambda: len(cluster.pids("worker 0")) == 2)
    cluster.wait_for_steps(100)
    cluster.kill("worker 0")
    cluster.kill("worker 1")
    cluster.wait_until(lambda: len(cluster.pids("worker 0")) == 3)
    cluster.wait_until(lambda: len(cluster.pids("worker 1")) == 2)
    cluster.wait_for_steps(100)
    assert cluster.wait_for_end() == 0, cluster.text
    assert len(cluster.pids("chief")) == 1
    check_curve(cluster, deaths=3)


def _slow_down(cluster, is_over):
    while not is_over.is_set():
        cluster.kill("worker 1", signal.SIGSTOP)
        time.sleep(0.4)
        cluster.kill("worker 1", signal.SIGCONT)
        time.sleep(0.02)


def test_a_server_and_the_chief_may_die(start):
    cluster = start(1, 2, *LENGTH)
    cluster.wait_until(lambda: cluster.steps >= 100)
    cluster.kill("ps 1")
    cluster.wait_until(lambda: len(cluster.pids("ps 1")) == 2)
    assert "A parameter server is gone" in cluster.text
    cluster.wait_for_steps(100)
    cluster.kill("chief")
    cluster.wait_until(lambda: len(cluster.pids("chief")) == 3)
    cluster.wait_for_steps(100)
    assert cluster.wait_for_end() == 0, cluster.text
    assert len(cluster.pids("worker 0")) == 1
    check_curve(cluster)


# The chief dies of its own hand in the middle of its third checkpoint.
DYING = """
import os, signal, sys
from pathlib import Path
from keras_convnets.training.checkpoint import Checkpoints

save, count = Checkpoints.save, 0

def save_half(self):
    global count
    count += 1
    save(self)
    folder = Path(self._manager.directory)
    if count == 3 and not (folder / "died").exists():
        (folder / "died").touch()
        number = self._progress.steps
        data = folder / f"ckpt-{number}.data-00000-of-00001"
        data.write_bytes(data.read_bytes()[: data.stat().st_size // 2])
        os.kill(os.getpid(), signal.SIGKILL)

Checkpoints.save = save_half
"""


def test_a_half_written_checkpoint_is_not_used_and_a_stop_saves_the_state(start, tmp_path):
    """All processes share one core, where TensorFlow's own number of threads lets workers hang."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "tiny.py").write_text(
        DYING + "\nimport importlib.util\n" + _import_recipe()
    )
    core = min(os.sched_getaffinity(0))
    cluster = start(1, 1, *LENGTH, recipe=tmp_path / "code" / "tiny.py", cores={core})
    cluster.wait_until(lambda: len(cluster.pids("chief")) == 2)
    assert cluster.steps == 150  # it is listed, and half of it is missing
    cluster.wait_for_steps(100)
    cluster.process.send_signal(signal.SIGINT)
    assert cluster.wait_for_end() == 75
    assert f"train --resume {cluster.run}" in cluster.text.replace("\n", " ")
    assert 250 <= cluster.steps < STEPS
    assert cluster.figures["steps"] == cluster.steps - 100  # those of the second chief


def _import_recipe():
    from .conftest import RECIPE

    return textwrap.dedent(
        f"""
        spec = importlib.util.spec_from_file_location("tiny_recipe", {str(RECIPE)!r})
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        recipe = module.recipe
        """
    )


def test_a_worker_names_the_image_that_it_cannot_read(start, tmp_path):
    rng = np.random.default_rng(0)
    for kind in ("cats", "dogs"):
        folder = tmp_path / "images" / kind
        folder.mkdir(parents=True)
        for i in range(60):
            pixels = rng.integers(0, 256, (40, 40), np.uint8)
            PIL.Image.fromarray(pixels).save(folder / f"{i}.png")
    options = (
        *("--data", f"folder:{tmp_path / 'images'}"),
        # Crops keep the files encoded: workers read them in each epoch.
        *("--set", "variant=modern", "--set", "augmentation=(InceptionCrop(),)", *LENGTH),
    )
    cluster = start(1, 1, *options)
    cluster.wait_until(lambda: cluster.steps >= 50)
    for file in (tmp_path / "images" / "dogs").iterdir():
        file.write_bytes(file.read_bytes()[:100])
    assert cluster.wait_for_end() == 1
    assert "worker 0: The image file" in cluster.text
    assert f"{tmp_path / 'images' / 'dogs'}" in cluster.text
    assert len(cluster.pids("chief")) == 1  # nothing that a restart could mend
