"""Claims and results small enough for tests."""

import math

import pytest

from keras_convnets.claims import Arm, Claim, Contrast, plan, reproduction
from keras_convnets.claims.arms import recipe_of
from keras_convnets.data import FlipLeftRight, Preprocessing
from keras_convnets.files import write_json
from keras_convnets.training import Run
from keras_convnets.training.run import FINAL_FILES, Settings


@pytest.fixture
def tiny_claim():
    """Two thin LeNet-5s whose runs take a moment."""
    return Claim(
        name="tiny",
        title="One LeNet-5 is better than another",
        paper="A 1998, arXiv none",
        section="1",
        sentence="It is so.",
        arms=(
            Arm("plain", "LeNet5:modern", {}),
            Arm("mirrored", "LeNet5:modern", {}, fields={"augmentation": (FlipLeftRight(),)}),
        ),
        rules=(Contrast("plain is better", {"plain": 1, "mirrored": -1}),),
        fields={
            "input_size": 32,
            "batch_size": 4,
            "batch_norm": None,
            "initializer": None,
            "augmentation": (),
        },
        seeds=2,
    )


@pytest.fixture
def quick(monkeypatch):
    """No speeds are measured, and runs have the least length."""
    speeds = (plan.Speed(0.001, 0.0, 1.0, True),) * 2
    monkeypatch.setattr(plan, "_measure", lambda claim, nets, data, test_images: speeds)
    monkeypatch.setattr(plan, "LEAST_STEPS", 3)


def _write_run(path, recipe, seed, top1s, is_done=True):
    settings = Settings(seed, None, 10, Preprocessing(32, 3, "tf", 1.0), ("a", "b"), 20, "")
    run = Run.create(path, recipe, settings)
    columns = ("learning_rate", "loss", "top1", "val_loss", "val_top5")
    run.write_history(
        [
            {"epoch": i, "step": 100 * i, "samples": 400 * i, "seconds": 30.0 * i, "val_top1": top1}
            | dict.fromkeys(columns, 0.5)
            for i, top1 in enumerate(top1s, start=1)
        ]
    )
    if is_done:
        figures = {"split": "test", "epoch": len(top1s), "n": 50, "top1": top1s[-1] - 0.01}
        write_json(path / "evaluation.json", {**figures, "top5": 1.0, "loss": 0.5})
        for name in FINAL_FILES[1:]:
            (path / name).touch()
    return path


@pytest.fixture
def write_run():
    """A function that writes the directory of a run with these accuracies, without training."""
    return _write_run


@pytest.fixture
def instant(quick, monkeypatch):
    """Runs are written without training; a rate near 0.1 does best. Returns what was written."""
    written = []

    def train(claim, made, job):
        recipe = recipe_of(claim, made.nets[job.arm], job.steps, made.data, job.rate, job.l2)
        distance = abs(math.log10(recipe.schedule.value.rate) + 1)
        top1 = round(0.9 - 0.1 * distance - 0.01 * job.seed % 3 - 0.05 * job.arm, 4)
        _write_run(job.path, recipe, job.seed, (0.5, top1))
        written.append(job.path.name)

    monkeypatch.setattr(reproduction, "_train", train)
    return written


@pytest.fixture
def question(photo_folder):
    """What `reproduce` is asked in tests."""
    return {"data": f"folder:{photo_folder}", "images": 0, "minutes": 0.001, "quiet": True}


@pytest.fixture
def results():
    """The content of a results.json with two arms and two seeds."""

    def run(seed, accuracies):
        rows = [
            {"step": 100 * i, "samples": 3200 * i, "seconds": 2.0 * i, "val_top1": top1}
            for i, top1 in enumerate(accuracies, start=1)
        ]
        return {"seed": seed, "path": f"runs/{seed}", "diverged": None, "curve": rows}

    def arm(name, figures):
        return {
            "name": name,
            "parameters": 51_546,
            "macs": 2_240_000,
            "figures": {"test_top1": figures},
            "runs": [run(0, (0.5, 0.6, 0.7)), run(1, (0.4, 0.55, 0.65))],
        }

    return {
        "claim": "tiny",
        "title": "One net is better than another",
        "paper": "A 1998",
        "section": "1",
        "verdict": "holds",
        "findings": [
            {
                "statement": "it is better",
                "metric": "test_top1",
                "estimate": 2.0,
                "low": 1.0,
                "high": 3.0,
                "method": "t interval",
                "verdict": "holds",
                "crossing": None,
                "axis": "",
            }
        ],
        "steps": 300,
        "training_images": 10_800,
        "test_images": 10_000,
        "batch_size": 32,
        "question": {
            "claim": "tiny", "data": "fashion_mnist", "images": 12000, "seeds": 2, "minutes": 1,
            "trials": 0,
        },
        "equal": None,
        "figure": "curves",
        "axis": None,
        "arms": [arm("first", [70.0, 72.0]), arm("second", [68.0, 70.0])],
    }  # fmt: skip
