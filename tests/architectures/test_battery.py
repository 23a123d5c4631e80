"""What holds for every entry of the registry."""

import inspect
import re

import keras
import numpy as np
import pytest

from keras_convnets import count_complexity, get_model, list_models
from keras_convnets._registry import find_architecture
from keras_convnets.errors import InputError
from keras_convnets.weights.loading import assign

NAMES = list_models()


def takes(name, option):
    """Whether the builder of a net has an option."""
    return option in inspect.signature(find_architecture(name)[0].builder).parameters


NAMES_WITH_AUX = [name for name in NAMES if takes(name, "aux_logits")]

# The shallowest member of each family and variant, small enough to run a gradient through.
THIN = {"width_multiplier": 0.1, "repeats": (1, 1, 1)}
SMALL = {
    "GoogLeNet": {"input_shape": (96, 96, 3), **THIN},
    "InceptionResNetV1": {"input_shape": (75, 75, 3), **THIN},
    "InceptionResNetV2": {"input_shape": (75, 75, 3), **THIN},
    "InceptionV2": {"input_shape": (96, 96, 3), **THIN},
    "InceptionV3": {"input_shape": (75, 75, 3), **THIN},
    "InceptionV4": {"input_shape": (75, 75, 3), **THIN},
    "LeNet5": {"input_shape": (32, 32, 1)},
    "Xception": {"input_shape": (71, 71, 3), "width_multiplier": 0.1, "middle_repeats": 1},
}
# What an auxiliary head needs beside: a larger map, and the modules that it stands behind.
LARGE = {"input_shape": (128, 128, 3), "repeats": (1, 3, 1)}


def variant_of(name):
    entry, options = find_architecture(name)
    return entry.variant(options.get("variant"))


def small(name, channels=None, **options):
    row = SMALL[name.partition(":")[0]]
    shape = list(row["input_shape"])
    shape[-1] = channels or shape[-1]
    options = {**row, "input_shape": tuple(shape), "weights": None, **options}
    return get_model(name, **options)


def infer(model, images):
    """The outputs as arrays; run layer by layer, for tracing takes longer than these nets do."""
    return keras.tree.map_structure(keras.ops.convert_to_numpy, model(images, training=False))


@pytest.fixture(params=NAMES, scope="module")
def full(request):
    """The name of a net, and the net in its full size."""
    return request.param, get_model(request.param, weights=None)


def test_counts_equal_the_published_ones(full):
    name, model = full
    cost = count_complexity(model)
    counts = variant_of(name).counts
    assert (cost.trainable, cost.total, cost.macs) == (counts.trainable, counts.total, counts.macs)


def test_taps_have_the_declared_channels_and_strides(full):
    """64 pixels more make 64 / stride cells more, whatever the borders cost."""
    name, model = full
    height, width, channels = model.input.shape[1:]
    shape = (height + 64, width + 64, channels)
    larger = get_model(name, weights=None, include_top=False, input_shape=shape)
    for tap in variant_of(name).taps:
        first, second = (net.get_layer(tap.name).output.shape for net in (model, larger))
        assert (tap.name, first[-1]) == (tap.name, tap.channels)
        assert (tap.name, (second[1] - first[1]) * tap.stride) == (tap.name, 64)


def test_every_layer_is_named_by_us(full):
    name, model = full
    first = [layer.name for layer in model.layers]
    again = [layer.name for layer in get_model(name, weights=None).layers]
    assert first == again  # a session counter would differ
    assert len(set(first)) == len(first)


@pytest.mark.parametrize("name", NAMES_WITH_AUX)
@pytest.mark.parametrize("activation", ["softmax", None])
def test_auxiliary_heads_are_outputs_by_name_and_learn(name, activation, rng):
    import tensorflow as tf

    plain = small(name, **LARGE)
    model = small(name, **LARGE, aux_logits=True, classes=7, classifier_activation=activation)
    heads = {layer.name for layer in model.layers} - {layer.name for layer in plain.layers}
    assert heads
    assert all(head.startswith("aux") for head in heads)
    images = rng.normal(size=(2, *model.input.shape[1:])).astype("float32")
    with tf.GradientTape() as tape:
        outputs = model(images, training=True)
        loss = sum(tf.reduce_mean(output[:, 0]) for output in outputs.values())
    auxiliary = ["aux1", "aux2"] if name.startswith(("GoogLeNet", "InceptionV2")) else ["aux1"]
    assert list(outputs) == ["predictions", *auxiliary]
    for output in outputs.values():
        assert output.shape == (2, 7)
        sums = np.sum(output, axis=1)
        assert np.allclose(sums, 1, rtol=1e-5) == (activation == "softmax")
    gradients = tape.gradient(loss, [v.value for v in model.trainable_variables])
    assert all(gradient is not None for gradient in gradients)


@pytest.mark.parametrize("name", NAMES_WITH_AUX)
def test_auxiliary_heads_do_not_change_the_main_output(name, rng, randomize):
    plain = randomize(small(name, **LARGE))
    with_heads = small(name, **LARGE, aux_logits=True)
    tensors = {layer.name: layer.get_weights() for layer in plain.layers if layer.weights}
    with pytest.warns(UserWarning, match="no weights for the auxiliary heads"):
        assign(with_heads, tensors, "the plain net")
    images = rng.normal(size=(2, *plain.input.shape[1:])).astype("float32")
    np.testing.assert_array_equal(infer(with_heads, images)["predictions"], infer(plain, images))


