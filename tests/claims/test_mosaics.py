"""Images with several labels, made of those with one."""

import numpy as np
import pytest

from keras_convnets import data
from keras_convnets.claims.mosaics import PLACES, write_mosaics
from keras_convnets.errors import InputError


@pytest.fixture(scope="module")
def mosaics(tmp_path_factory):
    return data.load(write_mosaics("fashion_mnist_6k", 40, 0, tmp_path_factory.mktemp("mosaics")))


def test_a_mosaic_has_its_garments_and_where_they_are(mosaics):
    assert len(mosaics.classes) == 10 + 4 * 10
    assert mosaics.classes[10 + 10 + 8] == "Bag, upper right"
    assert (len(mosaics.train), len(mosaics.test)) == (40, 250)
    for index in range(40):
        labels = mosaics.train.labels[index]
        placed = labels[labels >= 10]
        assert sorted(placed // 10 - 1) == [0, 1, 2, 3]  # one garment in each place
        assert set(placed % 10) == set(labels[labels < 10])


def test_each_quarter_is_an_image_of_its_label_at_half_its_size(mosaics):
    garments = data.load("fashion_mnist_6k").train
    small = garments.images.reshape(-1, 14, 2, 14, 2).astype(float).mean(axis=(2, 4)).round()
    for index in range(5):
        mosaic = mosaics.train.image(index, 1)[..., 0]
        labels = [label for label in mosaics.train.labels[index] if label >= 10]
        for place, label in zip(range(len(PLACES)), sorted(labels), strict=True):
            row, column = divmod(place, 2)
            quarter = mosaic[14 * row : 14 * row + 14, 14 * column : 14 * column + 14]
            equal = np.flatnonzero((abs(small - quarter) <= 1).all(axis=(1, 2)))
            assert label % 10 in garments.labels[equal]


def test_the_same_mosaics_may_have_one_label_the_garment_on_the_upper_left(mosaics, tmp_path):
    single = data.load(write_mosaics("fashion_mnist_6k", 40, 0, tmp_path / "one", one_label=True))
    assert single.classes == mosaics.classes[:10]
    assert not single.is_multi_label
    for index in range(40):
        np.testing.assert_array_equal(single.train.image(index, 1), mosaics.train.image(index, 1))
        placed = mosaics.train.labels[index]
        assert single.train.labels[index] == placed[(placed >= 10) & (placed < 20)] - 10


def test_mosaics_are_made_of_grey_images_with_one_label(photo_folder, tmp_path):
    with pytest.raises(InputError, match="Mosaics are made of fashion_mnist.*folder:"):
        write_mosaics(f"folder:{photo_folder}", 4, 0, tmp_path / "mosaics")
