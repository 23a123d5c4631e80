"""Keras Tuner's own tuners over our hyper-models, as users know them."""

import gc
import json
import os
import subprocess
import sys
from pathlib import Path

import keras_tuner
import numpy as np
import pytest
import tensorflow as tf

from keras_convnets.errors import InputError
from keras_convnets.tuning import HyperConvNet, Limits, fitting, tuners

# Keras Tuner 1.4.8 asks for the thread by an old name.
pytestmark = pytest.mark.filterwarnings("ignore:currentThread:DeprecationWarning")

DATA = {"input_shape": (32, 32, 1), "classes": 2}
ROOT = Path(__file__).parents[2]
TUNERS = {
    "random": (keras_tuner.RandomSearch, {"max_trials": 2}),
    "bayesian": (keras_tuner.BayesianOptimization, {"max_trials": 3, "num_initial_points": 2}),
    "hyperband": (keras_tuner.Hyperband, {"max_epochs": 2, "factor": 2}),
}


@pytest.fixture(params=TUNERS)
def kind(request):
    """A function from a hyper-model and options to one of the three tuners."""
    tuner, defaults = TUNERS[request.param]
    return lambda hyper_model, **options: tuner(hyper_model, **{**defaults, **options})


@pytest.fixture
def untrained(monkeypatch):
    """Trials take no time, and their score follows from the batch; those of one image fail."""
    batches = []

    def fit(model, recipe, *args, **kwargs):
        batch = recipe.batch_size.value
        batches.append(batch)
        if batch == 1:
            raise RuntimeError("a trial that fails")
        for callback in kwargs["callbacks"]:  # which keep the weights
            callback.set_model(model)
            callback.on_epoch_end(0, {"val_accuracy": 1 / batch})
        return {"val_accuracy": 1 / batch}

    monkeypatch.setattr(fitting, "fit", fit)
    monkeypatch.setattr(gc, "collect", lambda: 0)  # which takes longer than all else
    return batches


def trials_of(tuner):
    return [tuner.oracle.trials[key] for key in tuner.oracle.start_order]


def search(tuner):
    tuner.search(np.zeros((8, 32, 32, 1), np.uint8), np.arange(8) % 2, verbose=0)
    return [trial.status for trial in trials_of(tuner)]


def test_a_search_begins_with_the_recipe_and_keeps_the_best(kind, tiny_recipe, tmp_path, rng):
    """On arrays, with all trials trained; the best model has the weights of its score."""
    images = rng.integers(0, 256, (8, 32, 32, 1), np.uint8), rng.integers(0, 2, 8)
    tuner = kind(
        HyperConvNet(None, tiny_recipe, "rate,l2", **DATA),
        objective="val_accuracy",
        directory=tmp_path,
        seed=1,
    )
    tuner.search(*images, validation_data=images, epochs=1, verbose=0)
    trials = trials_of(tuner)
    assert {trial.status for trial in trials} == {"COMPLETED"}
    first, second = (trial.hyperparameters.values for trial in trials[:2])
    assert (first["rate"], first["l2"]) == (0.045, 1e-5)
    assert (second["rate"], second["l2"]) != (0.045, 1e-5)
    [best] = tuner.get_best_models()
    score = best.evaluate(*images, verbose=0)[1]
    assert score == pytest.approx(max(trial.score for trial in trials))


def infeasible(tiny_recipe, space, at_most):
    """A hyper-model whose batches of more than some images want too much memory."""
    limits = Limits(memory=Limits().check(tiny_recipe.scaled(batch_size=at_most), 1, 2).memory)
    return HyperConvNet(None, tiny_recipe, space, limits=limits, **DATA)


def test_infeasible_trials_are_no_failures(kind, tiny_recipe, tmp_path, untrained):
    """Most settings are infeasible, and three failures in a row would end the search."""
    tuner = kind(
        infeasible(tiny_recipe, "rate,batch=4|8|16|32", at_most=4),
        objective="val_accuracy",
        directory=tmp_path,
        seed=3,
    )
    tuner.oracle.max_trials = tuner.oracle.max_trials and 8
    statuses = search(tuner)
    assert "FAILED" not in statuses
    assert "INVALID, INVALID, INVALID" in ", ".join(statuses)
    assert set(untrained) == {4}
    assert statuses.count("COMPLETED") == len(untrained)
    refused = next(trial for trial in trials_of(tuner) if trial.status == "INVALID")
    assert "bytes of memory in training, where the limit is" in refused.message
    saved = json.loads(Path(tuner.get_trial_dir(refused.trial_id), "trial.json").read_text())
    assert saved["status"] == "INVALID"
    assert tuner.oracle.get_best_trials()[0].score == 0.25


