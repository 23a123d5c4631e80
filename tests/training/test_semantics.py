"""Losses against their formulas."""

import keras
import numpy as np
import pytest

from keras_convnets.layers import SegmentedConv2D
from keras_convnets.training import SGD, choice
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


@pytest.mark.parametrize(("weight", "smoothing"), [(0.3, 0.0), (0.4, 0.1)])
def test_auxiliary_losses_are_smoothed_and_added_with_their_weight(
    tiny_googlenet, rng, weight, smoothing
):
    """loss = main + weight * (aux1 + aux2) + L2 (papers.md 5b, 7c)."""
    decay = tiny_googlenet.l2.value
    values = {"aux_weight": weight, "label_smoothing": smoothing}
    tiny_googlenet = tiny_googlenet.replace(
        **{field: choice(value, "test") for field, value in values.items()}
    )
    model = build_training_model(tiny_googlenet, channels=3, mode="raw")
    optimizer = build_optimizer(SGD(), 0.1)
    compile_model(model, tiny_googlenet, optimizer)
    images = rng.normal(size=(4, 20, 20, 3)).astype("float32")
    labels = np.array([0, 1, 1, 0])
    target = (1 - smoothing) * np.eye(2)[labels] + smoothing / 2
    parts = model(images, training=False)
    cross_entropy = {
        name: -np.mean(np.sum(target * np.log(np.asarray(output)), axis=1))
        for name, output in parts.items()
    }
    assert set(cross_entropy) == {"predictions", "aux1", "aux2"}
    kernels = [v for v in model.trainable_variables if v.name.endswith("kernel")]
    squares = sum(float(np.sum(np.square(v.numpy()))) for v in kernels)
    auxiliary = cross_entropy["aux1"] + cross_entropy["aux2"]
    found = model.evaluate(images, dict.fromkeys(parts, labels), verbose=0, return_dict=True)
    expected = cross_entropy["predictions"] + weight * auxiliary + decay / 2 * squares
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


def test_kernels_of_unequal_segments_decay_too():
    """They are two variables, with other names than "kernel"."""
    layers = [keras.Input((8, 8, 5)), SegmentedConv2D(6, 3, segments=(3, 2))]
    model = keras.Sequential(layers)
    add_l2(model, 0.02, "kernels")
    kernels = [variable for variable in model.weights if variable.name != "bias"]
    assert len(kernels) == 2
    expected = 0.01 * sum(float((kernel.numpy() ** 2).sum()) for kernel in kernels)
    np.testing.assert_allclose(float(sum(model.losses)), expected, rtol=1e-5)
