"""What a user should know of a run before it begins: lengths that do not fit each other."""

import keras

from keras_convnets.training.averaging import MovingAverage, average_of
from keras_convnets.training.model import normalizations
from keras_convnets.training.recipe import Recipe

# A moving average has forgotten 95 % of what it began with behind so many times its own length.
_TIMES = 3


def notes_on_length(recipe: Recipe, model: keras.Model, steps: int) -> list[str]:
    """Returns a sentence for each moving average that a run is too short for.

    Args:
        recipe: of the run.
        model: its net.
        steps: updates of the whole run.
    """
    notes = []
    momentum = max((float(layer.momentum) for layer in normalizations(model)), default=0.0)
    learns_statistics = recipe.weights.value is None and recipe.batch_norm_mode.value == "train"
    if learns_statistics and steps < _steps_needed(momentum):
        notes.append(
            f"Warning: a run of {steps:,} steps is short for the momentum {momentum:g} of batch "
            f"normalization, which wants {_steps_needed(momentum):,} or more: evaluation would see "
            f"much of the statistics that the net began with. `--set \"batch_norm={{'momentum': "
            f'{_fitting(steps):g}}}"` would fit.'
        )
    average = average_of(recipe.ema.value)
    is_plain = isinstance(average, MovingAverage) and not average.ramp
    if is_plain and steps < _steps_needed(average.decay):
        notes.append(
            f"Warning: a run of {steps:,} steps is short for the decay {average.decay:g} of `ema`, "
            f"which wants {_steps_needed(average.decay):,} or more: the averaged weights would be "
            f'mostly the first ones. `--set "ema=MovingAverage({average.decay:g})"` forgets them.'
        )
    return notes


def _steps_needed(momentum: float) -> int:
    return round(_TIMES / (1 - momentum))


def _fitting(steps: int) -> float:
    """The greatest of a few usual momentums that a run is long enough for."""
    usual = (0.999, 0.997, 0.99, 0.9)
    return next((value for value in usual if steps >= _steps_needed(value)), 0.5)
