"""Schedules that watch the run, in whole runs."""

import numpy as np
import pytest

from keras_convnets.training import (
    Constant,
    Epochs,
    HeadPhase,
    Plateau,
    Steps,
    Warmup,
    choice,
    resume,
    train,
)


@pytest.fixture
def go(tiny_recipe, photo_folder, tmp_path):
    """A function that trains for four epochs of five steps."""

    def apply(name, schedule, *, quiet=True, **values):
        values = {"schedule": schedule, "length": Epochs(4), **values}
        recipe = tiny_recipe.replace(**{key: choice(item, "test") for key, item in values.items()})
        options = {"out": tmp_path / name, "checkpoint_every": 2, "quiet": quiet}
        return train(recipe, data=f"folder:{photo_folder}", **options)

    return apply


def rates(run):
    return [row["learning_rate"] for row in run.history]


# The loss of such a rate is the same in all epochs, but for rounding.
STILL = 1e-9


def test_the_rate_falls_behind_the_epoch_that_stalls(go, capsys):
    """No accuracy is better than that of the first epoch, and the patience is one."""
    run = go("run", Plateau(STILL, patience=Epochs(1), falls=2), quiet=False)
    np.testing.assert_allclose(rates(run), [STILL, STILL, STILL / 10, STILL / 100], rtol=1e-6)
    assert "From epoch 3 on the learning rate is 1e-10." in capsys.readouterr().out


def test_a_head_phase_is_no_part_of_what_is_watched(go):
    """Its two epochs count neither as best nor as stalled ones."""
    phase = HeadPhase(Epochs(2), Constant(0.5))
    run = go("run", Plateau(STILL, patience=Epochs(1)), head_phase=phase)
    np.testing.assert_allclose(rates(run), [0.5, 0.5, STILL, STILL], rtol=1e-6)


@pytest.mark.parametrize("step", [5, 12])  # at the end of an epoch, and within another
def test_a_resumed_run_has_the_rate_and_the_bits_of_an_unbroken_one(
    go, kill, assert_alike, tmp_path, step
):
    schedule = Plateau(0.05, factor=0.5, patience=Steps(5), watch="val_loss")
    unbroken = go("unbroken", schedule)
    kill(step, lambda: go("broken", schedule))
    resumed = resume(tmp_path / "broken", quiet=True)
    assert rates(resumed) == rates(unbroken)
    assert_alike(resumed, unbroken)


def test_a_warmup_ends_with_the_first_epoch_that_is_good_enough(go):
    run = go("run", Warmup(STILL, error=0.999, then=Constant(0.01)))
    np.testing.assert_allclose(rates(run), [STILL] + [0.01] * 3, rtol=1e-6)
