"""A dense layer in parts: the same outputs, and only where a layer is large."""

import keras
import numpy as np
import pytest

from keras_convnets.training.parameter_server import split_dense
from keras_convnets.training.parameter_server.split_dense import SplitDense, with_split_layers


@pytest.fixture(autouse=True)
def low_limit(monkeypatch):
    monkeypatch.setattr(split_dense, "LARGE", 100)


def net(activation="sigmoid", use_bias=True):
    inputs = keras.Input((20,), dtype="float64")
    hidden = keras.layers.Dense(3, dtype="float64", name="small")(inputs)
    x = keras.layers.Concatenate(dtype="float64", name="both")([inputs, hidden])
    large = keras.layers.Dense(
        17, activation=activation, use_bias=use_bias, dtype="float64", name="large"
    )
    return keras.Model(inputs, large(x), name="net")


@pytest.mark.parametrize("parts", [2, 3, 5])
@pytest.mark.parametrize("activation", ["sigmoid", "softmax", "relu", None])
def test_the_outputs_are_those_of_one_layer(parts, activation, rng):
    whole = net(activation)
    split = with_split_layers(whole, parts)
    kernel, bias = rng.normal(size=(23, 17)), rng.normal(size=17)
    whole.get_layer("large").set_weights([kernel, bias])
    ends = np.cumsum([part.shape[1] for part in split.get_layer("large").kernels])[:-1]
    split.get_layer("large").set_weights([*np.split(kernel, ends, axis=1), bias])
    split.get_layer("small").set_weights(whole.get_layer("small").get_weights())
    images = rng.normal(size=(4, 20))
    np.testing.assert_allclose(split(images), whole(images), rtol=0, atol=1e-12)


def test_the_parts_are_as_wide_as_can_be_and_have_one_bias():
    layer = with_split_layers(net(), 3).get_layer("large")
    assert [part.shape[1] for part in layer.kernels] == [6, 5, 6]
    assert [weight.name for weight in layer.weights] == [
        "kernel_0", "kernel_1", "kernel_2", "bias",
    ]  # fmt: skip
    assert layer.bias.shape == (17,)


def test_small_layers_stay_whole():
    assert type(with_split_layers(net(), 3).get_layer("small")) is keras.layers.Dense


def test_one_server_needs_no_parts():
    assert type(with_split_layers(net(), 1).get_layer("large")) is keras.layers.Dense


def test_a_layer_without_bias_has_none_in_parts():
    layer = with_split_layers(net(use_bias=False), 2).get_layer("large")
    assert isinstance(layer, SplitDense)
    assert [weight.name for weight in layer.weights] == ["kernel_0", "kernel_1"]


def test_the_loss_finds_the_logits_behind_a_sigmoid(rng):
    split = with_split_layers(net(), 2)
    split.get_layer("large").set_weights(
        [np.full((23, 8), -9.0), np.full((23, 9), -9.0), np.zeros(17)]
    )
    split.get_layer("small").set_weights([np.zeros((20, 3)), np.zeros(3)])
    outputs = split(np.ones((1, 20)))
    loss = keras.ops.binary_crossentropy(np.ones((1, 17)), outputs)
    np.testing.assert_allclose(loss, 180.0)  # of probabilities it would be that of the least one
