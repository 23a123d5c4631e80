"""Batches in one call, and images that are decoded once."""

import numpy as np
import pytest

from keras_convnets import data
from keras_convnets.data import FlipLeftRight, InceptionCrop, Preprocessing, decoding, pipeline
from keras_convnets.errors import InputError

SMALL = Preprocessing(16, 3, "raw")


@pytest.fixture
def photos(photo_folder):
    return data.load(f"folder:{photo_folder}").hold_out(0.3, 1)


def arrays(batches):
    return [tuple(np.asarray(part) for part in batch) for batch in batches]


def are_equal(first, second):
    return len(first) == len(second) and all(
        np.array_equal(a, b)
        for left, right in zip(first, second, strict=True)
        for a, b in zip(left, right, strict=True)
    )


def test_training_goes_through_epochs_and_on_from_any_step(photos):
    whole = arrays(pipeline(photos, SMALL, 4, augmentation=(FlipLeftRight(),), epochs=3))
    assert len(whole) == 3 * (len(photos.train) // 4)
    rest = arrays(
        pipeline(photos, SMALL, 4, augmentation=(FlipLeftRight(),), epochs=3, first_step=3)
    )
    assert are_equal(rest, whole[3:])
    endless = pipeline(photos, SMALL, 4, augmentation=(FlipLeftRight(),), epochs=None)
    assert are_equal(arrays(endless.take(len(whole))), whole)


def test_images_stay_bytes_until_something_wants_other_numbers(photos):
    assert arrays(pipeline(photos, SMALL, 4))[0][0].dtype == np.uint8
    assert arrays(pipeline(photos, SMALL, 4, split="validation"))[0][0].dtype == np.uint8
    jitter = (data.ColorJitter(),)
    assert arrays(pipeline(photos, SMALL, 4, augmentation=jitter))[0][0].dtype == np.float32
    scaled = Preprocessing(16, 3, "tf")
    assert arrays(pipeline(photos, scaled, 4))[0][0].dtype == np.float32


@pytest.mark.parametrize("split", ["train", "validation"])
def test_cached_images_are_those_that_are_decoded_each_time(photos, tmp_path, split):
    options = {"split": split, "augmentation": (FlipLeftRight(),)}
    plain = arrays(pipeline(photos, SMALL, 4, **options))
    for cache in ("memory", tmp_path / "cache"):
        assert are_equal(arrays(pipeline(photos, SMALL, 4, cache=cache, **options)), plain)


def test_a_cache_in_a_folder_is_found_again(photos, tmp_path, monkeypatch):
    cache = tmp_path / "cache"
    first = arrays(pipeline(photos, SMALL, 4, cache=cache))
    monkeypatch.setattr(decoding, "decode_image", lambda *args, **options: 1 / 0)
    assert are_equal(arrays(pipeline(photos, SMALL, 4, cache=cache)), first)
    with pytest.raises(ZeroDivisionError):
        pipeline(photos, Preprocessing(15, 3, "raw"), 4, cache=cache)
    assert len(list(cache.iterdir())) == 1


def test_what_can_not_be_cached_is_told(photos, photo_folder, tmp_path, monkeypatch):
    with pytest.raises(InputError, match="crops from whole images.*cache='memory'"):
        pipeline(photos, SMALL, 4, augmentation=(InceptionCrop(),), cache="memory")
    monkeypatch.setattr(decoding, "MEMORY_LIMIT", 1000)
    with pytest.raises(InputError, match="name a folder to cache them in"):
        pipeline(photos, SMALL, 4, cache="memory")
    bad = photos.train.encoded.paths[2]
    bad.write_bytes(bad.read_bytes()[:300])
    with pytest.raises(InputError, match=f"{bad.name}' can't be decoded"):
        pipeline(photos, SMALL, 4, cache=tmp_path / "cache")
    assert not list((tmp_path / "cache").iterdir())


@pytest.mark.parametrize("options", [{"batch_size": 0}, {"first_step": -1}, {"first_step": 7}])
def test_numbers_that_make_no_sense_are_refused(photos, options):
    with pytest.raises(InputError, match="The (batch size|first step of an epoch) should be"):
        pipeline(photos, SMALL, **{"batch_size": 4, **options})


def test_unknown_splits_are_named(photos):
    with pytest.raises(InputError, match="'train', 'validation'. Received: split='test'"):
        pipeline(photos, SMALL, 4, split="test")
