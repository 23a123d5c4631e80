"""Fewer images of a large set."""

import numpy as np
import pytest

from keras_convnets import data
from keras_convnets.claims.subset import cut, write_idx
from keras_convnets.data.idx import read_idx
from keras_convnets.errors import InputError


@pytest.fixture
def full(tmp_path, rng):
    """A folder of idx files with 60 images to train and 10 to test."""
    folder = tmp_path / "full"
    folder.mkdir()
    for prefix, count in (("train", 60), ("t10k", 10)):
        images = rng.integers(0, 256, (count, 28, 28))
        write_idx(folder / f"{prefix}-images-idx3-ubyte", images)
        write_idx(folder / f"{prefix}-labels-idx1-ubyte", np.arange(count) % 10)
    return f"fashion_mnist:{folder}"


def test_idx_files_are_read_as_they_were_written(tmp_path):
    values = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    write_idx(tmp_path / "file", values)
    np.testing.assert_array_equal(read_idx(tmp_path / "file"), values)


def test_the_cut_depends_on_the_seed_alone_and_keeps_the_test_images(full, tmp_path):
    parts = [data.load(cut(full, 20, seed, tmp_path / str(i))) for i, seed in enumerate((0, 0, 1))]
    whole = data.load(full)
    assert [len(part.train) for part in parts] == [20, 20, 20]
    np.testing.assert_array_equal(parts[0].train.images, parts[1].train.images)
    assert not np.array_equal(parts[0].train.images, parts[2].train.images)
    np.testing.assert_array_equal(parts[0].test.images, whole.test.images)
    rows = {image.tobytes() for image in whole.train.images}
    assert {image.tobytes() for image in parts[0].train.images} < rows


def test_files_that_are_there_stay(full, tmp_path):
    cut(full, 20, 0, tmp_path / "part")
    before = (tmp_path / "part" / "train-images-idx3-ubyte").stat().st_mtime_ns
    cut(full, 20, 0, tmp_path / "part")
    assert (tmp_path / "part" / "train-images-idx3-ubyte").stat().st_mtime_ns == before


def test_a_set_that_is_small_enough_is_taken_whole(full, tmp_path):
    assert cut(full, 60, 0, tmp_path / "part") == full
    assert cut("fashion_mnist_6k", 12_000, 0, tmp_path / "part") == "fashion_mnist_6k"


def test_other_sets_can_not_be_cut(photo_folder, tmp_path):
    with pytest.raises(InputError, match="`--images 0` for all of 'folder:.*Received: 24"):
        cut(f"folder:{photo_folder}", 20, 0, tmp_path / "part")
