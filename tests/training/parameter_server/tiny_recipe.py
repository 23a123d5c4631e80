"""A recipe of seconds, asynchronous."""

from keras_convnets import recipes
from keras_convnets.training import SGD, Constant, Recipe, Steps, choice

STEPS = 600


def recipe() -> Recipe:
    """Returns LeNet-5's recipe with momentum, for a few hundred steps."""
    fields = {
        "data": "fashion_mnist_6k",
        "batch_size": 8,
        "length": Steps(STEPS),
        "schedule": Constant(2e-4),
        "optimizer": SGD(momentum=0.9),
        "parallelism": "async",
    }
    changed = {name: choice(value, "a test") for name, value in fields.items()}
    return recipes.get("lenet5_mnist").replace(**changed)
