"""Nets without weights: counts are those of real nets, and Keras' state stays as it is."""

import keras
import numpy as np
import pytest
from keras import layers

import keras_convnets
from keras_convnets import count_complexity
from keras_convnets.analysis.weightless import weightless
from keras_convnets.errors import InputError

SMALL = {"weights": None, "small_input": True, "width_multiplier": 0.1, "input_shape": (16, 16, 3)}


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("Xception", {**SMALL, "segments": 3, "dropout_rate": 0.5}),
        ("GoogLeNet:slim", {**SMALL, "aux_logits": True, "input_shape": (40, 40, 3)}),
        ("LeNet5", {"weights": None}),
        ("ResNeXt50", {**SMALL, "form": "a", "cardinality": 2, "repeats": (1, 1, 1, 1)}),
    ],
)
def test_counts_are_those_of_nets_with_weights(name, options):
    def count():
        return count_complexity(keras_convnets.get_model(name, **options))

    assert weightless(count) == count()


def test_what_costs_more_than_any_memory_is_counted():
    def count():
        return keras.Sequential([keras.Input((10**6,)), layers.Dense(10**9)]).count_params()

    assert weightless(count) == 10**15 + 10**9


def test_the_dtype_policy_holds():
    def count():
        return count_complexity(keras_convnets.Xception(**SMALL)).peak_activation_bytes

    full = weightless(count)
    keras.config.set_dtype_policy("mixed_float16")
    assert full / 2 <= weightless(count) < full * 0.6  # the image is float32


def test_nets_built_afterwards_have_weights_and_the_first_names():
    keras.utils.clear_session(free_memory=False)
    weightless(lambda: keras.Sequential([keras.Input((2,)), layers.Dense(3)]).count_params())
    layer = layers.Dense(3)
    assert layer.name == "dense"
    assert layer(np.ones((1, 2))).shape == (1, 3)


def test_errors_come_through():
    with pytest.raises(InputError, match="`middle_repeats` should be an integer of at least 0"):
        weightless(lambda: keras_convnets.Xception(weights=None, middle_repeats=-1))


def test_later_nets_start_as_they_would_have_without_it():
    import random

    keras.utils.set_random_seed(3)
    expected = random.random()
    keras.utils.set_random_seed(3)
    weightless(lambda: keras_convnets.NIN().count_params())
    assert random.random() == expected
