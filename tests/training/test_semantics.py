"""Losses against their formulas."""

import keras
import numpy as np
import pytest

from keras_convnets.training import SGD
from keras_convnets.training.losses import SmoothedCrossentropy, add_l2, balanced_weights
from keras_convnets.training.model import build_training_model, compile_model
from keras_convnets.training.optimizers import build_optimizer


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
