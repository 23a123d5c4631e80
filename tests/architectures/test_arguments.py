"""Argument errors: the rows of keras.applications, with its faults mended."""

import warnings

import keras
import numpy as np
import pytest

from keras_convnets import LeNet5, Xception, get_model


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"weights": "nowhere.h5"}, "`weights` argument should be either `None`"),
        ({"weights": "imagenet", "classes": 10}, "`classes` should be 1000"),
        ({"weights": "imagenet", "input_shape": (150, 150, 3)}, r"should be \(299, 299, 3\)"),
        (
            {"weights": "imagenet", "include_top": False, "input_shape": (150, 150, 1)},
            "must have 3 channels",
        ),
        ({"weights": None, "input_shape": (150, 150)}, "tuple of three integers"),
        ({"weights": None, "input_shape": (70, 150, 3)}, "at least 71x71"),
    ],
)
def test_same_type_of_error_as_keras(arguments, message):
    with pytest.raises(ValueError):  # noqa: PT011 - Keras words it in its own way
        keras.applications.Xception(**arguments)
    with pytest.raises(ValueError, match=message) as caught:
        Xception(**arguments)
    assert "\n" not in str(caught.value)
    assert "Received" in str(caught.value)


def test_activation_must_fit_pretrained_weights(tmp_path):
    path = tmp_path / "model.weights.h5"
    Xception(weights=None, width_multiplier=0.1, input_shape=(71, 71, 3)).save_weights(path)
    with pytest.raises(ValueError, match="Only `None` and `softmax` activations are allowed"):
        Xception(weights=path, classifier_activation="sigmoid")


def test_static_shape_is_asked_for_where_the_head_needs_one():
    with pytest.raises(ValueError, match="needs a static `input_shape`"):
        LeNet5(input_shape=(None, None, 1))


def test_channels_that_are_neither_1_nor_3_warn():
    with pytest.warns(UserWarning, match="usually expects 1 or 3 input channels"):
        Xception(weights=None, input_shape=(71, 71, 5), width_multiplier=0.1, middle_repeats=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Xception(weights=None, input_shape=(71, 71, 1), width_multiplier=0.1, middle_repeats=0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [  # where keras.applications is silent
        ({"include_top": False, "pooling": "average"}, "one of None, 'avg', 'max'"),
        ({"classes": 0}, "positive integer"),
        ({"classes": 2.5}, "positive integer"),
        ({"input_shape": ("299", 299, 3)}, "tuple of three integers"),
        ({"input_shape": (299, 299, None)}, "number of channels"),
        ({"dropout_rate": 1.0}, "`dropout_rate` should be a number of at least 0 and below 1"),
        ({"order": "spatial_first"}, "`order` should be one of"),
        ({"intermediate_activation": "selu"}, "`intermediate_activation` should be one of"),
        ({"middle_repeats": -1}, "of at least 0"),
        ({"width_multiplier": 0}, "above 0"),
        ({"middle_repeats": 2.5}, "an integer"),
        ({"batch_norm_momentum": 5}, "below 1"),
        ({"head_units": 4096}, "tuple of sizes"),
        ({"weights": 5555}, "`weights` argument should be either"),
        ({"input_shape": 71}, "tuple of three integers"),
        ({"head_units": (0,)}, "an integer of at least 1"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        Xception(**{"weights": None, **arguments})


def test_small_input_tensor_is_refused():
    with pytest.raises(ValueError, match="at least 71x71"):
        Xception(weights=None, input_tensor=keras.Input((16, 16, 3)))


def test_shape_may_be_a_list():
    model = Xception(weights=None, input_shape=[71, 71, 3], width_multiplier=0.1)
    assert model.input.shape == (None, 71, 71, 3)


def test_shape_may_come_from_numpy():
    shape = tuple(np.int64(length) for length in (71, 71, 3))
    model = Xception(weights=None, input_shape=shape, width_multiplier=0.1)
    assert model.input.shape == (None, 71, 71, 3)


def test_name_of_the_model_goes_through_get_model():
    assert get_model("LeNet5", name="mine").name == "mine"


def test_imagenet_weights_are_for_the_default_graph():
    with pytest.raises(ValueError, match=r"Received: Xception\(residual=False\)"):
        Xception(residual=False)


def test_nets_without_public_weights_say_so():
    with pytest.raises(ValueError, match="does not serve LeNet5"):
        LeNet5(weights="imagenet")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("xceptoin", "nearest names are Xception"),
        ("LeNet5:classic", "these variants: paper, modern"),
        ("Xception:paper", "these variants: none"),
    ],
)
def test_unknown_models_name_the_nearest(name, message):
    with pytest.raises(ValueError, match=message):
        get_model(name)


def test_unknown_options_name_the_nearest():
    with pytest.raises(ValueError, match="nearest are dropout_rate"):
        get_model("Xception", dropout=0.5)
