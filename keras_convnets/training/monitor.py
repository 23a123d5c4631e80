"""What watches each step of a run."""

import math
import time

import keras

from keras_convnets.distribution.replicas import spread_seeds
from keras_convnets.errors import DivergedError
from keras_convnets.training import curve
from keras_convnets.training.job import Job


class Monitor(keras.callbacks.Callback):
    """Counts steps, watches the loss, moves the bar, and saves checkpoints in time.

    Args:
        job: a run that trains some steps of an epoch.
    """

    def __init__(self, job: Job):
        super().__init__()
        self._job = job
        self._carried = dict(job.progress.sums)  # of the steps before a resume
        self._began = time.perf_counter()
        self._counters = [
            variable
            for variable in (*job.model.variables, *job.model.optimizer.variables)
            if not keras.backend.is_float_dtype(variable.dtype)
        ]
        self._counts = [variable.numpy() for variable in self._counters]

    def undo_count(self) -> None:
        """Takes back what a step that got no batch has counted.

        The states of random generators and the optimizer's number of steps need no batch to go on,
        so that TensorFlow may do it before it is there.
        """
        for variable, value in zip(self._counters, self._counts, strict=True):
            variable.assign(value)
        spread_seeds(self._job.place, self._job.model)

    def on_train_batch_end(self, batch, logs=None):
        progress = self._job.progress
        self._counts = [variable.numpy() for variable in self._counters]
        now = time.perf_counter()
        seconds, self._began = now - self._began, now
        progress.step += 1
        progress.steps += 1
        progress.seconds += seconds
        # Keras reports the mean over the steps of this `fit`, and names metrics by their output if
        # there are several.
        progress.sums = {
            name: self._carried.get(name, 0.0) + float(mean) * (batch + 1)
            for name, mean in _main_metrics(logs).items()
        }
        if not math.isfinite(float(logs["loss"])):
            raise DivergedError("The loss", progress.steps)
        means = {name: total / progress.step for name, total in progress.sums.items()}
        self._job.display.step(
            progress.epoch + 1, means, progress.steps * self._job.batch_size / progress.seconds
        )
        if curve.is_due(self._job):
            curve.evaluate_between(self._job)
            self._began = time.perf_counter()
        is_due = progress.steps % self._job.run.settings.checkpoint_every == 0
        # After the last step of an epoch the epoch's own checkpoint follows.
        if self._job.steps_left and (is_due or self._job.stop.name):
            self._job.checkpoints.save()
            self._began = time.perf_counter()
        if self._job.stop.name:
            self.model.stop_training = True


def _main_metrics(logs: dict[str, float]) -> dict[str, float]:
    """The loss and top-1, which a net with auxiliary heads reports for its main output by name."""
    return {"loss": logs["loss"], "top1": logs.get("predictions_top1", logs.get("top1"))}
