"""Records at any place."""

import concurrent.futures
import functools
import io
import os

import numpy as np
import PIL.Image
import pytest

from keras_convnets.data import Split, decoding, records
from keras_convnets.data.decoding import find_faults
from keras_convnets.data.records import reading
from keras_convnets.errors import InputError

from .foreign import example, jpeg, places, slim, write


@pytest.fixture
def shard(tmp_path):
    """A shard of the labels 0 to 3, and the places of its records."""
    path = write(tmp_path / "a.tfrecord", [slim(label) for label in range(4)])
    return path, *places(path)


def test_images_are_read_in_any_order(shard):
    path, offsets, lengths = shard
    reader = records.RecordReader()
    for i in (2, 0, 3, 2, 1):
        assert reader.read(path, offsets[i], lengths[i]) == jpeg(10 * i)


@pytest.mark.parametrize(
    ("place", "message"),
    [
        (0, "There is no record of {length} bytes at byte {offset} of '{path}'"),
        (9, "There is no record of {length} bytes at byte {offset} of '{path}'"),
        (60, "The record at byte {offset} of '{path}' is damaged: its check sum is wrong"),
        (-1, "The record at byte {offset} of '{path}' is damaged: its check sum is wrong"),
    ],
)
def test_a_byte_that_changed_is_told_with_file_and_offset(shard, place, message):
    path, offsets, lengths = shard
    content = bytearray(path.read_bytes())
    content[(offsets[2] if place >= 0 else offsets[3]) + place] ^= 1
    path.write_bytes(content)
    reader = records.RecordReader()
    message = message.format(length=lengths[2], offset=f"{offsets[2]:,}", path=path)
    with pytest.raises(InputError, match=message):
        reader.read(path, offsets[2], lengths[2])
    assert reader.read(path, offsets[1], lengths[1]) == jpeg(10)


def test_a_place_outside_of_the_file_or_between_records_is_told(shard):
    path, offsets, lengths = shard
    reader = records.RecordReader()
    with pytest.raises(InputError, match="at byte 1 of .* the file has changed"):
        reader.read(path, 1, lengths[0])
    with pytest.raises(InputError, match="is cut short"):
        reader.read(path, offsets[3], lengths[3] + 1)
    with pytest.raises(InputError, match="is cut short"):
        reader.read(path, 10**15, 10)
    with pytest.raises(InputError, match="none.tfrecord' can't be read: No such file"):
        reader.read(path.with_name("none.tfrecord"), 0, 1)


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="counts what Linux has open")
@pytest.mark.parametrize("read_at", [reading._read_at, reading._seek_and_read])
def test_threads_share_a_reader_that_closes_files_under_them(tmp_path, monkeypatch, read_at):
    monkeypatch.setattr(reading, "_read_at", read_at)
    monkeypatch.setattr(reading, "_OPEN_FILES", 2)
    paths = [write(tmp_path / f"{i}.tfrecord", [slim(i)]) for i in range(6)]
    length = places(paths[0])[1][0]
    assert {places(path)[1][0] for path in paths} == {length}
    images = [jpeg(10 * i) for i in range(6)]
    before = len(os.listdir("/proc/self/fd"))

    def read(reader, seed):
        order = np.random.default_rng(seed).integers(6, size=300)
        return all(reader.read(paths[i], 0, length) == images[i] for i in order)

    reader = records.RecordReader()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert all(pool.map(functools.partial(read, reader), range(8)))
    assert len(os.listdir("/proc/self/fd")) <= before + 2
    del reader
    assert len(os.listdir("/proc/self/fd")) == before


def test_faults_are_found_with_file_and_offset(tmp_path, rng):
    file = io.BytesIO()
    PIL.Image.fromarray(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(file, "JPEG")
    cut = file.getvalue()[:-2000]
    contents = [slim(0), slim(1), example(image=b"text", label=1), example(image=cut, label=0)]
    path = write(tmp_path / "a.tfrecord", contents)
    records_in = records.open_records(path).splits["train"]
    content = bytearray(path.read_bytes())
    content[records_in.offsets[1] + 70] ^= 1
    path.write_bytes(content)
    seen = []
    faults = find_faults(records_in, lambda: seen.append(1))
    assert len(seen) == 4
    assert [fault.file for fault in faults] == [
        f"{path}, byte {records_in.offsets[i]:,}" for i in (1, 2, 3)
    ]
    assert all(str(path) in fault.reason for fault in faults)
    good = Split(records_in.labels, encoded=records_in).without(faults).encoded
    assert good.offsets.tolist() == [records_in.offsets[0]]
    assert find_faults(good) == []


def test_many_images_are_checked_in_their_order(tmp_path, monkeypatch):
    monkeypatch.setattr(decoding, "_AT_ONCE", 3)
    contents = [example(image=b"" if i in (0, 3, 9) else jpeg(), label=0) for i in range(10)]
    split = records.open_records(write(tmp_path / "a.tfrecord", contents)).splits["train"]
    faults = find_faults(split)
    assert [fault.file for fault in faults] == [split.name(i) for i in (0, 3, 9)]
