"""From a recipe to the numbers that a plan is made of."""

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keras_convnets.distribution.planning import Work
    from keras_convnets.training import Recipe

# Training images of the data sets of the recipes, and where the number is from.
_IMAGES = {
    "tfds:imagenet2012": (1_281_167, "ILSVRC-2012"),
    "folder:JFT": (350_000_000, "Xception paper, section 4.1: over 350 million"),
    "folder:ImageNet-5K": (6_800_000, "ResNeXt paper, section 5.2"),
    "tfds:cifar10": (50_000, "CIFAR"),
    "tfds:cifar100": (50_000, "CIFAR"),
    "mnist": (60_000, "MNIST"),
    "fashion_mnist": (60_000, "Fashion-MNIST"),
    "fashion_mnist_6k": (4_500, "the embedded set, without the tenth for validation"),
}
_GREY = ("mnist", "fashion_mnist", "fashion_mnist_6k")


def images_of(recipe: "Recipe") -> tuple[int | None, str]:
    """Returns how many images the data of a recipe has, and how that is known."""
    return _IMAGES.get(recipe.data.value, (None, f"not known of {recipe.data.value}"))


def worker_batch(recipe: "Recipe", workers: int) -> tuple[int, str]:
    """Returns how many images one worker has at a step, and why.

    A synchronous recipe's batch is shared out, an asynchronous one's is that of each worker.
    """
    batch = recipe.batch_size.value
    if recipe.parallelism.value == "async":
        return batch, "the recipe's batch, of each worker"
    return -(-batch // max(workers, 1)), f"the recipe's batch of {batch:,} over all workers"


def work_of(recipe: "Recipe") -> "Work":
    """Counts the net of a recipe as it is trained, with its auxiliary heads, without weights.

    Raises:
        InputError: if the net can't be built.
    """
    from keras_convnets.analysis.weightless import weightless
    from keras_convnets.distribution.planning import Work

    counted = weightless(lambda: _count(recipe))
    length, unit = _length(recipe)
    return Work(
        name=recipe.name,
        **counted,
        slots=_slots(recipe),
        is_averaged=recipe.ema.value is not None,
        is_async=recipe.parallelism.value == "async",
        batch_size=recipe.batch_size.value,
        length=length,
        unit=unit,
    )


def _count(recipe: "Recipe") -> dict:
    import keras

    from keras_convnets.analysis import count_complexity
    from keras_convnets.distribution.planning import Variable
    from keras_convnets.training.model import build_training_model, preprocessing_of
    from keras_convnets.training.parameter_server import LARGE
    from keras_convnets.training.start import architecture_of

    _, variant = architecture_of(recipe)
    channels = 1 if recipe.data.value.partition(":")[0] in _GREY else variant.input_shape[-1]
    mode = preprocessing_of(recipe, channels).mode
    model = build_training_model(recipe, channels, mode)
    cost = count_complexity(model)
    dense = [layer for layer in model.layers if isinstance(layer, keras.layers.Dense)]
    large = {id(x.kernel) for x in dense if math.prod(x.kernel.shape) >= LARGE}
    return {
        "macs": cost.macs,
        "variables": tuple(
            Variable(v.path, tuple(v.shape), v.trainable, dense=id(v) in large)
            for v in model.variables
        ),
        "activations": sum(math.prod(layer.output_shape) for layer in cost.layers),
    }


def _slots(recipe: "Recipe") -> int:
    """How many numbers the recipe's optimizer keeps for each one that learns."""
    import keras

    from keras_convnets.training.optimizers import build_optimizer

    variable = keras.Variable([0.0, 0.0, 0.0])
    optimizer = build_optimizer(recipe.optimizer.value, 1.0)
    optimizer.build([variable])
    return sum(tuple(slot.shape) == (3,) for slot in optimizer.variables)


def _length(recipe: "Recipe") -> tuple[float, str]:
    from keras_convnets.training import Epochs, Samples

    length = recipe.length.value
    if isinstance(length, Epochs):
        return length.count, "epochs"
    return length.count, "images" if isinstance(length, Samples) else "updates"
