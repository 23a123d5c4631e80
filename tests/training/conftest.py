"""Runs that die, and runs that end alike."""

import numpy as np
import pytest

from keras_convnets.training.monitor import Monitor


class Killed(BaseException):
    """What kill -9 is to a loop: nothing after it runs."""


def _kill():
    raise Killed


@pytest.fixture
def killed():
    """What a run that `dying` ends raises."""
    return Killed


@pytest.fixture
def dying(monkeypatch):
    """A function that makes training die, without a word, after a step."""

    def apply(step, how=None):
        original = Monitor.on_train_batch_end

        def end(self, batch, logs=None):
            original(self, batch, logs)
            if self._job.progress.steps == step:
                (how or _kill)()

        monkeypatch.setattr(Monitor, "on_train_batch_end", end)
        return lambda: monkeypatch.setattr(Monitor, "on_train_batch_end", original)

    return apply


@pytest.fixture
def kill(dying, killed):
    """A function that trains until that dies, without a word, after a step."""

    def apply(step, begin):
        undo = dying(step)
        with pytest.raises(killed):
            begin()
        undo()

    return apply


@pytest.fixture
def assert_alike():
    """A function that makes sure that two runs ended alike, to the last bit of their weights."""

    def check(run, other):
        pairs = zip(run.load_model().get_weights(), other.load_model().get_weights(), strict=True)
        for a, b in pairs:
            np.testing.assert_array_equal(a, b)
        assert run.evaluation == other.evaluation
        assert run.skipped == other.skipped
        for row, expected in zip(run.history, other.history, strict=True):
            del row["seconds"], expected["seconds"]
            assert row == pytest.approx(expected, rel=1e-6)

    return check
