"""`tune` as a user types it."""

import pytest

from keras_convnets import tuning
from keras_convnets.errors import StoppedError
from keras_convnets.training import Epochs
from keras_convnets.tuning import search


@pytest.fixture
def asked(monkeypatch):
    """What the search is asked for; it finds two trials, of which one is infeasible."""
    found, calls = {
        "space": {"rate": {}, "activation": {}},
        "objective": {"name": "val_top1", "direction": "max"},
        "best": "0",
        "counts": {"completed": 1, "failed": 0, "infeasible": 1},
        "trials": [
            {
                "id": "0", "values": {"rate": 0.0123456, "activation": "relu"}, "cause": None,
                "status": "completed", "objective": 0.8765, "parameters": 51_546,
                "macs": 2_240_000, "seconds": 12.4, "peak_memory": 512 << 20,
                "search_memory": 600 << 20,
            },
            {
                "id": "1", "values": {"rate": 0.1, "activation": "elu"}, "cause": None,
                "status": "infeasible", "objective": None, "parameters": None, "macs": None,
                "seconds": 3.2, "peak_memory": None, "search_memory": None,
            },
        ],
    }, []  # fmt: skip

    def tune(recipe, folder, **options):
        calls.append((recipe, folder, options))
        return found

    monkeypatch.setattr(search, "tune", tune)
    return found, calls


def test_options_reach_the_search(run, asked, tmp_path):
    arguments = (
        "--space", "rate,width=0.5|1", "--tuner", "hyperband", "--trials", 7, "--workers", 2,
        "--data", "fashion_mnist_6k", "--out", tmp_path, "--epochs", 9, "--batch-size", 64,
        "--set", "l2=0.25", "--max-parameters", "70k", "--max-macs", "4.1G", "--max-memory", "8G",
        "--timeout", 1.5, "--seed", 3,
    )  # fmt: skip
    code, _, err = run("tune", "xception_fashion_mnist", *arguments)
    assert code == 0, err
    [(recipe, folder, options)] = asked[1]
    assert (recipe.length.value, recipe.batch_size.value, recipe.l2.value) == (Epochs(9), 64, 0.25)
    assert folder == tmp_path
    assert options == {
        "space": "rate,width=0.5|1",
        "tuner": "hyperband",
        "trials": 7,
        "workers": 2,
        "data": "fashion_mnist_6k",
        "seed": 3,
        "minutes": 1.5,
        "max_parameters": 70_000,
        "max_macs": 4_100_000_000,
        "max_memory": 8_000_000_000,
    }


def test_the_folder_is_named_after_the_recipe(run, asked):
    run("tune", "inception_v2_imagenet:x5")
    assert str(asked[1][0][1]) == "tuning/inception_v2_imagenet-x5"


def test_the_end_shows_the_trials_and_what_to_type_next(run, asked, tmp_path):
    code, out, _ = run("tune", "--out", tmp_path)
    assert code == 0
    first = next(line for line in out.splitlines() if line.split()[:1] == ["0"])
    assert first.split() == ["0", "0.0123", "relu", "87.65", "52k", "2.24M", "12", "512"]
    second = next(line for line in out.splitlines() if line.split()[:1] == ["1"])
    assert second.split() == ["1", "0.1", "elu", "infeasible", "3"]
    assert "2 trials: 1 completed, 1 infeasible\n" in out
    assert "600 MiB of the search behind its first trial, 600 MiB behind its last\n" in out
    assert f"next:    keras-convnets train {tmp_path}/best.py\n" in out


def test_a_search_that_completed_no_trial_has_failed(run, asked, tmp_path):
    asked[0]["best"] = None
    code, out, _ = run("tune", "--out", tmp_path)
    assert code == 1
    assert "best.py" not in out


def test_a_stopped_search_can_go_on(run, monkeypatch, tmp_path):
    def tune(*_, **__):
        raise StoppedError("Stopped by SIGTERM; the same command goes on.")

    monkeypatch.setattr(search, "tune", tune)
    code, _, err = run("tune", "--out", tmp_path)
    assert code == 75
    assert "the same command goes on" in err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["no_such"], "There is no recipe named 'no_such'; the nearest names are"),
        (["--timeout", 0], "--timeout should be above 0 minutes. Received: 0"),
        (["--max-macs", "many"], "--max-macs should be a number of at least 1 such as 70k"),
        (["--tuner", "grid"], "`tuner` should be one of 'random', 'bayesian', 'hyperband'"),
        (["--set", "l2"], "--set wants field=value. Received: 'l2'"),
        (["--seed", -1], "The seed should be an integer of at least 0"),
    ],
    ids=str,
)
def test_bad_input_is_a_sentence(arguments, sentence, run, tmp_path):
    code, _, err = run("tune", *arguments, "--out", tmp_path / "out")
    assert code == 2
    assert sentence in err
    assert not (tmp_path / "out").exists()


def test_the_search_is_public():
    assert "tune" in tuning.__all__
    assert tuning.tune is search.tune
