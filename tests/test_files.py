"""Files that are whole or not there."""

import os

import pytest

from keras_convnets import files
from keras_convnets.errors import InputError


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.json"
    files.write_json(path, {"old": 1})

    def write_half():
        with files.replacing(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_half()
    assert files.read_json(path) == {"old": 1}
    assert os.listdir(tmp_path) == ["a.json"]


def test_nan_is_no_json(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        files.write_json(tmp_path / "a.json", {"loss": float("nan")})
    assert not os.listdir(tmp_path)


def test_broken_json_is_named(tmp_path):
    (tmp_path / "a.json").write_text('{"half":')
    with pytest.raises(InputError, match=r"a.json' can't be read as JSON"):
        files.read_json(tmp_path / "a.json")


def test_json_that_is_nested_too_deeply_is_refused(tmp_path):
    (tmp_path / "a.json").write_text("[" * 100_000)
    with pytest.raises(InputError, match=r"a.json' can't be read as JSON"):
        files.read_json(tmp_path / "a.json")


def test_unwritable_folders_are_refused():
    with pytest.raises(InputError, match="can't be written to"):
        files.check_writable("/proc/nowhere")


def test_too_little_disk_is_refused(tmp_path):
    files.check_space(tmp_path, 1, "a model")
    with pytest.raises(InputError, match="needs 1,000,000,000,000.0 MB free for a model. Received"):
        files.check_space(tmp_path, 10**18, "a model")
