"""Xception against keras.applications and the paper."""

import keras
import numpy as np
import pytest

from keras_convnets import Xception, count_complexity
from keras_convnets.errors import InputError
from keras_convnets.layers import SegmentedConv2D

from .copying import copy_weights


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


THIN = {
    "weights": None,
    "input_shape": (71, 71, 3),
    "width_multiplier": 0.1,
    "middle_repeats": 1,
    "classifier_activation": None,
}


def separable_steps_of(model):
    """The weights of each layer, those of a fused separable convolution by their two steps."""
    parts = {}
    for layer in model.layers:
        if isinstance(layer, keras.layers.SeparableConv2D):
            depthwise, pointwise = layer.get_weights()
            parts[f"{layer.name}_depthwise"] = [depthwise]
            parts[f"{layer.name}_pointwise"] = [pointwise]
        elif layer.weights:
            parts[layer.name] = layer.get_weights()
    return parts


def test_separable_layers_equal_their_two_steps(rng):
    """The unfused form, which the ablations use, computes what SeparableConv2D computes."""
    shape = {"weights": None, "input_shape": (71, 71, 3), "width_multiplier": 0.1}
    fused = Xception(**shape, middle_repeats=0)
    apart = Xception(**shape, middle_repeats=0, intermediate_activation="relu")
    for layer in apart.layers:
        if layer.name.endswith("_intermediate_act"):
            layer.activation = keras.activations.linear
    copy_weights(apart, separable_steps_of(fused))
    images = rng.uniform(-1, 1, (2, 71, 71, 3)).astype("float32")
    np.testing.assert_allclose(
        apart.predict_on_batch(images), fused.predict_on_batch(images), atol=1e-6
    )


@pytest.mark.parametrize("order", ["depthwise_first", "pointwise_first"])
def test_one_segment_a_channel_is_the_separable_net(order, rng, randomize):
    separable = randomize(Xception(**THIN, order=order))
    segmented = Xception(**THIN, order=order, segments=10_000)
    parts = {}
    for name, weights in separable_steps_of(separable).items():
        if name.endswith("_depthwise"):  # (3, 3, channels, 1) to the layout of grouped kernels
            name = name.replace("_depthwise", "_segmented")
            weights = [weights[0].swapaxes(2, 3)]
        parts[name] = weights
    copy_weights(segmented, parts)
    images = rng.uniform(-1, 1, (2, 71, 71, 3)).astype("float32")
    expected = separable.predict_on_batch(images)
    assert np.std(expected) > 0.1
    np.testing.assert_allclose(
        segmented.predict_on_batch(images), expected, atol=1e-5 * np.abs(expected).max()
    )


@pytest.mark.parametrize("order", ["depthwise_first", "pointwise_first"])
def test_one_segment_is_the_plain_convolution(order, rng, randomize):
    segmented = randomize(Xception(**THIN, order=order, segments=1))

    def as_plain(layer):
        if not isinstance(layer, SegmentedConv2D):
            return layer.__class__.from_config(layer.get_config())
        return keras.layers.Conv2D(
            layer.filters, 3, padding="same", use_bias=False, name=layer.name
        )

    plain = keras.models.clone_model(segmented, clone_function=as_plain)
    plain.set_weights(segmented.get_weights())
    images = rng.uniform(-1, 1, (2, 71, 71, 3)).astype("float32")
    expected = plain.predict_on_batch(images)
    assert np.std(expected) > 0.1
    np.testing.assert_allclose(
        segmented.predict_on_batch(images), expected, atol=1e-5 * np.abs(expected).max()
    )
    assert sum(layer.name.endswith("_segmented") for layer in plain.layers) == 13


