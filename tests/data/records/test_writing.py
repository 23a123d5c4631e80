"""Sets of labelled images written as records."""

import dataclasses
import errno
import hashlib
import io
import json
import os
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import tensorflow as tf

from keras_convnets import data
from keras_convnets.data import LabelSets, Split, records
from keras_convnets.data.records import writing
from keras_convnets.data.records.sidecars import read_sidecar, write_sidecar
from keras_convnets.errors import InputError

from .killing import few_images

ROOT = Path(__file__).parents[3]


def read_with_tensorflow(folder, split="train"):
    """What TensorFlow's own reader finds: (image, labels, file name) of each record."""
    files = sorted(map(str, folder.glob(f"{split}-*.tfrecord")))
    found = []
    for content in tf.data.TFRecordDataset(files).as_numpy_iterator():
        features = tf.train.Example.FromString(content).features.feature
        assert set(features) == {"image/encoded", "image/class/label", "image/filename"}
        found.append(
            (
                features["image/encoded"].bytes_list.value[0],
                list(features["image/class/label"].int64_list.value),
                features["image/filename"].bytes_list.value[0],
            )
        )
    return found


def hashes(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_files_keep_their_bytes_and_labels(photos, written):
    found = read_with_tensorflow(written)
    files = zip(photos.train.encoded.paths, photos.train.labels, strict=True)
    expected = [(file.read_bytes(), [label], file.name.encode()) for file, label in files]
    assert sorted(found) == sorted(expected)


def test_arrays_become_png_files_of_the_same_pixels(tmp_path):
    few = few_images()
    records.write(few, tmp_path / "out", 2)
    pixels = [
        np.asarray(PIL.Image.open(io.BytesIO(image)))
        for image, _, _ in read_with_tensorflow(tmp_path / "out")
    ]
    arrays = few.train.images[..., 0]
    assert sorted(map(bytes, pixels)) == sorted(map(bytes, arrays))
    assert len(read_with_tensorflow(tmp_path / "out", "test")) == 100
    assert records.open_records(tmp_path / "out").channels == 1


def test_the_seed_alone_fixes_the_order_in_which_classes_are_mixed(photos, written, tmp_path):
    def labels(folder):
        return [label for _, (label,), _ in read_with_tensorflow(folder)]

    records.write(photos, tmp_path / "again", 3)
    records.write(photos, tmp_path / "other", 3, seed=1)
    assert hashes(tmp_path / "again") == hashes(written)
    assert labels(tmp_path / "other") != labels(written)
    parts = np.array_split(labels(written), 3)
    assert all(0 < part.sum() < len(part) for part in parts)  # both classes in each shard


def test_images_may_have_several_labels_or_none(photos, tmp_path):
    sets = [[i % 5, 5 + i % 3] if i % 4 else [] for i in range(24)]
    files = photos.train.encoded.paths
    train = Split(LabelSets.of(sets), encoded=photos.train.encoded)
    many = data.ImageSet("many", tuple("abcdefgh"), 3, train)
    records.write(many, tmp_path / "out", 3)
    found = {image: labels for image, labels, _ in read_with_tensorflow(tmp_path / "out")}
    assert found == {file.read_bytes(): own for file, own in zip(files, sets, strict=True)}
    index = records.open_records(tmp_path / "out")
    assert index.is_multi_label
    assert [list(own) for own in index.splits["train"].labels] == [
        labels for _, labels, _ in read_with_tensorflow(tmp_path / "out")
    ]


def test_a_split_of_fewer_images_has_a_shard_for_each(photos, tmp_path):
    index = records.write(photos, tmp_path / "out", 100)
    shards = index.splits["train"]
    assert len(shards) == 24
    assert shards[-1].file == "train-00023-of-00024.tfrecord"
    assert [shard.examples for shard in shards] == [1] * 24


def test_the_index_counts_examples_and_bytes(photos, written):
    index = json.loads((written / "index.json").read_text())
    assert index["classes"] == ["blue", "red"]
    assert index["name"] == photos.name
    assert index["is_multi_label"] is False
    train = index["splits"]["train"]
    assert train["examples"] == 24
    sizes = {path.name: path.stat().st_size for path in written.glob("*.tfrecord")}
    assert {shard["file"]: shard["bytes"] for shard in train["shards"]} == sizes
    assert train["bytes"] == sum(sizes.values())
    assert list(sizes) != []
    assert not [path for path in written.iterdir() if "unfinished" in path.name]


@pytest.mark.parametrize("change", [{"shards": 4}, {"seed": 1}, {"images": "other"}])
@pytest.mark.parametrize("is_whole", [True, False])
def test_a_folder_of_other_records_is_refused(photos, written, change, is_whole):
    if not is_whole:
        (written / "unfinished.json").write_bytes((written / "index.json").read_bytes())
        (written / "index.json").unlink()
    before = hashes(written)
    if "images" in change:
        photos.train.encoded.paths[3].unlink()
        images = data.load(photos.name)
    arguments = {"shards": 3, "seed": 0} | change
    arguments.pop("images", None)
    with pytest.raises(InputError, match="of another source, number of shards or seed"):
        records.write(images if "images" in change else photos, written, **arguments)
    assert hashes(written) == before


def test_a_folder_of_other_things_is_refused(photos, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").touch()
    with pytest.raises(InputError, match="is not empty"):
        records.write(photos, tmp_path / "out", 3)


def test_too_little_room_is_told_before_work(photos, tmp_path, monkeypatch):
    need = sum(file.stat().st_size for file in photos.train.encoded.paths)
    usage = types.SimpleNamespace(free=need)  # the labels need some room, too
    monkeypatch.setattr("shutil.disk_usage", lambda folder: usage)
    with pytest.raises(InputError, match=r"needs 0\.\d MB free for the records. Rec.*: 0\.\d MB"):
        records.write(photos, tmp_path / "out", 3)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["unfinished.json"]


def test_only_shards_that_are_not_whole_are_written_again(photos, written):
    first, second, third = sorted(written.glob("*.tfrecord"))
    expected = hashes(written)
    os.truncate(second, 1000)
    other = read_sidecar(third, is_cache=False)
    write_sidecar(third, dataclasses.replace(other, labels=1 - other.labels))
    (written / ".1.partial.train-00001-of-00003.tfrecord").write_bytes(b"half")
    before = first.stat().st_ino
    records.write(photos, written, 3)
    assert hashes(written) == expected
    assert first.stat().st_ino == before


def test_a_full_disk_is_told_and_the_rest_is_written_later(photos, written, tmp_path, monkeypatch):
    fsync, calls = os.fsync, []

    def fill(descriptor):
        calls.append(descriptor)
        if len(calls) == 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fsync(descriptor)

    monkeypatch.setattr(writing.os, "fsync", fill)
    with pytest.raises(InputError, match="No space left on device. 2 of 3 shards are whole"):
        records.write(photos, tmp_path / "new", 3)
    assert len(list((tmp_path / "new").glob("*.tfrecord"))) == 2
    with pytest.raises(InputError, match="has no index.json"):
        records.open_records(tmp_path / "new")
    records.write(photos, tmp_path / "new", 3)
    assert len(calls) == 4
    assert hashes(tmp_path / "new") == hashes(written)


def test_a_disk_without_any_room_is_told(photos, tmp_path, monkeypatch):
    def fail(path, value):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(writing, "write_json", fail)
    with pytest.raises(InputError, match="No space left on device. 0 of 3 shards are whole"):
        records.write(photos, tmp_path / "out", 3)


@pytest.mark.parametrize("when", ["before", "within"])
def test_a_file_that_vanished_is_named(photos, tmp_path, monkeypatch, when):
    fingerprint = photos.fingerprint()
    monkeypatch.setattr(data.ImageSet, "fingerprint", lambda self: fingerprint)
    if when == "within":
        monkeypatch.setattr(writing, "_size", lambda task: 0)
    file = photos.train.encoded.paths[3]
    file.unlink()
    with pytest.raises(InputError, match=f"no image file at '{file}'"):
        records.write(photos, tmp_path / "out", 3)


def test_two_processes_do_not_write_to_one_folder(photos, tmp_path):
    (tmp_path / "out").mkdir()
    with writing._only_one(tmp_path / "out"), pytest.raises(InputError, match="Another process"):
        records.write(photos, tmp_path / "out", 3)
    records.write(photos, tmp_path / "out", 3)


@pytest.mark.parametrize("shards", [0, 100_000, 2.5])
def test_impossible_numbers_of_shards_are_refused(photos, tmp_path, shards):
    with pytest.raises(InputError, match="number of shards should be an integer"):
        records.write(photos, tmp_path / "out", shards)


def test_after_kills_at_any_moment_the_bytes_are_those_of_an_unbroken_run(tmp_path):
    records.write(few_images(), tmp_path / "unbroken", 4)
    command = [sys.executable, "-m", "tests.data.records.killing", str(tmp_path / "killed"), "4"]
    child = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert child.returncode == 0, child.stderr[-3000:]
    whole = json.loads(child.stdout.splitlines()[-1])
    assert len(whole) > 10
    assert len(set(whole)) >= 4  # with no shard whole, with one, with two...
    assert whole == sorted(whole)  # what was whole stays
    assert hashes(tmp_path / "killed") == hashes(tmp_path / "unbroken")
