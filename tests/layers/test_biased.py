"""Biases belong to channels, whatever the shape of the map."""

import keras
import numpy as np
import pytest

from keras_convnets.layers import (
    BiasedConv2D,
    BiasedSeparableConv2D,
    GroupedConv2D,
    PointwiseConv2D,
    SegmentedConv2D,
)

LAYERS = {
    "plain": lambda **options: BiasedConv2D(8, 3, padding="same", **options),
    "separable": lambda **options: BiasedSeparableConv2D(8, 3, padding="same", **options),
    "grouped": lambda **options: GroupedConv2D(8, 3, groups=4, padding="same", **options),
    "pointwise": lambda **options: PointwiseConv2D(8, **options),
    "segmented": lambda **options: SegmentedConv2D(8, 3, 4, padding="same", **options),
}


@pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)
@pytest.mark.parametrize("activation", [None, "relu"])
@pytest.mark.parametrize("width", [5, 8])
def test_channels_first_equals_channels_last(make, activation, width, rng):
    last, first = (
        make(data_format=data_format, activation=activation)
        for data_format in ("channels_last", "channels_first")
    )
    images = rng.normal(size=(2, 6, width, 8)).astype("float32")
    last.build(images.shape)
    weights = [rng.normal(size=weight.shape) for weight in last.weights]
    first.build(np.transpose(images, (0, 3, 1, 2)).shape)
    last.set_weights(weights)
    first.set_weights(weights)
    found = np.transpose(first(np.transpose(images, (0, 3, 1, 2))), (0, 2, 3, 1))
    np.testing.assert_allclose(found, last(images), atol=1e-5)


def test_saved_models_load_and_weights_are_those_of_keras(tmp_path, rng):
    images = rng.normal(size=(2, 9, 9, 4)).astype("float32")
    ours = keras.Sequential([keras.Input((9, 9, 4)), BiasedConv2D(6, 3, strides=2)])
    theirs = keras.Sequential([keras.Input((9, 9, 4)), keras.layers.Conv2D(6, 3, strides=2)])
    theirs.set_weights(ours.get_weights())
    np.testing.assert_array_equal(ours(images), theirs(images))
    ours.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(loaded(images), ours(images))
