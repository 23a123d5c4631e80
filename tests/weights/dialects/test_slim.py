"""TF-slim's names against our nets, and logits of the shallowest against slim's own."""

import keras
import numpy as np
import pytest

from keras_convnets import get_model, weights
from keras_convnets.analysis.weightless import weightless
from keras_convnets.errors import InputError
from keras_convnets.weights.dialects import slim
from keras_convnets.weights.tensors import Stored

from ..peers.drawing import Golden, draw_image
from ..peers.write_slim import write_archive

NETS = {
    "inception_v1": ("GoogLeNet:slim", {}),
    "inception_v2": ("InceptionV2:slim", {}),
    "inception_v3": ("InceptionV3", {"aux_logits": True}),
    "inception_v4": ("InceptionV4", {"aux_logits": True}),
    "inception_resnet_v2": ("InceptionResNetV2", {"aux_logits": True}),
    "vgg_16": ("VGG16", {}),
    "vgg_19": ("VGG19", {}),
    "resnet_v1_50": ("ResNet50:slim", {}),
    "resnet_v2_50": ("ResNet50V2:slim", {}),
    "resnet_v2_101": ("ResNet101V2:slim", {}),
    "resnet_v2_152": ("ResNet152V2:slim", {}),
}


def unread():
    raise AssertionError("no number should be read to name a tensor")


def without_numbers(shapes):
    return {name: Stored(tuple(shape), unread) for name, shape in shapes.items()}


def shapes_of(tensors):
    return {
        layer: {name: tensor.shape for name, tensor in variables.items()}
        for layer, variables in tensors.items()
    }


def shapes_in(model):
    return {
        layer.name: {weight.name: tuple(weight.shape) for weight in layer.weights}
        for layer in model.layers
        if layer.weights
    }


@pytest.mark.parametrize("net", NETS)
def test_every_layer_gets_its_variables_in_their_shapes(net):
    name, options = NETS[net]
    stored = without_numbers(Golden.load(f"slim_{net}").shapes)
    found = shapes_of(slim.translate(stored))
    assert found == weightless(lambda: shapes_in(get_model(name, weights=None, **options)))


@pytest.mark.usefixtures("double_precision")
@pytest.mark.parametrize("net", ["inception_v1", "inception_v2", "resnet_v1_50", "resnet_v2_50"])
def test_every_logit_is_that_of_slim_but_the_background(net, tmp_path):
    golden = Golden.load(f"slim_{net}")
    path = tmp_path / f"{net}_2016_08_28.tar.gz"
    write_archive(golden, path, f"{net}.ckpt")
    model = get_model(
        NETS[net][0],
        weights=None,
        input_shape=(golden.size, golden.size, 3),
        classifier_activation=None,
        kernel_initializer="zeros",
    )
    weights.load(model, path)
    logits = keras.ops.convert_to_numpy(model(draw_image(golden.size)))[0]
    expected = golden.logits[-len(logits) :]
    assert len(logits) == 1000
    assert np.abs(logits - expected).max() <= 1e-12 * np.abs(expected).max()


@pytest.fixture
def stored():
    """The variables of slim's Inception-v1."""
    return without_numbers(Golden.load("slim_inception_v1").shapes)


def test_the_scope_with_a_slip_may_have_its_right_name(stored):
    slip, right = (f"InceptionV1/Mixed_5b/Branch_2/Conv2d_0{letter}_3x3/" for letter in "ab")
    assert any(name.startswith(slip) for name in stored)
    renamed = {name.replace(slip, right): tensor for name, tensor in stored.items()}
    assert shapes_of(slim.translate(renamed)) == shapes_of(slim.translate(stored))


def test_what_training_keeps_beside_the_variables_is_passed_over(stored):
    expected = shapes_of(slim.translate(stored))
    other = Stored((3, 3), unread)
    beside = {"global_step": other, "train_op/beta1_power": other}
    for name in stored:
        beside |= {f"{name}/{end}": other for end in ("RMSProp_1", "ExponentialMovingAverage")}
    assert shapes_of(slim.translate({**beside, **stored})) == expected


