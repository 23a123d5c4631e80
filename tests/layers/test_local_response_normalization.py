"""Local response normalization against its formula in NumPy and against torch."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_convnets.errors import InputError
from keras_convnets.layers import LocalResponseNormalization


def by_formula(x, size, alpha, beta, k):
    """Over the last axis, channel by channel."""
    outputs = np.empty_like(x)
    for c in range(x.shape[-1]):
        window = x[..., max(0, c - size // 2) : c + (size - 1) // 2 + 1]
        energy = (window**2).sum(axis=-1)
        outputs[..., c] = x[..., c] / (k + alpha / size * energy) ** beta
    return outputs


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 30])
@pytest.mark.parametrize("alpha", [0, 1e-4, 2.5])
@pytest.mark.parametrize(("beta", "k"), [(0.75, 1.0), (0.5, 2.0), (0, 0.1)])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_equals_the_formula(size, alpha, beta, k, data_format, rng):
    x = rng.normal(0, 3, (2, 4, 5, 12))
    expected = by_formula(x, size, alpha, beta, k)
    if data_format == "channels_first":
        x, expected = np.moveaxis(x, -1, 1), np.moveaxis(expected, -1, 1)
    layer = LocalResponseNormalization(size, alpha, beta, k, data_format, dtype="float64")
    np.testing.assert_allclose(layer(x), expected, atol=1e-12, rtol=0)


# import torch
# x = torch.sin(torch.arange(12, dtype=torch.float64)).reshape(1, 6, 1, 2) * 3
# torch.nn.LocalResponseNorm(size, alpha, beta, k)(x).flatten().tolist()
TORCH = {
    (5, 1.0, 0.75, 1.0): [
        0.0, 0.898324781179539, 1.030950224591167, 0.131736381973234,
        -0.639006014433777, -0.854188052394997, -0.219909663235399, 0.543343305345721,
        0.966114092376307, 0.342484989002203, -0.646811335942421, -1.08461012397769,
    ],
    (4, 1.0, 0.75, 1.0): [
        0.0, 1.219572334872762, 0.938354122839283, 0.132481917589803,
        -0.757071246384626, -0.782083828620297, -0.205273625039784, 0.641445993621884,
        0.845802495519547, 0.29781070281909, -0.572312945225973, -0.954590584291159,
    ],
    (3, 0.5, 0.5, 2.0): [
        0.0, 1.43562790948192, 1.347315502582781, 0.200213620677222,
        -1.105679972618283, -1.428312516911494, -0.397613671366542, 0.952531007018254,
        1.478633120802931, 0.589263366779282, -0.825139586911256, -1.548201438022635,
    ],
}  # fmt: skip


@pytest.mark.parametrize("constants", TORCH)
def test_equals_torch(constants):
    x = np.sin(np.arange(12.0)).reshape(1, 6, 1, 2) * 3
    layer = LocalResponseNormalization(*constants, "channels_first", dtype="float64")
    np.testing.assert_allclose(np.ravel(layer(x)), TORCH[constants], atol=1e-12, rtol=0)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [  # papers.md 14; the first is AlexNet's paper
        ({"alpha": 5e-4, "k": 2.0}, {"depth_radius": 2, "bias": 2, "alpha": 1e-4, "beta": 0.75}),
        (
            {"size": 7, "alpha": 7 * 0.3, "beta": 0.5, "k": 1.5},
            {"depth_radius": 3, "bias": 1.5, "alpha": 0.3, "beta": 0.5},
        ),
    ],
)
def test_docstring_says_how_tensorflow_is_matched(ours, theirs, rng):
    x = rng.normal(0, 30, (2, 4, 5, 12)).astype("float32")
    expected = tf.nn.local_response_normalization(x, **theirs)
    np.testing.assert_allclose(LocalResponseNormalization(**ours)(x), expected, rtol=1e-5)


def test_defaults_are_the_constants_of_caffe(rng):
    x = rng.normal(0, 100, (2, 3, 3, 8))
    expected = by_formula(x, 5, 1e-4, 0.75, 1.0)  # papers.md 5a
    np.testing.assert_allclose(LocalResponseNormalization(dtype="float64")(x), expected, rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("policy", ["", "mixed_"])
def test_16_bits_round_the_input_and_the_output_only(dtype, policy, rng):
    x = tf.cast(rng.normal(0, 300, (2, 3, 3, 8)), dtype)  # the squares exceed float16
    exact = by_formula(np.asarray(tf.cast(x, "float64")), 5, 1e-4, 0.75, 1.0)
    y = LocalResponseNormalization(dtype=policy + dtype)(x)
    assert y.dtype == dtype
    np.testing.assert_allclose(
        tf.cast(y, "float64"), exact, rtol=2.0 ** (-10 if dtype == "float16" else -7)
    )


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_gradient_equals_the_difference_quotient(data_format, rng):
    layer = LocalResponseNormalization(4, 2.0, data_format=data_format, dtype="float64")
    x, along, weights = (rng.normal(size=(2, 6, 5, 6)) for _ in range(3))
    inputs = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        loss = tf.reduce_sum(layer(inputs) * weights)
    found = np.sum(tape.gradient(loss, inputs) * along)
    step = 1e-5
    far, near = (np.sum(layer(x + sign * step * along) * weights) for sign in (1, -1))
    np.testing.assert_allclose(found, (far - near) / (2 * step), rtol=1e-7)


@pytest.mark.parametrize("value", [0.0, 1e-30, 1e15])
def test_gradients_are_finite(value):
    inputs = tf.fill((1, 2, 2, 6), tf.constant(value))
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        loss = tf.reduce_sum(LocalResponseNormalization(k=1e-3)(inputs))
    assert np.all(np.isfinite(tape.gradient(loss, inputs)))


def test_shape_is_that_of_the_input_also_where_it_is_free():
    layer = LocalResponseNormalization()
    assert layer.compute_output_shape((None, None, 7, 3)) == (None, None, 7, 3)
    assert layer(keras.Input((None, 7, 3))).shape == (None, None, 7, 3)
    assert layer(np.zeros((2, 5, 3))).shape == (2, 5, 3)


def test_saved_model_is_exact(rng, tmp_path):
    image = keras.Input((5, 5, 8))
    layer = LocalResponseNormalization(3, 0.1, 0.5, 2.0, "channels_first", name="norm")
    model = keras.Model(image, layer(image))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    assert loaded.get_layer("norm").get_config() == layer.get_config()
    x = rng.normal(size=(2, 5, 5, 8)).astype("float32")
    np.testing.assert_array_equal(loaded.predict_on_batch(x), model.predict_on_batch(x))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": 0}, "`size` should be an integer of at least 1. Received: 0"),
        ({"size": 2.5}, "`size` should be an integer of at least 1. Received: 2.5"),
        ({"alpha": -1}, "`alpha` should be a number of at least 0. Received: -1"),
        ({"beta": "0.75"}, "`beta` should be a number of at least 0. Received: '0.75'"),
        ({"k": 0}, "`k` should be a number above 0. Received: 0"),
        ({"data_format": "nhwc"}, "`data_format` should be one of 'channels_last'"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        LocalResponseNormalization(**arguments)
