"""Clusters of small processes that stand for training, and an end for every one of them."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ..processes import is_alive

# What each process does: notes what it was given, and then the next of the deeds of its role.
TASK = """
import json, os, pathlib, signal, sys, time
from sys import exit

folder, kind = pathlib.Path(sys.argv[1]), sys.argv[2]
config = json.loads(os.environ["TF_CONFIG"])
name = "{type}-{index}".format(**config["task"])
marker = folder / "marker"

def sleep(seconds=60):
    time.sleep(seconds)

def pids(name):
    return [json.loads(path.read_text())["pid"] for path in sorted(folder.glob(name + ".*.json"))]

def wait_for(condition):
    while not condition():
        time.sleep(0.01)

def is_gone(name):
    try:
        os.kill(pids(name)[-1], 0)
    except (IndexError, ProcessLookupError):
        return True

def on_sigterm(deed):
    signal.signal(signal.SIGTERM, lambda *_: deed())

def save_and_exit():
    marker.touch()
    os._exit(75)

starts = len(pids(name))
deeds = json.loads((folder / "deeds.json").read_text()).get(name, [])
note = {"pid": os.getpid(), "kind": kind, "config": config, "time": time.time(),
        "cores": sorted(os.sched_getaffinity(0)), "reuse": os.environ.get("TF_GRPC_REUSE_PORT")}
temporary = folder / f".{name}.{starts}"
temporary.write_text(json.dumps(note))
print("this is", name, kind, flush=True)
deed = deeds[starts] if starts < len(deeds) else "sleep()"
temporary.rename(folder / f"{name}.{starts}.json")
exec(deed)
"""

LAUNCH = """
import pathlib, sys
from keras_convnets.distribution import Command, Limits, launch
folder = {folder!r}
task = [sys.executable, folder + "/task.py", folder]
command = Command([*task, "start"], [*task, "resume"], pathlib.Path(folder, "marker"))
sys.exit(launch(command, logs=folder + "/logs", limits=Limits(**{limits!r}), **{options!r}))
"""


def wait_until(condition, seconds=20):
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.01)


class Cluster:
    """A launcher that runs, and what its processes noted."""

    def __init__(self, folder, deeds, limits, options):
        self.folder = folder
        (folder / "task.py").write_text(TASK)
        (folder / "deeds.json").write_text(json.dumps(deeds))
        code = LAUNCH.format(folder=str(folder), limits=limits, options=options)
        self.process = subprocess.Popen(
            [sys.executable, "-c", code],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "COLUMNS": "160"},
            process_group=0,  # as a shell does
        )

    def notes(self, name):
        """What the processes of a role noted, in the order of their starts."""
        paths = sorted(
            self.folder.glob(f"{name}.*.json"), key=lambda path: int(path.suffixes[-2][1:])
        )
        return [json.loads(path.read_text()) for path in paths]

    def pid(self, name, start=0):
        """The process of a start of a role; waits for it."""
        wait_until(lambda: len(self.notes(name)) > start or self.process.poll() is not None)
        return self.notes(name)[start]["pid"]

    def is_running(self, name):
        return is_alive(self.pid(name))

    def pids(self):
        return [note["pid"] for note in self.notes("*")]

    def kill(self, name, start=0):
        os.kill(self.pid(name, start), signal.SIGKILL)

    def press_ctrl_c(self):
        """What a terminal does: the signal is for the whole group of processes."""
        os.killpg(self.process.pid, signal.SIGINT)

    def log(self, name):
        return (self.folder / "logs" / f"{name}.log").read_text()

    def end(self, seconds=30):
        """Waits for the launcher; returns exit code and output."""
        output, _ = self.process.communicate(timeout=seconds)
        return self.process.returncode, output.decode()

    def assert_all_ended(self):
        wait_until(lambda: not any(map(is_alive, self.pids())), 5)


@pytest.fixture
def launched(tmp_path):
    """A function that launches a cluster whose processes do what deeds say; all end with the test.

    A deed is Python code; a role without one sleeps.
    """
    clusters = []

    def apply(deeds=(), *, limits=None, **options):
        folder = tmp_path / str(len(clusters))
        folder.mkdir()
        cluster = Cluster(folder, dict(deeds), limits or {}, {"workers": 2, "servers": 1} | options)
        clusters.append(cluster)
        return cluster

    yield apply
    for cluster in clusters:
        cluster.process.kill()
        cluster.process.communicate()
        for pid in filter(is_alive, cluster.pids()):
            if str(cluster.folder) in Path(f"/proc/{pid}/cmdline").read_text():
                os.kill(pid, signal.SIGKILL)
