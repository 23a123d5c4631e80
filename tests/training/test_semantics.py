"""Schedules, optimizers and losses against their formulas, in float64."""

import keras
import numpy as np
import pytest

from keras_convnets.training import (
    SGD,
    Constant,
    Cosine,
    Epochs,
    Exponential,
    Piecewise,
    RMSprop,
    Samples,
    Steps,
)
from keras_convnets.training.averaging import MovingAverage, averaged
from keras_convnets.training.losses import SmoothedCrossentropy, add_l2, balanced_weights
from keras_convnets.training.model import build_training_model, compile_model
from keras_convnets.training.optimizers import build_optimizer


@pytest.mark.parametrize(
    ("length", "steps"),
    [(Epochs(2), 200), (Epochs(0.001), 1), (Samples(3_000_000), 93_750), (Steps(7), 7)],
)
def test_lengths_become_steps(length, steps):
    assert length.steps(steps_per_epoch=100, batch_size=32) == steps


def test_exponential_falls_in_stairs():
    """Xception: 0.045, times 0.94 every 2 epochs (papers.md 9b)."""
    rate = Exponential(0.045, rate=0.94, every=Epochs(2)).build(100, 32, 1000)
    found = [float(rate(step)) for step in (0, 199, 200, 399, 400)]
    np.testing.assert_allclose(
        found, [0.045, 0.045, 0.045 * 0.94, 0.045 * 0.94, 0.045 * 0.94**2], rtol=1e-6
    )


def test_piecewise_changes_with_the_first_step_of_a_stretch():
    rate = Piecewise((0.1, 0.01, 0.001), (Epochs(2), Steps(3))).build(10, 32, 100)
    found = [float(rate(step)) for step in (0, 19, 20, 22, 23, 99)]
    np.testing.assert_allclose(found, [0.1, 0.1, 0.01, 0.01, 0.001, 0.001], rtol=1e-6)


@pytest.mark.parametrize(("warmup", "final"), [(Epochs(2), 0.0), (Steps(7), 0.02), (None, 0.0)])
def test_cosine_is_half_a_period_after_a_linear_warmup(warmup, final):
    """1608.03983, equation 5; k counts updates from 0."""
    rate, total = Cosine(0.1, warmup, final).build(10, 32, 100), 100
    count = warmup.steps(10, 32) if warmup else 0
    k = np.arange(total + 20)
    part = np.minimum((k - count) / (total - count), 1)  # the rate stays where it ended
    expected = np.where(
        k < count,
        0.1 * k / max(count, 1),
        final + (0.1 - final) * (1 + np.cos(np.pi * part)) / 2,
    )
    np.testing.assert_allclose([float(rate(step)) for step in k], expected, rtol=1e-5, atol=1e-7)


def test_a_run_may_be_shorter_than_its_warmup():
    rate = Cosine(0.1, warmup=Epochs(2)).build(10, 32, 5)
    found = [float(rate(step)) for step in range(5)]
    np.testing.assert_allclose(found, 0.1 * np.arange(5) / 20, rtol=1e-6)


@pytest.mark.parametrize(
    "schedule",
    [
        Constant(0.2),
        Cosine(0.2, Epochs(1), final=0.1),
        Exponential(0.2, 0.9, Epochs(1)),
        Piecewise((0.2, 0.1), (Steps(5),)),
    ],
)
def test_scaling_multiplies_every_rate(schedule):
    def rates(schedule):
        built = schedule.build(10, 32, 100)
        return [float(built(s)) if callable(built) else built for s in range(30)]

    np.testing.assert_allclose(
        rates(schedule.scaled(0.5)), np.array(rates(schedule)) / 2, rtol=1e-6
    )


def run(optimizer, gradients, **options):
    built = build_optimizer(optimizer, 0.1, **options)
    weight = keras.Variable([1.0, -2.0], dtype="float64")
    path = []
    for gradient in gradients:
        built.apply_gradients([(keras.ops.convert_to_tensor(gradient, "float64"), weight)])
        path.append(weight.numpy().copy())
    return np.array(path)


@pytest.mark.parametrize("nesterov", [False, True])
def test_sgd_has_the_rate_inside_the_buffer(rng, nesterov):
    gradients = rng.normal(size=(5, 2))
    w, v, expected = np.array([1.0, -2.0]), np.zeros(2), []
    for g in gradients:
        v = 0.9 * v - 0.1 * g
        w = w + (0.9 * v - 0.1 * g if nesterov else v)
        expected.append(w)
    np.testing.assert_allclose(run(SGD(0.9, nesterov), gradients), expected, atol=1e-8)


def test_rmsprop_has_epsilon_inside_the_root(rng):
    gradients = rng.normal(size=(5, 2))
    w, ms, v, expected = np.array([1.0, -2.0]), np.zeros(2), np.zeros(2), []
    for g in gradients:
        ms = 0.9 * ms + 0.1 * g**2
        v = 0.8 * v + 0.1 * g / np.sqrt(ms + 1.0)
        w = w - v
        expected.append(w)
    found = run(RMSprop(rho=0.9, momentum=0.8, epsilon=1.0), gradients)
    np.testing.assert_allclose(found, expected, atol=1e-8)


