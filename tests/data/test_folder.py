"""Folders of images by class."""

import shutil

import pytest

from keras_convnets import data
from keras_convnets.errors import InputError


def test_classes_are_folders_in_order(photo_folder):
    images = data.load(f"folder:{photo_folder}")
    assert images.classes == ("blue", "red")
    assert list(images.train.labels) == [0] * 12 + [1] * 12
    assert images.train.image(0)[..., 2].mean() > 100
    assert images.validation is images.test is None


@pytest.mark.parametrize("names", [("train", "val", "test"), ("training", "validation", "testing")])
def test_train_val_and_test_above(photo_folder, tmp_path, names):
    for name in names:
        shutil.copytree(photo_folder, tmp_path / "split" / name)
    images = data.load(f"folder:{tmp_path / 'split'}")
    assert [len(split) for split in images.splits.values()] == [24, 24, 24]
    assert images.held_back[0] == "test"


def test_test_classes_must_be_among_the_training_classes(photo_folder, tmp_path):
    shutil.copytree(photo_folder, tmp_path / "split" / "train")
    shutil.copytree(photo_folder, tmp_path / "split" / "test")
    (tmp_path / "split" / "test" / "green").mkdir()
    with pytest.raises(InputError, match="classes that the training set lacks: green"):
        data.load(f"folder:{tmp_path / 'split'}")


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "3.png' is empty"), (b"text", "not an image"), (None, "can't be decoded")],
)
def test_bad_files_are_named_before_work_starts(photo_folder, content, message):
    path = photo_folder / "red" / "3.png"
    path.write_bytes(path.read_bytes()[:300] if content is None else content)
    with pytest.raises(InputError, match=message):
        data.load(f"folder:{photo_folder}")


def test_an_empty_class_is_named(photo_folder):
    (photo_folder / "green").mkdir()
    with pytest.raises(InputError, match="green' has no image files"):
        data.load(f"folder:{photo_folder}")


def test_a_folder_without_classes_is_refused(tmp_path):
    with pytest.raises(InputError, match="one folder of images for each class"):
        data.load(f"folder:{tmp_path}")


def test_one_class_is_refused(photo_folder):
    shutil.rmtree(photo_folder / "red")
    with pytest.raises(InputError, match="at least two classes. Received: blue"):
        data.load(f"folder:{photo_folder}")
