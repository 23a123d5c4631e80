"""What a net of a search may cost at most, counted before it is built."""

import dataclasses
import math

import keras

from keras_convnets.analysis import count_complexity
from keras_convnets.analysis.weightless import weightless
from keras_convnets.errors import InputError, check_number, reason_of
from keras_convnets.training.model import build_training_model, preprocessing_of
from keras_convnets.training.optimizers import build_optimizer
from keras_convnets.training.recipe import Recipe
from keras_convnets.training.sourced import choice

_BYTES = 4  # of a float32


class InfeasibleError(InputError):
    """A configuration of a search can't be, or costs more than it may."""


@dataclasses.dataclass(frozen=True)
class Cost:
    """What a recipe's net costs as it is trained, with auxiliary heads.

    Attributes:
        parameters: that are trained.
        macs: multiply-adds of one image, forward.
        memory: bytes that training needs on one device: weights, gradients, what the optimizer
            keeps, and the outputs of all layers for a batch, in float32.
    """

    parameters: int
    macs: int
    memory: int


@dataclasses.dataclass(frozen=True)
class Limits:
    """The most that a net may cost; `None` for any.

    Attributes:
        parameters: see `Cost`.
        macs: see `Cost`.
        memory: in bytes; see `Cost`.
    """

    parameters: int | None = None
    macs: int | None = None
    memory: int | None = None

    def __post_init__(self):
        for field in dataclasses.fields(self):
            limit = getattr(self, field.name)
            if limit is not None:
                check_number(f"The limit of {_NAMES[field.name]}", limit, above=0)

    def check(self, recipe: Recipe, channels: int, classes: int) -> Cost:
        """Counts the net of a recipe without building its weights.

        Args:
            recipe: what would be trained.
            channels: of the images.
            classes: of the data.

        Returns:
            What it costs.

        Raises:
            InfeasibleError: if it can't be built, or costs more than a limit.
        """
        cost = count_cost(recipe, channels, classes)
        over = [
            f"{getattr(cost, name):,} {_NAMES[name]}, where the limit is {limit:,}"
            for name, limit in dataclasses.asdict(self).items()
            if limit is not None and getattr(cost, name) > limit
        ]
        if over:
            raise InfeasibleError(f"The net would have {'; and '.join(over)}.")
        return cost


_NAMES = {
    "parameters": "trainable parameters",
    "macs": "multiply-adds an image",
    "memory": "bytes of memory in training",
}


def count_cost(recipe: Recipe, channels: int, classes: int) -> Cost:
    """Counts what a recipe's net costs as it is trained, without weights.

    Raises:
        InfeasibleError: if it can't be built.
    """
    recipe = recipe.replace(
        classes=choice(classes, "the classes of the data"),
        initializer=choice(None, "first weights cost nothing, but drawing them takes seconds"),
    )
    try:
        trainable, total, macs, outputs = weightless(lambda: _count(recipe, channels))
    except ValueError as error:  # Keras' own, too
        raise InfeasibleError(f"The net can't be built: {reason_of(error)}") from error
    kept = _slots(recipe) * trainable + (total if recipe.ema.value is not None else 0)
    numbers = total + trainable + kept + outputs * recipe.batch_size.value
    return Cost(trainable, macs, _BYTES * numbers)


def _count(recipe: Recipe, channels: int) -> tuple[int, int, int, int]:
    """Trainable and all parameters, multiply-adds, and numbers that an image leaves in layers."""
    mode = preprocessing_of(recipe, channels).mode
    cost = count_complexity(build_training_model(recipe, channels, mode))
    outputs = sum(math.prod(layer.output_shape) for layer in cost.layers)
    return cost.trainable, cost.total, cost.macs, outputs


def _slots(recipe: Recipe) -> int:
    """How many numbers the recipe's optimizer keeps for each one that it trains."""
    variable = keras.Variable([0.0, 0.0, 0.0])
    optimizer = build_optimizer(recipe.optimizer.value, 1.0)
    optimizer.build([variable])
    return sum(tuple(slot.shape) == (3,) for slot in optimizer.variables)
