"""Weight files written by keras.applications and by us."""

import warnings

import keras
import numpy as np
import pytest

import keras_convnets
from keras_convnets import Xception, weights
from keras_convnets.errors import InputError

TINY = {"input_shape": (71, 71, 3), "width_multiplier": 0.1, "middle_repeats": 1}


@pytest.fixture
def image(rng):
    return rng.uniform(-1, 1, (1, 150, 150, 3)).astype("float32")


@pytest.mark.usefixtures("double_precision")
@pytest.mark.parametrize(
    ("net", "suffix", "include_top"),
    [
        ("Xception", ".h5", True),
        ("Xception", ".h5", False),
        ("Xception", ".keras", True),
        ("Xception", ".weights.h5", True),
        ("InceptionV3", ".weights.h5", False),
        ("InceptionV3", ".h5", True),
        ("InceptionResNetV2", ".keras", True),  # with a layer that Keras does not register
        ("ResNet50", ".h5", True),
        ("ResNet50V2", ".h5", True),
        ("VGG16", ".h5", False),
    ],
)
def test_files_of_keras_applications_load(net, suffix, include_top, image, randomize, tmp_path):
    options = {"include_top": include_top, "input_shape": (150, 150, 3)}
    theirs = randomize(getattr(keras.applications, net)(weights=None, **options))
    path = tmp_path / f"file{suffix}"
    theirs.save_weights(path) if suffix == ".weights.h5" else theirs.save(path)
    ours = keras_convnets.get_model(net, weights=path, **options)
    expected = theirs(image).numpy()
    assert np.abs(ours(image) - expected).max() <= 1e-6 * np.abs(expected).max()


def test_a_file_whose_net_pads_before_its_pool_does_not_load_into_one_that_does_not(tmp_path):
    """Shapes are equal, so the logits would be wrong without a word."""
    keras.applications.ResNet50V2(weights=None, include_top=False).save(tmp_path / "file.h5")
    model = keras_convnets.get_model("ResNet50V2:slim", weights=None, include_top=False)
    with pytest.raises(InputError, match="pads the map before its first pool.*without `variant="):
        weights.load(model, tmp_path / "file.h5")


SLIM = {"weights": None, "width_multiplier": 0.1, "include_top": False}
PADDED = {**SLIM, "average_pool_padding": "include"}


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize(
    ("net", "saved", "built", "setting"),
    [
        ("InceptionV3", PADDED, SLIM, "'mixed0_branch4_pool' has padding='same'"),
        ("InceptionV3", SLIM, PADDED, "'mixed0_branch4_pool' has padding='valid'"),
        ("ResNet50", {"variant": "v1.5", **SLIM}, {"variant": "slim", **SLIM}, ""),
        ("InceptionV3", SLIM, {"small_input": True, **SLIM}, "'conv_1a' has padding='same'"),
    ],
)
def test_a_file_that_holds_its_net_does_not_load_into_another_one(
    net, saved, built, setting, suffix, tmp_path
):
    """Shapes are equal, so the logits would be wrong without a word."""
    path = tmp_path / f"file{suffix}"
    keras_convnets.get_model(net, **saved).save(path)
    weights.load(keras_convnets.get_model(net, **saved), path)
    model = keras_convnets.get_model(net, **built)
    with pytest.raises(InputError, match=f"{setting}.* would fit and give wrong results"):
        weights.load(model, path)


@pytest.mark.parametrize("form", ["by name", "by position"])
def test_files_of_keras_applications_need_its_averages(form, tmp_path):
    theirs = keras.applications.InceptionV3(weights=None, include_top=False)
    path = tmp_path / {"by name": "file.weights.h5", "by position": "file.h5"}[form]
    theirs.save_weights(path) if form == "by name" else theirs.save(path)
    model = keras_convnets.InceptionV3(
        weights=None, include_top=False, average_pool_padding="include"
    )
    with pytest.raises(InputError, match='with `average_pool_padding="exclude"`'):
        weights.load(model, path)


def test_a_file_of_another_net_is_told_by_its_layers(tmp_path):
    """Not by an epsilon that differs, too."""
    tiny = {"weights": None, "width_multiplier": 0.1, "include_top": False}
    keras_convnets.ResNet50V2(**tiny).save(tmp_path / "file.keras")
    with pytest.raises(InputError, match="does not fit 'resnet18'"):
        weights.load(keras_convnets.ResNet18(**tiny), tmp_path / "file.keras")


def test_an_entry_loads_into_its_own_graph_only():
    """Refused before the file is looked for."""
    model = keras_convnets.InceptionV3(weights=None, width_multiplier=0.1)
    with pytest.raises(InputError, match=r"belong to InceptionV3\(average_pool_padding='include'"):
        weights.load(model, "InceptionV3.timm_tf")


def test_legacy_files_load_whatever_options_move_the_layers(image, randomize, tmp_path):
    """Keras' own loader goes by position: an extra layer would move weights silently."""
    theirs = randomize(keras.applications.Xception(weights=None, input_shape=(150, 150, 3)))
    theirs.save(tmp_path / "file.h5")
    ours = Xception(weights=tmp_path / "file.h5", input_shape=(150, 150, 3), dropout_rate=0.5)
    np.testing.assert_allclose(
        ours.predict_on_batch(image), theirs.predict_on_batch(image), atol=1e-5
    )


