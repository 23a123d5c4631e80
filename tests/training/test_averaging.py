"""Averages of the weights against their formulas, and beside the raw ones."""

import csv
import inspect

import keras
import numpy as np
import pytest

from keras_convnets.training import (
    SGD,
    Epochs,
    MovingAverage,
    PolyakMean,
    Steps,
    choice,
    resume,
    train,
)
from keras_convnets.training.averaging import average_of, averaged
from keras_convnets.training.model import normalizations
from keras_convnets.training.optimizers import build_optimizer


def exponential(path, decay):
    """Of the weights before the first step and behind each."""
    average = path[1]
    for w in path[2:]:
        average = decay * average + (1 - decay) * w
    return average


def ramped(path, decay):
    """papers.md 14: d = min(decay, (1 + t) / (10 + t)), from the first weights on."""
    average = path[0]
    for t, w in enumerate(path[1:]):
        d = min(decay, (1 + t) / (10 + t))
        average = d * average + (1 - d) * w
    return average


@pytest.mark.parametrize(
    ("rule", "formula"),
    [
        (0.8, lambda path: exponential(path, 0.8)),
        (MovingAverage(0.8, ramp=False), lambda path: exponential(path, 0.8)),
        (MovingAverage(0.3), lambda path: ramped(path, 0.3)),
        (MovingAverage(0.9999), lambda path: ramped(path, 0.9999)),
        (PolyakMean(), lambda path: np.mean(path[1:], axis=0)),
        (PolyakMean(Steps(2)), lambda path: np.mean(path[3:], axis=0)),
        (PolyakMean(Epochs(1)), lambda path: np.mean(path[6:], axis=0)),  # 5 steps
        (PolyakMean(Steps(50)), lambda path: path[-1]),
    ],
    ids=lambda value: None if inspect.isfunction(value) else repr(value),
)
@pytest.mark.usefixtures("double_precision")
def test_averages_equal_their_formula_and_leave_the_raw_weights(rule, formula, rng):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, use_bias=False)])
    share = average_of(rule).build(steps_per_epoch=5, batch_size=4, first_step=0)
    model.compile(build_optimizer(SGD(0.5), 0.1, share=share), loss="mse")
    w, v, path = np.array([1.0, -2.0]), np.zeros(2), [np.array([1.0, -2.0])]
    model.set_weights([w[:, None]])  # behind the building of the optimizer, as loaded weights come
    x = rng.normal(size=(4, 2))
    for _ in range(7):
        model.train_on_batch(x, np.zeros((4, 1)))
        v = 0.5 * v - 0.1 * 2 * x.T @ (x @ w) / 4
        w = w + v
        path.append(w)
    np.testing.assert_allclose(model.get_weights()[0][:, 0], w, rtol=1e-12)
    with averaged(model):
        np.testing.assert_allclose(model.get_weights()[0][:, 0], formula(path), rtol=1e-12)
    np.testing.assert_allclose(model.get_weights()[0][:, 0], w, rtol=1e-12)


def test_the_start_of_a_mean_counts_from_the_run_and_not_from_its_second_phase():
    share = PolyakMean(Steps(10)).build(steps_per_epoch=5, batch_size=4, first_step=8)
    assert [float(share(updates)) for updates in range(5)] == pytest.approx([1, 1, 1, 1 / 2, 1 / 3])


def test_statistics_of_batch_normalization_are_averaged_with_the_weights(rng):
    """The mean of the moving means; TensorFlow's trainer of Inception-v3 averages them, too."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.BatchNormalization(momentum=0.5)])
    [layer] = normalizations(model)
    statistics = [layer.moving_mean, layer.moving_variance]
    share = PolyakMean().build(1, 4, 0)
    model.compile(build_optimizer(SGD(), 0.1, share=share, statistics=statistics), loss="mse")
    path = []
    for _ in range(3):
        model.train_on_batch(rng.normal(2.0, 3.0, size=(4, 3)), np.zeros((4, 3)))
        path.append([variable.numpy().copy() for variable in statistics])
    with averaged(model):
        for variable, values in zip(statistics, zip(*path, strict=True), strict=True):
            np.testing.assert_allclose(variable.numpy(), np.mean(values, axis=0), rtol=1e-5)
    for variable, value in zip(statistics, path[-1], strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)


@pytest.fixture
def go(tiny_recipe, photo_folder, tmp_path):
    """A function that trains with an average of the weights."""

    def apply(name, ema):
        recipe = tiny_recipe.replace(ema=choice(ema, "test"))
        options = {"out": tmp_path / name, "checkpoint_every": 1, "quiet": True}
        return train(recipe, data=f"folder:{photo_folder}", **options)

    return apply


def test_a_run_tells_of_both_and_says_which_it_saved(go):
    """A mean that begins behind the end is the raw weights; another one is not."""
    same, other = go("same", PolyakMean(Epochs(9))), go("other", PolyakMean())
    for run in (same, other):
        with (run.path / "history.csv").open() as file:
            assert next(csv.reader(file))[-2:] == ["val_loss_raw", "val_top1_raw"]
        assert run.evaluation["weights"] == "averaged"
        assert "are of averaged weights (PolyakMean(start=" in run.report.read_text()
        assert "validation images they have top-1 " in run.report.read_text()
    for row in same.history:
        assert row["val_loss"] == row["val_loss_raw"]
    assert same.evaluation["loss"] == same.evaluation["loss_raw"]
    assert other.history[-1]["val_loss"] != other.history[-1]["val_loss_raw"]
    assert other.evaluation["loss"] != other.evaluation["loss_raw"]
    # What is raw does not depend on the average.
    assert other.history[-1]["val_loss_raw"] == same.history[-1]["val_loss_raw"]


def test_a_run_without_an_average_has_one_figure(go):
    run = go("plain", None)
    assert "val_loss_raw" not in run.history[0]
    assert (run.evaluation["weights"], "loss_raw" in run.evaluation) == ("raw", False)
    assert "averaged" not in run.report.read_text()


def test_a_run_with_a_mean_of_weights_dies_and_ends_with_the_same_bits(
    go, kill, assert_alike, tmp_path
):
    unbroken = go("unbroken", PolyakMean(Steps(2)))
    kill(7, lambda: go("broken", PolyakMean(Steps(2))))
    assert_alike(resume(tmp_path / "broken", quiet=True), unbroken)
