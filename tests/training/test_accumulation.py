"""Micro-batches: the update of a whole batch, in parts."""

import keras
import numpy as np
import pytest

from keras_convnets.errors import InputError
from keras_convnets.training import (
    SGD,
    MovingAverage,
    Piecewise,
    Steps,
    choice,
    resume,
    train,
)
from keras_convnets.training.accumulation import accumulating
from keras_convnets.training.averaging import averaged
from keras_convnets.training.losses import SmoothedCrossentropy, add_l2
from keras_convnets.training.optimizers import build_optimizer


def two_headed_net(norm=False):
    image = keras.Input((6, 6, 2))
    x = keras.layers.Conv2D(3, 3, name="conv")(image)
    if norm:
        x = keras.layers.BatchNormalization(momentum=0.5, name="norm")(x)
    x = keras.layers.Flatten()(keras.layers.Activation("tanh")(x))
    heads = {
        name: keras.layers.Dense(4, activation="softmax", name=name)(x)
        for name in ("predictions", "aux1")
    }
    return keras.Model(image, heads, name="net")


def compiled(model, parts, clip_norm=None):
    """With all that a step can have: L2, smoothing, two losses, clipping, average, schedule."""
    model = accumulating(model, parts)
    add_l2(model, 0.01, "all")
    rate = Piecewise((0.5, 0.05), (Steps(2),)).build(1, 8, 4)
    share = MovingAverage(0.9).build(1, 8, 0)
    optimizer = build_optimizer(SGD(0.9), rate, clip_norm=clip_norm, share=share)
    model.compile(
        optimizer,
        {"predictions": SmoothedCrossentropy(0.1), "aux1": SmoothedCrossentropy(0.1)},
        loss_weights={"predictions": 1.0, "aux1": 0.3},
        metrics={"predictions": [keras.metrics.SparseCategoricalAccuracy(name="top1")]},
    )
    return model


@pytest.mark.parametrize("clip_norm", [None, 0.2])
@pytest.mark.usefixtures("double_precision")
def test_an_update_is_that_of_the_whole_batch(rng, clip_norm):
    """In weights, averages, reported loss and accuracy, and count of updates.

    A gradient that is always clipped would hide whether it is a mean or a sum.
    """
    images, labels = rng.normal(size=(4, 8, 6, 6, 2)), rng.integers(0, 4, (4, 8))
    start, found = None, {}
    for parts in (1, 4):
        model = compiled(two_headed_net(), parts, clip_norm)
        start = start or model.get_weights()
        model.set_weights(start)
        logs = [
            model.train_on_batch(x, dict.fromkeys(("predictions", "aux1"), y), return_dict=True)
            for x, y in zip(images, labels, strict=True)
        ]
        raw = model.get_weights()
        with averaged(model):
            found[parts] = (raw, model.get_weights(), logs, int(model.optimizer.iterations))
    for whole, cut in zip(found[1][0] + found[1][1], found[4][0] + found[4][1], strict=True):
        np.testing.assert_allclose(cut, whole, rtol=1e-10, atol=1e-14)
    assert not np.allclose(found[1][0][0], found[1][1][0], atol=1e-3)  # the average is another
    for whole, cut in zip(found[1][2], found[4][2], strict=True):
        assert cut == pytest.approx(whole, rel=1e-10)
    assert found[1][3] == found[4][3] == 4


def test_batch_normalization_sees_the_parts_in_their_order(rng):
    """Its moving mean moves once for each part: 1/2 of the second and 1/4 of the first."""
    model = compiled(two_headed_net(norm=True), 2)
    images, labels = rng.normal(size=(8, 6, 6, 2)).astype("float32"), np.zeros(8)
    conv = keras.Model(model.input, model.get_layer("conv").output)
    means = [conv(part).numpy().mean(axis=(0, 1, 2)) for part in (images[:4], images[4:])]
    model.train_on_batch(images, dict.fromkeys(("predictions", "aux1"), labels))
    found = model.get_layer("norm").moving_mean.numpy()
    np.testing.assert_allclose(found, means[0] / 4 + means[1] / 2, rtol=1e-4, atol=1e-6)


@pytest.fixture
def go(tiny_recipe, photo_folder, tmp_path):
    """A function that trains on the red and blue images."""

    def apply(name, recipe=tiny_recipe, **options):
        out = tmp_path / name
        return train(recipe, data=f"folder:{photo_folder}", out=out, quiet=True, **options)

    return apply


def test_a_run_in_parts_is_a_run_and_can_be_resumed(go, kill, assert_alike, tmp_path):
    """The same images in the same order: without batch normalization only rounding differs."""
    whole, parts = go("whole"), go("parts", accumulate=2)
    weights = (run.load_model().get_weights() for run in (parts, whole))
    for a, b in zip(*weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)
    assert [row["step"] for row in parts.history] == [row["step"] for row in whole.history]
    assert parts.settings.accumulate == 2
    kill(7, lambda: go("broken", accumulate=2, checkpoint_every=3))
    assert_alike(resume(tmp_path / "broken", quiet=True), parts)


@pytest.mark.parametrize(
    ("accumulate", "parallelism", "message"),
    [
        (3, "sync", "batch of 4 images can't be cut into 3 equal micro-batches"),
        (0, "sync", "should be an integer of at least 1. Received: 0"),
        (2, "async", "each worker is an update, so nothing can be accumulated"),
    ],
)
def test_what_can_not_be_cut_is_refused_at_once(
    go, tiny_recipe, tmp_path, accumulate, parallelism, message
):
    recipe = tiny_recipe.replace(parallelism=choice(parallelism, "test"))
    with pytest.raises(InputError, match=message):
        go("refused", recipe, accumulate=accumulate)
    assert not (tmp_path / "refused").exists()
