"""What a hyper-model does besides Keras' own `fit`."""

from typing import Any

import keras

from keras_convnets.training.averaging import averages_of
from keras_convnets.training.phases import Phases
from keras_convnets.training.recipe import Recipe

_MAIN = "predictions_"


class Names(keras.callbacks.Callback):
    """Gives the accuracy of nets with auxiliary heads the name that it has of others."""

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Adds "accuracy" and "val_accuracy" to what the other callbacks get."""
        if logs is not None:
            main = {name: value for name, value in logs.items() if name.endswith("_accuracy")}
            logs |= {name.replace(_MAIN, ""): value for name, value in main.items()}


class Averages(keras.callbacks.Callback):
    """Puts the average of the weights into the net from an evaluation to the next epoch.

    What is saved in between is what was evaluated.
    """

    def __init__(self):
        super().__init__()
        self._raw = None

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Puts the average in."""
        pairs = averages_of(self.model.optimizer)
        self._raw = [(variable, keras.ops.convert_to_numpy(variable)) for _, variable in pairs]
        for average, variable in pairs:
            variable.assign(average)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Goes on from the weights themselves."""
        for variable, value in self._raw or ():
            variable.assign(value)
        self._raw = None


class Watch(keras.callbacks.Callback):
    """Shows what was reached to a schedule that watches it, and to the recipe's early stop.

    Args:
        phases: of the run.
        recipe: of the run.
        steps_per_epoch: steps of an epoch.
    """

    def __init__(self, phases: Phases, recipe: Recipe, steps_per_epoch: int):
        super().__init__()
        self._phases, self._stop = phases, recipe.early_stop.value
        self._steps, self._rows = steps_per_epoch, []

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Adds the epoch."""
        row = {name.replace("accuracy", "top1"): value for name, value in (logs or {}).items()}
        self._rows.append({**row, "step": (epoch + 1) * self._steps})
        self._phases.observe(self._rows)
        if self._stop and self._stop.is_due([row["val_loss"] for row in self._rows], 0):
            self.model.stop_training = True
