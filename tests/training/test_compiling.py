"""Training steps as XLA takes them: the nearest to a TPU that can be had without one."""

import keras
import pytest
import tensorflow as tf
from tensorflow.python.framework import config

from keras_convnets.training import choice, compiling
from keras_convnets.training.compiling import compile_step

THIN = {"width_multiplier": 0.1, "repeats": (1, 1, 1)}
SLIM = {"width_multiplier": 0.1, "repeats": (1, 1, 1, 1)}
SMALL_HEAD = {"width_multiplier": 0.1, "head_units": (16, 8)}
# The shallowest net of each family: what is computed does not change with depth.
NETS = {
    "AlexNet": (67, SMALL_HEAD),
    "GoogLeNet": (20, {"small_input": True, **THIN, "repeats": (1, 3, 1)}),
    "InceptionResNetV1": (75, THIN),
    "InceptionV2": (96, THIN),
    "InceptionV3": (75, THIN),
    "InceptionV4": (75, THIN),
    "LeNet5:paper": (32, {}),
    "NIN": (20, {"width_multiplier": 0.1}),
    "ResNet18": (32, SLIM),
    "ResNet50V2": (32, SLIM),
    "ResNeXt50": (32, SLIM),
    "VGG11": (32, SMALL_HEAD),
    "Xception": (71, {"width_multiplier": 0.1, "middle_repeats": 0}),
}


@pytest.fixture(autouse=True)
def free_order():
    """Other tests of this process want the same bits again, which XLA has no pooling for."""
    config.disable_op_determinism()


@pytest.fixture
def small(tiny_xception):
    """A function that makes the recipe of a small net, with all that a step can have."""

    def apply(name):
        size, options = NETS[name]
        fields = {
            "model": name,
            "variant": None,
            "model_options": options,
            "input_size": size,
            "classes": 10,
            "batch_norm": None,
            "initializer": None,
            "dropout_rate": 0.0,
            "aux_weight": 0.3 if name == "GoogLeNet" else None,
            "clip_norm": 1.0,
        }
        return tiny_xception.replace(**{key: choice(value, "s") for key, value in fields.items()})

    return apply


@pytest.mark.parametrize("name", NETS)
def test_the_step_of_every_family_has_a_form_for_xla(small, name):
    channels = 1 if name.startswith("LeNet5") else 3
    assert compile_step(small(name), channels, "tf", lower_only=True).fault is None


def test_a_whole_step_becomes_machine_code(small):
    assert compile_step(small("NIN"), 3, "tf").fault is None
    assert keras.config.dtype_policy().name == "float32"  # as it was


def test_what_can_not_be_compiled_is_told(small, monkeypatch):
    """Here Python is asked within the step."""
    build = compiling.build_training_model

    def add_python(x):
        sums = tf.numpy_function(lambda v: v.sum(keepdims=True), [tf.stop_gradient(x)], x.dtype)
        return x + tf.ensure_shape(sums, (1, 1))

    def broken(*arguments):
        model = build(*arguments)
        return keras.Model(model.input, keras.layers.Lambda(add_python)(model.output))

    monkeypatch.setattr(compiling, "build_training_model", broken)
    monkeypatch.setattr(compiling, "head_begin", lambda model, new: "predictions")
    assert "PyFunc" in compile_step(small("NIN"), 3, "tf", lower_only=True).fault
