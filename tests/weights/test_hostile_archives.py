"""Zip archives whose members lead out, are there twice, claim what they have not, or bring code."""

import io
import json
import warnings
import zipfile
from pathlib import Path

import keras
import pytest

from keras_convnets import weights

FORMS = pytest.mark.parametrize("form", [".keras", ".pth"])
LOCAL, CENTRAL = b"PK\3\4", b"PK\1\2"  # what headers of members begin with
LARGEST = {".keras": "model.weights.h5", ".pth": "tiny/data.pkl"}


@pytest.fixture
def repack(tiny_contents, tmp_path):
    """A function that writes a file of the net, some of whose members are changed or added."""

    def write(form, changed, method=zipfile.ZIP_STORED) -> Path:
        path = tmp_path / f"tiny{form}"
        with (
            zipfile.ZipFile(io.BytesIO(tiny_contents[form])) as old,
            zipfile.ZipFile(path, "w", method) as new,
        ):
            for name in old.namelist():
                if changed.get(name, b"") is not None:
                    new.writestr(name, changed.get(name, old.read(name)))
            for name in changed.keys() - set(old.namelist()):
                new.writestr(name, changed[name])
        return path

    return write


@pytest.fixture
def patch(tiny_contents, tmp_path):
    """A function that writes a file of the net with other bytes in the headers of a member."""

    def write(form, name, changes) -> Path:
        content = bytearray(tiny_contents[form])
        for signature, offset, value in changes:
            start, name_offset = 0, 30 if signature == LOCAL else 46
            while True:
                start = content.index(signature, start)
                name_start = start + name_offset
                if content[name_start : name_start + len(name)] == name.encode():
                    break
                start += 1
            content[start + offset : start + offset + len(value)] = value
        path = tmp_path / f"tiny{form}"
        path.write_bytes(content)
        return path

    return write


@FORMS
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_archives_that_were_packed_anew_load_if_their_numbers_are_not_compressed(
    form, method, repack, refuses, tiny_net
):
    path = repack(form, {}, method)
    if (form, method) == (".pth", zipfile.ZIP_DEFLATED):
        refuses(path, "the numbers of tiny/data/0 are not all there")
    else:
        weights.load(tiny_net, path)


@FORMS
@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../up", "a/../../up", "..", r"..\up", r"\up", "C:/up", "a/.."]
)
def test_members_that_lead_out_are_refused(form, name, repack, refuses):
    refuses(repack(form, {name: b"x"}), "leads out of it")


@FORMS
def test_members_of_the_same_name_are_refused(form, repack, refuses):
    path = repack(form, {})
    with warnings.catch_warnings(), zipfile.ZipFile(path, "a") as archive:
        warnings.simplefilter("ignore")
        archive.writestr(LARGEST[form], b"another")
    refuses(path, f"it has two members '{LARGEST[form]}'")


HEADERS = {
    "encrypted": ([(CENTRAL, 8, b"\1\0"), (LOCAL, 6, b"\1\0")], "is encrypted"),
    "unknown method": ([(CENTRAL, 10, b"\x63\0")], "compressed in an unknown way"),
    "bzip2": ([(CENTRAL, 10, b"\x0c\0"), (LOCAL, 8, b"\x0c\0")], "compressed in an unknown way"),
    "lzma": ([(CENTRAL, 10, b"\x0e\0"), (LOCAL, 8, b"\x0e\0")], "compressed in an unknown way"),
    "not compressed": ([(CENTRAL, 10, b"\x08\0")], "is not a whole"),
    "check sum": ([(CENTRAL, 16, b"\1\2\3\4")], "is not as it was written"),
    "packed size": ([(CENTRAL, 20, b"\xf0\xff\xff\xff")], "can't have"),
    "size": ([(CENTRAL, 24, b"\xf0\xff\xff\xff")], "can't have 4,294,967,280 bytes"),
    "smaller": ([(CENTRAL, 24, b"\5\0\0\0")], "is not as it was written"),
    "zip64 size": ([(CENTRAL, 24, b"\xff\xff\xff\xff")], "is not a whole"),
    "offset": ([(CENTRAL, 42, b"\xf0\xff\xff\x7f")], "is not a whole|is not where it should be"),
    "other offset": ([(CENTRAL, 42, b"\1\0\0\0")], "is not where it should be"),
    "other name": ([(LOCAL, 31, b"X")], "is not where it should be"),
    "long name": ([(LOCAL, 28, b"\xff\xff")], "can't have|is not as it was written"),
}


