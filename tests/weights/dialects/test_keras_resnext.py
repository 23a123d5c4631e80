"""The ResNeXts of keras-applications: names, grouped kernels, and all logits of the shallower."""

import keras
import numpy as np
import pytest

from keras_convnets import get_model
from keras_convnets.analysis.weightless import weightless
from keras_convnets.errors import InputError
from keras_convnets.weights.dialects import keras_resnext
from keras_convnets.weights.fitting import assign
from keras_convnets.weights.formats.keras_files import read_legacy
from keras_convnets.weights.tensors import Stored

from ..peers.drawing import Golden, draw_image
from ..peers.write_keras import write_legacy_h5


def unread():
    raise AssertionError("no number should be read to name a tensor")


def without_numbers(shapes):
    return {name: Stored(tuple(shape), unread) for name, shape in shapes.items()}


def shapes_in(model):
    return {
        layer.name: {weight.name: tuple(weight.shape) for weight in layer.weights}
        for layer in model.layers
        if layer.weights
    }


def shapes_of(tensors):
    return {
        layer: {name: tensor.shape for name, tensor in variables.items()}
        for layer, variables in tensors.items()
    }


@pytest.mark.parametrize("depth", [50, 101])
@pytest.mark.parametrize("include_top", [True, False])
def test_every_layer_gets_its_variables_in_their_shapes(depth, include_top):
    shapes = Golden.load(f"keras_resnext{depth}").shapes
    if not include_top:
        shapes = {name: shape for name, shape in shapes.items() if not name.startswith("probs/")}
    found = shapes_of(keras_resnext.translate(without_numbers(shapes)))
    expected = weightless(
        lambda: shapes_in(get_model(f"ResNeXt{depth}", weights=None, include_top=include_top))
    )
    assert found == expected


@pytest.mark.usefixtures("double_precision")
def test_every_logit_is_that_of_keras_applications(tmp_path):
    golden = Golden.load("keras_resnext50")
    path = tmp_path / "resnext50_weights_tf_dim_ordering_tf_kernels.h5"
    write_legacy_h5(golden, path)
    stored = {
        f"{layer.name}/{variable}": tensor
        for layer in read_legacy(path)
        for variable, tensor in layer.variables
    }
    model = get_model(
        "ResNeXt50", weights=None, classifier_activation=None, kernel_initializer="zeros"
    )
    assign(model, keras_resnext.translate(stored), str(path))
    logits = keras.ops.convert_to_numpy(model(draw_image(golden.size)))[0]
    # An epsilon that is not made up for differs by 4.5e-8.
    assert np.abs(logits - golden.logits).max() <= 1e-12 * np.abs(golden.logits).max()


GROUPS, EACH = 4, 3
CHANNELS = GROUPS * EACH


@pytest.fixture
def depthwise(rng):
    return rng.normal(size=(3, 3, CHANNELS, EACH)).astype("float32")


@pytest.fixture
def summing():
    """The frozen kernel as keras-applications made it, a column for each output."""
    kernel = np.zeros((1, 1, CHANNELS * EACH, CHANNELS), "float32")
    for output in range(CHANNELS):
        start = output // EACH * EACH * EACH + output % EACH
        kernel[:, :, start : start + EACH * EACH : EACH, output] = 1
    return kernel


def layer(depthwise, summing=None):
    stored = {"conv2_block1_2_conv/depthwise_kernel": Stored.of(depthwise)}
    if summing is not None:
        stored["conv2_block1_2_gconv/kernel"] = Stored.of(summing)
    return stored


def test_a_grouped_kernel_does_what_the_two_layers_did(depthwise, summing, rng):
    tensors = keras_resnext.translate(layer(depthwise, summing))
    assert tensors.keys() == {"conv2_block1_2_conv"}
    image = rng.normal(size=(1, 6, 6, CHANNELS)).astype("float32")
    maps = keras.ops.depthwise_conv(image, depthwise)
    expected = keras.ops.conv(maps, summing)
    found = keras.ops.conv(image, tensors["conv2_block1_2_conv"]["kernel"].read())
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("value", [0.0, 0.5])
def test_a_frozen_kernel_that_does_something_else_is_refused(value, depthwise, summing):
    summing[0, 0, 0, 0] = value
    kernel = keras_resnext.translate(layer(depthwise, summing))["conv2_block1_2_conv"]["kernel"]
    with pytest.raises(InputError, match="behind 'conv2_block1_2_conv' should add up"):
        kernel.read()


def test_a_frozen_kernel_of_another_shape_is_refused(depthwise, summing):
    with pytest.raises(InputError, match="behind 'conv2_block1_2_conv' should add up"):
        keras_resnext.translate(layer(depthwise, summing[..., 1:]))


def test_a_frozen_kernel_without_its_convolution_is_refused(depthwise, summing):
    stored = layer(depthwise)
    stored["conv3_block1_2_gconv/kernel"] = Stored.of(summing)
    with pytest.raises(InputError, match="'conv3_block1_2_gconv' should add up"):
        keras_resnext.translate(stored)


@pytest.mark.parametrize("shape", [(3, 3, 12, 5), (3, 3, 12, 0), (3, 12, 3)])
def test_a_depthwise_kernel_that_makes_no_groups_is_refused(shape):
    with pytest.raises(InputError, match=r"'conv2_block1_2_conv' should have one depthwise kernel"):
        keras_resnext.translate(layer(np.zeros(shape)))


def test_the_larger_epsilon_goes_into_the_moving_variance(depthwise):
    variance = np.array([0, 1e-5, 2.0], "float32")
    stored = layer(depthwise) | {"conv1_bn/moving_variance": Stored.of(variance)}
    found = keras_resnext.translate(stored)["conv1_bn"]["moving_variance"].read()
    np.testing.assert_allclose(found + 1e-5, variance.astype("float64") + 1.001e-5, rtol=1e-14)


@pytest.mark.parametrize("name", ["conv1_conv/kernel", "conv2_block1_2_conv/kernel", "stage1/w"])
def test_other_nets_are_left_to_others(name):
    assert keras_resnext.translate({name: Stored((3,), unread)}) is None
