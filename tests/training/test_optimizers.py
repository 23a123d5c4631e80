"""Optimizers against their formulas, in float64, over steps whose rate changes."""

import keras
import numpy as np
import pytest

from keras_convnets.training import SGD, Piecewise, RMSprop, Steps
from keras_convnets.training.losses import add_l2
from keras_convnets.training.optimizers import build_optimizer

RATES = (0.1, 0.1, 0.01, 0.01, 0.3, 0.3)
START = np.array([1.0, -2.0])

pytestmark = pytest.mark.usefixtures("double_precision")


@pytest.fixture
def gradients(rng):
    """Those of one weight of two numbers."""
    return rng.normal(size=(len(RATES), 2))


def run(optimizer, gradients, name="kernel", **options):
    """The weight behind each step."""
    schedule = Piecewise((0.1, 0.01, 0.3), (Steps(2), Steps(2)))
    rate = schedule.build(steps_per_epoch=1, batch_size=1, steps=6)
    built = build_optimizer(optimizer, rate, **options)
    weight = keras.Variable(START, name=name)
    path = []
    for gradient in gradients:
        built.apply_gradients([(keras.ops.convert_to_tensor(gradient), weight)])
        path.append(weight.numpy().copy())
    return np.array(path)


def momentum_sgd(gradients, *, rate_inside, nesterov, m=0.9, rates=RATES):
    """papers.md 2b, 10e: Caffe, TensorFlow and AlexNet's paper inside, Torch outside."""
    w, v, path = START, np.zeros(2), []
    for g, rate in zip(gradients, rates, strict=True):
        if rate_inside:
            v = m * v - rate * g
            w = w + (m * v - rate * g if nesterov else v)
        else:
            v = m * v + g
            w = w - rate * (g + m * v if nesterov else v)
        path.append(w)
    return np.array(path)


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("rate_inside", [True, False])
def test_momentum_has_the_rate_inside_the_buffer_or_outside(gradients, rate_inside, nesterov):
    found = run(SGD(0.9, nesterov, rate_inside), gradients)
    expected = momentum_sgd(gradients, rate_inside=rate_inside, nesterov=nesterov)
    np.testing.assert_allclose(found, expected, atol=1e-14)


def test_inside_and_outside_differ_behind_a_change_of_the_rate_only(gradients):
    inside, outside = (run(SGD(0.9, rate_inside=inside), gradients) for inside in (True, False))
    np.testing.assert_allclose(inside[:2], outside[:2], atol=1e-14)
    assert np.all(abs(inside[2:] - outside[2:]) > 1e-3)


def test_without_momentum_both_are_gradient_descent(gradients):
    expected = START - np.cumsum(np.array(RATES)[:, None] * gradients, axis=0)
    for rate_inside in (True, False):
        found = run(SGD(0, rate_inside=rate_inside), gradients)
        np.testing.assert_allclose(found, expected, atol=1e-14)


@pytest.mark.parametrize("initial", [0.0, 1.0])
@pytest.mark.parametrize("momentum", [0.0, 0.8])
def test_rmsprop_has_epsilon_inside_the_root_and_the_rate_inside_the_buffer(
    gradients, momentum, initial
):
    """papers.md 14: the mean square of TensorFlow started at 1."""
    w, ms, v, expected = START, np.full(2, initial), np.zeros(2), []
    for g, rate in zip(gradients, RATES, strict=True):
        ms = 0.9 * ms + 0.1 * g**2
        v = momentum * v + rate * g / np.sqrt(ms + 0.5)
        w = w - v
        expected.append(w)
    found = run(RMSprop(0.9, momentum, epsilon=0.5, initial_accumulator=initial), gradients)
    np.testing.assert_allclose(found, expected, atol=1e-14)


def test_biases_may_have_a_rate_of_their_own(gradients):
    """Caffe's lr_mult of 2 (papers.md 2b), which stands inside the buffer as the rate does."""
    found = run(SGD(0.9), gradients, name="bias", bias_rate=2.0)
    twice = 2 * np.array(RATES)
    expected = momentum_sgd(gradients, rate_inside=True, nesterov=False, rates=twice)
    np.testing.assert_allclose(found, expected, atol=1e-14)
    kernel = run(SGD(0.9), gradients, name="kernel", bias_rate=2.0)
    np.testing.assert_array_equal(kernel, run(SGD(0.9), gradients))


@pytest.mark.parametrize(("norm", "factor"), [(2.0, 2 / 13), (20.0, 1.0)])
def test_clipping_is_by_the_norm_of_all_gradients_together(norm, factor):
    """The norm of 3, 4 and 12 is 13 (papers.md 7c: gradients of Inception-v3 are clipped at 2)."""
    built = build_optimizer(SGD(0.0), 0.1, clip_norm=norm)
    weights = [keras.Variable(np.ones(2)), keras.Variable(np.ones(1))]
    gradients = [np.array([3.0, 4.0]), np.array([12.0])]
    built.apply_gradients(zip(map(keras.ops.convert_to_tensor, gradients), weights, strict=True))
    for weight, gradient in zip(weights, gradients, strict=True):
        np.testing.assert_allclose(weight.numpy(), 1 - 0.1 * factor * gradient, rtol=1e-12)


@pytest.mark.parametrize("rate_inside", [True, False])
def test_weight_decay_joins_the_momentum(rng, rate_inside):
    """papers.md 2b: v <- 0.9 v - 0.0005 * rate * w - rate * gradient."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, use_bias=False)])
    model.set_weights([START[:, None]])
    add_l2(model, 0.02, "kernels")
    rate = Piecewise((0.1, 0.3), (Steps(2),)).build(1, 1, 4)
    model.compile(build_optimizer(SGD(0.9, rate_inside=rate_inside), rate), loss="mse")
    x, w, v = rng.normal(size=(4, 2)), START, np.zeros(2)
    for step_rate in (0.1, 0.1, 0.3, 0.3):
        model.train_on_batch(x, np.zeros((4, 1)))
        gradient = 2 * x.T @ (x @ w) / 4 + 0.02 * w
        if rate_inside:
            v = 0.9 * v - step_rate * gradient
            w = w + v
        else:
            v = 0.9 * v + gradient
            w = w - step_rate * v
    # In a graph Keras rounds the factor of L2 to float32.
    np.testing.assert_allclose(model.get_weights()[0][:, 0], w, rtol=1e-7)


@pytest.mark.parametrize("rule", [SGD(0.9, rate_inside=False), RMSprop(initial_accumulator=1.0)])
def test_optimizers_are_saved_whole(rule, gradients):
    built = build_optimizer(rule, 0.1)
    again = keras.optimizers.deserialize(keras.optimizers.serialize(built))
    assert type(again) is type(built)
    assert again.get_config() == built.get_config()
