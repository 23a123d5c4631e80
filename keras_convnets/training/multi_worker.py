"""The steps of a run that several processes share: Keras' `fit` is not made for them.

Keras 3.15's `fit` raises under MultiWorkerMirroredStrategy before the first step
(keras-team/keras#20585). All else is the loop of `fit`: each process runs it, with the same
numbers, and so takes the same decisions.
"""

import functools
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from keras_convnets.data import Worker
from keras_convnets.distribution.replicas import naming_lost_processes, share
from keras_convnets.stopping import StopRequest
from keras_convnets.training import fit as loop
from keras_convnets.training.job import Job
from keras_convnets.training.monitor import Monitor
from keras_convnets.training.shared_net import next_together


def fit(job: Job) -> None:
    """Trains in all processes until the recipe's length is reached, or its early stop.

    Args:
        job: whose place has a `tf.distribute.MultiWorkerMirroredStrategy`.

    Raises:
        StoppedError: if one process was asked to stop and a checkpoint was saved, or one is gone.
        DivergedError: see `fit.fit`.
        UnreadableError: see `fit.fit`.
    """
    # A signal reaches one process, some time; all shall stop behind the same step.
    own, job.stop = job.stop, StopRequest()
    loop.fit(job, functools.partial(loop.train_epoch_by, _Steps(own)))


class _Steps:
    """Trains for some steps of an epoch.

    Args:
        own_stop: what was asked of this process.
    """

    def __init__(self, own_stop: StopRequest):
        self._own_stop = own_stop
        self._phase, self._step = None, None

    def __call__(self, job: Job, steps: int) -> None:
        place, progress = job.place, job.progress
        batches = loop.training_input(
            job.model,
            job.run.recipe,
            job.images,
            job.run.settings,
            epoch=progress.epoch,
            first_step=progress.step,
            worker=Worker(place.process, place.processes),
        )
        batches = iter(batches.take(steps))
        monitor = Monitor(job)
        monitor.set_model(job.model)
        with naming_lost_processes(place):
            job.model.reset_metrics()
        for number in range(steps):
            batch, is_stop = next_together(batches, place, self._own_stop.name is not None)
            if is_stop:
                job.stop.name = self._own_stop.name or "a signal to another worker"
            with naming_lost_processes(place):
                if self._phase is not job.phases.current:
                    self._phase, self._step = job.phases.current, _make_step(job, batch)
                logs = self._step(share(place, batch))
            monitor.on_train_batch_end(number, logs)
            if job.model.stop_training:
                return


def _make_step(job: Job, batch: tuple) -> Callable[[Any], dict[str, float]]:
    """Returns what trains on one batch, which the replicas share, and gives the means so far."""
    model, strategy = job.model, job.place.strategy
    with strategy.scope():
        model._symbolic_build(data_batch=batch)  # makes the variables of metrics, as `fit` does
    names: list[str] = []

    def train(data):
        logs = model.train_step(data)
        names[:] = sorted(logs)
        return tf.stack([tf.cast(logs[name], tf.float64) for name in names])

    @tf.function
    def train_all(data):
        return strategy.reduce("MEAN", strategy.run(train, args=(data,)), axis=None)

    def step(data):
        means = train_all(data)
        return dict(zip(names, means.numpy().tolist(), strict=True))

    return step