def test_hyperband_fills_its_rounds_in_spite_of_infeasible_trials(tiny_recipe, tmp_path, untrained):
    """Brackets of 2 and 1 epochs want 2 + 1 and 2 trials that can be built."""
    tuner = keras_tuner.Hyperband(
        infeasible(tiny_recipe, "rate,batch=4|8|16|32", at_most=4),
        objective="val_accuracy",
        max_epochs=2,
        factor=2,
        directory=tmp_path,
        seed=3,
    )
    assert search(tuner).count("COMPLETED") == 5
    promoted = [t for t in trials_of(tuner) if t.hyperparameters.values["tuner/round"] == 1]
    assert [trial.status for trial in promoted] == ["COMPLETED"]


def test_failures_in_a_row_still_end_a_search(tiny_recipe, tmp_path, untrained):
    tuner = keras_tuner.RandomSearch(
        infeasible(tiny_recipe, "rate,batch=1", at_most=4),
        objective="val_accuracy",
        max_trials=40,
        directory=tmp_path,
        seed=2,
    )
    with pytest.raises(RuntimeError, match="consecutive failures exceeded the limit of 3"):
        search(tuner)
    assert [trial.status for trial in trials_of(tuner)][-3:] == ["FAILED"] * 3


def test_a_search_of_infeasible_trials_alone_ends(tiny_recipe, tmp_path, untrained, monkeypatch):
    monkeypatch.setattr(tuners, "MOST_INFEASIBLE", 5)
    hyper_model = infeasible(tiny_recipe, "rate,batch=" + "|".join(map(str, range(8, 38))), 4)
    tuner = keras_tuner.Hyperband(
        hyper_model, objective="val_accuracy", max_epochs=4, factor=2, directory=tmp_path, seed=1
    )
    with pytest.raises(InputError, match="last 5 trials were infeasible; raise the limits, or"):
        search(tuner)
    assert len(tuner.oracle.trials) == 1 + 5


def test_a_search_that_is_taken_up_does_not_begin_again(tiny_recipe, tmp_path, untrained):
    def tuner(max_trials):
        return keras_tuner.RandomSearch(
            HyperConvNet(None, tiny_recipe, "rate,batch", **DATA),
            objective="val_accuracy",
            max_trials=max_trials,
            directory=tmp_path,
            seed=1,
        )

    search(tuner(1))
    taken_up = tuner(3)
    assert search(taken_up) == ["COMPLETED"] * 3
    rates = [trial.hyperparameters.get("rate") for trial in trials_of(taken_up)]
    assert rates[0] == 0.045
    assert len(set(rates)) == 3


def test_hyperparameters_of_the_user_go_before_the_space(tiny_recipe, tmp_path, untrained):
    """As Keras Tuner's guide has it: one is fixed, and nothing else is tuned."""
    hp = keras_tuner.HyperParameters()
    hp.Fixed("rate", 0.5)
    tuner = keras_tuner.RandomSearch(
        HyperConvNet(None, tiny_recipe, "rate,batch", **DATA),
        objective="val_accuracy",
        hyperparameters=hp,
        max_trials=2,
        directory=tmp_path,
    )
    search(tuner)
    assert {trial.hyperparameters.get("rate") for trial in trials_of(tuner)} == {0.5}


def test_a_grid_begins_with_the_recipe_too(tiny_recipe, tmp_path, untrained):
    tuner = keras_tuner.GridSearch(
        HyperConvNet(None, tiny_recipe, "batch", **DATA),
        objective="val_accuracy",
        directory=tmp_path,
    )
    search(tuner)
    assert [trial.hyperparameters.get("batch") for trial in trials_of(tuner)] == [4, 2, 8]


def test_a_search_works_on_data_sets(tiny_recipe, tmp_path, rng):
    pairs = rng.integers(0, 256, (8, 32, 32, 1), np.uint8), rng.integers(0, 2, 8)
    batches = tf.data.Dataset.from_tensor_slices(pairs).batch(4)
    tuner = keras_tuner.RandomSearch(
        HyperConvNet(None, tiny_recipe, "rate", **DATA),
        objective=["val_loss", keras_tuner.Objective("val_accuracy", "max")],
        max_trials=1,
        directory=tmp_path,
    )
    tuner.search(batches, validation_data=batches, epochs=1, verbose=0)
    assert trials_of(tuner)[0].status == "COMPLETED"


@pytest.fixture(scope="module")
def mirrored():
    """What a search on two devices did."""
    found = subprocess.run(
        [sys.executable, Path(__file__).with_name("mirrored_search.py")],
        check=True,
        capture_output=True,
        timeout=300,
        cwd=ROOT,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    return json.loads(found.stdout.splitlines()[-1])


def test_trials_are_mirrored_on_the_devices_of_a_strategy(mirrored):
    """32 images in batches of 8 are 4 steps, of 4 images on each device."""
    assert mirrored["status"] == ["COMPLETED"] * 2
    assert (mirrored["replicas"], mirrored["copies"], mirrored["steps"]) == (2, 2, 4)
    assert mirrored["rate"] == pytest.approx(5e-4 * 8)
    assert mirrored["again"] == pytest.approx(mirrored["score"])
