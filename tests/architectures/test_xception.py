"""Xception against keras.applications and the paper."""

import keras
import numpy as np
import pytest

from keras_convnets import Xception, count_complexity
from keras_convnets.weights.keras_twin import tensors_by_our_names
from keras_convnets.weights.loading import assign


def copy_to_keras(ours, theirs):
    """Copies by name where names agree, and the unnamed ones through the twin's own table."""
    order = tensors_by_our_names("Xception", theirs)
    weighted = [layer for layer in theirs.layers if layer.weights]
    for layer, name in zip(weighted, order, strict=True):
        layer.set_weights(ours.get_layer(name).get_weights())


@pytest.mark.parametrize(
    ("size", "options"),
    [
        (299, {"include_top": True}),
        (150, {"include_top": True, "classes": 7, "classifier_activation": None}),
        (150, {"include_top": False}),
        (150, {"include_top": False, "pooling": "avg"}),
        (150, {"include_top": False, "pooling": "max"}),
    ],
)
@pytest.mark.parametrize("direction", ["from keras", "to keras"])
def test_outputs_equal_those_of_keras_applications(size, options, direction, rng, randomize):
    options = {"weights": None, "input_shape": (size, size, 3), **options}
    theirs, ours = keras.applications.Xception(**options), Xception(**options)
    if direction == "from keras":
        randomize(theirs)
        assign(ours, tensors_by_our_names("Xception", theirs), "the twin")
    else:
        randomize(ours)
        copy_to_keras(ours, theirs)
    images = rng.uniform(-1, 1, (2, size, size, 3)).astype("float32")
    expected = theirs.predict_on_batch(images)
    assert np.std(expected) > 0
    found = ours.predict_on_batch(images)
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max(), rtol=0)


@pytest.mark.parametrize("include_top", [True, False])
def test_channels_first_outputs_equal_those_of_keras_applications(include_top, rng, randomize):
    keras.config.set_image_data_format("channels_first")
    options = {"weights": None, "include_top": include_top, "input_shape": (3, 71, 71)}
    theirs, ours = keras.applications.Xception(**options), Xception(**options)
    assign(ours, tensors_by_our_names("Xception", randomize(theirs)), "the twin")
    images = rng.uniform(-1, 1, (2, 3, 71, 71)).astype("float32")
    expected = theirs.predict_on_batch(images)
    np.testing.assert_allclose(
        ours.predict_on_batch(images), expected, atol=1e-5 * np.abs(expected).max(), rtol=0
    )


def test_channels_first_shapes_are_those_of_keras_applications():
    keras.config.set_image_data_format("channels_first")
    for include_top in (True, False):
        options = {"weights": None, "include_top": include_top}
        theirs, ours = keras.applications.Xception(**options), Xception(**options)
        assert ours.input.shape == theirs.input.shape
        assert ours.output.shape == theirs.output.shape


@pytest.mark.parametrize(
    ("options", "trainable"),
    [  # papers.md 9a; the paper's table 3 has the first
        ({}, 22_855_952),
        ({"residual": False}, 21_878_880),
        ({"head_units": (4096, 4096)}, 50_077_968),
        ({"classes": 17_000}, 55_639_952),
        ({"classes": 17_000, "head_units": (4096, 4096)}, 115_629_968),
    ],
)
def test_variants_of_the_paper_have_their_trainable_counts(options, trainable):
    assert count_complexity(Xception(weights=None, **options)).trainable == trainable


def test_totals_equal_those_of_keras():
    assert Xception(weights=None).count_params() == 22_910_480
    assert Xception(weights=None, include_top=False).count_params() == 20_861_480


def test_layer_names_are_those_of_keras_where_keras_has_stable_ones():
    stable = {
        layer.name
        for layer in keras.applications.Xception(weights=None).layers
        if layer.name.startswith("block")
    }
    ours = {layer.name for layer in Xception(weights=None).layers}
    assert len(stable) == 111  # 6 + 6 + 3 * 7 + 8 * 9 + 6, by module
    assert stable | {"avg_pool", "predictions"} <= ours


