"""Folders of images by class."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from keras_convnets import data
from keras_convnets.data import (
    FlipLeftRight,
    InceptionCrop,
    MixUp,
    PadCrop,
    Preprocessing,
    RandAugment,
    evaluation_batches,
    training_batches,
)
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


@pytest.mark.parametrize("content", [b"", b"text"])
def test_files_that_are_no_images_are_left_out_and_listed(photo_folder, content):
    (photo_folder / "red" / "3.png").write_bytes(content)
    images = data.load(f"folder:{photo_folder}")
    assert list(images.train.labels) == [0] * 12 + [1] * 11
    (fault,) = images.skipped
    assert fault.file == str(photo_folder / "red" / "3.png")
    assert "3.png' is not an image of a known format" in fault.reason


def test_too_many_bad_files_are_refused(photo_folder):
    for i in range(3):
        (photo_folder / "red" / f"{i}.png").write_bytes(b"text")
    images = data.load(f"folder:{photo_folder}")
    images.check_skipped(3 / 24)
    message = "Of the 24 images of .* 3 can't be read, which is 12.5%; at most 5.0% .*red/0.png"
    with pytest.raises(InputError, match=message):
        images.check_skipped(0.05)


def test_a_class_of_bad_files_alone_is_refused(photo_folder):
    for path in (photo_folder / "red").iterdir():
        path.write_bytes(b"text")
    with pytest.raises(InputError, match="at least 2 images, for one is held out.*'red' 0"):
        data.load(f"folder:{photo_folder}").hold_out(0.1, 0)


PLAIN = Preprocessing(16, 3, "tf", crop=0.875)


@pytest.mark.parametrize("augmentation", [(), (InceptionCrop(),)])
def test_decoding_before_work_leaves_out_truncated_files(photo_folder, augmentation):
    for name in ("3.png", "4.png"):
        path = photo_folder / "red" / name
        path.write_bytes(path.read_bytes()[:300])
    train = data.load(f"folder:{photo_folder}").train
    decoded, faults = data.decode_once(train, PLAIN, augmentation)
    assert [Path(fault.file).name for fault in faults] == ["3.png", "4.png"]
    assert "3.png' can't be decoded" in faults[0].reason
    assert list(decoded.labels) == [0] * 12 + [1] * 10
    good = [decoded.image(i)[..., 0].mean() > 100 for i in range(len(decoded))]
    assert good == [False] * 12 + [True] * 10  # images and labels still belong together


def test_decoding_once_gives_the_batches_of_the_files(photo_folder):
    train, seen = data.load(f"folder:{photo_folder}").train, []
    decoded, _ = data.decode_once(train, PLAIN, (PadCrop(2),), lambda: seen.append(1))
    assert decoded.images.shape == (24, 16, 16, 3)
    assert len(seen) == 24
    options = {"batch_size": 4, "classes": 2, "seed": 1, "epoch": 0}
    pairs = [
        (
            evaluation_batches(split, PLAIN, 5),
            training_batches(split, PLAIN, (PadCrop(2),), **options),
        )
        for split in (train, decoded)
    ]
    for files, arrays in zip(*pairs, strict=True):
        for (x, y), (a, b) in zip(files, arrays, strict=True):
            np.testing.assert_array_equal(x, a)
            np.testing.assert_array_equal(y, b)


def test_sets_that_are_cropped_or_too_large_stay_files(photo_folder, monkeypatch):
    train = data.load(f"folder:{photo_folder}").train
    assert data.decode_once(train, PLAIN, (InceptionCrop(),)) == (train, [])
    monkeypatch.setattr("keras_convnets.data.decoding.MEMORY_LIMIT", 1000)
    assert data.decode_once(train, PLAIN, ()) == (train, [])


def test_files_of_any_size_go_through_several_changes(photo_folder):
    train = data.load(f"folder:{photo_folder}").train
    augmentation = (InceptionCrop(), FlipLeftRight(), PadCrop(2), RandAugment(1), MixUp())
    options = {"batch_size": 4, "classes": 2, "seed": 1, "epoch": 0}
    images, labels = next(iter(training_batches(train, PLAIN, augmentation, **options)))
    assert images.shape == (4, 16, 16, 3)
    assert labels.shape == (4, 2)


def test_held_back_images_without_training_images_are_refused(photo_folder, tmp_path):
    for name in ("val", "test"):
        shutil.copytree(photo_folder, tmp_path / "split" / name)
    with pytest.raises(InputError, match="has val and test, but no folder train"):
        data.load(f"folder:{tmp_path / 'split'}")


def test_hidden_files_and_folders_named_like_images_are_left_alone(photo_folder):
    (photo_folder / "red" / "._3.png").write_bytes(b"resource fork")
    (photo_folder / "red" / "album.jpg").mkdir()
    hidden = photo_folder / "red" / ".ipynb_checkpoints"
    shutil.copytree(photo_folder / "blue", hidden)
    assert len(data.load(f"folder:{photo_folder}").train) == 24


def test_a_file_that_breaks_within_an_epoch_is_named(photo_folder):
    train = data.load(f"folder:{photo_folder}").train
    path = photo_folder / "red" / "3.png"
    path.write_bytes(path.read_bytes()[:300])
    batches = training_batches(train, PLAIN, (InceptionCrop(),), 4, classes=2, seed=1, epoch=0)
    with pytest.raises(InputError, match=r"3.png' can't be decoded"), data.naming_faults():
        list(batches)


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
