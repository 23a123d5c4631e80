"""The loop of a run on one device: epochs through Keras' `fit`, with everything kept on the way."""

import dataclasses
import functools
import math
import time
from collections.abc import Sequence
from pathlib import Path

import keras
import tensorflow as tf

from keras_convnets.data import (
    ImageSet,
    Preprocessing,
    Split,
    evaluation_batches,
    naming_faults,
    training_batches,
)
from keras_convnets.errors import DivergedError, StoppedError
from keras_convnets.evaluation import (
    Evaluation,
    MultiLabelEvaluation,
    evaluate,
    evaluate_multi_label,
)
from keras_convnets.files import replacing
from keras_convnets.recursion import deep_graphs
from keras_convnets.training.averaging import averaged, has_average
from keras_convnets.training.checkpoint import Checkpoints, Progress
from keras_convnets.training.display import Display
from keras_convnets.training.fine_tuning import best_epoch
from keras_convnets.training.model import main_output
from keras_convnets.training.phases import Phases
from keras_convnets.training.recipe import Recipe
from keras_convnets.training.run import Run, Settings
from keras_convnets.training.stop import StopRequest

# Figures of the validation images that become columns of history.csv, where they are there.
WATCHED = ("loss", "top1", "top5", "map_at_100")
# Those of the raw weights where evaluation uses averaged ones.
WATCHED_RAW = ("loss", "top1", "map_at_100")


@dataclasses.dataclass
class Job:
    """A run at work."""

    run: Run
    images: ImageSet
    model: keras.Model
    phases: Phases
    progress: Progress
    checkpoints: Checkpoints
    steps_per_epoch: int
    stop: StopRequest
    quiet: bool

    @functools.cached_property
    def main(self) -> keras.Model:
        """The net with its main output only; made once, for each is traced anew."""
        return main_output(self.model)

    @property
    def preprocessing(self) -> Preprocessing:
        """How an image becomes the input of the net, which scales its bytes on its own device."""
        return dataclasses.replace(self.run.settings.preprocessing, mode="raw")

    @property
    def batch_size(self) -> int:
        """Images in a step."""
        return self.run.recipe.batch_size.value

    @property
    def evaluation_batch_size(self) -> int:
        """Images to evaluate at once: a step's, or more where steps are tiny."""
        return max(self.batch_size, 32)

    @property
    def total_steps(self) -> int:
        """Steps of the whole run."""
        return self.run.recipe.length.value.steps(self.steps_per_epoch, self.batch_size)

    @property
    def steps_left(self) -> int:
        """Steps from the position to the end of this epoch, or of the run."""
        progress = self.progress
        return min(self.steps_per_epoch - progress.step, self.total_steps - progress.steps)

    @property
    def best_weights(self) -> Path:
        """Where the weights of the best epoch are, if the recipe wants to end with them."""
        return self.run.path / "checkpoints" / "best.weights.h5"

    def ends_early(self, rows: list[dict[str, float]]) -> bool:
        """Whether the run ends behind these epochs, although its length is not reached."""
        rule = self.run.recipe.early_stop.value
        losses = [row["val_loss"] for row in rows]
        return rule is not None and rule.is_due(losses, self.phases.head_epochs)

    def evaluate(
        self, split: Split, name: str, thresholds: Sequence[float] | None = None
    ) -> Evaluation | MultiLabelEvaluation:
        """Evaluates the net with the weights that it has.

        Args:
            split: images.
            name: of the split.
            thresholds: of each class, if images may have several labels and they are known.

        Raises:
            DivergedError: if its outputs are not finite.
        """
        batches = evaluation_batches(
            split,
            self.preprocessing,
            self.evaluation_batch_size,
            classes=len(self.images.classes),
        )
        with naming_faults(split):
            if split.is_multi_label:
                scores = evaluate_multi_label(self.main, batches, thresholds)
            else:
                scores = evaluate(self.main, batches)
        if not math.isfinite(scores.loss):
            raise DivergedError(f"The {name} loss", self.progress.steps)
        return scores

    def evaluate_raw(self, split: Split, name: str) -> dict[str, float]:
        """Evaluates the weights that learn, if the run is for averaged ones.

        Args:
            split: images.
            name: of the split.

        Returns:
            Figures by name, such as "top1_raw"; none if nothing is averaged.
        """
        if not has_average(self.model):
            return {}
        figures = self.evaluate(split, name).figures
        return {f"{figure}_raw": figures[figure] for figure in WATCHED_RAW if figure in figures}

    def check_stop(self) -> None:
        """Raises `StoppedError` if someone asked to stop; the state must be saved before."""
        if self.stop.name:
            raise StoppedError(
                f"Stopped by {self.stop.name} at step {self.progress.steps} of {self.total_steps}; "
                f"`keras-convnets train --resume {self.run.path}` goes on from there."
            )


class _Monitor(keras.callbacks.Callback):
    """Counts steps, watches the loss, moves the bar, and saves checkpoints in time."""

    def __init__(self, job: Job, display: Display):
        super().__init__()
        self._job = job
        self._display = display
        self._carried = dict(job.progress.sums)  # of the steps before a resume
        self._began = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        progress = self._job.progress
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
    """
    progress, epochs = job.progress, math.ceil(job.total_steps / job.steps_per_epoch)
    rows = job.run.history[: progress.epoch]
    job.phases.observe(rows)
    board = tf.summary.create_file_writer(str(job.run.path / "tensorboard"))
    display = Display(job.total_steps, epochs, job.batch_size, progress.steps, job.quiet)
    with display, board.as_default():
        # A kill may have come between the last step and the epoch's row: then the row is missing.
        while (progress.steps < job.total_steps or progress.step) and not job.ends_early(rows):
            _fit_epoch(job, display)
            if job.steps_left:
                job.check_stop()
            rows.append(_end_epoch(job, rows))
            job.run.write_history(rows)
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
    """Trains for some steps of one epoch and one phase."""
    progress, run = job.progress, job.run
    batches = training_input(
        job.model,
        run.recipe,
        job.images,
        run.settings,
        epoch=progress.epoch,
        first_step=progress.step,
    )
    callbacks = [_Monitor(job, display)]
    with naming_faults(job.images.train):
        job.model.fit(batches.take(steps), verbose=0, shuffle=False, callbacks=callbacks)


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
    progress, split = job.progress, job.images.splits["validation"]
    raw = job.evaluate_raw(split, "validation")
    with averaged(job.model):
        scores = job.evaluate(split, "validation")
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
        **{f"val_{name}": scores.figures[name] for name in WATCHED if name in scores.figures},
        **{f"val_{name}": value for name, value in raw.items()},
    }
