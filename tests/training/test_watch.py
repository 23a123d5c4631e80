"""Evaluation beside training: the figures that the run itself finds."""

import importlib

import pytest

from keras_convnets import recipes, training
from keras_convnets.errors import InputError

watch_module = importlib.import_module("keras_convnets.training.watch")

RECIPE = training.smoke(recipes.get("inception_v2_imagenet"))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return training.train(
        RECIPE, out=tmp_path_factory.mktemp("watched") / "run", checkpoint_every=3, quiet=True
    )


def test_a_finished_run_has_its_last_checkpoint_evaluated_once(run):
    (row,) = training.watch(run.path, quiet=True)
    last = run.history[-1]
    for name in ("step", "samples", "val_loss", "val_top1", "val_top5"):
        assert row[name] == pytest.approx(last[name], rel=1e-6)
    assert list(training.watch(run.path, quiet=True)) == []
    assert (run.path / "watched.csv").read_text().startswith("step,samples,val_loss,val_top1")


def test_each_new_checkpoint_is_evaluated_until_the_run_is_done(
    tmp_path, dying, killed, monkeypatch
):
    path, revive = tmp_path / "run", dying(9)
    with pytest.raises(killed):
        training.train(RECIPE, out=path, checkpoint_every=3, quiet=True)
    revive()
    watching, waits = training.watch(path, quiet=True), []

    def wait(seconds):
        """The run goes on while the watch sleeps."""
        waits.append(seconds)
        training.resume(path, quiet=True)

    monkeypatch.setattr(watch_module.time, "sleep", wait)
    assert [row["step"] for row in watching] == [9, 24]
    assert len(waits) == 1


def test_a_watch_of_no_run_says_so(tmp_path):
    with pytest.raises(InputError, match="is not a run"):
        next(training.watch(tmp_path))
