"""A run at work: what it trains, where it stands, and how it evaluates."""

import dataclasses
import functools
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import tensorflow as tf

from keras_convnets.data import (
    Fault,
    ImageSet,
    Preprocessing,
    evaluation_batches,
    evaluation_faults,
    training_faults,
)
from keras_convnets.distribution.replicas import first_that_differs
from keras_convnets.distribution.strategies import Place
from keras_convnets.errors import DivergedError, InputError, StoppedError, UnreadableError
from keras_convnets.evaluation import (
    Evaluation,
    MultiLabelEvaluation,
    evaluate,
    evaluate_multi_label,
)
from keras_convnets.stopping import StopRequest
from keras_convnets.training.averaging import has_average
from keras_convnets.training.checkpoint import Checkpoints, Progress
from keras_convnets.training.display import Display
from keras_convnets.training.model import main_output
from keras_convnets.training.phases import Phases
from keras_convnets.training.run import Run
from keras_convnets.training.shared_net import SharedNet, UnreadBatchError, shared_batches
from keras_convnets.training.skipping import leave_out, told

# Figures of the raw weights that are kept where evaluation uses averaged ones.
WATCHED_RAW = ("loss", "top1", "map_at_100")
# Of a batch that is evaluated, unless a step has more.
_MOST_PIXELS = 2**18


@dataclasses.dataclass
class Job:
    """A run at work."""

    run: Run
    images: ImageSet
    model: keras.Model
    phases: Phases
    place: Place
    unite: Callable[[], None]
    progress: Progress
    checkpoints: Checkpoints
    steps_per_epoch: int
    stop: StopRequest
    quiet: bool

    @functools.cached_property
    def main(self) -> keras.Model:
        """The net with its main output only; made once, for each is traced anew."""
        return main_output(self.model)

    @functools.cached_property
    def _shared(self) -> SharedNet:
        """That net, for replicas to share the images; made once, too."""
        return SharedNet(self.main, self.place)

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
        """Images to evaluate at once: a step's, or more where steps or images are tiny."""
        pixels = self.run.settings.preprocessing.size**2
        least, replicas = max(32, min(256, _MOST_PIXELS // pixels)), self.place.replicas
        return max(self.batch_size, -(-least // replicas) * replicas)

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

    @functools.cached_property
    def display(self) -> Display:
        """What a person sees of it."""
        epochs = math.ceil(self.total_steps / self.steps_per_epoch)
        return Display(self.total_steps, epochs, self.batch_size, self.progress.steps, self.quiet)

    def evaluate(
        self, name: str, thresholds: Sequence[float] | None = None
    ) -> Evaluation | MultiLabelEvaluation:
        """Evaluates the net with the weights that it has; leaves out images that can't be read.

        Args:
            name: of the split.
            thresholds: of each class, if images may have several labels and they are known.

        Raises:
            DivergedError: if its outputs are not finite.
            UnreadableError: see `skip`.
        """
        try:
            scores = self._evaluate_all(name, thresholds)
        except tf.errors.OpError as error:
            split = self.images.splits[name]
            self._skip_found(name, lambda: evaluation_faults(split, self.preprocessing), error)
            return self.evaluate(name, thresholds)
        if not math.isfinite(scores.loss):
            raise DivergedError(f"The {name} loss", self.progress.steps)
        return scores

    def evaluate_raw(self, name: str) -> dict[str, float]:
        """Evaluates the weights that learn, if the run is for averaged ones.

        Args:
            name: of the split.

        Returns:
            Figures by name, such as "top1_raw"; none if nothing is averaged.
        """
        if not has_average(self.model):
            return {}
        figures = self.evaluate(name).figures
        return {f"{figure}_raw": figures[figure] for figure in WATCHED_RAW if figure in figures}

    def _evaluate_all(
        self, name: str, thresholds: Sequence[float] | None
    ) -> Evaluation | MultiLabelEvaluation:
        split = self.images.splits[name]
        arguments = (split, self.preprocessing, self.evaluation_batch_size)
        classes = len(self.images.classes)
        if self.place.replicas == 1:
            net, batches = self.main, evaluation_batches(*arguments, classes=classes)
        else:
            net, batches = self._shared, shared_batches(*arguments, classes, self.place)
        if split.is_multi_label:
            return evaluate_multi_label(net, batches, thresholds)
        return evaluate(net, batches)

    def skip(self, name: str, faults: Sequence[Fault]) -> None:
        """Leaves out images of a split from here on, on record.

        Raises:
            UnreadableError: if they are too many.
        """
        self.images = leave_out(self.run, self.images, name, faults)
        self.display.tell(told(self.run, faults))

    def skip_in_batch(self, error: tf.errors.OpError) -> None:
        """Leaves out the images of the batch at the position that can't be read.

        Args:
            error: what came of them.

        Raises:
            OpError: `error`, if all of them can be read.
            UnreadableError: see `skip`.
        """
        self._skip_found(
            "train",
            lambda: training_faults(
                self.images.train,
                self.preprocessing,
                self.run.recipe.augmentation.value,
                self.batch_size,
                seed=self.run.settings.seed,
                epoch=self.progress.epoch,
                step=self.progress.step,
            ),
            error,
        )

    def _skip_found(
        self, name: str, find: Callable[[], list[Fault]], error: tf.errors.OpError
    ) -> None:
        faults = []
        try:
            faults = find()
            reasons = [fault.reason for fault in faults]
        except InputError as unread:
            reasons = [str(unread)]
        if isinstance(error, UnreadBatchError):  # so that all are here
            # One that ends or goes on alone would let the others wait.
            found = [fault.file for fault in faults] or reasons
            if first_that_differs(self.place, "\n".join(found)) is not None:
                raise UnreadableError(_told_apart(reasons)) from error
        if not reasons:  # it was not an image, or is one no more
            raise error
        if not faults:
            raise UnreadableError(reasons[0]) from error
        self.skip(name, faults)

    def check_stop(self) -> None:
        """Raises `StoppedError` if someone asked to stop; the state must be saved before."""
        if self.stop.name:
            raise StoppedError(
                f"Stopped by {self.stop.name} at step {self.progress.steps} of {self.total_steps}; "
                f"`keras-convnets train --resume {self.run.path}` goes on from there."
            )


def _told_apart(reasons: Sequence[str]) -> str:
    """Says that another process can read what this one can't for some reasons, or the reverse."""
    if reasons:
        return f"{reasons[0]} Another worker sees another file; all should see the same."
    return (
        "Another worker can't read an image that this one can, and tells which; all should see the "
        "same files."
    )
