"""Searches small enough for tests: plans without data, and trials that take no time."""

import json
import sys

import pytest

from keras_convnets import recipes
from keras_convnets.tuning.plan import Plan, Question

_BEGIN = """
import json, os, signal, sys, time
from pathlib import Path
folder, key = Path(sys.argv[1]), sys.argv[2]
with (folder / "starts").open("a") as file:
    file.write(key + "\\n")
task = json.loads((folder / "trials" / (key + ".json")).read_text())
path = folder / "trials" / key
path.mkdir(exist_ok=True)
starts = (folder / "starts").read_text().split().count(key)
def end(status="completed", **fields):
    fields = {"status": status, "seconds": 0.1, "peak_memory": 1 << 20, **fields}
    if status == "completed":
        fields = {"objective": 1 - task["values"].get("l2", 0), "loss": 1.0, **fields}
    (path / "partial").write_text(json.dumps(fields))
    os.replace(path / "partial", path / "outcome.json")
"""


@pytest.fixture(scope="session")
def make_plan():
    """A function that makes the plan of a search of LeNet-5, without data."""

    def make(tuner="random", space="rate,l2=1e-6..1e-3", epochs=None, **fields):
        recipe = recipes.get("lenet5_mnist").set("batch_size", "64")
        question = Question(recipe, space, tuner, **fields)
        return Plan.of(
            question,
            recipe,
            objective="val_top1",
            channels=1,
            classes=10,
            fingerprint="none",
            epochs=epochs,
            versions={},
        )

    return make


@pytest.fixture
def trial_command():
    """A function that gives the command of a trial which does some lines of Python instead."""
    return lambda lines="end()": (sys.executable, "-S", "-E", "-c", f"{_BEGIN}\n{lines}")


@pytest.fixture
def starts():
    """A function that tells which trials were started in a folder, in order."""
    return lambda folder: (folder / "starts").read_text().split()


@pytest.fixture
def damage():
    """A function that cuts a JSON file in half."""

    def cut(path):
        text = path.read_text()
        assert json.loads(text)
        path.write_text(text[: len(text) // 2])

    return cut
