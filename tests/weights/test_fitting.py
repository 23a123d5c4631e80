"""What becomes of each layer when weights are loaded."""

import keras
import numpy as np
import pytest

import keras_convnets
from keras_convnets import weights
from keras_convnets.errors import InputError
from keras_convnets.imagenet_utils import preprocess_input
from keras_convnets.weights.fitting import assign
from keras_convnets.weights.tensors import Stored

NET = {"weights": None, "width_multiplier": 0.125, "small_input": True}


def build(**options):
    return keras_convnets.ResNet18(**{**NET, "classes": 4, **options})


def tensors_of(model):
    return {
        layer.name: {v.name: Stored.of(v.numpy()) for v in layer.weights}
        for layer in model.layers
        if layer.weights
    }


@pytest.fixture
def trained(randomize, tmp_path):
    """A net of four classes, and its file."""
    model = randomize(build())
    model.save(tmp_path / "trained.keras")
    return model, tmp_path / "trained.keras"


def test_a_report_names_every_layer(trained):
    report = weights.load(build(), trained[1])
    assert set(report.matched) == set(tensors_of(trained[0]))
    assert not report.left + report.reinitialized + report.adapted + report.unused
    assert str(report) == f"{str(trained[1])!r}: {len(report.matched)} layers loaded"


