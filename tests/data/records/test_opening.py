"""Record files that are opened: ours with an index, and those of others."""

import json
import os
import shutil
import time

import numpy as np
import pytest

from keras_convnets.data import LabelSets, records
from keras_convnets.data.records import scanning
from keras_convnets.data.records.sidecars import sidecar_path
from keras_convnets.errors import InputError

from .foreign import example, jpeg, places, slim, write


def images_of(split):
    reader = records.RecordReader()
    return [
        reader.read(split.files[i], offset, length)
        for i, offset, length in zip(split.file_ids, split.offsets, split.lengths, strict=True)
    ]


@pytest.fixture
def scans(monkeypatch):
    """The names of the files that are read through."""
    names, scan = [], scanning.scan

    def count(shard, *arguments):
        names.append(shard.name)
        return scan(shard, *arguments)

    monkeypatch.setattr(scanning, "scan", count)
    return names


def test_a_folder_with_an_index_gives_images_and_labels(photos, written, scans):
    index = records.open_records(written)
    assert index.classes == ("blue", "red")
    assert (index.channels, index.is_multi_label, index.skipped) == (3, False, ())
    split = index.splits["train"]
    expected = {
        file.read_bytes(): label
        for file, label in zip(photos.train.encoded.paths, photos.train.labels, strict=True)
    }
    assert dict(zip(images_of(split), split.labels, strict=True)) == expected
    assert not scans


def test_places_are_those_that_tensorflow_reads(written):
    split = records.open_records(written).splits["train"]
    for i, path in enumerate(split.files):
        is_own = split.file_ids == i
        assert (split.offsets[is_own].tolist(), split.lengths[is_own].tolist()) == places(path)


def test_arrays_have_no_object_for_a_record(written):
    split = records.open_records(written).splits["train"]
    rows = split.file_ids, split.offsets, split.lengths, split.labels
    assert [row.dtype for row in rows] == [np.int32, np.int64, np.int64, np.int64]
    assert len(split.files) == 3


def test_parts_of_splits_keep_places_and_labels_together(written):
    split = records.open_records(written).splits["train"]
    part = split.take(np.array([5, 0, 20]))
    assert images_of(part) == [images_of(split)[i] for i in (5, 0, 20)]
    assert list(part.labels) == [split.labels[i] for i in (5, 0, 20)]


@pytest.mark.parametrize("damage", ["gone", "cut", "other"])
def test_a_sidecar_that_is_lost_or_of_another_file_is_made_again(written, scans, damage):
    shards = sorted(written.glob("*.tfrecord"))
    path = sidecar_path(shards[1])
    content = path.read_bytes()
    if damage == "gone":
        path.unlink()
    elif damage == "cut":
        os.truncate(path, 100)
    else:
        path.write_bytes(sidecar_path(shards[0]).read_bytes())
    records.open_records(written)
    assert scans == [shards[1].name]
    assert path.read_bytes() == content


@pytest.mark.parametrize("pattern", ["", "/train-*"])
def test_sidecars_of_an_index_may_be_copied_before_their_files(written, scans, pattern):
    for path in written.glob("*.tfrecord"):
        os.utime(path, (time.time() + 9, time.time() + 9))
    records.open_records(f"{written}{pattern}")
    assert not scans


def test_a_folder_without_an_index_is_refused(written):
    (written / "index.json").unlink()
    with pytest.raises(InputError, match=r"has no index.json.*name them by a pattern"):
        records.open_records(written)


def test_shards_that_are_not_those_of_the_index_are_refused(written):
    first = sorted(written.glob("*.tfrecord"))[0]
    with first.open("ab") as file:
        file.write(b"more")
    with pytest.raises(InputError, match=r"00000-of-00003.tfrecord' should have .* bytes"):
        records.open_records(written)
    first.unlink()
    with pytest.raises(InputError, match=r"Received: no such file"):
        records.open_records(written)


