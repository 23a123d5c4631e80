"""Every stage and logit against Torch nets, by the files that goldens/make.py makes."""

import functools

import keras
import numpy as np
import pytest

from keras_convnets import GoogLeNet, InceptionResNetV2, InceptionV2, InceptionV3, InceptionV4
from keras_convnets._registry import find_architecture
from keras_convnets.analysis import feature_extractor

from .goldens.drawing import draw, draw_image, load_golden, sample

NETS = {  # the name in our registry, and the builder with the options of the Torch net
    "googlenet": (
        "GoogLeNet:torchvision",
        functools.partial(GoogLeNet, variant="torchvision", aux_logits=True),
    ),
    "inception_v2": (
        "InceptionV2:caffe",
        functools.partial(InceptionV2, variant="caffe", conv_bias=True),
    ),
    "inception_v3": (
        "InceptionV3",
        functools.partial(
            InceptionV3, batch_norm_scale=True, average_pool_padding="include", aux_logits=True
        ),
    ),
    "inception_v4": ("InceptionV4", functools.partial(InceptionV4, batch_norm_scale=True)),
    "inception_resnet_v2": (
        "InceptionResNetV2",
        functools.partial(InceptionResNetV2, batch_norm_scale=True),
    ),
}


@pytest.fixture
def double_precision():
    """Inputs, weights and computation in float64."""
    before = keras.config.floatx()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_floatx(before)


def fill(model):
    for layer in model.layers:
        for weight in layer.weights:
            weight.assign(draw(layer.name, weight.name, tuple(weight.shape)))


@pytest.mark.usefixtures("double_precision")
@pytest.mark.parametrize("net", NETS)
def test_every_stage_and_logit_equals_that_of_torch(net):
    registered_name, build = NETS[net]
    golden = load_golden(net)
    model = build(weights=None, classifier_activation=None)
    fill(model)
    entry, options = find_architecture(registered_name)
    taps = {tap.name for tap in entry.variant(options.get("variant")).taps}
    missing = (taps | set(model.output_names)) - golden.keys()
    assert not missing, "goldens/make.py should record these too"

    maps = feature_extractor(model, list(golden))(draw_image(model.input.shape[1]))
    wrong = {}
    for name, (shape, expected) in golden.items():
        found = keras.ops.convert_to_numpy(maps[name])[0]
        if found.shape != shape:
            wrong[name] = f"shape {found.shape}, not {shape}"
            continue
        error = np.abs(sample(name, found) - expected).max() / np.abs(expected).max()
        if not error <= 1e-8:
            wrong[name] = f"relative error {error:.1e}"
    assert not wrong, f"The first that differs is {next(iter(wrong))}; all: {wrong}"