def test_another_number_of_classes_starts_the_head_anew_when_asked(trained):
    model = build(classes=7)
    head = model.get_layer("predictions").get_weights()
    with pytest.raises(InputError, match="`strict=False` starts the classifier anew"):
        weights.load(model, trained[1])
    report = weights.load(model, trained[1], strict=False)
    assert report.reinitialized == ("predictions",)
    assert str(report).endswith("start anew: predictions")
    for before, after in zip(head, model.get_layer("predictions").get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    for name in report.matched:
        for ours, theirs in zip(
            model.get_layer(name).weights, trained[0].get_layer(name).weights, strict=True
        ):
            np.testing.assert_array_equal(ours, theirs)


def test_a_trunk_takes_no_head_and_a_head_may_be_missing(trained, tmp_path):
    trunk = build(include_top=False)
    assert weights.load(trunk, trained[1]).unused == ("predictions",)
    trunk.save(tmp_path / "trunk.keras")
    with pytest.raises(InputError, match="it has no weights for predictions"):
        weights.load(build(), tmp_path / "trunk.keras")
    report = weights.load(build(), tmp_path / "trunk.keras", strict=False)
    assert report.left == ("predictions",)


def test_strict_means_all_but_heads_even_when_it_is_not_asked(trained):
    for options in ({"repeats": (2, 2, 2, 3)}, {"repeats": (2, 2, 2, 1)}):
        with pytest.raises(InputError, match="it has no weights for|it has weights for"):
            weights.load(build(**options), trained[1], strict=False)
    with pytest.raises(InputError, match="layer 'conv1_conv' wants"):
        weights.load(build(width_multiplier=0.25), trained[1], strict=False)


def test_a_grey_image_gives_what_it_gives_as_rgb(trained, rng):
    model = build(input_shape=(32, 32, 1))
    with pytest.raises(InputError, match="adapts it to the channels"):
        weights.load(model, trained[1])
    report = weights.load(model, trained[1], strict=False)
    assert report.adapted == ("conv1_conv",)
    grey = rng.normal(size=(2, 32, 32, 1)).astype("float32")
    np.testing.assert_allclose(model(grey), trained[0](np.repeat(grey, 3, -1)), atol=1e-5)


def test_more_channels_take_the_kernels_of_rgb_in_turn_at_the_same_scale(trained):
    with pytest.warns(UserWarning, match="usually expects 1 or 3"):
        model = build(input_shape=(32, 32, 5))
    weights.load(model, trained[1], strict=False)
    ours, theirs = (net.get_layer("conv1_conv").kernel.numpy() for net in (model, trained[0]))
    for channel in range(5):
        np.testing.assert_allclose(ours[:, :, channel], theirs[:, :, channel % 3] * 0.6, 1e-6)


def test_scales_of_one_are_added_and_dropped(randomize, rng):
    options = {"weights": None, "small_input": True, "width_multiplier": 0.1, "classes": 3}
    plain = randomize(keras_convnets.InceptionV4(**options, batch_norm_scale=False))
    scaled = keras_convnets.InceptionV4(**options, batch_norm_scale=True)
    assign(scaled, tensors_of(plain), "slim's weights")
    images = rng.normal(size=(1, 32, 32, 3)).astype("float32")
    np.testing.assert_allclose(scaled(images), plain(images), rtol=1e-5)
    back = keras_convnets.InceptionV4(**options, batch_norm_scale=False)
    assign(back, tensors_of(scaled), "timm's weights")
    np.testing.assert_array_equal(back(images), plain(images))
    tensors = tensors_of(randomize(scaled))
    with pytest.raises(InputError, match="is not 1 everywhere.*batch_norm_scale=True"):
        assign(back, tensors, "timm's weights")


def test_biases_before_batch_normalization_go_into_its_mean(randomize, rng):
    options = {"weights": None, "small_input": True, "width_multiplier": 0.25, "variant": "caffe"}
    biased = randomize(keras_convnets.InceptionV2(**options, conv_bias=True))
    plain = keras_convnets.InceptionV2(**options)
    assign(plain, tensors_of(biased), "Caffe's weights")
    images = rng.normal(size=(1, 32, 32, 3)).astype("float32")
    np.testing.assert_allclose(plain(images), biased(images), rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_none_are_refused_and_nothing_is_assigned(bad, trained):
    tensors = tensors_of(trained[0])
    kernel = trained[0].get_layer("predictions").kernel.numpy().copy()
    kernel[3, 1] = bad
    tensors["predictions"]["kernel"] = Stored.of(kernel)
    model = build()
    before = model.get_weights()
    with pytest.raises(InputError, match="'predictions/kernel' is not finite everywhere"):
        assign(model, tensors, "broken weights")
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_shapes_are_checked_before_a_number_is_read(trained):
    def unreadable():
        raise AssertionError("read too early")

    tensors = {
        layer: {name: Stored(stored.shape, unreadable) for name, stored in variables.items()}
        for layer, variables in tensors_of(trained[0]).items()
    }
    tensors["predictions"]["kernel"] = Stored((1, 2), unreadable)
    with pytest.raises(InputError, match="layer 'predictions' wants"):
        assign(build(), tensors, "weights")


def test_weights_keep_the_dtype_of_the_model(trained):
    keras.config.set_dtype_policy("mixed_bfloat16")
    model = build()
    weights.load(model, trained[1])
    assert {variable.dtype for variable in model.weights} == {"float32"}


def test_a_variable_too_few_or_too_many_has_its_name_in_the_message(tmp_path):
    """ResNet50's convolutions have biases, and ResNet18's have none."""
    tiny = {**NET, "classes": 4, "input_shape": (32, 32, 3)}
    nets = {name: getattr(keras_convnets, name)(**tiny) for name in ("ResNet18", "ResNet50")}
    for saved, built, received in (
        ("ResNet18", "ResNet50", r"Received: kernel \(3, 3, 3, 8\)$"),
        ("ResNet50", "ResNet18", r"Received: kernel \(3, 3, 3, 8\), variable 2 \(8,\)$"),
    ):
        path = tmp_path / f"{saved}.weights.h5"
        nets[saved].save_weights(path)
        with pytest.raises(InputError, match=received):
            weights.load(nets[built], path)


@pytest.mark.parametrize(("mode", "is_equal"), [("tf", True), ("cifar", False), ("caffe", False)])
def test_a_grey_image_gives_what_it_gives_as_rgb_where_scaling_is_alike(
    trained, rng, mode, is_equal
):
    """Elsewhere one channel is scaled by the luma of the mean and deviation of three."""
    model = build(input_shape=(32, 32, 1))
    weights.load(model, trained[1], strict=False)
    grey = rng.integers(0, 256, (2, 32, 32, 1)).astype("float32")
    one, three = (
        keras.Model(net.input, net.get_layer("conv1_conv").output)(preprocess_input(x, mode=mode))
        for net, x in ((model, grey), (trained[0], np.repeat(grey, 3, axis=-1)))
    )
    assert (np.abs(one - three).max() <= 1e-5 * np.abs(three).max()) == is_equal