def test_a_wrong_count_in_the_index_is_refused(written):
    index = json.loads((written / "index.json").read_text())
    index["splits"]["train"]["shards"][0]["examples"] += 1
    (written / "index.json").write_text(json.dumps(index))
    with pytest.raises(
        InputError, match="should have 25 records, as index.json says. Received: 24"
    ):
        records.open_records(written)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("version", 2, "is of version 2; this version .* reads 1"),
        ("classes", None, "is no index of records"),
        ("classes", ["one"], "labels of .*index.json' should be 0 to 0. Received: 0 to 1"),
        ("classes", [1, 2], "is no index of records"),
        ("splits", {}, "no index of records"),
        ("splits", {"train": {"shards": []}}, "is no index of records"),
        (
            "splits",
            {"train": {"shards": [{"file": "../a", "examples": 1, "bytes": 1}]}},
            "no index",
        ),
        ("splits", {"dev": {"shards": [{"file": "a", "examples": 1, "bytes": 1}]}}, "no index"),
        ("splits", {"train": {"shards": [{"file": "a", "examples": "1", "bytes": 1}]}}, "no index"),
        ("channels", 7, "is no index of records"),
        ("is_multi_label", "no", "is no index of records"),
    ],
)
def test_other_indices_are_refused(written, key, value, message):
    index = json.loads((written / "index.json").read_text()) | {key: value}
    (written / "index.json").write_text(json.dumps(index))
    with pytest.raises(InputError, match=message):
        records.open_records(written)


@pytest.mark.parametrize("key", ["version", "classes", "channels", "made_from", "splits"])
def test_an_index_that_lacks_something_says_so(written, key):
    index = json.loads((written / "index.json").read_text())
    del index[key]
    (written / "index.json").write_text(json.dumps(index))
    with pytest.raises(InputError, match=f"is no index of records: it lacks '{key}'"):
        records.open_records(written)


def test_a_pattern_takes_the_classes_of_the_index_beside_the_files(written, scans):
    (index,) = written.glob("*00001-of*.tfrecord")
    some = records.open_records(f"{written}/train-*1-of-*")
    assert some.classes == ("blue", "red")
    assert some.splits["train"].files == (index,)
    assert not scans


def test_imagenet_counts_from_one_and_its_classes_are_wordnet_ids(tmp_path):
    """As `build_imagenet_data.py` of the TensorFlow models writes."""
    for name, labels in (("train-00000-of-01024", (1, 3)), ("validation-00000-of-00128", (2, 1))):
        contents = [
            slim(label, image__class__synset=b"n%d" % label, image__class__text=b"crane")
            for label in labels
        ]
        write(tmp_path / "imagenet" / name, contents)
    index = records.open_records(f"{tmp_path}/imagenet/*-of-*")
    assert index.classes == ("n1", "n2", "n3")
    assert list(index.splits) == ["train", "validation"]
    assert list(index.splits["train"].labels) == [0, 2]
    assert list(index.splits["validation"].labels) == [1, 0]
    assert images_of(index.splits["validation"]) == [jpeg(20), jpeg(10)]


def test_labels_with_names_and_a_zero_count_from_zero(tmp_path):
    contents = [slim(label, image__class__text=b"class %d" % label) for label in (2, 0)]
    path = write(tmp_path / "a.tfrecord", contents)
    index = records.open_records(path)
    assert index.classes == ("class 0", "1", "class 2")
    assert list(index.splits["train"].labels) == [2, 0]


def test_labels_without_names_count_from_zero(tmp_path):
    index = records.open_records(write(tmp_path / "a.tfrecord", [slim(1), slim(3)]))
    assert index.classes == ("0", "1", "2", "3")
    assert list(index.splits["train"].labels) == [1, 3]


