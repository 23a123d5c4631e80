"""Sets of TensorFlow Datasets: built here, of folders, and mocked."""

import numpy as np
import PIL.Image
import pytest
import tensorflow_datasets as tfds
from etils import epath

from keras_convnets import data
from keras_convnets.data import prepared
from keras_convnets.data.prepared import read_builder
from keras_convnets.errors import InputError

NAMES = ["cat", "dog", "newt"]


class Animals(tfds.core.GeneratorBasedBuilder):
    """Twenty images to train and six to test, of two classes."""

    VERSION = tfds.core.Version("1.0.0")
    pkg_dir_path = epath.Path(__file__).parent  # where a set has its description
    label = tfds.features.ClassLabel(names=NAMES)

    def _info(self):
        image = tfds.features.Image(shape=(None, None, 3), encoding_format="jpeg")
        features = {"id": tfds.features.Text(), "label": self.label, "image": image}
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _split_generators(self, manager):
        return {"train": self._generate_examples(20), "test": self._generate_examples(6)}

    def _generate_examples(self, count):
        for i in range(count):
            pixels = np.full((20 + i, 30, 3), 10 * i, np.uint8)
            yield i, {"id": str(i), "label": self.label_of(i), "image": pixels}

    def label_of(self, i):
        """The label of an image."""
        return i % 2


class Scenes(Animals):
    """The same with several labels an image, or none."""

    label = tfds.features.Sequence(tfds.features.ClassLabel(names=NAMES))

    def label_of(self, i):
        """The labels of an image."""
        return list(range(i % 4))


def prepare(kind, folder):
    builder = kind(data_dir=folder)
    builder.download_and_prepare()
    return builder


def levels(split):
    """What each image is filled with, by tens; and its height."""
    images = [split.image(i) for i in range(len(split))]
    return [(round(image.mean() / 10), len(image)) for image in images]


@pytest.mark.parametrize("limit", [prepared.MEMORY_LIMIT, 0], ids=["in memory", "in its files"])
def test_a_prepared_set_keeps_its_images_encoded(tmp_path, monkeypatch, limit):
    monkeypatch.setattr(prepared, "MEMORY_LIMIT", limit)
    images = read_builder(prepare(Animals, tmp_path), None, "tfds:animals")
    assert images.classes == tuple(NAMES)
    assert {name: len(split) for name, split in images.splits.items()} == {"train": 20, "test": 6}
    assert images.test.encoded.read(0).startswith(b"\xff\xd8")
    for i, (level, height) in enumerate(levels(images.train)):
        assert level == height - 20
        assert images.train.labels[i] == level % 2
    assert sorted(levels(images.train)) == [(i, 20 + i) for i in range(20)]


@pytest.mark.parametrize("limit", [prepared.MEMORY_LIMIT, 0], ids=["in memory", "in its files"])
def test_images_may_have_several_labels(tmp_path, monkeypatch, limit):
    monkeypatch.setattr(prepared, "MEMORY_LIMIT", limit)
    images = read_builder(prepare(Scenes, tmp_path), None, "tfds:scenes")
    assert images.is_multi_label
    for i, (level, _) in enumerate(levels(images.train)):
        assert images.train.labels[i].tolist() == list(range(level % 4))


def test_a_split_may_be_a_part(tmp_path):
    images = read_builder(prepare(Animals, tmp_path), "train[:25%]", "tfds:animals")
    assert {name: len(split) for name, split in images.splits.items()} == {"train": 5}


def test_a_whole_split_of_a_large_set_is_read_from_its_files(tmp_path, monkeypatch):
    monkeypatch.setattr(prepared, "MEMORY_LIMIT", 0)
    builder = prepare(Animals, tmp_path)
    images = read_builder(builder, "test", "tfds:animals:test")
    assert {name: len(split) for name, split in images.splits.items()} == {"train": 6}
    with pytest.raises(InputError, match=r"whole split: one of .*test.* Received: 'train\[:9%\]'"):
        read_builder(builder, "train[:9%]", "tfds:animals:train[:9%]")


def test_a_folder_of_tensorflow_datasets_is_read(photo_folder):
    root = photo_folder.parent / "root"
    root.mkdir()
    photo_folder.rename(root / "train")
    images = read_builder(tfds.ImageFolder(root), None, "tfds:folder")
    assert images.classes == ("blue", "red")
    assert len(images.train) == 24
    assert images.train.encoded.read(0).startswith(b"\x89PNG")


def test_names_are_those_of_tensorflow_datasets():
    with tfds.testing.mock_data(num_examples=5):
        images = data.load("tfds:cifar10:train")
    assert len(images.train) == 5
    assert len(images.classes) == 10
    assert images.train.image(0).shape == (32, 32, 3)


def test_what_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match="could not get 'cifar11'"):
        data.load("tfds:cifar11")
    with pytest.raises(InputError, match="no 'training' of 'animals'"):
        read_builder(prepare(Animals, tmp_path), "training", "tfds:animals")


def test_other_features_are_refused(tmp_path):
    class Texts(Animals):
        label = tfds.features.Text()

        def label_of(self, i):
            return "words"

    with pytest.raises(InputError, match="one of classes. Received: id, label, image"):
        read_builder(prepare(Texts, tmp_path), None, "tfds:texts")


def test_a_crop_decodes_its_window_alone(tmp_path, rng):
    """The bytes of the set go to the decoder as they are."""
    from keras_convnets.data import InceptionCrop, Preprocessing, training_batches

    images = read_builder(prepare(Animals, tmp_path), None, "tfds:animals")
    batches = training_batches(
        images.train, Preprocessing(8, 3, "raw"), (InceptionCrop(),), 5, classes=3, seed=0, epoch=0
    )
    for pixels, labels in batches:
        tens = np.round(pixels.numpy().mean(axis=(1, 2, 3)) / 10).astype(int)
        np.testing.assert_array_equal(tens % 2, labels)


def test_png_of_a_palette_and_grey_are_read_too(tmp_path):
    for mode in ("P", "L"):
        folder = tmp_path / mode / "train" / "a"
        folder.mkdir(parents=True)
        other = tmp_path / mode / "train" / "b"
        other.mkdir()
        for target in (folder, other):
            PIL.Image.new("RGB", (9, 8), "red").convert(mode).save(target / "1.png")
        images = read_builder(tfds.ImageFolder(tmp_path / mode), None, "tfds:folder")
        assert images.train.image(0).shape == (8, 9, 3)