@pytest.mark.parametrize("name", NAMES_WITH_AUX)
def test_auxiliary_heads_need_the_top_and_room(name):
    with pytest.raises(InputError, match="needs `include_top=True`"):
        small(name, **LARGE, aux_logits=True, include_top=False)
    if name != "GoogLeNet:torchvision":  # its pool adapts
        size = 64 if variant_of(name).taps[-1].name == "inception_5b" else 75
        with pytest.raises(InputError, match="large enough for a map of 5 x 5"):
            small(name, **{**LARGE, "input_shape": (size, size, 3)}, aux_logits=True)


@pytest.mark.parametrize("name", [name for name in NAMES if takes(name, "dropout_rate")])
def test_dropout_stands_before_the_classifier_only_when_asked(name):
    assert not any(isinstance(layer, keras.layers.Dropout) for layer in small(name).layers)
    model = small(name, dropout_rate=0.3)
    dropout = model.get_layer("dropout")
    assert dropout.rate == 0.3
    assert model.get_layer("predictions").input is dropout.output
    with pytest.raises(InputError, match="`dropout_rate` should be"):
        small(name, dropout_rate=1.0)


@pytest.mark.parametrize("name", [name for name in NAMES if takes(name, "kernel_initializer")])
@pytest.mark.parametrize("seed", [None, 3])
def test_an_initializer_object_starts_no_two_kernels_alike(name, seed):
    initializer = keras.initializers.TruncatedNormal(stddev=0.1, seed=seed)
    model = small(name, kernel_initializer=initializer)
    kernels = [v for v in model.trainable_variables if v.name.endswith("kernel")]
    starts = [np.ravel(kernel)[:4].tobytes() for kernel in kernels]
    assert len(set(starts)) == len(starts)
    own = [k for k in kernels if "predictions" not in k.path]
    assert all(0.05 < np.std(kernel) < 0.12 for kernel in own if kernel.shape[-1] > 100)


@pytest.mark.parametrize("name", [name for name in NAMES if takes(name, "kernel_initializer")])
def test_initializer_and_momentum_reach_every_layer(name):
    model = small(name, kernel_initializer="zeros", batch_norm_momentum=0.9997)
    for variable in model.trainable_variables:
        if variable.name.endswith("kernel") and "predictions" not in variable.path:
            assert not np.any(variable), variable.path
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            assert layer.momentum == 0.9997


@pytest.mark.parametrize("name", NAMES_WITH_AUX)
def test_auxiliary_heads_need_a_static_size(name):
    with pytest.raises(InputError, match="`aux_logits=True` needs a static `input_shape`"):
        small(name, **{**LARGE, "input_shape": (None, None, 3)}, aux_logits=True)


@pytest.mark.parametrize("name", [name for name in NAMES if takes(name, "small_input")])
def test_small_input_strides_by_eight(name):
    repeats = {"repeats": (1, 1, 1)} if takes(name, "repeats") else {}
    options = {"weights": None, "include_top": False, "small_input": True, **repeats}
    for size, cells in ((32, 4), (64, 8)):
        model = get_model(name, **options, width_multiplier=0.1, input_shape=(size, size, 3))
        assert model.output.shape[1:3] == (cells, cells)


@pytest.mark.parametrize("name", [name for name in NAMES if takes(name, "width_multiplier")])
def test_width_multiplier_scales_every_number_of_filters(name):
    def filters(multiplier):
        model = small(name, include_top=False, width_multiplier=multiplier)
        return {
            layer.name: layer.filters
            for layer in model.layers
            # the linear convolutions of residual blocks have the channels of what they add to
            if hasattr(layer, "filters") and not re.fullmatch(r"block\d+_\d+_conv", layer.name)
        }

    whole, half = filters(1.0), filters(0.5)
    assert half == {layer: max(8, round(f / 16) * 8) for layer, f in whole.items()}


@pytest.mark.parametrize("name", [name for name in NAMES if takes(name, "repeats")])
@pytest.mark.parametrize("repeats", [(1, 1), (0, 1, 1), 3, (1, 1, 1.5)])
def test_repeats_are_a_positive_number_for_each_stage(name, repeats):
    with pytest.raises(InputError, match="`repeats`"):
        get_model(name, weights=None, repeats=repeats)


@pytest.mark.parametrize("name", [name for name in NAMES if takes(name, "repeats")])
def test_repeats_may_be_an_array(name):
    assert small(name, repeats=np.array([1, 1, 1])).count_params() == small(name).count_params()


@pytest.mark.parametrize("name", [n for n in NAMES if takes(n, "repeats") and ":" not in n])
def test_repeats_say_how_many_blocks_there_are(name):
    def layers(*repeats):
        return len(small(name, repeats=repeats, include_top=False).layers)

    base = layers(1, 1, 1)
    assert base < min(layers(2, 1, 1), layers(1, 2, 1), layers(1, 1, 2))


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
    scores = infer(model, images)
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
    np.testing.assert_array_equal(infer(loaded, images), infer(model, images))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("include_top", [True, False])
def test_channels_first_gives_the_same_outputs(name, include_top, rng, randomize):
    last = randomize(small(name, include_top=include_top))
    images = rng.normal(size=(2, *last.input.shape[1:])).astype("float32")
    expected = infer(last, images)
    if name.startswith("LeNet5"):  # what is flattened is one pixel, so its order is the same
        assert last.get_layer("c5_act").output.shape[1:3] == (1, 1)
    keras.config.set_image_data_format("channels_first")
    height, width, channels = last.input.shape[1:]
    options = {"include_top": include_top, "input_shape": (channels, height, width)}
    first = get_model(name, **{**SMALL[name.partition(":")[0]], "weights": None, **options})
    for variable, value in zip(first.weights, last.get_weights(), strict=True):
        variable.assign(np.reshape(value, variable.shape))  # LeNet-5 has one value a map
    found = infer(first, np.transpose(images, (0, 3, 1, 2)))
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
    assert np.all(np.isfinite(infer(model, images)))
