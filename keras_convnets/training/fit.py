"""The loop of a run on one device: epochs through Keras' `fit`, with everything kept on the way."""

import dataclasses
import math
import time

import keras
import tensorflow as tf

from keras_convnets.data import ImageSet, training_batches
from keras_convnets.errors import DivergedError
from keras_convnets.files import replacing
from keras_convnets.recursion import deep_graphs
from keras_convnets.training import curve
from keras_convnets.training.averaging import averaged
from keras_convnets.training.display import Display
from keras_convnets.training.fine_tuning import best_epoch
from keras_convnets.training.job import Job
from keras_convnets.training.recipe import Recipe
from keras_convnets.training.run import Settings


class _Monitor(keras.callbacks.Callback):
    """Counts steps, watches the loss, moves the bar, and saves checkpoints in time."""

    def __init__(self, job: Job, display: Display):
        super().__init__()
        self._job = job
        self._display = display
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
        self._display.step(
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


def fit(job: Job) -> None:
    """Trains until the recipe's length is reached, or its early stop.

    Raises:
        StoppedError: if a signal asked to stop; a checkpoint was saved.
        DivergedError: if the loss or a weight is not finite; the last good checkpoint is kept.
        UnreadableError: if too many images can't be read; the last checkpoint is kept.
    """
    progress, display = job.progress, job.display
    rows = job.run.history[: progress.epoch]
    curve.drop_undone(job)
    job.phases.observe(rows)
    board = tf.summary.create_file_writer(str(job.run.path / "tensorboard"))
    with display, board.as_default():
        # A kill may have come between the last step and the epoch's row: then the row is missing.
        while (progress.steps < job.total_steps or progress.step) and not job.ends_early(rows):
            _fit_epoch(job, display)
            if job.steps_left:
                job.check_stop()
            rows.append(_end_epoch(job, rows))
            job.run.write_history(rows)
            curve.add(job, {name: rows[-1][name] for name in rows[-1] if name.startswith("val_")})
            if job.phases.observe(rows) and progress.steps < job.total_steps:
                rate = float(job.model.optimizer.learning_rate)
                display.tell(f"From epoch {progress.epoch + 2} on the learning rate is {rate:g}.")
            progress.end_epoch()
            job.checkpoints.save()
            for name, value in rows[-1].items():
                tf.summary.scalar(name, value, step=progress.steps)
            board.flush()
            per_step = progress.seconds / progress.steps
            display.epoch(
                rows[-1], job.batch_size / per_step, (job.total_steps - progress.steps) * per_step
            )
            job.check_stop()
        if job.run.recipe.early_stop.value is not None:
            best = best_epoch([row["val_loss"] for row in rows]) + 1
            display.tell(f"The least validation loss was that of epoch {best}: its weights stay.")


def _fit_epoch(job: Job, display: Display) -> None:
    """Trains from the position within an epoch to the epoch's end, in one phase or several."""
    while job.steps_left:
        phase = job.phases.enter(job.progress.steps)
        if phase.about and job.progress.steps == phase.first_step:
            display.tell(f"From epoch {job.progress.epoch + 1} on {phase.about}.")
        _fit_stretch(job, display, min(job.steps_left, phase.last_step - job.progress.steps))
        if job.model.stop_training:  # someone asked to stop
            return


def _fit_stretch(job: Job, display: Display, steps: int) -> None:
    """Trains for some steps of one epoch and one phase, past images that can't be read."""
    last = job.progress.steps + steps
    while True:
        try:
            _fit_steps(job, display, last - job.progress.steps)
            return
        except tf.errors.OpError as error:
            job.skip_in_batch(error)


def _fit_steps(job: Job, display: Display, steps: int) -> None:
    progress, run = job.progress, job.run
    batches = training_input(
        job.model,
        run.recipe,
        job.images,
        run.settings,
        epoch=progress.epoch,
        first_step=progress.step,
    )
    monitor = _Monitor(job, display)
    try:
        job.model.fit(batches.take(steps), verbose=0, shuffle=False, callbacks=[monitor])
    except tf.errors.OpError:
        monitor.undo_count()
        raise


def training_input(
    model: keras.Model, recipe: Recipe, images: ImageSet, settings: Settings, **position: int | None
) -> tf.data.Dataset:
    """Returns the batches that a run trains on, which its net scales.

    Args:
        model: the net.
        recipe: the recipe of the run.
        images: its data.
        settings: of the run.
        **position: `epoch`, `epochs` and `first_step` of `training_batches`.
    """
    batches = training_batches(
        images.train,
        dataclasses.replace(settings.preprocessing, mode="raw"),
        recipe.augmentation.value,
        recipe.batch_size.value,
        classes=len(images.classes),
        seed=settings.seed,
        **position,
    )
    heads = model.output
    if isinstance(heads, dict):  # every head learns the same labels
        batches = batches.map(lambda images, labels: (images, dict.fromkeys(heads, labels)))
    return batches


def _main_metrics(logs: dict[str, float]) -> dict[str, float]:
    """The loss and top-1, which a net with auxiliary heads reports for its main output by name."""
    return {"loss": logs["loss"], "top1": logs.get("predictions_top1", logs.get("top1"))}


def _end_epoch(job: Job, rows: list[dict[str, float]]) -> dict[str, float]:
    """Evaluates the net with averaged weights if it has them, and keeps the best so far.

    Args:
        job: a run at the end of an epoch.
        rows: the rows of the epochs before.

    Returns:
        The row of the epoch.
    """
    progress = job.progress
    raw = job.evaluate_raw("validation")
    with averaged(job.model):
        scores = job.evaluate("validation")
        if job.run.recipe.early_stop.value is not None and all(
            scores.loss < row["val_loss"] for row in rows
        ):
            job.best_weights.parent.mkdir(exist_ok=True)
            with replacing(job.best_weights) as temporary, deep_graphs():
                job.model.save_weights(temporary)
    means = {name: total / progress.step for name, total in progress.sums.items()}
    return {
        "epoch": progress.epoch + 1,
        "step": progress.steps,
        "samples": progress.steps * job.batch_size,
        "seconds": round(progress.seconds, 3),
        "learning_rate": float(job.model.optimizer.learning_rate),
        "loss": means["loss"],
        "top1": means["top1"],
        **curve.validation_columns(scores, raw),
    }
