"""Evaluations between epochs."""

import csv

import numpy as np
import pytest

from keras_convnets.errors import InputError
from keras_convnets.training import PolyakMean, Run, choice, fit, resume, train
from keras_convnets.training.run import COLUMNS


@pytest.fixture
def go(tiny_recipe, photo_folder, tmp_path):
    """A function that trains for two epochs of five steps."""

    def apply(name, every, **values):
        recipe = tiny_recipe.replace(**{key: choice(item, "test") for key, item in values.items()})
        options = {"out": tmp_path / name, "checkpoint_every": 2, "quiet": True}
        return train(recipe, data=f"folder:{photo_folder}", evaluate_every=every, **options)

    return apply


def assert_same_weights(run, other):
    pairs = zip(run.load_model().get_weights(), other.load_model().get_weights(), strict=True)
    for a, b in pairs:
        np.testing.assert_array_equal(a, b)


def test_a_curve_has_its_steps_and_the_ends_of_epochs(go):
    run = go("run", 2)
    with (run.path / "curve.csv").open() as file:
        assert next(csv.reader(file)) == list(COLUMNS[1:])
    assert [row["step"] for row in run.curve] == [2, 4, 5, 6, 8, 10]
    ends = [row for row in run.curve if row["step"] in (5, 10)]
    for row, end in zip(run.history, ends, strict=True):
        for name in ("samples", "learning_rate", "val_loss", "val_top1", "val_top5"):
            assert row[name] == end[name]
    assert run.curve[0]["val_loss"] != run.curve[1]["val_loss"]


def test_losses_of_a_curve_are_of_the_steps_since_the_row_before(go):
    """Weighted by their steps those of an epoch have its mean."""
    coarse, fine = go("coarse", 2), go("fine", 1)
    losses = [row["loss"] for row in fine.curve]
    for row, expected in zip(
        coarse.curve,
        [np.mean(losses[:2]), np.mean(losses[2:4]), losses[4]],
        strict=False,
    ):
        assert row["loss"] == pytest.approx(expected, rel=1e-5)
    assert coarse.history[1]["loss"] == pytest.approx(np.mean(losses[5:]), rel=1e-5)


def test_evaluations_change_no_weight(go):
    with_them, without = go("with", 2), go("without", None)
    assert_same_weights(with_them, without)
    assert not (without.path / "curve.csv").exists()
    assert without.curve == without.history


@pytest.mark.parametrize("step", [3, 5, 9])  # a checkpoint behind, at the end, rows beyond it
def test_a_killed_and_resumed_run_has_the_curve_of_an_unbroken_one(
    go, dying, killed, tmp_path, step
):
    unbroken = go("unbroken", 1, ema=PolyakMean())
    undo = dying(step)
    with pytest.raises(killed):
        go("broken", 1, ema=PolyakMean())
    undo()
    broken = Run(tmp_path / "broken")
    assert broken.curve[-1]["step"] == step - (step == 5)
    resumed = resume(broken.path, quiet=True)
    assert_same_weights(resumed, unbroken)
    assert [row["step"] for row in resumed.curve] == list(range(1, 11))
    assert resumed.curve[2]["val_loss"] != resumed.curve[2]["val_loss_raw"]  # of the average
    for row, expected in zip(resumed.curve, unbroken.curve, strict=True):
        assert row.pop("seconds") > 0
        expected.pop("seconds")
        for name in ("loss", "top1"):
            assert row.pop(name) == pytest.approx(expected.pop(name), abs=1e-5)
        assert row == expected


def test_rows_that_a_kill_undid_are_dropped_at_once(go, dying, killed, tmp_path, monkeypatch):
    """The row is of step 3, and the checkpoint of step 2."""

    def die(job, steps):
        raise killed

    undo = dying(3)
    with pytest.raises(killed):
        go("run", 3)
    undo()
    run = Run(tmp_path / "run")
    assert [row["step"] for row in run.curve] == [3]
    monkeypatch.setattr(fit, "_fit_steps", die)
    with pytest.raises(killed):
        resume(run.path, quiet=True)
    assert run.curve == []


def test_steps_between_evaluations_are_checked(go, tmp_path):
    with pytest.raises(InputError, match="Steps between evaluations.*Received: 0"):
        go("run", 0)
    assert not (tmp_path / "run").exists()
