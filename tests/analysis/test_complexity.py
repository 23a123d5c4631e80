"""Counting against hand arithmetic."""

import keras
import pytest
from keras import layers

from keras_convnets import count_complexity
from keras_convnets.errors import InputError


def sequential(*stack, shape=(8, 8, 6)):
    return keras.Sequential([keras.Input(shape), *stack])


@pytest.mark.parametrize(
    ("layer", "macs"),
    [
        (layers.Conv2D(4, 3), 6 * 6 * 9 * 6 * 4),
        (layers.Conv2D(4, 3, strides=2, padding="same"), 4 * 4 * 9 * 6 * 4),
        (layers.Conv2D(4, 3, groups=2), 6 * 6 * 9 * 3 * 4),
        (layers.Conv2D(4, 3, dilation_rate=2), 4 * 4 * 9 * 6 * 4),
        (layers.DepthwiseConv2D(3, depth_multiplier=2), 6 * 6 * 9 * 6 * 2),
        (layers.SeparableConv2D(4, 3), 6 * 6 * (9 * 6 + 6 * 4)),
        (layers.Conv2DTranspose(4, 3, strides=2), 8 * 8 * 9 * 6 * 4),
        (layers.Dense(5), 8 * 8 * 6 * 5),
        (layers.BatchNormalization(), 0),
        (layers.MaxPooling2D(), 0),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_multiply_adds(layer, macs):
    assert count_complexity(sequential(layer)).macs == macs


def test_statistics_are_parameters_but_not_trainable():
    cost = count_complexity(sequential(layers.BatchNormalization(), layers.Dropout(0.5)))
    assert (cost.trainable, cost.total) == (12, 24)


def test_models_inside_are_counted():
    inner = sequential(layers.Conv2D(4, 3))
    outer = sequential(inner, layers.Conv2D(4, 1))
    assert count_complexity(outer).macs == 6 * 6 * (9 * 6 * 4 + 4 * 4)


def test_peak_memory_keeps_what_a_shortcut_still_needs():
    image = keras.Input((8, 8, 2))
    x = layers.Conv2D(4, 1)(image)  # 256 values; the image's 128 die here
    y = layers.Conv2D(4, 1)(x)
    z = layers.Conv2D(4, 1)(y)  # x, y and z are alive
    cost = count_complexity(keras.Model(image, layers.Add()([x, z])))
    assert cost.peak_activation_bytes == 3 * 256 * 4


def test_peak_memory_counts_bytes_of_the_dtype():
    model = keras.Sequential(
        [keras.Input((8, 8, 2), dtype="float16"), layers.ReLU(dtype="float16")]
    )
    assert count_complexity(model).peak_activation_bytes == 2 * 128 * 2


def test_free_sizes_need_an_input_shape():
    model = sequential(layers.Conv2D(4, 3), shape=(None, None, 6))
    with pytest.raises(InputError, match="needs an `input_shape`"):
        count_complexity(model)
    assert count_complexity(model, (8, 8, 6)).macs == 6 * 6 * 9 * 6 * 4


def test_it_shows_itself():
    cost = count_complexity(sequential(layers.Conv2D(4, 3, name="<conv>")))
    assert "220 trainable of 220 parameters" in str(cost)
    assert "&lt;conv&gt;" in cost._repr_html_()
