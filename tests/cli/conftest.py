"""Runs of the command line: in this process for speed, in others where processes matter."""

import numpy as np
import pytest

from keras_convnets import cli
from keras_convnets.deployment import save_model
from keras_convnets.training.model import build_model, model_card, preprocessing_of


@pytest.fixture
def run(capsys, monkeypatch):
    """A function that runs `keras-convnets` and returns exit code, output and errors."""

    monkeypatch.setenv("COLUMNS", "160")

    def apply(*arguments):
        with pytest.raises(SystemExit) as stop:
            cli.main([str(argument) for argument in arguments])
        output = capsys.readouterr()
        return stop.value.code or 0, output.out, output.err

    return apply


@pytest.fixture
def red_or_blue(tiny_recipe, tmp_path):
    """A saved model that calls images "red" or "blue" by the mean of the channels; its path."""
    import keras

    image = keras.Input((32, 32, 3))
    means = keras.layers.GlobalAveragePooling2D()(image)
    scores = keras.layers.Dense(2, "softmax", name="predictions")
    model = keras.Model(image, scores(means))
    scores.set_weights([np.array([[-9.0, 9.0], [0.0, 0.0], [9.0, -9.0]]), np.zeros(2)])
    assert build_model(tiny_recipe, 3).input.shape == model.input.shape
    path = tmp_path / "red_or_blue.keras"
    save_model(
        model, path, model_card(tiny_recipe, ("blue", "red"), preprocessing_of(tiny_recipe, 3))
    )
    return path