@pytest.mark.parametrize(
    ("name", "text", "classes", "labels"),
    [
        ("labels.txt", "0:daisy\n1:red:rose\n2:tulip\n", ("daisy", "red:rose", "tulip"), [1, 2]),
        (
            "labels.txt",
            "0:background\n1:tench\n2:shark\n3:ray\n",
            ("tench", "shark", "ray"),
            [0, 1],
        ),
        ("label.labels.txt", "cat\ndog\nant\n", ("cat", "dog", "ant"), [1, 2]),
    ],
)
def test_names_may_stand_beside_the_files(tmp_path, name, text, classes, labels):
    (tmp_path / name).write_text(text)
    write(tmp_path / "flowers_train_00000-of-00001.tfrecord", [slim(1), slim(2)])
    index = records.open_records(f"{tmp_path}/*")
    assert index.classes == classes
    assert list(index.splits["train"].labels) == labels


def test_records_of_tensorflow_datasets_are_read(tmp_path):
    content = example(image=jpeg(), label=1, file_name=b"a.jpg")
    path = write(tmp_path / "pets-train.tfrecord-00000-of-00001", [content])
    index = records.open_records(path)
    assert list(index.splits["train"].labels) == [1]
    assert images_of(index.splits["train"]) == [jpeg()]


def test_one_record_of_several_labels_makes_the_set_multi_label(tmp_path):
    path = write(tmp_path / "a.tfrecord", [slim([0, 2]), slim(1), example(image=jpeg(), label=[3])])
    index = records.open_records(path)
    assert index.is_multi_label
    labels = index.splits["train"].labels
    assert isinstance(labels, LabelSets)
    assert [list(own) for own in labels] == [[0, 2], [1], [3]]


def test_several_names_belong_to_several_labels(tmp_path):
    path = write(tmp_path / "a.tfrecord", [slim([2, 1], image__class__text=[b"sky", b"tree"])])
    index = records.open_records(path)
    assert index.classes == ("tree", "sky")
    assert list(index.splits["train"].labels[0]) == [1, 0]


def test_files_of_others_are_read_through_once(tmp_path, scans):
    path = write(tmp_path / "a.tfrecord", [slim(0, image__class__text=b"\xc3\xa9"), slim(1)])
    first = records.open_records(path)
    again = records.open_records(path)
    assert first.classes == again.classes == ("é", "1")
    assert images_of(again.splits["train"]) == images_of(first.splits["train"])
    assert scans == ["a.tfrecord"]


@pytest.mark.parametrize("change", ["size", "time"])
def test_a_file_that_changed_is_read_again(tmp_path, scans, change):
    path = write(tmp_path / "a.tfrecord", [slim(0), slim(1)])
    records.open_records(path)
    write(path, [slim(1), slim(0)] + [slim(1)] * (change == "size"))
    later = time.time() + (5 if change == "time" else -5)
    os.utime(path, (later, later))
    index = records.open_records(path)
    assert list(index.splits["train"].labels)[:2] == [1, 0]
    assert len(scans) == 2


def test_a_folder_that_cannot_be_written_to_serves_too(tmp_path, scans, monkeypatch):
    def refuse(*arguments):
        raise PermissionError

    monkeypatch.setattr(scanning, "write_sidecar", refuse)
    path = write(tmp_path / "a.tfrecord", [slim(0), slim(1)])
    for _ in range(2):
        assert len(records.open_records(path).splits["train"]) == 2
    assert len(scans) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["a.tfrecord"]


def test_an_empty_shard_is_no_fault(tmp_path):
    write(tmp_path / "train-00000-of-00002", [slim(0), slim(1)])
    write(tmp_path / "train-00001-of-00002", [])
    index = records.open_records(f"{tmp_path}/train-*")
    assert len(index.splits["train"]) == 2