def test_name_names_the_model_only():
    plain = [layer.name for layer in Xception(weights=None).layers]
    renamed = Xception(weights=None, name="mine")
    assert renamed.name == "mine"
    assert [layer.name for layer in renamed.layers] == plain


@pytest.mark.parametrize("activation", [None, "relu", "elu"])
@pytest.mark.parametrize("order", ["depthwise_first", "pointwise_first"])
def test_order_and_intermediate_activation_are_what_they_say(order, activation):
    model = Xception(
        weights=None, input_shape=(71, 71, 3), order=order, intermediate_activation=activation
    )
    kinds = [type(layer).__name__ for layer in model.layers]
    if order == "depthwise_first" and activation is None:
        assert "SeparableConv2D" in kinds
        return
    names = [layer.name for layer in model.layers if layer.name.startswith("block2_sepconv1")]
    steps = ["depthwise", "pointwise"] if order == "depthwise_first" else ["pointwise", "depthwise"]
    if activation:
        steps.insert(1, "intermediate_act")
        layer = model.get_layer("block2_sepconv1_intermediate_act")
        assert layer.activation is keras.activations.get(activation)
    assert names == [f"block2_sepconv1_{step}" for step in (*steps, "bn")]


def test_separable_layers_equal_their_two_steps(rng):
    """The unfused form, which the ablations use, computes what SeparableConv2D computes."""
    shape = {"weights": None, "input_shape": (71, 71, 3), "width_multiplier": 0.1}
    fused = Xception(**shape, middle_repeats=0)
    apart = Xception(**shape, middle_repeats=0, intermediate_activation="relu")
    for layer in apart.layers:
        if layer.name.endswith("_intermediate_act"):
            layer.activation = keras.activations.linear
    parts = {}
    for layer in fused.layers:
        if isinstance(layer, keras.layers.SeparableConv2D):
            depthwise, pointwise = layer.get_weights()
            parts[f"{layer.name}_depthwise"] = [depthwise]
            parts[f"{layer.name}_pointwise"] = [pointwise]
        elif layer.weights:
            parts[layer.name] = layer.get_weights()
    assign(apart, parts, "the fused net")
    images = rng.uniform(-1, 1, (2, 71, 71, 3)).astype("float32")
    np.testing.assert_allclose(
        apart.predict_on_batch(images), fused.predict_on_batch(images), atol=1e-6
    )


def test_small_input_strides_by_eight():
    model = Xception(weights=None, input_shape=(64, 64, 3), include_top=False, small_input=True)
    assert model.output.shape == (None, 8, 8, 2048)
    assert model.get_layer("block1_conv2_act").output.shape[1:3] == (64, 64)


def test_width_multiplier_scales_every_layer_in_eights():
    model = Xception(weights=None, width_multiplier=0.25)
    widths = {layer.filters for layer in model.layers if hasattr(layer, "filters")}
    assert widths == {8, 16, 32, 64, 184, 256, 384, 512}


def test_dropout_stands_before_the_classifier_only_when_asked():
    assert not any(isinstance(x, keras.layers.Dropout) for x in Xception(weights=None).layers)
    model = Xception(weights=None, dropout_rate=0.5)
    assert model.layers[-2].rate == 0.5


def test_input_may_be_dynamic_with_top(rng):
    model = Xception(weights=None, input_shape=(None, None, 3), width_multiplier=0.1, classes=5)
    for size in (71, 80):
        images = rng.uniform(-1, 1, (1, size, size, 3)).astype("float32")
        assert model.predict_on_batch(images).shape == (1, 5)


def test_input_tensor_is_built_upon():
    image = keras.Input((80, 80, 3))
    model = Xception(weights=None, input_tensor=keras.layers.Rescaling(2.0)(image))
    assert model.input is image
    assert isinstance(model.layers[1], keras.layers.Rescaling)
