"""What images go through belongs to weights as much as their numbers."""

import keras
import numpy as np
import PIL.Image
import pytest

import keras_convnets
from keras_convnets import weights
from keras_convnets.data import Preprocessing
from keras_convnets.deployment import ModelCard, Predictor, save_model
from keras_convnets.errors import InputError
from keras_convnets.imagenet_utils import SCALINGS, preprocess_input

from .peers.drawing import Golden
from .peers.write_torch import write_safetensors

ENTRY = "ResNet18.timm_a1"  # publishes no hash, so that a file of ours can stand for it


@pytest.fixture
def cached(tmp_path, monkeypatch):
    """A cache with drawn weights in the place of the entry's."""
    monkeypatch.setenv("KERAS_CONVNETS_CACHE", str(tmp_path))
    name = weights.find(ENTRY).file.name
    write_safetensors(Golden.load("torchvision_resnet18"), tmp_path / name)


def test_an_entry_says_size_crop_interpolation_and_scaling():
    found = weights.preprocessing("VGG16.keras")
    assert found == Preprocessing(224, 3, "caffe", 224 / 256, "bicubic")
    assert weights.preprocessing(weights.find("VGG16.torchvision")).mode == "torch"
    assert weights.preprocessing("inceptionv3.keras").enough == 341


@pytest.mark.usefixtures("cached")
@pytest.mark.filterwarnings("ignore:No hash is published")
def test_a_model_knows_the_preprocessing_of_its_weights():
    entry = weights.preprocessing(ENTRY)
    model = keras_convnets.ResNet18(weights=ENTRY, input_shape=(96, 96, 3))
    found = weights.preprocessing(model)
    assert (found.size, found.mode, found.interpolation) == (96, "torch", entry.interpolation)
    assert found.crop == entry.crop
    scaled = keras_convnets.get_model(ENTRY, include_preprocessing=True)
    assert weights.preprocessing(scaled).mode == "raw"
    with pytest.raises(InputError, match="has no weights from the catalog"):
        weights.preprocessing(keras_convnets.ResNet18(weights=None))


def test_a_saved_model_says_it_in_its_card(tmp_path):
    given = Preprocessing(32, 1, "lenet", 0.9, "bicubic")
    card = ModelCard("LeNet5", "modern", {}, ("a", "b"), given, "Apache-2.0", None)
    save_model(keras_convnets.LeNet5(classes=2, variant="modern"), tmp_path / "net.keras", card)
    assert weights.preprocessing(tmp_path / "net.keras") == given
    (tmp_path / "net.json").unlink()
    with pytest.raises(InputError, match="no file .*net.json"):
        weights.preprocessing(tmp_path / "net.keras")


@pytest.mark.usefixtures("cached")
@pytest.mark.filterwarnings("ignore:No hash is published")
def test_predict_takes_it_from_the_entry(tmp_path, rng):
    pixels = rng.integers(0, 256, (300, 400, 3), dtype=np.uint8)
    PIL.Image.fromarray(pixels).save(tmp_path / "photo.png")
    predictor = Predictor(ENTRY)
    [prediction] = predictor.predict([tmp_path / "photo.png"], top=1)
    image = weights.preprocessing(predictor.model)(pixels)
    scores = predictor.model.predict_on_batch(np.asarray(image)[None])[0]
    assert prediction.classes[0][1] == pytest.approx(scores.max(), abs=1e-6)
    size = weights.find(ENTRY).input_size
    assert predictor.model.input_shape == (None, size, size, 3)


@pytest.mark.parametrize("mode", SCALINGS)
def test_the_scaling_layer_does_what_preprocess_input_does(mode, rng, tmp_path):
    pixels = rng.integers(0, 256, (2, 32, 32, 3)).astype("float32")
    image = keras.Input((32, 32, 3))
    layer = keras_convnets.layers.ImageScaling(mode)
    keras.Model(image, layer(image)).save(tmp_path / "scaling.keras")
    loaded = keras.saving.load_model(tmp_path / "scaling.keras")
    expected = preprocess_input(pixels, mode=mode)
    np.testing.assert_allclose(loaded(pixels), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", ["VGG16:batch_norm", "InceptionV3", "GoogLeNet", "LeNet5"])
def test_a_net_can_have_its_scaling_in_it(name, rng, randomize):
    _, variant = keras_convnets._registry.find_architecture(name)
    plain = randomize(keras_convnets.get_model(name, weights=None))
    model = keras_convnets.get_model(name, weights=None, include_preprocessing=True)
    model.set_weights(plain.get_weights())
    pixels = rng.integers(0, 256, (1, *variant.input_shape)).astype("float32")
    scaled = preprocess_input(pixels, mode=variant.preprocessing)
    np.testing.assert_allclose(model(pixels), plain(scaled), rtol=1e-5, atol=1e-7)


def test_bicubic_resizing_is_that_of_pillow(rng):
    """Torch and Keras measured their weights with Pillow's filters."""
    blocks = rng.integers(0, 256, (30, 40, 3), dtype=np.uint8)
    image = PIL.Image.fromarray(blocks).resize((400, 300), PIL.Image.Resampling.BICUBIC)
    preprocessing = Preprocessing(96, 3, "raw", 96 / 128, "bicubic")
    ours = np.asarray(preprocessing.center(np.asarray(image)))
    theirs = np.asarray(image.resize((171, 128), PIL.Image.Resampling.BICUBIC))
    left = (171 - 96) // 2
    difference = ours - theirs[16:112, left : left + 96]
    assert np.abs(difference).max() <= 1


@pytest.mark.parametrize("name", ["VGG16.keras", "inceptionv3.keras", "GoogLeNet.caffe"])
def test_names_that_end_as_files_do_are_names(name, tmp_path, monkeypatch):
    assert weights.entry_of(name).name.lower() == name.lower()
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_bytes(b"a file of that very name")
    assert weights.entry_of(name) is None


def test_a_file_that_is_missing_is_no_unknown_name():
    with pytest.raises(InputError, match="There is no weights file at 'nowhere.keras'"):
        weights.preprocessing("nowhere.keras")
    with pytest.raises(InputError, match="There are no weights named 'VGG16.nobody'"):
        weights.preprocessing("VGG16.nobody")


def test_a_run_that_is_missing_is_no_unknown_name():
    with pytest.raises(InputError, match="no run directory and no .keras file at 'runs/v1.2'"):
        Predictor("runs/v1.2")