@pytest.mark.parametrize("classes", [1001, 1000, 5])
def test_of_1001_classes_the_first_is_left_out(classes):
    weights, biases = np.random.rand(1, 1, 8, classes), np.random.rand(classes)
    tensors = slim.translate(
        {
            "InceptionV3/AuxLogits/Conv2d_2b_1x1/weights": Stored.of(weights),
            "InceptionV3/AuxLogits/Conv2d_2b_1x1/biases": Stored.of(biases),
            "InceptionV3/Logits/Conv2d_1c_1x1/weights": Stored.of(weights),
            "InceptionV3/Logits/Conv2d_1c_1x1/biases": Stored.of(biases),
        }
    )
    start = 1 if classes == 1001 else 0
    for head in ("predictions", "aux1"):
        kernel, bias = tensors[head]["kernel"], tensors[head]["bias"]
        np.testing.assert_array_equal(kernel.read(), weights[0, 0, :, start:])
        np.testing.assert_array_equal(bias.read(), biases[start:])
        assert (kernel.shape, bias.shape) == (kernel.read().shape, bias.read().shape)


def test_the_rows_of_a_convolution_of_the_whole_map_run_over_height_width_channels():
    weights = np.random.rand(7, 7, 2, 3)
    tensors = slim.translate(
        {
            "vgg_16/fc6/weights": Stored.of(weights),
            "vgg_16/fc6/biases": Stored.of(np.zeros(3)),
        }
    )
    kernel = tensors["fc1"]["kernel"]
    assert not kernel.channels_first
    np.testing.assert_array_equal(kernel.read().reshape(7, 7, 2, 3), weights)


@pytest.mark.parametrize(
    "missing",
    [
        "InceptionV1/Conv2d_2c_3x3/weights",
        "InceptionV1/Mixed_4b/Branch_1/Conv2d_0a_1x1/weights",
        "InceptionV1/Mixed_4b/Branch_1/Conv2d_0b_3x3/BatchNorm/moving_variance",
        "InceptionV1/Logits/Conv2d_0c_1x1/biases",
    ],
)
def test_a_missing_variable_is_named(missing, stored):
    del stored[missing]
    with pytest.raises(InputError, match=f"should have the variable '{missing}'"):
        slim.translate(stored)


def test_half_of_a_separable_convolution_is_not_enough():
    stored = without_numbers(Golden.load("slim_inception_v2").shapes)
    del stored["InceptionV2/Conv2d_1a_7x7/pointwise_weights"]
    with pytest.raises(InputError, match="Conv2d_1a_7x7/pointwise_weights"):
        slim.translate(stored)


@pytest.mark.parametrize(
    "variable", ["Conv2d_2c_3x3/biases", "Conv2d_2c_3x3/BatchNorm/renorm_mean"]
)
def test_an_unknown_variable_is_named(variable, stored):
    stored[f"InceptionV1/{variable}"] = Stored((192,), unread)
    with pytest.raises(InputError, match=f"should not have the variable 'InceptionV1/{variable}'"):
        slim.translate(stored)


def test_a_classifier_with_other_biases_is_refused(stored):
    stored["InceptionV1/Logits/Conv2d_0c_1x1/biases"] = Stored((1000,), unread)
    with pytest.raises(InputError, match="as many biases as outputs"):
        slim.translate(stored)


def test_a_layer_that_the_net_does_not_have_keeps_its_scope(stored):
    extra = Stored((1, 1, 832, 8), unread)
    stored["InceptionV1/Mixed_9z/Branch_0/Conv2d_0a_1x1/weights"] = extra
    tensors = slim.translate(stored)
    assert tensors["Mixed_9z/Branch_0/Conv2d_0a_1x1"] == {"weights": extra}


@pytest.mark.parametrize("name", ["conv1.weight", "MobilenetV1/Conv2d_0/weights", "InceptionV10/a"])
def test_names_of_other_nets_are_left_to_others(name):
    assert slim.translate({name: Stored((3,), unread)}) is None


@pytest.mark.parametrize("name", ["ResNet50:v1", "ResNet50:v1.5", "ResNet50V2"])
def test_a_resnet_with_another_pool_is_refused(name):
    with pytest.raises(InputError, match='wrong results; build the net with `variant="slim"`'):
        weightless(lambda: slim.check_pool(get_model(name, weights=None)))


@pytest.mark.parametrize("name", ["ResNet50:slim", "ResNet50V2:slim", "GoogLeNet:slim", "VGG16"])
def test_nets_with_the_pool_of_slim_or_without_one_are_let_through(name):
    weightless(lambda: slim.check_pool(get_model(name, weights=None)))
