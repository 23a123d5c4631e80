"""`train` as a user types it: options, exit codes, and processes that are killed."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from keras_convnets.deployment import save_model
from keras_convnets.training.model import build_model, model_card, preprocessing_of

RECIPE = """'''Red or blue.'''
from keras_convnets import recipes
from keras_convnets.training import Epochs, choice

def recipe():
    values = dict(
        model="LeNet5", variant="modern", model_options={}, length=Epochs(3), batch_size=4,
        input_size=32, dropout_rate=0.0, batch_norm=None, initializer=None,
    )
    base = recipes.get("xception_fashion_mnist")
    return base.replace(**{name: choice(value, "for a test") for name, value in values.items()})
"""


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "red_or_blue.py"
    path.write_text(RECIPE)
    return path


@pytest.fixture
def arguments(recipe, photo_folder, tmp_path):
    """Of a short run."""
    return ["train", recipe, "--data", f"folder:{photo_folder}", "--out", tmp_path / "run"]


def test_a_run_is_evaluated_on_what_it_held_out(run, arguments, photo_folder, tmp_path):
    """Not on the images that it was trained on."""
    run(*arguments, "--epochs", 1)
    code, out, _ = run("evaluate", tmp_path / "run", "--data", f"folder:{photo_folder}", "--json")
    written = json.loads((tmp_path / "run" / "evaluation.json").read_text())
    assert code == 0
    assert (written.pop("epoch"), written.pop("weights")) == (1, "raw")
    shown = json.loads(out)
    assert {name: shown[name] for name in written} == pytest.approx(written, abs=1e-6)
    assert written["split"] == "validation"


def test_a_run_may_begin_in_an_empty_folder(run, arguments, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    code, _, err = run(*arguments[:-1], ".", "--epochs", 1)
    assert (code, (tmp_path / "here" / "report.html").is_file()) == (0, True), err


def test_train_ends_with_what_to_type_next(run, arguments, tmp_path):
    code, out, err = run(
        *arguments, "--epochs", 1, "--batch-size", 2, "--seed", 3, "--set", "l2=0.001",
        "--accumulate", 2, "--initial-seed", 7,
    )  # fmt: skip
    assert code == 0, err
    assert f"report:  {tmp_path / 'run'}/report.html" in out
    assert f"keras-convnets predict {tmp_path / 'run'} IMAGE..." in out
    assert "epoch   1/1" in out
    fields = json.loads((tmp_path / "run" / "recipe.json").read_text())
    assert fields["l2"]["value"] == 0.001
    assert fields["batch_size"]["value"] == 2
    assert "0.0225" in fields["schedule"]["value"]["parse"]  # half the batch, half the rate
    settings = json.loads((tmp_path / "run" / "settings.json").read_text())
    chosen = {name: settings[name] for name in ("seed", "accumulate", "initial_seed")}
    assert chosen == {"seed": 3, "accumulate": 2, "initial_seed": 7}


def test_fine_tune_takes_the_net_of_its_weights(run, tiny_recipe, photo_folder, tmp_path):
    recipe = tiny_recipe.scaled(classes=3)
    card = model_card(recipe, ("a", "b", "c"), preprocessing_of(recipe, 3))
    save_model(build_model(recipe, 3), tmp_path / "trunk.keras", card)
    code, out, err = run(
        "train", "fine_tune", "--weights", tmp_path / "trunk.keras", "--out", tmp_path / "run",
        "--data", f"folder:{photo_folder}", "--batch-size", 8, "--epochs", 1,
        "--set", "dropout_rate=0",
    )  # fmt: skip
    assert code == 0, err
    assert "LeNet5:modern by the recipe fine_tune" in out
    assert "start anew: predictions" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["xception_imgnet"], "nearest names are xception_imagenet"),
        (["--set", "rate=1"], "no field 'rate'"),
        (["--set", "l2"], "--set wants field=value. Received: 'l2'"),
        (["--set", "input_size=big"], "'big' is no value of a recipe"),
        (["--set", "input_size=2.5"], "should be int"),
        (["--set", "model=Xcepton"], "nearest names are Xception"),
        (["--set", "classes=9"], "has 9 classes, and the data 'fashion_mnist_6k' has 10"),
        (["--data", "nowhere"], "no data named 'nowhere'"),
        (["--model", "Xcepton"], "nearest names are Xception"),
        (["--weights", "nowhere.keras"], "no weights file at 'nowhere.keras'"),
        (["--weights", "ResNet50.torchvision_v9"], "nearest names are ResNet50.torchvision"),
        (["--max-skipped", "2"], "below 1"),
        (["--epochs", "0"], "a number above 0"),
        (["--epochs", "inf"], "a number above 0"),
        (["--batch-size", "-1"], "positive integer"),
        (["--mixed-precision", "int8"], "'float16' or 'bfloat16'"),
        (["--out", "/proc/run"], "can't be written to"),
        (["--resume", "/nowhere"], "is not a run"),
        (["--resume", "run", "--seed", "3"], "give it alone"),
        (["--resume", "run", "--initial-seed", "0"], "give it alone"),
        (["--resume", "run", "--accumulate", "2"], "give it alone"),
        (["--accumulate", "3"], "can't be cut into 3 equal micro-batches"),
        (["--accumulate", "two"], "Invalid value for '--accumulate'"),
        (["--initial-seed", "-1"], "seed should be an integer of at least 0"),
        (["xception_jft"], "is asynchronous"),
        (["--epochs", "many"], "Invalid value for '--epochs'"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(run, arguments, message):
    code, _, err = run("train", *arguments)
    assert code == 2
    assert message in err


def test_an_absurd_rate_stops_with_step_and_advice(run, arguments):
    code, _, err = run(*arguments, "--set", "schedule=Constant(1e30)", "--epochs", 9)
    assert code == 1
    assert "at step" in err
    assert "lower the learning rate" in err


def test_a_bad_image_met_while_training_is_one_sentence_where_none_may_be_skipped(
    run, arguments, photo_folder, monkeypatch
):
    """As in sets that are too large to be checked before."""
    monkeypatch.setattr("keras_convnets.data.decoding.CHECK_LIMIT", 0)
    monkeypatch.setattr("keras_convnets.data.decoding.MEMORY_LIMIT", 0)
    for path in (photo_folder / "red").iterdir():
        path.write_bytes(path.read_bytes()[:300])
    code, _, err = run(*arguments, "--max-skipped", 0)
    assert code == 1
    assert f"The image file '{photo_folder}/red/" in err
    assert "can't be decoded" in err
    assert "at most 0.0% may be skipped (`--max-skipped`)." in err
    assert "Traceback" not in err


def start(arguments):
    code = "from keras_convnets.cli import main; main()"
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(path, process):
    """Waits until a file is there."""
    limit = time.monotonic() + 120
    while not path.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < limit
        time.sleep(0.005)


def test_kill_9_and_resume_give_the_bits_of_an_unbroken_run(arguments, tmp_path):
    """Killed in the head phase, or behind it if the machine is slow to tell."""
    phase = "head_phase=HeadPhase(Epochs(2), Constant(0.01))"
    options = ["--epochs", 12, "--checkpoint-every", 2, "--set", phase]
    process = start([*arguments, *options])
    wait_for(tmp_path / "run" / "checkpoints" / "checkpoint", process)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait(60) == -signal.SIGKILL
    assert not (tmp_path / "run" / "report.html").exists()
    resumed = start(["train", "--resume", tmp_path / "run"])
    unbroken = start([*arguments[:-1], tmp_path / "unbroken", *options])
    for other in (resumed, unbroken):
        _, errors = other.communicate(timeout=240)
        assert other.returncode == 0, errors
    from keras_convnets.training import Run

    first, second = (Run(tmp_path / name).load_model() for name in ("run", "unbroken"))
    for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_sigterm_exits_75_and_says_how_to_go_on(arguments, tmp_path):
    process = start([*arguments, "--epochs", 2000])
    wait_for(tmp_path / "run" / "checkpoints" / "checkpoint", process)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 75, errors
    assert f"keras-convnets train --resume {tmp_path / 'run'}" in errors
    assert "TensorFlow" not in errors  # no start-up notes in the user's way


def test_a_profile_tells_what_bounds_the_speed(run, recipe, photo_folder, tmp_path, monkeypatch):
    monkeypatch.setattr("keras_convnets.training.profiling.SECONDS", 0.2)
    monkeypatch.chdir(tmp_path)
    code, out, _ = run("train", recipe, "--data", f"folder:{photo_folder}", "--profile")
    assert code == 0
    assert "Bound by" in out
    assert "images/s and core" in out
    assert not (tmp_path / "runs").exists()