def test_records_whose_content_is_damaged_are_left_out_and_listed(tmp_path):
    path = write(tmp_path / "a.tfrecord", [slim(0), slim(1), b"\xff\xff no example", slim(2)])
    (_, second, third, _), _ = places(path)
    content = bytearray(path.read_bytes())
    content[second + 40] ^= 1
    path.write_bytes(content)
    for _ in range(2):
        index = records.open_records(path)
        assert list(index.splits["train"].labels) == [0, 2]
        names = [f"{path}, byte {offset:,}" for offset in (second, third)]
        assert [fault.file for fault in index.skipped] == names
        assert not sidecar_path(path).exists()
        assert f"at byte {second:,} of '{path}' is damaged" in index.skipped[0].reason
        assert f"at byte {third:,} of '{path}' holds no tf.train" in index.skipped[1].reason


def rewrite(change):
    """A shard of two records whose bytes are changed."""

    def apply(path):
        write(path, [slim(0), slim(1)])
        path.write_bytes(change(path.read_bytes()))

    return apply


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "There are no record files like .*a.tfrecord"),
        (lambda path: write(path, [slim(0)], "GZIP"), "a.tfrecord' is compressed"),
        (lambda path: write(path, [slim(0)], "ZLIB"), "a.tfrecord' is compressed"),
        (lambda path: path.write_bytes(b"text" * 9), "is no TFRecord file: it begins with b'text"),
        (lambda path: path.write_bytes(b"ab"), "is no TFRecord file: it begins with b'ab'"),
        (lambda path: path.touch(), "hold no record that can be read"),
        (rewrite(lambda content: content[:-9]), "at byte [1-9]\\d* of .*a.tfrecord' is cut short"),
        (rewrite(lambda content: content + b"abc"), "at byte .*a.tfrecord' is cut short"),
        (
            rewrite(lambda content: content + bytes(99)),
            "length of the record at byte .* is damaged",
        ),
        (
            lambda path: write(path, [example(image_raw=b"", height=3)]),
            "at byte 0 of .*a.tfrecord' should have a feature 'image/encoded' or 'image'. "
            "Received: height, image_raw",
        ),
        (
            lambda path: write(path, [example(image=jpeg())]),
            "should have a feature 'image/class/label' or 'label'. Received: image$",
        ),
        (
            lambda path: write(path, [slim(b"cat")]),
            "label of the record at byte 0 .* should be of int64. Received: bytes_list",
        ),
        (
            lambda path: write(path, [example(image=3, label=1)]),
            "image of the record at byte 0 .* should be one text of bytes",
        ),
        (
            lambda path: write(path, [slim(1), example(image=jpeg())]),
            "at byte [1-9]\\d* .*should have a feature 'image/class/label'",
        ),
        (lambda path: write(path, [slim(-1)]), "should be 0 to 999,999. Received: -1 to -1"),
        (lambda path: write(path, [slim(10**12)]), "to 1,000,000,000,000"),
        (
            lambda path: write(path, [slim(1, image__class__text=text) for text in (b"a", b"b")]),
            "at byte .* calls the label 1 'b', and one before it calls it 'a'",
        ),
    ],
)
def test_other_files_are_refused_in_a_sentence(tmp_path, make, message):
    path = tmp_path / "a.tfrecord"
    make(path)
    with pytest.raises(InputError, match=message):
        records.open_records(path)


def test_files_of_two_sets_are_refused(tmp_path):
    for i in range(2):
        write(tmp_path / f"{i}.tfrecord", [slim(1, image__class__text=b"name %d" % i)])
    with pytest.raises(InputError, match="label 1 is called 'name 0' .* 'name 1' in another"):
        records.open_records(f"{tmp_path}/*.tfrecord")


def test_names_of_splits_are_in_all_files_or_in_none(tmp_path):
    write(tmp_path / "train-0", [slim(0)])
    write(tmp_path / "dev-0", [slim(0)])
    with pytest.raises(InputError, match="dev-0' has none"):
        records.open_records(f"{tmp_path}/*-0")


def test_the_home_folder_may_be_a_tilde(written, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    shutil.move(written, tmp_path / "mine")
    assert len(records.open_records("~/mine").splits["train"]) == 24
