"""Clusters of real processes that train, and an end for every one of them."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ...processes import is_alive

RECIPE = Path(__file__).with_name("tiny_recipe.py")
_STARTED = re.compile(r"(chief|worker \d|ps \d) [^\n]*started again as process (\d+)")
_FIRST = re.compile(r"(chief|worker \d|ps \d) *│ *(\d+) *│ *127")


class Cluster:
    """`keras-convnets launch` at work, in a folder of a test.

    Args:
        folder: of the test.
        workers: how many.
        servers: how many.
        *options: of `train`.
        recipe: a file.
        cores: which all processes may use; `None` for all that are there.
    """

    def __init__(self, folder, workers, servers, *options, recipe=RECIPE, cores=None):
        self.run = folder / "run"
        self.logs = folder / "logs"
        self.output = folder / "output.txt"
        command = [
            *(sys.executable, "-m", "keras_convnets.cli", "launch"),
            *("--workers", str(workers), "--ps", str(servers)),
            *("--logs", str(self.logs), "--", "train", str(recipe)),
            *("--checkpoint-every", "50", "--out", str(self.run), *options),
        ]
        with self.output.open("w") as output:
            environ = {**os.environ, "COLUMNS": "200", "TF_CPP_MIN_LOG_LEVEL": "3"}
            self.process = subprocess.Popen(
                command,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environ,
                preexec_fn=cores and (lambda: os.sched_setaffinity(0, cores)),
            )

    @property
    def text(self):
        return self.output.read_text()

    def pids(self, role):
        """The processes that a role has had, the present one last."""
        found = [*_FIRST.findall(self.text), *_STARTED.findall(self.text)]
        return [int(pid) for name, pid in found if name == role]

    def kill(self, role, number=signal.SIGKILL):
        os.kill(self.pids(role)[-1], number)

    @property
    def steps(self):
        """Of the newest checkpoint."""
        files = (self.run / "checkpoints").glob("ckpt-*.index")
        return max((int(file.stem.removeprefix("ckpt-")) for file in files), default=0)

    @property
    def history(self):
        with (self.run / "history.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        return [{name: float(value) for name, value in row.items()} for row in rows]

    @property
    def figures(self):
        return json.loads((self.run / "asynchronous.json").read_text())

    def wait_until(self, condition, seconds=240):
        limit = time.monotonic() + seconds
        while not condition():
            assert self.process.poll() is None, self.text
            assert time.monotonic() < limit, self.text
            time.sleep(0.05)

    def wait_for_steps(self, count):
        """Waits for so many further steps in checkpoints."""
        target = self.steps + count
        self.wait_until(lambda: self.steps >= target)

    def wait_for_end(self, seconds=300):
        return self.process.wait(timeout=seconds)

    def end(self):
        """Ends the launcher, and with it all of them; none may be left."""
        pids = [pid for role in ("chief", *(f"{task} {i}" for task in ("worker", "ps")
                for i in range(2))) for pid in self.pids(role)]  # fmt: skip
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(timeout=30)
        limit = time.monotonic() + 20
        while any(map(is_alive, pids)) and time.monotonic() < limit:
            time.sleep(0.05)
        left = [pid for pid in pids if is_alive(pid)]
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        assert not left


@pytest.fixture
def start(tmp_path):
    """Starts a cluster; it ends with the test."""
    clusters = []

    def start_cluster(*arguments, **options):
        clusters.append(Cluster(tmp_path, *arguments, **options))
        return clusters[-1]

    yield start_cluster
    for cluster in clusters:
        cluster.end()
