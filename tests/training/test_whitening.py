"""Runs whose net whitens its images by what it learned of those that it trains on."""

import dataclasses
import json

import numpy as np
import PIL.Image
import pytest

from keras_convnets import data, evaluation
from keras_convnets.data import ZCA, evaluation_batches, global_contrast_normalize
from keras_convnets.deployment import Predictor
from keras_convnets.errors import InputError
from keras_convnets.training import Epochs, PolyakMean, Steps, choice, resume, train, whitening
from keras_convnets.training.model import preprocessing_of
from keras_convnets.training.preparation import VALIDATION_SHARE


@pytest.fixture
def tiny_nin(tiny_recipe):
    """A thin Network in Network for images of 12 x 12."""
    values = {
        "model": "NIN",
        "variant": None,
        "model_options": {"width_multiplier": 0.1},
        "input_size": 12,
        "preprocessing": "gcn_zca",
        "initializer": "he_normal",
    }
    return tiny_recipe.replace(**{name: choice(value, "fast") for name, value in values.items()})


@pytest.fixture
def go(tiny_nin, photo_folder, tmp_path):
    """A function that trains on the red and blue images."""

    def apply(name="run", **fields):
        sourced = {field: choice(value, "test") for field, value in fields.items()}
        spec = f"folder:{photo_folder}"
        recipe = tiny_nin.replace(**sourced)
        return train(recipe, data=spec, out=tmp_path / name, checkpoint_every=3, quiet=True)

    return apply


def pixels_of(split):
    """The images as the net takes them, (n, 12, 12, 3) bytes."""
    batches = evaluation_batches(split, data.Preprocessing(12, 3, "raw"), 100)
    return np.concatenate([images.numpy() for images, _ in batches])


def held_out(photo_folder):
    """The data of a run: what it trains on, and what it does not."""
    return data.load(f"folder:{photo_folder}").hold_out(VALIDATION_SHARE, 0)


def test_statistics_are_those_of_the_training_images_alone(go, photo_folder):
    layer = go(length=Steps(1)).load_model().get_layer("preprocessing")
    images = held_out(photo_folder)
    zca = ZCA.fit(global_contrast_normalize(pixels_of(images.train)))
    np.testing.assert_allclose(layer.mean, zca.mean, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(layer.matrix, zca.matrix, rtol=1e-5, atol=1e-5)
    everything = np.concatenate([pixels_of(split) for split in images.splits.values()])
    other = ZCA.fit(global_contrast_normalize(everything))
    assert not np.allclose(layer.matrix, other.matrix, rtol=1e-5, atol=1e-5)


def test_who_uses_the_saved_net_gives_it_plain_images(go, photo_folder, tmp_path, rng):
    """By hand, by `Predictor` and by the evaluation of the run: the same figures."""
    run = go()
    model = run.load_model()
    images = held_out(photo_folder).validation
    probabilities = model.predict_on_batch(pixels_of(images).astype("float32"))
    assert (probabilities.argmax(axis=1) == images.labels).mean() == run.evaluation["top1"]
    pixels = rng.integers(0, 256, (12, 12, 3), dtype=np.uint8)
    PIL.Image.fromarray(pixels).save(tmp_path / "one.png")
    [found] = Predictor(run.path).predict([tmp_path / "one.png"], top=2)
    expected = model.predict_on_batch(pixels[None].astype("float32"))[0]
    assert dict(found.classes)["blue"] == pytest.approx(expected[0], rel=1e-5)
    card = json.loads((run.path / "model.json").read_text())
    assert card["preprocessing"]["mode"] == "raw"
    assert card["options"]["include_preprocessing"] == "gcn_zca"
    [again] = [
        evaluation.evaluate(model, evaluation_batches(images, run.settings.preprocessing, 8))
    ]
    assert again.loss == pytest.approx(run.evaluation["loss"], rel=1e-5)


@pytest.mark.parametrize("step", [2, 7])  # before the first checkpoint, and in the second epoch
def test_a_killed_run_with_averaged_weights_ends_with_the_same_bits(
    go, kill, assert_alike, monkeypatch, tmp_path, step
):
    fields = {"ema": PolyakMean(), "dropout_rate": 0.5}
    unbroken = go("unbroken", **fields)
    fits = []
    fit = ZCA.fit.__func__
    monkeypatch.setattr(ZCA, "fit", classmethod(lambda *args: fits.append(1) or fit(*args)))
    kill(step, lambda: go("broken", **fields))
    resumed = resume(tmp_path / "broken", quiet=True)
    assert len(fits) == (2 if step < 3 else 1)  # from a checkpoint on it is known
    assert_alike(resumed, unbroken)
    assert resumed.evaluation["weights"] == "averaged"


def test_of_very_many_images_some_are_read(go, photo_folder, monkeypatch):
    monkeypatch.setattr(whitening, "MOST_IMAGES", 9)
    first, second = (go(name, length=Steps(1)) for name in ("first", "second"))
    matrices = [run.load_model().get_layer("preprocessing").matrix for run in (first, second)]
    np.testing.assert_array_equal(*matrices)
    chosen = np.sort(np.random.default_rng(0).permutation(22)[:9])
    part = held_out(photo_folder).train.take(chosen)
    expected = ZCA.fit(global_contrast_normalize(pixels_of(part))).matrix
    np.testing.assert_allclose(matrices[0], expected, rtol=1e-5, atol=1e-5)


def test_a_run_that_starts_from_it_whitens_as_it_does(go, tmp_path, capsys):
    first = go("first", length=Steps(1))
    second = go("second", length=Epochs(1), weights=str(first.path), preprocessing=None)
    assert second.recipe.preprocessing.value == "gcn_zca"
    matrices = [run.load_model().get_layer("preprocessing").matrix for run in (first, second)]
    np.testing.assert_array_equal(*matrices)
    with pytest.raises(InputError, match="'gcn_zca', so the recipe's `preprocessing` should be"):
        go("third", weights=str(first.path), preprocessing="tf")
    plain = go("plain", length=Steps(1), preprocessing=None)
    with pytest.raises(InputError, match="scaled as 'cifar', so the recipe's"):
        go("fourth", weights=str(plain.path))


def test_images_that_are_too_large_are_refused_at_once(go, tmp_path):
    with pytest.raises(InputError, match="at most 12,288 values"):
        go(input_size=65)
    assert not (tmp_path / "run").exists()


def test_the_net_gets_raw_pixels(tiny_nin):
    assert preprocessing_of(tiny_nin, 3).mode == "raw"
    plain = dataclasses.replace(tiny_nin, preprocessing=choice(None, "test"))
    assert preprocessing_of(plain, 3).mode == "cifar"