@FORMS
@pytest.mark.parametrize("fault", HEADERS)
def test_headers_that_do_not_hold_are_refused(fault, form, patch, refuses):
    changes, message = HEADERS[fault]
    refuses(patch(form, LARGEST[form], changes), message)


@FORMS
def test_members_that_unpack_to_far_more_than_the_archive_are_refused(form, repack, refuses):
    path = repack(form, {LARGEST[form]: bytes(2**26)}, zipfile.ZIP_DEFLATED)
    refuses(path, "can't have 67,108,864 bytes")


@FORMS
def test_members_that_unpack_to_more_than_they_say_are_refused(form, repack, refuses):
    path = repack(form, {LARGEST[form]: bytes(2**26)}, zipfile.ZIP_DEFLATED)
    content = path.read_bytes()
    path.write_bytes(content.replace((2**26).to_bytes(4, "little"), (2**10).to_bytes(4, "little")))
    refuses(path, "is not as it was written")


@pytest.mark.parametrize(
    ("form", "name", "content", "message"),
    [
        (".keras", "model.weights.h5", None, "it has no member 'model.weights.h5'"),
        (".keras", "config.json", None, "it has no member 'config.json'"),
        (".keras", "config.json", b"[" * 2**20, "is not a whole .keras file"),
        (".keras", "config.json", b'{"config":' * 2**17, "is not a whole .keras file"),
        (".keras", "config.json", b"\xff\xfe", "is not a whole .keras file"),
        (".keras", "config.json", b"9" * 2**17, "is not a whole .keras file"),
        (".keras", "config.json", b"[]", "its configuration has no list of layers"),
        (".keras", "config.json", b'{"config": 3}', "its configuration has no list of layers"),
        (".keras", "config.json", b'{"config":{"layers":[1]}}', "has no list of layers"),
        (".keras", "config.json", b'{"config":{"layers":{"a":1}}}', "has no list of layers"),
        (
            ".keras",
            "config.json",
            b'{"config":{"layers":[{"class_name":"A","config":{"name":["\\ud800"]}}]}}',
            "a layer in its configuration has no name",
        ),
        (".pth", "tiny/data.pkl", None, "it has no member 'data.pkl'"),
        (".pth", "tiny/data/3", None, "it has no member 'tiny/data/3'"),
        (".pth", "tiny/data/3", b"short", "the numbers of tiny/data/3 are not all there"),
        (".pth", "tiny/byteorder", b"big", "its numbers are big-endian"),
        (".pth", "tiny/data.pkl", bytes(2**23 + 1), "its data.pkl is too long"),
    ],
)
def test_members_that_are_not_what_they_should_be_are_refused(
    form, name, content, message, repack, refuses
):
    refuses(repack(form, {name: content}), message)


@pytest.mark.parametrize("form", [".keras", ".h5"])
def test_lambda_layers_are_refused_and_never_run(form, refuses, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    inputs = keras.Input((4,))
    code = keras.layers.Lambda(lambda x: (__import__("pathlib").Path("marker").touch(), x)[1])
    inner = keras.Model(inputs, code(keras.layers.Dense(4)(inputs)))
    keras.Model(inputs, inner(inputs)).save(tmp_path / f"code{form}")
    (tmp_path / "marker").unlink()
    refuses(tmp_path / f"code{form}", "has a Lambda layer, which is code")
    assert not (tmp_path / "marker").exists()


def test_a_lambda_layer_beside_the_layers_of_the_net_is_refused(repack, tiny_contents, refuses):
    with zipfile.ZipFile(io.BytesIO(tiny_contents[".keras"])) as archive:
        configuration = json.loads(archive.read("config.json"))
    configuration["config"]["layers"].append({"class_name": "Lambda", "config": {"name": "a"}})
    path = repack(".keras", {"config.json": json.dumps(configuration)})
    refuses(path, "has a Lambda layer, which is code")
