"""The ways in which files write batch normalization: each gives weights that compute the same."""

import numpy as np
import pytest
from keras import layers

from keras_convnets.errors import InputError

from .small_nets import conv, net


def normed(**options):
    """A convolution with batch normalization."""
    return net(conv(use_bias=False), layers.BatchNormalization(name="bn", **options))


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("epsilon", [1e-3, 1e-5])
def test_batch_normalization(file, check, epsilon, bias):
    """Whatever epsilon it has, and whether the convolution before it has a bias."""
    x = file.node("Conv", "image", file.drawn(4, 3, 3, 3), *([file.drawn(4)] if bias else []))
    check(normed(), file.norm(x, 4, epsilon))


def test_batch_normalization_that_was_folded(file, check):
    model = normed()
    check(model, file.node("Conv", "image", file.drawn(4, 3, 3, 3), file.drawn(4)))
    norm = model.get_layer("bn")
    np.testing.assert_array_equal(norm.gamma, 1)
    np.testing.assert_array_equal(norm.moving_mean, 0)
    np.testing.assert_array_equal(norm.moving_variance + np.float32(1e-3), 1)


def test_a_folded_one_needs_no_scale(file, check):
    check(normed(scale=False), file.node("Conv", "image", file.drawn(4, 3, 3, 3), file.drawn(4)))


def test_a_bias_stays_one_where_we_have_it(file, check):
    model = net(conv(), layers.BatchNormalization(name="bn"))
    bias = file.drawn(4)
    x = file.node("Conv", "image", file.drawn(4, 3, 3, 3), bias)
    check(model, file.norm(x, 4))
    np.testing.assert_array_equal(model.get_layer("conv").bias, file.array(bias))


@pytest.mark.parametrize("shape", [(4, 1, 1), (1, 4, 1, 1)])
def test_a_scale_and_shift_behind_batch_normalization(file, check, shape):
    """As Caffe has them."""
    x = file.norm(file.node("Conv", "image", file.drawn(4, 3, 3, 3)), 4)
    x = file.node("Mul", file.drawn(*shape), x)
    check(normed(), file.node("Sub", x, file.drawn(*shape)))


def test_batch_normalization_written_out(file, check):
    x = file.node("Conv", "image", file.drawn(4, 3, 3, 3))
    x = file.node("Div", x, file.drawn(4, 1, 1))
    check(normed(), file.node("Add", x, file.drawn(4, 1, 1)))


def test_batch_normalization_computed_from_constants(file, check):
    """Of a variance, and in channels last."""
    x = file.node("Conv", "image", file.drawn(4, 3, 3, 3))
    x = file.node("Transpose", x, perm=[0, 2, 3, 1])
    deviation = file.node("Sqrt", file.node("Add", file.drawn(4), file.constant(1e-3)))
    x = file.node("Mul", x, file.node("Mul", file.node("Reciprocal", deviation), file.drawn(4)))
    x = file.node("Add", x, file.drawn(4))
    check(normed(), file.node("Transpose", x, perm=[0, 3, 1, 2]))


def test_batch_normalization_of_its_own(file, check):
    model = net(layers.MaxPooling2D(2), layers.BatchNormalization(name="bn"), conv(use_bias=False))
    x = file.norm(file.node("MaxPool", "image", kernel_shape=[2, 2], strides=[2, 2]), 3)
    check(model, file.node("Conv", x, file.drawn(4, 3, 3, 3)))


def test_a_scale_that_the_net_lacks_is_refused(file, check):
    x = file.norm(file.node("Conv", "image", file.drawn(4, 3, 3, 3)), 4)
    with pytest.raises(InputError, match="scale of 'bn' is not 1 everywhere.*batch_norm_scale"):
        check(normed(scale=False), x)


def test_batch_normalization_that_the_net_lacks_is_refused(file, check):
    x = file.norm(file.node("Conv", "image", file.drawn(4, 3, 3, 3)), 4)
    with pytest.raises(InputError, match="normalizes behind the layer 'conv', and this net"):
        check(net(conv()), x)


def test_a_bias_that_the_net_lacks_is_refused(file, check):
    x = file.node("Conv", "image", file.drawn(4, 3, 3, 3), file.drawn(4))
    with pytest.raises(InputError, match="has a bias for the layer 'conv', which has none"):
        check(net(conv(use_bias=False)), x)


def test_steps_in_front_of_batch_normalization_are_a_part_of_it(file, check):
    x = file.node("Conv", "image", file.drawn(4, 3, 3, 3), file.drawn(4))
    x = file.node("Add", file.node("Mul", x, file.drawn(4, 1, 1)), file.drawn(4, 1, 1))
    check(normed(), file.norm(x, 4))


def test_two_batch_normalizations_are_as_good_as_one(file, check):
    x = file.node("Conv", "image", file.drawn(4, 3, 3, 3))
    check(normed(), file.norm(file.node("Sub", file.norm(x, 4), file.drawn(4, 1, 1)), 4))
