"""What holds for every entry of the registry."""

import inspect
import re

import keras
import numpy as np
import pytest

from keras_convnets import count_complexity, get_model, list_models
from keras_convnets._registry import find_architecture
from keras_convnets._zoo import rows
from keras_convnets.analysis.weightless import weightless
from keras_convnets.errors import InputError

from .copying import copy_weights

ALL = list_models()
ROWS = {row.name: row for row in rows()}


def takes(name, option):
    """Whether the builder of a net has an option."""
    return option in inspect.signature(find_architecture(name)[0].builder).parameters


# The shallowest member of each family and variant, small enough to run a gradient through.
THIN = {"width_multiplier": 0.1, "repeats": (1, 1, 1)}
SLIM = {"width_multiplier": 0.1, "repeats": (1, 1, 1, 1)}
SMALL_HEAD = {"width_multiplier": 0.1, "head_units": (16, 8)}
SMALL = {
    "AlexNet": {"input_shape": (67, 67, 3), **SMALL_HEAD},
    "GoogLeNet": {"input_shape": (96, 96, 3), **THIN},
    "InceptionResNetV1": {"input_shape": (75, 75, 3), **THIN},
    "InceptionResNetV2": {"input_shape": (75, 75, 3), **THIN},
    "InceptionV2": {"input_shape": (96, 96, 3), **THIN},
    "InceptionV3": {"input_shape": (75, 75, 3), **THIN},
    "InceptionV4": {"input_shape": (75, 75, 3), **THIN},
    "LeNet5": {"input_shape": (32, 32, 1)},
    "NIN": {"input_shape": (20, 20, 3), "width_multiplier": 0.1},
    "ResNet18": {"input_shape": (64, 64, 3), **SLIM},
    "ResNet50": {"input_shape": (64, 64, 3), **SLIM},
    "ResNet50V2": {"input_shape": (64, 64, 3), **SLIM},
    "ResNet200V2": {"input_shape": (64, 64, 3), **SLIM},
    "ResNetCIFAR": {"depth": 8, "input_shape": (16, 16, 3), "width_multiplier": 0.5},
    "ResNeXt29": {"input_shape": (16, 16, 3), "bottleneck_width": 4, **THIN},
    "ResNeXt50": {"input_shape": (64, 64, 3), **SLIM},
    "VGG11": {"input_shape": (32, 32, 3), **SMALL_HEAD},
    "VGG16": {"input_shape": (32, 32, 3), **SMALL_HEAD},
    "VGG16:separable": {"input_shape": (32, 32, 3), "width_multiplier": 0.1},
    "VGG16C": {"input_shape": (32, 32, 3), **SMALL_HEAD},
    "Xception": {"input_shape": (71, 71, 3), "width_multiplier": 0.1, "middle_repeats": 1},
}
# The variants of these differ in numbers alone.
ONE_OF = ("ResNetCIFAR", "ResNeXt29")
NAMES = [
    name
    for name in ALL
    if name.partition(":")[0] in SMALL and not name.startswith(tuple(f"{n}:" for n in ONE_OF))
]
NAMES_WITH_AUX = [name for name in NAMES if takes(name, "aux_logits")]
# What an auxiliary head needs beside: a larger map, and the modules that it stands behind.
LARGE = {"input_shape": (128, 128, 3), "repeats": (1, 3, 1)}


def variant_of(name):
    return find_architecture(name)[1]


def row_of(name):
    """The small size of a net, or of its builder."""
    return SMALL.get(name) or SMALL[name.partition(":")[0]]


def small(name, channels=None, **options):
    row = row_of(name)
    shape = list(row["input_shape"])
    shape[-1] = channels or shape[-1]
    options = {**row, "input_shape": tuple(shape), "weights": None, **options}
    return get_model(name, **options)


def infer(model, images):
    """The outputs as arrays; run layer by layer, for tracing takes longer than these nets do."""
    return keras.tree.map_structure(keras.ops.convert_to_numpy, model(images, training=False))


