"""Runs that die."""

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
