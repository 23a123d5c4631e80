"""Zeros for new channels."""

import keras
import numpy as np
import pytest

from keras_convnets.errors import InputError
from keras_convnets.layers import PadChannels


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_channels_of_zeros_follow_those_of_the_input(data_format, rng):
    images = rng.normal(size=(2, 3, 4, 5)).astype("float32")
    axis = -1 if data_format == "channels_last" else 1
    channels = images.shape[axis]
    layer = PadChannels(channels + 4, data_format=data_format)
    found = np.moveaxis(np.asarray(layer(images)), axis, -1)
    assert found.shape[-1] == channels + 4
    np.testing.assert_array_equal(found[..., :channels], np.moveaxis(images, axis, -1))
    np.testing.assert_array_equal(found[..., channels:], 0)
    assert layer.compute_output_shape(images.shape) == layer(images).shape


def test_too_many_channels_can_not_be_padded():
    with pytest.raises(ValueError, match="can't take more"):
        PadChannels(2)(np.zeros((1, 4, 4, 3), "float32"))


@pytest.mark.parametrize("arguments", [{"channels": 5.5}, {"channels": -2}, {"data_format": "x"}])
def test_arguments_are_checked(arguments):
    with pytest.raises(InputError, match="should be"):
        PadChannels(**{"channels": 4, **arguments})


def test_layer_is_made_anew_from_its_config():
    layer = PadChannels(7, data_format="channels_first", name="pad")
    again = keras.layers.deserialize(keras.layers.serialize(layer))
    assert again.get_config() == layer.get_config()
