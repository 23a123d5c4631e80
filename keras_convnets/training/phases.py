"""The phases of a run: which layers learn when, by which optimizer."""

import dataclasses
import math

import keras
import numpy as np

from keras_convnets.errors import InputError
from keras_convnets.training.averaging import average_of
from keras_convnets.training.losses import balanced_weights
from keras_convnets.training.model import compile_model, normalizations
from keras_convnets.training.optimizers import build_optimizer, scaling_loss
from keras_convnets.training.recipe import Recipe
from keras_convnets.training.schedules import Rows, Schedule, Watching
from keras_convnets.training.start import architecture_of
from keras_convnets.training.transfer import check_layer, freeze, trunk_end


@dataclasses.dataclass(frozen=True)
class Phase:
    """A part of a run.

    Attributes:
        about: what learns in it, as a clause; "" for a phase like that of any other run.
        first_step: steps of the run before it.
        last_step: steps of the run at its end.
        frozen_until: the layer up to which nothing learns, or `None`.
        rate: learning rate or Keras schedule.
        optimizer: with its variables, and a wrapper for mixed precision if there is one.
    """

    about: str
    first_step: int
    last_step: int
    frozen_until: str | None
    rate: float | keras.optimizers.schedules.LearningRateSchedule
    optimizer: keras.optimizers.Optimizer


class Phases:
    """The phases of a run, in each of which a model is compiled anew, with an optimizer of its own.

    All optimizers are there from the start, so that every checkpoint holds the same variables.

    Args:
        model: the net.
        recipe: the recipe of the run.
        head: name of the layer with which the head begins.
        labels: of the training images, (n,) integers.
        steps_per_epoch: steps of an epoch.
    """

    def __init__(
        self,
        model: keras.Model,
        recipe: Recipe,
        head: str,
        labels: np.ndarray,
        steps_per_epoch: int,
    ):
        self._model = model
        self._recipe = recipe
        self._steps_per_epoch = steps_per_epoch
        self._class_weights = (
            balanced_weights(labels, recipe.classes.value)
            if recipe.class_weights.value == "balanced"
            else None
        )
        lengths = (steps_per_epoch, recipe.batch_size.value)
        total = recipe.length.value.steps(*lengths)
        first, frozen = recipe.head_phase.value, recipe.freeze_until.value
        head_steps = min(total, first.length.steps(*lengths)) if first else 0
        self.steps = total
        # How far back epochs belong to the head.
        self.head_epochs = math.ceil(head_steps / steps_per_epoch)
        self._phases = []
        if head_steps:
            until = trunk_end(model, head)
            about = "the head alone learns" + (", to the end" if head_steps == total else "")
            self._add(about, head_steps, until, first.schedule)
        if total > head_steps:
            about = f"the layers behind {frozen} learn" if frozen else "all layers learn"
            self._add(about if head_steps or frozen else "", total, frozen, recipe.schedule.value)
        self.current = self._phases[-1]
        self.enter(0)

    def _add(self, about: str, last_step: int, until: str | None, schedule: Schedule) -> None:
        recipe = self._recipe
        first_step = self._phases[-1].last_step if self._phases else 0
        freeze(self._model, until, recipe.batch_norm_mode.value)
        if not self._model.trainable_variables:
            raise InputError(
                f"Behind the layer {until!r} of {self._model.name!r} is nothing that could learn; "
                "change `freeze_until` or `head_phase`."
            )
        lengths = (self._steps_per_epoch, recipe.batch_size.value)
        rate = schedule.build(*lengths, last_step - first_step)
        average = average_of(recipe.ema.value)
        optimizer = build_optimizer(
            recipe.optimizer.value,
            rate,
            clip_norm=recipe.clip_norm.value,
            share=average.build(*lengths, first_step) if average else None,
            statistics=[v for layer in normalizations(self._model) for v in _statistics(layer)],
            bias_rate=recipe.bias_rate.value,
        )
        optimizer = scaling_loss(optimizer, self._model.dtype_policy)
        compile_model(self._model, recipe, optimizer, self._class_weights)
        self._model.optimizer.build(self._model.trainable_variables)
        self._phases.append(Phase(about, first_step, last_step, until, rate, self._model.optimizer))

    @property
    def optimizers(self) -> list[keras.optimizers.Optimizer]:
        """The optimizer of each phase."""
        return [phase.optimizer for phase in self._phases]

    def observe(self, rows: Rows) -> bool:
        """Shows what was reached to the schedules that watch it.

        Args:
            rows: of all epochs so far.

        Returns:
            Whether the learning rate changed by that.
        """
        changed = False
        for phase in self._phases:
            if isinstance(phase.rate, Watching):
                ends = (phase.first_step < row["step"] <= phase.last_step for row in rows)
                changed |= phase.rate.observe(
                    [
                        row | {"step": row["step"] - phase.first_step}
                        for row, is_own in zip(rows, ends, strict=True)
                        if is_own
                    ]
                )
        return changed

    def enter_last(self) -> Phase:
        """Makes the model ready for the last phase, in which most layers learn."""
        return self.enter(self._phases[-1].first_step)

    def enter(self, step: int) -> Phase:
        """Makes the model ready for the update number `step`, from 0, and returns its phase."""
        phase = next((phase for phase in self._phases if step < phase.last_step), self._phases[-1])
        if phase is not self.current:
            freeze(self._model, phase.frozen_until, self._recipe.batch_norm_mode.value)
            compile_model(self._model, self._recipe, phase.optimizer, self._class_weights)
            self.current = phase
        return phase


def _statistics(layer: keras.layers.BatchNormalization) -> tuple[keras.Variable, ...]:
    """What a layer learns without gradients.

    It is averaged with the weights, as in the trainer of Inception-v3 (tensorflow/models
    research/inception/inception/inception_train.py): averaged weights have statistics of their own.
    """
    return (layer.moving_mean, layer.moving_variance) if layer.trainable else ()


def check_frozen(model: keras.Model, recipe: Recipe) -> None:
    """Makes sure that a net has the layer that a recipe freezes.

    Raises:
        InputError: if it has none; the message names taps.
    """
    if recipe.freeze_until.value is not None:
        _, variant = architecture_of(recipe)
        taps = [tap.name for tap in variant.taps]
        check_layer(model, recipe.freeze_until.value, "freeze_until", taps)
