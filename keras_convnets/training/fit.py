"""The loop of a run: epochs, by Keras' `fit` or other steps, with everything kept on the way."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from keras_convnets.data import ImageSet, Worker, training_batches
from keras_convnets.distribution.replicas import of_first
from keras_convnets.files import replacing
from keras_convnets.recursion import deep_graphs
from keras_convnets.training import curve
from keras_convnets.training.averaging import averaged
from keras_convnets.training.display import Display
from keras_convnets.training.fine_tuning import best_epoch
from keras_convnets.training.job import Job
from keras_convnets.training.monitor import Monitor
from keras_convnets.training.recipe import Recipe
from keras_convnets.training.run import Settings

TakeSteps = Callable[[Job, int], None]


def fit(job: Job, train_epoch: Callable[[Job, Display], None] | None = None) -> None:
    """Trains until the recipe's length is reached, or its early stop.

    Args:
        job: what and how.
        train_epoch: trains from the position within an epoch to its end, or until someone asks to
            stop; by Keras' `fit` if `None`.

    Raises:
        StoppedError: if a signal asked to stop; a checkpoint was saved.
        DivergedError: if the loss or a weight is not finite; the last good checkpoint is kept.
        UnreadableError: if too many images can't be read; the last checkpoint is kept.
    """
    progress, display = job.progress, job.display
    train_epoch = train_epoch or functools.partial(train_epoch_by, _fit_steps)
    rows = job.run.history[: progress.epoch]
    curve.drop_undone(job)
    job.phases.observe(rows)
    board = _summary_writer(job)
    with display, board.as_default():
        # A kill may have come between the last step and the epoch's row: then the row is missing.
        while (progress.steps < job.total_steps or progress.step) and not job.ends_early(rows):
            train_epoch(job, display)
            if job.steps_left > 0:
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


def _summary_writer(job: Job) -> tf.summary.SummaryWriter:
    if not job.run.writes:
        return tf.summary.create_noop_writer()
    return tf.summary.create_file_writer(str(job.run.path / "tensorboard"))


def train_epoch_by(take_steps: TakeSteps, job: Job, display: Display) -> None:
    """Trains from the position within an epoch to the epoch's end, in one phase or several.

    Args:
        take_steps: trains for some steps of one epoch and one phase, or until someone asks to stop;
            what can't be read for the step at the position is an OpError.
        job: what and how.
        display: of the job.
    """
    job.model.stop_training = False
    while job.steps_left:
        with job.place.scope():
            phase = job.phases.enter(job.progress.steps)
        if phase.about and job.progress.steps == phase.first_step:
            display.tell(f"From epoch {job.progress.epoch + 1} on {phase.about}.")
        last = min(job.progress.steps + job.steps_left, phase.last_step)
        while job.progress.steps < last and not job.model.stop_training:
            try:
                take_steps(job, last - job.progress.steps)
            except tf.errors.OpError as error:
                job.skip_in_batch(error)
        if job.model.stop_training:  # someone asked to stop
            return


def _fit_steps(job: Job, steps: int) -> None:
    progress, run = job.progress, job.run
    batches = training_input(
        job.model,
        run.recipe,
        job.images,
        run.settings,
        epoch=progress.epoch,
        first_step=progress.step,
    )
    monitor = Monitor(job)
    try:
        job.model.fit(batches.take(steps), verbose=0, shuffle=False, callbacks=[monitor])
    except tf.errors.OpError:
        monitor.undo_count()
        raise


def training_input(
    model: keras.Model, recipe: Recipe, images: ImageSet, settings: Settings, **position: Any
) -> tf.data.Dataset:
    """Returns the batches that a run trains on, which its net scales.

    Args:
        model: the net.
        recipe: the recipe of the run.
        images: its data.
        settings: of the run.
        **position: `epoch`, `epochs`, `first_step` and `worker` of `training_batches`.
    """
    batch_size = recipe.batch_size.value
    batches = training_batches(
        images.train,
        dataclasses.replace(settings.preprocessing, mode="raw"),
        recipe.augmentation.value,
        batch_size,
        classes=len(images.classes),
        seed=settings.seed,
        **position,
    )
    heads, worker = model.output, position.get("worker", Worker())
    share = worker.share(batch_size)

    def finish(images, labels):
        # No batch is smaller; replicas divide them, and a TPU wants to know.
        images, labels = (tf.ensure_shape(t, (share, *t.shape[1:])) for t in (images, labels))
        # Every head learns the same labels.
        return images, dict.fromkeys(heads, labels) if isinstance(heads, dict) else labels

    return batches.map(finish)


def _end_epoch(job: Job, rows: list[dict[str, float]]) -> dict[str, float]:
    """Evaluates the net with averaged weights if it has them, and keeps the best so far.

    Args:
        job: a run at the end of an epoch.
        rows: the rows of the epochs before.

    Returns:
        The row of the epoch.
    """
    progress = job.progress
    job.unite()
    raw = job.evaluate_raw("validation")
    with averaged(job.model):
        scores = job.evaluate("validation")
        is_best = all(scores.loss < row["val_loss"] for row in rows)
        if job.run.recipe.early_stop.value is not None and is_best and job.run.writes:
            job.best_weights.parent.mkdir(exist_ok=True)
            with replacing(job.best_weights) as temporary, deep_graphs():
                job.model.save_weights(temporary)
    means = {name: total / progress.step for name, total in progress.sums.items()}
    figures = {
        "loss": means["loss"],
        "top1": means["top1"],
        **curve.validation_columns(scores, raw),
    }
    # Processors differ in last bits, and by these figures all processes take the same decisions.
    same = dict(zip(figures, of_first(job.place, list(figures.values())), strict=True))
    return {
        "epoch": progress.epoch + 1,
        "step": progress.steps,
        "samples": progress.steps * job.batch_size,
        "seconds": round(progress.seconds, 3),
        "learning_rate": float(job.model.optimizer.learning_rate),
        **same,
    }
