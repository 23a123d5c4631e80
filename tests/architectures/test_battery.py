"""What holds for every entry of the registry."""

import keras
import numpy as np
import pytest

from keras_convnets import count_complexity, get_model, list_models
from keras_convnets._registry import find_architecture

NAMES = list_models()

# The shallowest member of each family and variant, small enough to run a gradient through.
SMALL = {
    "LeNet5": {"input_shape": (32, 32, 1)},
    "LeNet5:modern": {"input_shape": (32, 32, 1)},
    "Xception": {"input_shape": (71, 71, 3), "width_multiplier": 0.1, "middle_repeats": 1},
}


def counts_of(name):
    entry, options = find_architecture(name)
    return entry.variants[options.get("variant", next(iter(entry.variants)))]


def small(name, channels=None, **options):
    shape = list(SMALL[name]["input_shape"])
    shape[-1] = channels or shape[-1]
    options = {**SMALL[name], "input_shape": tuple(shape), "weights": None, **options}
    return get_model(name, **options)


@pytest.mark.parametrize("name", NAMES)
def test_counts_equal_the_published_ones(name):
    cost = count_complexity(get_model(name, weights=None))
    published = counts_of(name)
    assert (cost.trainable, cost.total, cost.macs) == (
        published.trainable,
        published.total,
        published.macs,
    )


@pytest.mark.parametrize("name", NAMES)
def test_taps_have_the_declared_channels_and_strides(name):
    """64 pixels more make 64 / stride cells more, whatever the borders cost."""
    entry, _ = find_architecture(name)
    height, width, channels = entry.input_shape
    near, far = (
        get_model(
            name,
            weights=None,
            include_top=False,
            input_shape=(height + more, width + more, channels),
        )
        for more in (0, 64)
    )
    for tap in entry.taps:
        first, second = (model.get_layer(tap.name).output.shape for model in (near, far))
        assert (tap.name, first[-1]) == (tap.name, tap.channels)
        assert (tap.name, (second[1] - first[1]) * tap.stride) == (tap.name, 64)


@pytest.mark.parametrize("name", NAMES)
def test_every_layer_is_named_by_us(name):
    first = [layer.name for layer in get_model(name, weights=None).layers]
    again = [layer.name for layer in get_model(name, weights=None).layers]
    assert first == again  # a session counter would differ
    assert len(set(first)) == len(first)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("pooling", [None, "avg", "max"])
def test_without_top_gives_the_features(name, pooling):
    output = small(name, include_top=False, pooling=pooling).output
    assert len(output.shape) == (4 if pooling is None else 2)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.filterwarnings("ignore:This model usually expects")
def test_any_number_of_channels_runs(name, channels, rng):
    model = small(name, channels)
    images = rng.normal(size=(2, *model.input.shape[1:])).astype("float32")
    scores = model.predict_on_batch(images)
    np.testing.assert_allclose(scores.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_every_trainable_variable_gets_a_gradient(name, rng):
    import tensorflow as tf

    model = small(name)
    images = rng.normal(size=(4, *model.input.shape[1:])).astype("float32")
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(model(images, training=True)[:, 0])
    gradients = tape.gradient(loss, [v.value for v in model.trainable_variables])
    for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
        assert gradient is not None, variable.path
        assert np.all(np.isfinite(gradient)), variable.path


@pytest.mark.parametrize("name", NAMES)
def test_saved_model_loads_in_safe_mode_and_is_exact(name, rng, tmp_path, randomize):
    model = randomize(small(name))
    images = rng.normal(size=(2, *model.input.shape[1:])).astype("float32")
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(loaded.predict_on_batch(images), model.predict_on_batch(images))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("include_top", [True, False])
def test_channels_first_gives_the_same_outputs(name, include_top, rng, randomize):
    last = randomize(small(name, include_top=include_top))
    images = rng.normal(size=(2, *last.input.shape[1:])).astype("float32")
    expected = last.predict_on_batch(images)
    if name.startswith("LeNet5"):  # what is flattened is one pixel, so its order is the same
        assert last.get_layer("c5_act").output.shape[1:3] == (1, 1)
    keras.config.set_image_data_format("channels_first")
    height, width, channels = last.input.shape[1:]
    options = {"include_top": include_top, "input_shape": (channels, height, width)}
    first = get_model(name, **{**SMALL[name], "weights": None, **options})
    for variable, value in zip(first.weights, last.get_weights(), strict=True):
        variable.assign(np.reshape(value, variable.shape))  # LeNet-5 has one value a map
    found = first.predict_on_batch(np.transpose(images, (0, 3, 1, 2)))
    if found.ndim == 4:
        found = np.transpose(found, (0, 2, 3, 1))
    np.testing.assert_allclose(found, expected, atol=1e-5 * max(1, np.abs(expected).max()))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_head_is_float32_under_mixed_precision(name, policy, rng):
    keras.config.set_dtype_policy(policy)
    model = small(name)
    assert model.output.dtype == "float32"
    assert model.layers[1].output.dtype == policy.removeprefix("mixed_")
    images = rng.normal(size=(2, *model.input.shape[1:])).astype("float32")
    assert np.all(np.isfinite(model.predict_on_batch(images)))