@pytest.mark.parametrize("suffix", [".h5", ".keras", ".weights.h5"])
def test_our_own_files_load(suffix, randomize, tmp_path):
    first = randomize(Xception(weights=None, **TINY))
    path = tmp_path / f"file{suffix}"
    first.save_weights(path) if suffix == ".weights.h5" else first.save(path)
    second = Xception(weights=path, **TINY)
    for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


HEADS = {"small_input": True, "width_multiplier": 0.1, "repeats": (1, 3, 1), "weights": None}


@pytest.mark.parametrize("suffix", [".h5", ".keras", ".weights.h5"])
@pytest.mark.parametrize("saved_with_heads", [True, False])
def test_files_load_with_auxiliary_heads_on_one_side_only(
    suffix, saved_with_heads, randomize, rng, tmp_path
):
    options = {**HEADS, "input_shape": (32, 32, 3)}
    saved = randomize(keras_convnets.GoogLeNet(**options, aux_logits=saved_with_heads))
    path = tmp_path / f"file{suffix}"
    saved.save_weights(path) if suffix == ".weights.h5" else saved.save(path)
    options = {**options, "weights": path, "aux_logits": not saved_with_heads}
    with warnings.catch_warnings():
        warnings.simplefilter("error" if saved_with_heads else "ignore")
        loaded = keras_convnets.GoogLeNet(**options)
    images = rng.normal(size=(2, 32, 32, 3)).astype("float32")
    plain, headed = (loaded, saved) if saved_with_heads else (saved, loaded)
    np.testing.assert_allclose(headed(images)["predictions"], plain(images), atol=1e-6)


def test_auxiliary_heads_of_another_image_size_keep_what_they_have(randomize, tmp_path):
    saved = randomize(keras_convnets.GoogLeNet(**HEADS, input_shape=(32, 32, 3), aux_logits=True))
    saved.save(tmp_path / "file.keras")
    options = {**HEADS, "weights": tmp_path / "file.keras", "input_shape": (48, 48, 3)}
    with pytest.warns(UserWarning, match="no weights for the auxiliary heads.*: aux1_fc, aux2_fc"):
        loaded = keras_convnets.GoogLeNet(**options, aux_logits=True)
    for name in ("conv1", "aux1", "aux2_conv"):
        np.testing.assert_array_equal(
            loaded.get_layer(name).get_weights()[0], saved.get_layer(name).get_weights()[0]
        )


def test_imagenet_weights_are_those_of_the_catalog(monkeypatch, image, randomize, tmp_path):
    theirs = randomize(keras.applications.Xception(weights=None))
    theirs.save(tmp_path / "official.h5")
    asked = []

    def obtain(file):
        asked.append((file.name, file.hash))
        return tmp_path / "official.h5"

    monkeypatch.setattr("keras_convnets.weights.loading.obtain", obtain)
    ours = Xception()
    assert asked == [  # keras_compat 3: name and md5 of the official file
        ("xception_weights_tf_dim_ordering_tf_kernels.h5", "md5:0a58e3b7378bc2990ea3b43d5981f1f6")
    ]
    pixels = np.resize(image, (1, 299, 299, 3))
    np.testing.assert_allclose(
        ours.predict_on_batch(pixels), theirs.predict_on_batch(pixels), atol=1e-6
    )


@pytest.mark.parametrize("suffix", [".h5", ".keras", ".weights.h5"])
@pytest.mark.parametrize("fault", ["truncated", "empty", "other net", "other classes"])
def test_bad_files_leave_the_model_as_it_was(suffix, fault, tmp_path):
    options = {"other net": {"middle_repeats": 2}, "other classes": {"classes": 7}}
    source = Xception(weights=None, **{**TINY, **options.get(fault, {})})
    path = tmp_path / f"file{suffix}"
    source.save_weights(path) if suffix == ".weights.h5" else source.save(path)
    if fault == "truncated":
        path.write_bytes(path.read_bytes()[:5000])
    elif fault == "empty":
        path.write_bytes(b"")
    model = Xception(weights=None, **TINY)
    before = model.get_weights()
    with pytest.raises(InputError, match="file"):
        weights.load(model, path)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_missing_and_foreign_files_are_named(tmp_path):
    model = Xception(weights=None, **TINY)
    (tmp_path / "file.txt").write_text("weights")
    with pytest.raises(InputError, match=r"should end in one of .keras, .weights.h5, .h5"):
        weights.load(model, tmp_path / "file.txt")
    with pytest.raises(InputError, match="no weights file at"):
        weights.load(model, tmp_path / "file.keras")


def test_lambda_layers_are_not_executed(tmp_path):
    image = keras.Input((71, 71, 3))
    keras.Model(image, keras.layers.Lambda(lambda x: x)(image)).save(tmp_path / "evil.keras")
    with pytest.raises(InputError, match="has a Lambda layer, which is code"):
        weights.load(Xception(weights=None, **TINY), tmp_path / "evil.keras")


def test_files_of_nets_of_thousands_of_layers_load(tmp_path, randomize):
    """Keras cuts their list of layers, and Python's recursion ends before their graph does."""
    import sys

    options = {"shortcut": None, "width_multiplier": 0.5, "input_shape": (8, 8, 3)}
    limit = sys.getrecursionlimit()
    net = keras_convnets.ResNetCIFAR(1082, **options)
    net.layers[1].set_weights([w + 1 for w in net.layers[1].get_weights()])
    for suffix in (".h5", ".keras"):
        path = tmp_path / f"deep{suffix}"
        net.save(path)
        loaded = keras_convnets.ResNetCIFAR(1082, weights=path, **options)
        for a, b in zip(net.get_weights(), loaded.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
    assert sys.getrecursionlimit() == limit
