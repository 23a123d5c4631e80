"""Our writers of Torch's formats write what Torch itself wrote for the same small net."""

import functools
import pickle
import struct
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from .peers.drawing import Golden
from .peers.write_torch import write_legacy_pth, write_pth

FILES = Path(__file__).parent / "peers" / "files"


@functools.cache
def named(module, name):
    """Stands for a name in a pickle; a call of it says what was called."""
    return lambda *arguments: (module, name, arguments)


class Describing(pickle.Unpickler):
    """Says what a pickle asks for, in place of doing it."""

    def find_class(self, module, name):
        return OrderedDict if name == "OrderedDict" else named(module, name)

    def persistent_load(self, reference):
        return reference


def describe(file):
    """The tensors of a pickled state dictionary, and its metadata."""
    tensors = Describing(file).load()
    return list(tensors.items()), tensors._metadata


@pytest.fixture
def golden():
    with np.load(FILES / "expected.npz") as expected:
        shapes = {
            key.partition("/")[2]: expected[key].shape
            for key in expected
            if key.startswith("state_dict.pth/")
        }
    return Golden(shapes, size=0, logits=np.empty(0), made_with="")


def test_every_record_of_a_zip_file_is_that_of_torch(golden, tmp_path):
    write_pth(golden, tmp_path / "state_dict.pth")
    with (
        zipfile.ZipFile(tmp_path / "state_dict.pth") as ours,
        zipfile.ZipFile(FILES / "state_dict.pth") as theirs,
    ):
        assert ours.namelist() == theirs.namelist()
        for name in ours.namelist():
            if name.endswith("data.pkl"):
                assert describe(ours.open(name)) == describe(theirs.open(name))
            elif not name.endswith("serialization_id"):  # a hash that nothing needs
                assert ours.read(name) == theirs.read(name)


@pytest.mark.parametrize("theirs", [False, True], ids=["ours", "theirs"])
def test_storages_in_a_zip_file_are_aligned(golden, tmp_path, theirs):
    path = (FILES if theirs else tmp_path) / "state_dict.pth"
    if not theirs:
        write_pth(golden, path)
    content = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        starts = [info.header_offset for info in archive.infolist() if "/data/" in info.filename]
    for start in starts:
        name, extra = struct.unpack_from("<HH", content, start + 26)
        assert (start + 30 + name + extra) % 64 == 0


def read_legacy(path):
    """What a legacy file has, with the bytes of each storage in place of its key."""
    with path.open("rb") as file:
        headers = [pickle.load(file) for _ in range(3)]  # noqa: S301 - a file of this repository
        tensors, metadata = describe(file)
        sizes = {
            key: (count, 8 if kind is named("torch", "LongStorage") else 4)
            for _, (_, _, ((_, kind, key, _, count, _), *_)) in tensors
        }
        keys = pickle.load(file)  # noqa: S301
        assert keys == sorted(keys)
        storages = {}
        for key in keys:
            count, width = sizes[key]
            assert int.from_bytes(file.read(8), "little") == count
            storages[key] = file.read(count * width)
        assert not file.read()
    described = [
        (name, *called, [storages.get(part, part) for part in storage], rest)
        for name, (*called, (storage, *rest)) in tensors
    ]
    return headers, described, metadata


def test_all_in_a_legacy_file_is_that_of_torch(golden, tmp_path):
    write_legacy_pth(golden, tmp_path / "legacy.pth")
    assert read_legacy(tmp_path / "legacy.pth") == read_legacy(FILES / "legacy.pth")