def trainable_by_formula(widths, repeats, order, segments, classes=1000):
    """The sum over figure 5 of Cin * C + 9 * C * C / g (papers.md 13), BN, stem and classifier."""
    stem, a, b, c, d, e, f, h = widths
    first_and_second = [(a, b), (b, b), (b, c), (c, c), (c, d), (d, d)]
    separable = [*first_and_second, *[(d, d)] * (3 * repeats), (d, d), (d, e), (e, f), (f, h)]
    count = 27 * stem + 2 * stem + 9 * stem * a + 2 * a + h * classes + classes
    count += sum(cin * cout + 2 * cout for cin, cout in [(a, b), (b, c), (c, d), (d, e)])
    for cin, cout in separable:
        mixed = cin if order == "depthwise_first" else cout
        small, larger_ones = divmod(mixed, min(segments, mixed))
        smaller_ones = min(segments, mixed) - larger_ones
        count += 9 * (larger_ones * (small + 1) ** 2 + smaller_ones * small**2)
        count += cin * cout + 2 * cout
    return count


@pytest.mark.parametrize("order", ["depthwise_first", "pointwise_first"])
@pytest.mark.parametrize("segments", [1, 2, 3, 8, 32, 500])
def test_trainable_count_follows_the_formula(order, segments):
    model = Xception(
        weights=None, width_multiplier=0.25, middle_repeats=2, order=order, segments=segments
    )
    widths = (8, 16, 32, 64, 184, 256, 384, 512)
    expected = trainable_by_formula(widths, 2, order, segments)
    assert count_complexity(model).trainable == expected


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_full_net_in_32_segments_follows_the_formula(data_format):
    keras.config.set_image_data_format(data_format)
    model = Xception(weights=None, segments=32, kernel_initializer="zeros")
    widths = (32, 64, 128, 256, 728, 1024, 1536, 2048)
    expected = trainable_by_formula(widths, 8, "depthwise_first", 32)
    assert count_complexity(model).trainable == expected
    assert trainable_by_formula(widths, 8, "depthwise_first", 2048) == 22_855_952  # papers.md 9a


def test_one_segment_a_channel_costs_what_the_published_net_costs():
    cost = count_complexity(Xception(weights=None, segments=2048))
    assert (cost.trainable, cost.total, cost.macs) == (22_855_952, 22_910_480, 8_357_403_496)


@pytest.mark.parametrize("activation", [None, "relu"])
@pytest.mark.parametrize("order", ["depthwise_first", "pointwise_first"])
def test_segmented_steps_are_named_and_ordered(order, activation):
    model = Xception(**THIN, order=order, intermediate_activation=activation, segments=4)
    names = [layer.name for layer in model.layers if layer.name.startswith("block5_sepconv2")]
    steps = ["segmented", "pointwise"] if order == "depthwise_first" else ["pointwise", "segmented"]
    if activation:
        steps.insert(1, "intermediate_act")
    assert names == [f"block5_sepconv2_{step}" for step in ("act", *steps, "bn")]
    kinds = {type(layer) for layer in model.layers}
    assert not kinds & {keras.layers.SeparableConv2D, keras.layers.DepthwiseConv2D}


@pytest.mark.parametrize("segments", [0, -1, 2.5, "4", True, (2, 2)])
def test_bad_segments_are_refused(segments):
    with pytest.raises(InputError, match="`segments` should be an integer of at least 1. Received"):
        Xception(**THIN, segments=segments)


def test_segments_have_no_public_weights():
    with pytest.raises(InputError, match=r"belong to Xception\(\).* Xception\(segments=4\)"):
        Xception(segments=4)


def test_small_input_strides_by_eight():
    model = Xception(weights=None, input_shape=(64, 64, 3), include_top=False, small_input=True)
    assert model.output.shape == (None, 8, 8, 2048)
    assert model.get_layer("block1_conv2_act").output.shape[1:3] == (64, 64)


def test_width_multiplier_scales_every_layer_in_eights():
    model = Xception(weights=None, width_multiplier=0.25)
    widths = {layer.filters for layer in model.layers if hasattr(layer, "filters")}
    assert widths == {8, 16, 32, 64, 184, 256, 384, 512}


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
