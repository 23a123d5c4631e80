"""The state of a run on disk: weights, optimizer, random generators and position."""

import json
import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from keras_convnets.distribution.replicas import wait
from keras_convnets.distribution.strategies import HERE, Place
from keras_convnets.errors import DivergedError, InputError, reason_of


class Progress(tf.train.experimental.PythonState):
    """Where a run stands; saved with each checkpoint.

    Attributes:
        epoch: epochs done.
        step: steps done in this epoch.
        steps: steps done in all.
        seconds: time spent on training steps.
        sums: for each metric the sum of its values over the steps of this epoch.
    """

    def __init__(self):
        self.epoch = 0
        self.step = 0
        self.steps = 0
        self.seconds = 0.0
        self.sums: dict[str, float] = {}

    def end_epoch(self) -> None:
        """Moves to the start of the next epoch."""
        self.epoch += 1
        self.step = 0
        self.sums = {}

    def serialize(self) -> str:
        """Returns the state as text, for `tf.train.Checkpoint`."""
        names = ("epoch", "step", "steps", "seconds", "sums")
        return json.dumps({name: getattr(self, name) for name in names})

    def deserialize(self, string_value: str) -> None:
        """Takes the state from text."""
        for name, value in json.loads(string_value).items():
            setattr(self, name, value)


class Checkpoints:
    """The newest checkpoints of a run; each is whole, or not listed.

    Args:
        folder: where they are.
        model: a net.
        optimizers: the built optimizer of each phase.
        progress: the position, saved along.
        place: where they are; only its chief writes.
        unite: makes the copies of each variable one, before they are saved.
    """

    KEPT = 2

    def __init__(
        self,
        folder: str | os.PathLike,
        model: keras.Model,
        optimizers: Sequence[keras.optimizers.Optimizer],
        progress: Progress,
        place: Place = HERE,
        unite: Callable[[], None] = lambda: None,
    ):
        self._model = model
        self._place = place
        self._unite = unite
        self._progress = progress
        # Not the model itself: it would bring the optimizer of its present phase along. The
        # variables are its weights and the states of dropout's random generators.
        self._manager = tf.train.CheckpointManager(
            tf.train.Checkpoint(
                variables=[variable.value for variable in model.variables],
                optimizers=list(optimizers),
                progress=progress,
            ),
            os.fspath(folder),
            max_to_keep=self.KEPT,
        )

    def save(self) -> None:
        """Saves the state.

        Raises:
            DivergedError: if a weight is not finite; the last good checkpoint stays.
        """
        self._unite()
        for variable in self._model.variables:
            if keras.backend.is_float_dtype(variable.dtype) and not np.all(
                np.isfinite(keras.ops.convert_to_numpy(variable))
            ):
                raise DivergedError(f"The weight {variable.path!r}", self._progress.steps)
        if self._place.is_chief:
            self._manager.save(checkpoint_number=self._progress.steps)
        wait(self._place)  # none goes on with what may not be on disk

    @property
    def newest(self) -> int:
        """The step of the newest checkpoint; 0 if there is none."""
        return max(self._numbers(), default=0)

    def _numbers(self) -> list[int]:
        files = Path(self._manager.directory).glob("ckpt-*.index")
        return sorted(int(file.stem.removeprefix("ckpt-")) for file in files)

    def restore(self) -> bool:
        """Restores the newest checkpoint that can be read, of those that are kept.

        Returns:
            Whether there was one.

        Raises:
            InputError: if there are checkpoints and none can be read.
        """
        numbers = self._numbers()
        reason = ""
        for number in reversed(numbers):
            path = os.path.join(self._manager.directory, f"ckpt-{number}")
            try:
                self._manager.checkpoint.restore(path).assert_existing_objects_matched()
            except Exception as error:  # TensorFlow's reader raises whatever it meets
                # A damaged file: the older one leads to the same bits.
                reason = reason_of(error)
                continue
            return True
        if numbers:
            raise InputError(f"No checkpoint in {self._manager.directory!r} fits: {reason}")
        return False


def checkpoint_bytes(model: keras.Model, optimizers: Sequence[keras.optimizers.Optimizer]) -> int:
    """Returns how large one checkpoint of a net and of its built optimizers is on disk."""
    states = (variable for optimizer in optimizers for variable in optimizer.variables)
    variables = {id(variable): variable for variable in (*model.variables, *states)}
    return sum(
        math.prod(v.shape) * tf.as_dtype(keras.backend.standardize_dtype(v.dtype)).size
        for v in variables.values()
    )
