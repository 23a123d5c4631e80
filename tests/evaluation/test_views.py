"""The pixels of crops and whole images, and the threads that read them."""

import threading

import numpy as np
import PIL.Image
import pytest

from keras_convnets.data import Split, load
from keras_convnets.data.decoding import find_faults
from keras_convnets.data.encoded import Files
from keras_convnets.errors import InputError
from keras_convnets.evaluation import (
    DenseEvaluation,
    GoogLeNetCrops,
    MultiScale,
    TenCrops,
    TwelveCrops,
)
from keras_convnets.evaluation import views as module
from keras_convnets.evaluation.views import cut, read_ahead
from keras_convnets.preprocessing import Preprocessing

SMALL = Preprocessing(14, 3, "tf", 14 / 16, "bicubic")


@pytest.fixture
def photo(rng):
    return rng.integers(0, 256, (37, 61, 3), dtype=np.uint8)


@pytest.mark.parametrize("protocol", [TenCrops(), TwelveCrops()])
def test_the_centre_of_the_crops_is_the_central_crop(protocol, photo):
    [views] = cut(photo, protocol, SMALL)
    np.testing.assert_array_equal(views[4], SMALL.center(photo).numpy())


@pytest.mark.parametrize(
    ("protocol", "count"), [(TenCrops(), 10), (TwelveCrops(), 12), (GoogLeNetCrops(), 144)]
)
def test_the_second_half_is_the_mirror_image_of_the_first(protocol, count, photo):
    [views] = cut(photo, protocol, SMALL)
    assert (views.shape, views.dtype) == ((count, 14, 14, 3), np.uint8)
    np.testing.assert_array_equal(views[count // 2 :], views[: count // 2, :, ::-1])


def test_crops_are_where_their_boxes_are(photo):
    [views] = cut(photo, GoogLeNetCrops(), SMALL)
    assert GoogLeNetCrops().scales(SMALL) == (16, 18, 20, 22)
    for i, scale in enumerate((16, 18, 20, 22)):
        whole = SMALL.resize(photo, scale).numpy()
        assert whole.shape == (scale, int(np.ceil(scale * 61 / 37)), 3)
        first, last = views[18 * i], views[18 * i + 17]
        np.testing.assert_array_equal(first, whole[:14, :14])
        np.testing.assert_array_equal(last, SMALL.resize(whole[:, -scale:], 14).numpy())


def test_a_whole_image_keeps_its_shape(photo):
    [dense] = cut(photo, DenseEvaluation(20), SMALL)
    assert dense.shape == (2, 20, 33, 3)
    np.testing.assert_array_equal(dense[0], SMALL.resize(photo, 20).numpy())
    np.testing.assert_array_equal(dense[1], dense[0][:, ::-1])
    shapes = [views.shape for views in cut(photo, MultiScale((14, 16, 20)), SMALL)]
    assert shapes == [(2, 14, 24, 3), (2, 16, 27, 3), (2, 20, 33, 3)]


def test_of_a_very_long_image_the_middle_is_shown():
    strip = np.zeros((2, 9000, 3), np.uint8)
    [views] = cut(strip, DenseEvaluation(16), SMALL)
    assert views.shape == (2, 16, 64, 3)


def test_grey_images_become_what_the_net_takes(rng):
    grey = rng.integers(0, 256, (28, 28, 1), dtype=np.uint8)
    [views] = cut(grey, TenCrops(), SMALL)
    assert views.shape == (10, 14, 14, 3)
    colour = Preprocessing(14, 1, "lenet", 0.875)
    assert cut(np.repeat(grey, 3, 2), TenCrops(), colour)[0].shape == (10, 14, 14, 1)


def test_images_come_in_order_and_few_wait(photo_folder, monkeypatch):
    split = load(f"folder:{photo_folder}").train
    running, most = 0, 0
    lock = threading.Lock()

    def count(image, protocol, preprocessing):
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        return [image]

    monkeypatch.setattr(module, "cut", count)
    monkeypatch.setattr(module.os, "cpu_count", lambda: 3)
    for i, [image] in enumerate(read_ahead(split, TenCrops(), SMALL)):
        np.testing.assert_array_equal(image, split.image(i))
        with lock:
            running -= 1
    assert i == 23
    assert most <= module.AHEAD * 3 + 1


def test_files_that_can_not_be_decoded_are_found(photo_folder):
    split = load(f"folder:{photo_folder}").train
    bad = photo_folder / "red" / "3.png"
    bad.write_bytes(bad.read_bytes()[:300])
    seen = []
    [fault] = find_faults(split.encoded, lambda: seen.append(1))
    assert (fault.file, len(seen)) == (str(bad), 24)
    assert "3.png' can't be decoded" in fault.reason
    with pytest.raises(InputError, match="3.png' can't be decoded"):
        list(read_ahead(split, TenCrops(), SMALL))


def test_an_image_of_one_pixel_is_shown(tmp_path):
    PIL.Image.new("RGB", (1, 1), (9, 9, 9)).save(tmp_path / "a.png")
    split = Split(np.zeros(1, int), encoded=Files([tmp_path / "a.png"]))
    [[views]] = read_ahead(split, GoogLeNetCrops(), SMALL)
    assert (views == 9).all()
