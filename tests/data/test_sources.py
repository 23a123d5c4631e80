"""Data sets by name."""

import gzip
import importlib.util
import struct
from pathlib import Path

import numpy as np
import pytest

from keras_convnets import data
from keras_convnets.data import ImageSet, Split, sources
from keras_convnets.data.idx import read_idx
from keras_convnets.errors import InputError

FULL = Path(sources._IDX_FOLDERS["fashion_mnist"])


def write_idx(path, array):
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "wb") as file:
        file.write(header + array.astype("uint8").tobytes())


@pytest.fixture
def idx_folder(tmp_path, rng):
    """A small set made like MNIST, half of it gzipped."""
    for prefix, count, suffix in (("train", 30, ".gz"), ("t10k", 20, "")):
        images = rng.integers(0, 256, (count, 28, 28))
        write_idx(tmp_path / f"{prefix}-images-idx3-ubyte{suffix}", images)
        write_idx(tmp_path / f"{prefix}-labels-idx1-ubyte{suffix}", np.arange(count) % 10)
    return tmp_path


def test_embedded_set_has_500_and_100_images_a_class():
    images = data.load("fashion_mnist_6k")
    assert images.train.images.shape == (5000, 28, 28, 1)
    assert images.test.images.shape == (1000, 28, 28, 1)
    assert np.all(np.bincount(images.train.labels) == 500)
    assert np.all(np.bincount(images.test.labels) == 100)
    assert images.classes[9] == "Ankle boot"


@pytest.mark.skipif(not FULL.is_dir(), reason="the full Fashion-MNIST is not installed")
def test_embedded_set_is_what_the_script_cuts_from_the_full_one():
    script = Path(__file__).parents[2] / "scripts" / "cut_fashion_mnist_6k.py"
    spec = importlib.util.spec_from_file_location("cut", script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    cut, shipped = module.cut(FULL), data.load("fashion_mnist_6k")
    for split in ("train", "test"):
        part = shipped.splits[split]
        np.testing.assert_array_equal(part.images[..., 0], cut[f"{split}_images"])
        np.testing.assert_array_equal(part.labels, cut[f"{split}_labels"])


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_idx_folders_load(name, idx_folder):
    images = data.load(f"{name}:{idx_folder}")
    assert (len(images.train), len(images.test), len(images.classes)) == (30, 20, 10)
    assert images.train.labels.dtype == np.int64


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not an idx file"),
        (b"\x89PNG\r\n", "not an idx file"),
        (b"\0\0\x08\x01\0\0\0\x05abc", "should have 13 bytes. Received: 11"),
    ],
)
def test_broken_idx_files_are_named(content, message, tmp_path):
    (tmp_path / "labels").write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_idx(tmp_path / "labels")


def test_cut_gzip_files_are_named(idx_folder):
    path = idx_folder / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(InputError, match="train-images-idx3-ubyte.gz' can't be read"):
        data.load(f"mnist:{idx_folder}")


def test_tfds_serves_where_no_idx_files_are(monkeypatch, rng):
    """The real loader is given TensorFlow Datasets' own form of arrays."""
    import tensorflow_datasets as tfds

    def load(name, split, batch_size, as_supervised):
        assert (name, split, batch_size, as_supervised) == ("mnist", ["train", "test"], -1, True)
        return [(rng.integers(0, 256, (n, 28, 28, 1)), np.arange(n) % 10) for n in (30, 20)]

    monkeypatch.setattr(tfds, "load", load)
    assert data.load("mnist").train.images.shape == (30, 28, 28, 1)


def test_no_network_is_said_in_a_sentence(monkeypatch):
    import tensorflow_datasets as tfds

    def load(*args, **kwargs):
        raise ConnectionError("no route to host")

    monkeypatch.setattr(tfds, "load", load)
    with pytest.raises(InputError, match="could not get 'mnist'.*no route to host.*mnist:FOLDER"):
        data.load("mnist")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("fashion_mnst_6k", "nearest are fashion_mnist_6k"),
        ("folder:/nowhere", "no folder of images at '/nowhere'"),
        ("folder:", "no data named 'folder:'"),
        ("mnist:/nowhere", "no train-images-idx3-ubyte"),
    ],
)
def test_unknown_data_is_named(spec, message):
    with pytest.raises(InputError, match=message):
        data.load(spec)


def test_a_bare_folder_gets_a_hint(tmp_path):
    with pytest.raises(InputError, match="Did you mean 'folder:"):
        data.load(str(tmp_path))


def arrays(labels):
    """Images of which each is filled with its number."""
    numbers = np.arange(len(labels), dtype=np.uint8)[:, None, None, None]
    return Split(np.array(labels), images=np.tile(numbers, (1, 4, 4, 1)))


@pytest.mark.parametrize(
    ("classes", "labels", "message"),
    [
        (("a", "b"), [], "train set of 'x' has no images"),
        (("a", "b"), [0, 2], "should be 0 to 1. Received: 0 to 2"),
        (("a", "b"), [-1, 0], "Received: -1 to 0"),
        (("a",), [0, 0], "at least two classes. Received: a"),
    ],
)
def test_sets_that_can_train_nothing_are_refused(classes, labels, message):
    with pytest.raises(InputError, match=message):
        ImageSet("x", classes, 1, train=arrays(labels))


def test_hold_out_is_a_seeded_tenth():
    images = ImageSet("x", ("a", "b"), 1, train=arrays([0, 1] * 50))
    first, again, other = (images.hold_out(0.1, seed) for seed in (1, 1, 2))
    assert (len(first.train), len(first.validation)) == (90, 10)
    np.testing.assert_array_equal(first.validation.images, again.validation.images)
    assert not np.array_equal(first.validation.images, other.validation.images)
    assert first.hold_out(0.5, 0) is first  # a set that has one keeps it


@pytest.mark.parametrize("seed", range(5))
def test_each_class_gives_its_share_to_the_hold_out_and_keeps_one(seed):
    labels = np.repeat(np.arange(5), [2, 3, 10, 26, 90])
    images = ImageSet("x", tuple("abcde"), 1, train=arrays(labels)).hold_out(0.1, seed)
    assert list(np.bincount(images.validation.labels)) == [1, 1, 1, 3, 9]
    assert list(np.bincount(images.train.labels)) == [1, 2, 9, 23, 81]


def test_the_draw_from_a_large_set_is_from_all_images_together():
    """What runs on the embedded images hold out stays as it is."""
    images = ImageSet("x", ("a", "b"), 1, train=arrays([0, 1] * 100))
    held = images.hold_out(0.1, 3).validation.images[:, 0, 0, 0]
    assert list(held) == sorted(np.random.default_rng(3).permutation(200)[:20])


def test_too_few_images_to_hold_out():
    with pytest.raises(InputError, match="at least 2 images, for one is held out.*'b' 1"):
        ImageSet("x", ("a", "b"), 1, train=arrays([0, 0, 1])).hold_out(0.1, 0)
