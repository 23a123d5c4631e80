"""Runs of seconds that take decisions, for processes and places that shall take the same."""

from pathlib import Path

from keras_convnets import recipes
from keras_convnets.training import EarlyStop, Epochs, Plateau, Recipe, Run, choice, train

LONGEST = 12


def recipe(**fields) -> Recipe:
    """Returns the recipe of a LeNet-5 for two classes, with other values in some fields."""
    values = {
        "model": "LeNet5",
        "variant": "modern",
        "model_options": {},
        "length": Epochs(2),
        "batch_size": 4,
        "input_size": 32,
        "classes": 2,
        "dropout_rate": 0.0,
        "batch_norm": None,
        "initializer": None,
    }
    base = recipes.get(recipes.DEFAULT)
    return base.replace(
        **{name: choice(value, "fast") for name, value in (values | fields).items()}
    )


def train_watching(out: Path) -> Run:
    """Trains with a rate that falls, and to an end, by what was reached."""
    fields = {
        "data": "smoke_grey",
        "classes": None,
        "batch_size": 16,
        "length": Epochs(LONGEST),
        "schedule": Plateau(0.1, patience=Epochs(1), watch="val_loss"),
        "early_stop": EarlyStop(2),
    }
    return train(recipe(**fields), out=out, report=False, quiet=True)


def train_with_bad_images(data: str, out: Path, max_skipped: float = 0.2) -> Run:
    """Trains on data of which some can't be read."""
    return train(recipe(), data=data, out=out, max_skipped=max_skipped, report=False, quiet=True)