@pytest.mark.parametrize("name", ALL)
def test_counts_are_those_on_record_and_taps_have_their_channels_and_strides(name):
    """64 pixels more make 64 / stride cells more, whatever the borders cost."""
    variant = variant_of(name)
    height, width, channels = variant.input_shape
    sizes = {"whole": variant.input_shape, "larger": (height + 64, width + 64, channels)}

    def outline():
        whole = get_model(name, weights=None)
        larger = get_model(name, weights=None, include_top=False, input_shape=sizes["larger"])
        taps = {
            tap: [net.get_layer(tap.name).output.shape for net in (whole, larger)]
            for tap in variant.taps
        }
        return whole.input.shape[1:], count_complexity(whole), taps, layer_names(larger)

    deepest = name == "ResNetCIFAR:1202"
    shape, cost, taps, names = weightless(outline if not deepest else lambda: count_only(name))
    assert shape == sizes["whole"]
    row = ROWS[name]
    found = cost.trainable, cost.total, cost.macs, cost.peak_activation_bytes
    assert found == (row.trainable, row.total, row.macs, row.activation_bytes)
    for tap, (first, second) in taps.items():
        assert (tap.name, first[-1]) == (tap.name, tap.channels)
        assert (tap.name, (second[1] - first[1]) * tap.stride) == (tap.name, 64)
    # No layer has a name of Keras' session, which would go on counting in the second net.
    assert set(names) <= {layer.name for layer in cost.layers}
    assert len({layer.name for layer in cost.layers}) == len(cost.layers)


def layer_names(model):
    """The layers of a headless net."""
    return [layer.name for layer in model.layers]


def count_only(name):
    """What is checked of a net whose graph takes too long to build twice."""
    model = get_model(name, weights=None)
    return model.input.shape[1:], count_complexity(model), {}, layer_names(model)


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
    arrays = {layer.name: layer.get_weights() for layer in plain.layers if layer.weights}
    copy_weights(with_heads, arrays)
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
    rates = {layer.name: layer.rate for layer in model.layers if "Dropout" in type(layer).__name__}
    assert set(rates.values()) == {0.3}
    if name == "NIN":  # behind its pools, for it has no dense layer
        assert set(rates) == {"pool1_dropout", "pool2_dropout"}
    else:
        assert model.get_layer("predictions").input is model.get_layer("dropout").output
        between = {"AlexNet": {"fc7_dropout"}, "VGG": {"fc2_dropout"}}
        family = "VGG" if name.startswith("VGG") else name.partition(":")[0]
        expected = set() if name == "VGG16:separable" else between.get(family, set())
        assert set(rates) == {"dropout", *expected}
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
    momentum = {"batch_norm_momentum": 0.9997} if takes(name, "batch_norm_momentum") else {}
    model = small(name, kernel_initializer="zeros", **momentum)
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
def test_small_input_has_a_quarter_of_the_stride(name):
    """But for the net that is made for small images."""
    stride = variant_of(name).taps[-1].stride
    assert stride == (4 if name == "ResNeXt29" else 32)
    for size in (32, 64):
        model = small(name, include_top=False, small_input=True, input_shape=(size, size, 3))
        cells = size // (stride if name == "ResNeXt29" else stride // 4)
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
@pytest.mark.parametrize("repeats", [(1, 1), (0, 1, 1), 3, (1, 1, 1.5), (1, 1, 1, 0)])
def test_repeats_are_a_positive_number_for_each_stage(name, repeats):
    with pytest.raises(InputError, match="`repeats`"):
        get_model(name, weights=None, repeats=repeats)


@pytest.mark.parametrize("name", [name for name in NAMES if takes(name, "repeats")])
def test_repeats_may_be_an_array(name):
    repeats = np.ones(stages_of(name), int)
    assert small(name, repeats=repeats).count_params() == small(name).count_params()


@pytest.mark.parametrize("name", [n for n in NAMES if takes(n, "repeats") and ":" not in n])
def test_repeats_say_how_many_blocks_there_are(name):
    def layers(repeats):
        return len(small(name, repeats=repeats, include_top=False).layers)

    ones = (1,) * stages_of(name)
    base = layers(ones)
    for i in range(len(ones)):
        assert layers((*ones[:i], 2, *ones[i + 1 :])) > base


def stages_of(name):
    """How many numbers `repeats` has."""
    return len(row_of(name)["repeats"])


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
    logits = {"classifier_activation": None}
    last = randomize(small(name, include_top=include_top, **logits))
    images = rng.normal(size=(2, *last.input.shape[1:])).astype("float32")
    expected = infer(last, images)
    if name.startswith("LeNet5"):  # what is flattened is one pixel, so its order is the same
        assert last.get_layer("c5_act").output.shape[1:3] == (1, 1)
    keras.config.set_image_data_format("channels_first")
    height, width, channels = last.input.shape[1:]
    options = {"include_top": include_top, "input_shape": (channels, height, width), **logits}
    first = get_model(name, **{**row_of(name), "weights": None, **options})
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
