"""First weights have the distributions of the papers."""

import inspect

import keras
import numpy as np
import pytest

from keras_convnets.errors import InputError
from keras_convnets.training import (
    HeNormal,
    Layerwise,
    Normal,
    TruncatedNormal,
    Uniform,
    choice,
)
from keras_convnets.training.initializers import draw_weights
from keras_convnets.training.model import build_training_model


@pytest.fixture
def model():
    """A net with each kind of kernel."""
    keras.utils.set_random_seed(1)
    return keras.Sequential(
        [
            keras.Input((9, 9, 100)),
            keras.layers.Conv2D(200, 3, name="conv1"),
            keras.layers.Conv2D(400, 3, groups=4, name="conv2"),
            keras.layers.SeparableConv2D(100, 3, name="separable"),
            keras.layers.BatchNormalization(name="norm"),
            keras.layers.GlobalAveragePooling2D(name="pool"),
            keras.layers.Dense(1000, name="predictions"),
        ]
    )


def kernels(model):
    return {
        f"{layer.name}/{variable.name}": variable.numpy()
        for layer in model.layers
        for variable in layer.trainable_variables
        if "kernel" in variable.name
    }


FANS_IN = {
    "conv1/kernel": 9 * 100,
    "conv2/kernel": 9 * 50,  # of 200 channels in 4 groups
    "separable/depthwise_kernel": 9,  # an output sees one channel
    "separable/pointwise_kernel": 400,
    "predictions/kernel": 100,
}
FANS_OUT = {"conv1/kernel": 9 * 200, "predictions/kernel": 1000}


@pytest.mark.parametrize(
    ("initializer", "fans", "stddev", "greatest"),
    [
        (Normal(0.01), FANS_IN, lambda n: 0.01, None),  # AlexNet, papers.md 2b
        # What is left between two standard deviations has 0.8796 of it.
        (TruncatedNormal(0.1), FANS_IN, lambda n: 0.08796, lambda n: 0.2),
        (HeNormal(), FANS_IN, lambda n: (2 / n) ** 0.5, None),
        (HeNormal("fan_out"), FANS_OUT, lambda n: (2 / n) ** 0.5, None),
        # Caffe's "xavier", and the layers of Torch.
        (Uniform(), FANS_IN, lambda n: (1 / n) ** 0.5, lambda n: (3 / n) ** 0.5),
        (Uniform(1 / 3), FANS_IN, lambda n: (1 / n / 3) ** 0.5, lambda n: (1 / n) ** 0.5),
    ],
    ids=lambda value: None if inspect.isfunction(value) else repr(value),
)
def test_kernels_are_drawn_as_the_source_says(model, initializer, fans, stddev, greatest):
    draw_weights(model, initializer)
    found = kernels(model)
    assert set(found) == set(FANS_IN)
    for name, n in fans.items():
        assert abs(found[name].mean()) < 0.1 * stddev(n)
        np.testing.assert_allclose(found[name].std(), stddev(n), rtol=0.05)
        if greatest is None:
            assert abs(found[name]).max() > 2.5 * stddev(n)  # nothing is cut off
        else:
            assert abs(found[name]).max() <= greatest(n)
            np.testing.assert_allclose(abs(found[name]).max(), greatest(n), rtol=0.05)


def test_each_kernel_is_drawn_for_itself(model):
    draw_weights(model, Normal(1.0))
    first = [kernel.ravel()[:50] for kernel in kernels(model).values()]
    assert abs(np.corrcoef(first) - np.eye(len(first))).max() < 0.6


def test_layers_may_have_weights_and_biases_of_their_own(model):
    before = kernels(model)
    rule = Layerwise(None, kernels={"conv*": Normal(1.0), "conv2": Normal(5.0)}, biases={"p*s": 1})
    draw_weights(model, rule)
    after = kernels(model)
    assert after["conv1/kernel"].std() == pytest.approx(1.0, rel=0.05)
    assert after["conv2/kernel"].std() == pytest.approx(5.0, rel=0.05)
    for name in ("predictions/kernel", "separable/pointwise_kernel"):
        np.testing.assert_array_equal(after[name], before[name])
    assert np.all(model.get_layer("predictions").bias == 1)
    assert np.all(model.get_layer("conv1").bias == 0)


def test_a_rule_for_a_layer_that_is_not_there_is_refused(model):
    with pytest.raises(InputError, match="has no layer 'fc\\*'"):
        draw_weights(model, Layerwise(Normal(0.01), biases={"fc*": 1}))


def test_alexnet_starts_as_its_paper_says(tiny_recipe):
    """papers.md 2b: biases of 1 in conv2, conv4, conv5 and the hidden dense layers."""
    values = {
        "model": "AlexNet",
        "variant": "paper",
        "model_options": {"width_multiplier": 0.1, "head_units": (16, 16)},
        "input_size": 67,
        "initializer": Layerwise(Normal(0.01), biases={"conv[245]": 1, "fc*": 1}),
    }
    recipe = tiny_recipe.replace(
        **{field: choice(value, "test") for field, value in values.items()}
    )
    model = build_training_model(recipe, channels=3, mode="raw")
    biases = {
        layer.name: float(np.mean(layer.bias))
        for layer in model.layers
        if getattr(layer, "bias", None) is not None
    }
    ones = ("conv2", "conv4", "conv5", "fc6", "fc7")
    assert biases == dict.fromkeys(("conv1", "conv3", "predictions"), 0) | dict.fromkeys(ones, 1)
    for kernel in kernels(model).values():
        assert kernel.std() == pytest.approx(0.01, rel=0.3)


def test_batch_normalization_has_the_epsilon_of_the_recipe(tiny_xception, tiny_recipe):
    options = choice({"momentum": 0.95, "epsilon": 1e-4}, "test")
    model = build_training_model(tiny_xception.replace(batch_norm=options), 3, mode="raw")
    found = {
        (layer.momentum, layer.epsilon)
        for layer in model.layers
        if isinstance(layer, keras.layers.BatchNormalization)
    }
    assert found == {(0.95, 1e-4)}
    options = choice({"epsilon": 1e-4}, "test")
    with pytest.raises(InputError, match="has no batch normalization"):
        build_training_model(tiny_recipe.replace(batch_norm=options), 3, mode="raw")