def test_clipping_is_by_the_norm_of_all_gradients_together():
    found = run(SGD(0.0), [[30.0, 40.0]], clip_norm=5.0)
    np.testing.assert_allclose(found[0], [1.0 - 0.1 * 3.0, -2.0 - 0.1 * 4.0], atol=1e-6)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cross_entropy_equals_the_formula(rng, smoothing):
    logits = rng.normal(size=(6, 5))
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = rng.integers(0, 5, 6)
    target = (1 - smoothing) * np.eye(5)[labels] + smoothing / 5
    expected = -(target * np.log(probabilities)).sum(axis=1).mean()
    loss = SmoothedCrossentropy(smoothing, dtype="float64")
    np.testing.assert_allclose(float(loss(labels, probabilities)), expected, rtol=1e-6)
    again = SmoothedCrossentropy.from_config(loss.get_config())
    assert again.label_smoothing == smoothing


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weights", [None, (0.5, 1.0, 2.0, 1.5, 0.0)])
def test_mixed_labels_count_by_their_shares(rng, smoothing, weights):
    """A mixture of labels has the mixture of their targets and of their weights."""
    probabilities = rng.dirichlet(np.ones(5), 6)
    mixed = rng.dirichlet(np.ones(5), 6)
    target = (1 - smoothing) * mixed + smoothing / 5
    counts = 1 if weights is None else mixed @ np.array(weights)
    expected = (-(target * np.log(probabilities)).sum(axis=1) * counts).mean()
    loss = SmoothedCrossentropy(smoothing, weights, dtype="float64")
    np.testing.assert_allclose(float(loss(mixed, probabilities)), expected, rtol=1e-6)
    # Integers are the mixtures of one class.
    labels = rng.integers(0, 5, 6)
    pair = (loss(labels, probabilities), loss(np.eye(5)[labels], probabilities))
    np.testing.assert_allclose(*map(float, pair), rtol=1e-6)
    again = SmoothedCrossentropy.from_config(loss.get_config())
    assert again.class_weights == weights


def test_balanced_weights_give_each_class_the_same_part_of_the_loss():
    labels = np.repeat([0, 1, 2], [10, 30, 60])
    weights = np.array(balanced_weights(labels, 3))
    np.testing.assert_allclose(np.bincount(labels, weights[labels]), [100 / 3] * 3)
    np.testing.assert_allclose(weights[labels].mean(), 1)


def test_auxiliary_losses_are_added_with_their_weight(tiny_googlenet, rng):
    """loss = main + weight * (aux1 + aux2) + L2 (1409.4842, section 5)."""
    decay = tiny_googlenet.l2.value
    model = build_training_model(tiny_googlenet, channels=3, mode="raw")
    optimizer = build_optimizer(SGD(), 0.1)
    compile_model(model, tiny_googlenet, optimizer)
    images = rng.normal(size=(4, 20, 20, 3)).astype("float32")
    labels = np.array([0, 1, 1, 0])
    parts = model(images, training=False)
    cross_entropy = {
        name: -np.mean(np.log(np.asarray(output)[np.arange(4), labels]))
        for name, output in parts.items()
    }
    assert set(cross_entropy) == {"predictions", "aux1", "aux2"}
    kernels = [v for v in model.trainable_variables if v.name.endswith("kernel")]
    squares = sum(float(np.sum(np.square(v.numpy()))) for v in kernels)
    auxiliary = cross_entropy["aux1"] + cross_entropy["aux2"]
    found = model.evaluate(images, dict.fromkeys(parts, labels), verbose=0, return_dict=True)
    expected = cross_entropy["predictions"] + 0.3 * auxiliary + decay / 2 * squares
    np.testing.assert_allclose(found["loss"], expected, rtol=1e-5)


@pytest.mark.parametrize("scope", ["kernels", "all"])
def test_l2_is_half_the_decay_times_the_squares(scope, rng):
    """Its gradient is decay * w, so a step without data shrinks w by rate * decay."""
    model = keras.Sequential(
        [
            keras.Input((8, 8, 2)),
            keras.layers.SeparableConv2D(3, 3),
            keras.layers.BatchNormalization(),
            keras.layers.Flatten(),
            keras.layers.Dense(2),
        ]
    )
    values = [rng.normal(size=v.shape) for v in model.weights]
    model.set_weights(values)
    add_l2(model, 0.02, scope)
    chosen = [
        value
        for value, variable in zip(values, model.weights, strict=True)
        if variable.trainable and (scope == "all" or "kernel" in variable.name)
    ]
    assert len(chosen) == (3 if scope == "kernels" else 7)
    expected = 0.01 * sum((value**2).sum() for value in chosen)
    np.testing.assert_allclose(float(sum(model.losses)), expected, rtol=1e-5)


def test_average_is_in_the_model_only_when_asked(rng):
    """Training goes on with raw weights; evaluation sees the exponential mean of all steps."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    model.compile(
        build_optimizer(SGD(0.0), 0.1, share=MovingAverage(0.8, ramp=False).build(1, 4, 0)),
        loss="mse",
    )
    model.set_weights([np.array([[1.0]])])
    x, raw, average = np.ones((4, 1)), 1.0, None
    for _ in range(4):
        model.fit(x, np.zeros((4, 1)), batch_size=4, epochs=1, verbose=0)
        raw -= 0.1 * 2 * raw
        average = raw if average is None else 0.8 * average + 0.2 * raw
    np.testing.assert_allclose(model.get_weights()[0][0, 0], raw, rtol=1e-6)
    with averaged(model):
        np.testing.assert_allclose(model.get_weights()[0][0, 0], average, rtol=1e-6)
    np.testing.assert_allclose(model.get_weights()[0][0, 0], raw, rtol=1e-6)
