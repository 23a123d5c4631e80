"""What several rooms of tests need: quiet TensorFlow, small images in folders, a tiny recipe."""

import gc
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import PIL.Image
import pytest


@pytest.fixture(autouse=True)
def clean_keras_state():
    """Each test starts with default policies, and leaves no graph behind."""
    yield
    keras.config.set_dtype_policy("float32")
    keras.config.set_image_data_format("channels_last")
    keras.utils.clear_session(free_memory=False)


@pytest.fixture
def double_precision():
    """Inputs, weights and computation in float64."""
    before = keras.config.floatx()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_floatx(before)
    gc.collect()  # a VGG in float64 has 1 GB, and refers to itself


@pytest.fixture
def rng():
    """A seeded generator."""
    return np.random.default_rng(7)


@pytest.fixture
def photo_folder(tmp_path, rng):
    """A folder of two classes, red and blue images of several sizes; returns its path."""
    for name, channel in (("blue", 2), ("red", 0)):
        folder = tmp_path / "photos" / name
        folder.mkdir(parents=True)
        for i in range(12):
            pixels = rng.integers(0, 80, (20 + i, 40, 3), dtype=np.uint8)
            pixels[..., channel] += 150
            PIL.Image.fromarray(pixels).save(folder / f"{i}.png")
    return tmp_path / "photos"


@pytest.fixture
def tiny_recipe():
    """A modern LeNet-5 for two classes of images; an epoch takes a moment."""
    from .training.small_runs import recipe

    return recipe()


@pytest.fixture
def tiny_xception():
    """A thin Xception with all that makes a run hard to resume: statistics, dropout, averages."""
    from keras_convnets import recipes
    from keras_convnets.training import Epochs, choice

    values = {
        "model_options": {"small_input": True, "width_multiplier": 0.05, "middle_repeats": 0},
        "length": Epochs(2),
        "batch_size": 4,
        "input_size": 16,
        "classes": 2,
        "ema": 0.9,
        "label_smoothing": 0.1,
    }
    recipe = recipes.get(recipes.DEFAULT)
    return recipe.replace(**{field: choice(value, "fast") for field, value in values.items()})


@pytest.fixture
def tiny_googlenet():
    """A thin GoogLeNet with its two auxiliary heads."""
    from keras_convnets import recipes
    from keras_convnets.training import Epochs, choice

    values = {
        "model": "GoogLeNet:slim",
        "model_options": {"small_input": True, "width_multiplier": 0.05, "repeats": (1, 3, 1)},
        "aux_weight": 0.3,
        "label_smoothing": 0.0,
        "length": Epochs(2),
        "batch_size": 4,
        "input_size": 20,
        "classes": 2,
    }
    recipe = recipes.get(recipes.DEFAULT)
    return recipe.replace(**{field: choice(value, "fast") for field, value in values.items()})


@pytest.fixture
def randomize(rng):
    """A function that gives every weight of a model a random value that keeps signals alive."""

    def apply(model):
        for variable in model.weights:
            shape = tuple(variable.shape)
            if variable.name == "moving_variance" or variable.name == "gamma":
                variable.assign(rng.uniform(0.5, 1.5, shape))
            elif variable.name in ("beta", "bias", "moving_mean"):
                variable.assign(rng.normal(0, 0.1, shape))
            else:
                fan_in = max(1, int(np.prod(shape[:-1])))
                variable.assign(rng.normal(0, (2 / fan_in) ** 0.5, shape))
        return model

    return apply


@pytest.fixture(scope="session")
def shapes(tmp_path_factory):
    """A list of images with two labels each, a colour and a shape; returns the path of the file.

    There are 40 images to train, 24 to validate and 12 to test.
    """
    folder, rng, lines = tmp_path_factory.mktemp("shapes"), np.random.default_rng(7), []
    y, x = np.mgrid[:24, :24]
    for split, count in (("train", 40), ("validation", 24), ("test", 12)):
        (folder / split).mkdir()
        for i in range(count):
            colour, shape = ("red", "blue")[i % 2], ("round", "square")[i // 2 % 2]
            pixels = rng.integers(0, 60, (24, 24, 3), dtype=np.uint8)
            dy, dx = abs(y - rng.integers(10, 14)), abs(x - rng.integers(10, 14))
            is_inside = dy**2 + dx**2 < 49 if shape == "round" else np.maximum(dy, dx) < 7
            pixels[is_inside, 0 if colour == "red" else 2] += 180
            name = f"{split}/{i}_{colour}_{shape}.png"
            PIL.Image.fromarray(pixels).save(folder / name)
            lines.append(f"{name},{colour};{shape},{split}")
    (folder / "shapes.csv").write_text("\n".join(lines))
    return folder / "shapes.csv"
