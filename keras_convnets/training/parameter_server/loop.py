"""The loop of an asynchronous run, in the process of the chief."""

import functools
import math
import time
from typing import Any

import tensorflow as tf

from keras_convnets.errors import DivergedError, InputError
from keras_convnets.files import write_json
from keras_convnets.training import curve
from keras_convnets.training import fit as synchronous
from keras_convnets.training.display import Display
from keras_convnets.training.job import Job
from keras_convnets.training.parameter_server.dispatch import Dispatcher
from keras_convnets.training.parameter_server.figures import Figures, summary_line
from keras_convnets.training.parameter_server.pipeline import batches_of_workers
from keras_convnets.training.parameter_server.steps import make_steps
from keras_convnets.training.parameter_server.twin import Twin
from keras_convnets.training.phases import Phases

FILE = "asynchronous.json"


def fit(job: Job) -> None:
    """Trains on the workers until the recipe's length is reached, or its early stop.

    The chief's own net takes part in nothing but evaluations and checkpoints: at those its weights,
    and all that the optimizer keeps, are those of the servers.

    Args:
        job: whose place has a `tf.distribute.ParameterServerStrategy`.

    Raises:
        InputError: if the recipe is not for this.
        StoppedError: if a signal asked to stop and a checkpoint was saved, or a server is gone.
        DivergedError: if the loss or a weight is not finite; the last good checkpoint is kept.
        UnreadableError: if a worker can't read an image; the last checkpoint is kept.
    """
    _check(job)
    loop = _Loop(job)
    synchronous.fit(job, loop.train_epoch)
    job.display.tell(summary_line(loop.write_figures()))


def _check(job: Job) -> None:
    recipe, settings = job.run.recipe, job.run.settings
    if recipe.head_phase.value is not None:
        raise InputError(
            "Under parameter servers a run has one phase; `--set head_phase=None`. "
            f"Received: {recipe.head_phase.value!r}"
        )
    if recipe.class_weights.value is not None:
        raise InputError(
            "Under parameter servers classes count alike; `--set class_weights=None`. "
            f"Received: {recipe.class_weights.value!r}"
        )
    if settings.accumulate != 1:
        raise InputError(
            "Under parameter servers the batch of each worker is an update, so nothing can be "
            f"accumulated. Received: accumulate={settings.accumulate}"
        )


class _Loop:
    """The servers and workers of a run."""

    def __init__(self, job: Job):
        self._job = job
        run, strategy = job.run, job.place.strategy
        self._twin = Twin(
            job.model,
            job.model.optimizer,
            strategy,
            len(job.place.role.parameter_servers),
            lambda model: Phases(
                model, run.recipe, run.settings.head, job.images.train.labels, job.steps_per_epoch
            ),
        )
        coordinator = tf.distribute.coordinator.ClusterCoordinator(strategy)
        # Every condition in it is a Python one: there is nothing to convert.
        make_batches = tf.autograph.experimental.do_not_convert(
            functools.partial(batches_of_workers, run.recipe, job.images, run.settings)
        )
        self._dispatcher = Dispatcher(
            coordinator,
            make_steps(self._twin, run.recipe, strategy),
            iter(coordinator.create_per_worker_dataset(make_batches)),
            len(job.place.role.workers),
        )
        self._figures = Figures(job.batch_size)
        self._surplus = 0
        self._ended = time.perf_counter()

    def train_epoch(self, job: Job, display: Display) -> None:
        """Trains from the position within an epoch to its end, with checkpoints on the way."""
        self._figures.rest(time.perf_counter() - self._ended)
        self._twin.phases.observe(job.run.history[: job.progress.epoch])
        settings = job.run.settings
        every = settings.checkpoint_every
        while job.steps_left > 0:
            nearest = min(
                each - job.progress.steps % each
                for each in (every, settings.evaluate_every or every)
            )
            self._train(min(job.steps_left, nearest), display)
            self._twin.pull()
            if curve.is_due(job):
                curve.evaluate_between(job)
            # Behind the last step of an epoch the epoch's own checkpoint follows.
            if (job.steps_left > 0 and job.progress.steps % every == 0) or job.stop.name:
                job.checkpoints.save()
                self.write_figures()
            if job.stop.name:
                break
        self._ended = time.perf_counter()

    def _train(self, count: int, display: Display) -> None:
        """Has some steps done; the position is then that of the servers."""
        progress = self._job.progress
        before, began, seconds = progress.steps, time.perf_counter(), progress.seconds
        asked = 0
        for steps, done in self._dispatcher.run(count, lambda: bool(self._job.stop.name)):
            asked += steps
            progress.step += steps
            progress.seconds = seconds + time.perf_counter() - began
            if done is None:
                continue
            self._figures.add(done)
            for name, total in (("loss", done.loss), ("top1", done.top1)):
                progress.sums[name] = progress.sums.get(name, 0.0) + float(total)
            if not math.isfinite(progress.sums["loss"]):
                raise DivergedError("The loss", before + asked)
            means = {name: total / progress.step for name, total in progress.sums.items()}
            rate = asked * self._job.batch_size / (progress.seconds - seconds)
            display.step(progress.epoch + 1, means, rate, steps)
        progress.steps = self._twin.steps()
        self._surplus += progress.steps - before - asked
        if progress.steps - before < asked:
            raise AssertionError(f"{before + asked - progress.steps} updates were lost")

    def write_figures(self) -> dict[str, Any]:
        """Replaces asynchronous.json, and returns its content."""
        figures = self._figures.summary(self._twin, self._surplus)
        write_json(self._job.run.path / FILE, figures)
        return figures
