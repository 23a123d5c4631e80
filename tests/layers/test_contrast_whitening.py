"""Normalized contrast and whitening in a net, against NumPy's."""

import keras
import numpy as np
import pytest

import keras_convnets
from keras_convnets.data import ZCA, global_contrast_normalize
from keras_convnets.errors import InputError
from keras_convnets.layers import ContrastWhitening


@pytest.fixture
def images(rng):
    """Correlated images of bytes, 400 of 6 x 5 x 3, of which the last one is plain."""
    values = rng.normal(size=(400, 90)) @ rng.normal(0, 4, (90, 90)) + 128
    images = values.clip(0, 255).astype(np.uint8).reshape(-1, 6, 5, 3)
    images[-1] = 77
    return images


@pytest.fixture
def fitted(images):
    """A layer that knows these images, and what it should make of them."""
    layer = ContrastWhitening(name="preprocessing")
    layer.build(images.shape)
    normalized = global_contrast_normalize(images)
    zca = ZCA.fit(normalized)
    layer.learn(zca.mean, zca.matrix)
    return layer, zca(normalized)


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_a_fitted_layer_does_what_numpy_does(images, fitted, dtype):
    """papers.md 3b; maxout's scale of 55, and 0.1 added to each variance."""
    layer, expected = fitted
    np.testing.assert_allclose(layer(images.astype(dtype)), expected, rtol=1e-3, atol=1e-3)
    assert np.abs(expected[-1]).max() < np.abs(expected).max() / 2  # the plain one, not infinite


def test_before_it_is_fitted_contrast_alone_is_normalized(images):
    whole = ContrastWhitening(scale=3.0)(images)
    expected = global_contrast_normalize(images, 3.0)
    np.testing.assert_allclose(whole, expected, rtol=1e-4, atol=1e-5)


def test_a_saved_and_an_exported_net_whiten_alike(images, fitted, tmp_path):
    layer, _ = fitted
    image = keras.Input((6, 5, 3))
    model = keras.Model(image, layer(image))
    model.save(tmp_path / "net.keras")
    loaded = keras.saving.load_model(tmp_path / "net.keras", safe_mode=True)
    pixels = images[:4].astype("float32")
    np.testing.assert_array_equal(loaded(pixels), model(pixels))
    assert loaded.layers[1].get_config() == layer.get_config()
    model.export(tmp_path / "exported", verbose=False)
    served = keras.layers.TFSMLayer(tmp_path / "exported", call_endpoint="serve")
    np.testing.assert_allclose(served(pixels), model(pixels), rtol=1e-5, atol=1e-5)


def test_no_optimizer_changes_what_was_learned(fitted):
    layer, _ = fitted
    assert [weight.name for weight in layer.weights] == ["mean", "matrix"]
    layer.trainable = True
    assert layer.trainable_variables == []


def test_mixed_precision_leaves_it_in_float32(images):
    keras.config.set_dtype_policy("mixed_float16")
    assert ContrastWhitening()(images).dtype == "float32"


def test_a_net_has_it_in_front_and_its_products_are_counted():
    plain = keras_convnets.NIN()
    model = keras_convnets.NIN(include_preprocessing="gcn_zca")
    assert isinstance(model.get_layer("preprocessing"), ContrastWhitening)
    assert model.layers[1].name == "preprocessing"
    costs = [keras_convnets.count_complexity(net) for net in (model, plain)]
    assert costs[0].macs - costs[1].macs == 3072**2
    assert costs[0].trainable == costs[1].trainable == 966_986  # papers.md 3a


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ContrastWhitening(scale=0), "scale of the contrast .* above 0"),
        (lambda: ContrastWhitening()(np.zeros((1, 65, 64, 3))), "at most 12,288 values"),
        (lambda: ContrastWhitening()(keras.Input((None, None, 3))), r"images of one size"),
    ],
)
def test_what_cannot_be_whitened_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
