"""Checkpoints of TensorFlow, as it writes them, and what must not come through."""

import gc
import io
import tarfile

import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf

from keras_convnets.checksums import masked_crc32c
from keras_convnets.errors import InputError
from keras_convnets.weights.formats import tf_checkpoint

from ..peers.drawing import Golden
from ..peers.write_caffe import field, varint
from ..peers.write_slim import draw_variable, write_archive, write_checkpoint, write_v1_checkpoint
from ..peers.write_table import HEADER, block, entry, shape, simple_table, stored, table

SHAPES = {
    "InceptionV1/Conv2d_1a_7x7/weights": (7, 7, 3, 4),
    "InceptionV1/Conv2d_1a_7x7/BatchNorm/beta": (4,),
    "InceptionV1/Logits/Conv2d_0c_1x1/weights": (1, 1, 4, 11),
    "InceptionV1/Logits/Conv2d_0c_1x1/biases": (11,),
}
GOLDEN = Golden(SHAPES, 224, np.zeros(11), "")
WRITERS = {"v1": write_v1_checkpoint, "v2": write_checkpoint}


def assert_is_golden(tensors):
    assert {name: tensor.shape for name, tensor in tensors.items()} == SHAPES
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(tensor.read(), draw_variable(name, SHAPES[name]))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "net.ckpt"


@pytest.mark.parametrize("version", WRITERS)
def test_floating_point_tensors_come_by_name_and_the_step_does_not(version, path):
    WRITERS[version](GOLDEN, path)
    assert_is_golden(tf_checkpoint.read(path))


@pytest.mark.parametrize("suffix", [".index", ".data-00000-of-00001"])
def test_a_v2_checkpoint_may_be_given_by_any_of_its_files(suffix, path):
    write_checkpoint(GOLDEN, path)
    assert_is_golden(tf_checkpoint.read(f"{path}{suffix}"))


def test_large_tensors_are_found_behind_each_other(path):
    shapes = {f"net/{i:02}/weights": (3, 3, 64, 64 + i) for i in range(12)}
    write_v1_checkpoint(Golden(shapes, 1, np.zeros(1), ""), path)  # several blocks
    tensors = tf_checkpoint.read(path)
    assert {name: tensor.shape for name, tensor in tensors.items()} == shapes
    for name in reversed(shapes):
        np.testing.assert_array_equal(tensors[name].read(), draw_variable(name, shapes[name]))


@pytest.mark.parametrize("dtype", ["float16", "float64", "bfloat16"])
def test_numbers_keep_their_precision(dtype, path):
    array = np.array([[1 / 3, -2.5]], dtype)
    tf.raw_ops.SaveV2(
        prefix=str(path), tensor_names=["a"], shape_and_slices=[""], tensors=[tf.constant(array)]
    )
    found = tf_checkpoint.read(path)["a"].read()
    assert found.dtype == (ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype)
    np.testing.assert_array_equal(found, array)


def test_v1_files_may_hold_numbers_of_eight_bytes(path):
    array = np.array([1 / 3, -2.5])
    tf.raw_ops.Save(filename=str(path), tensor_names=["a"], data=[array])
    np.testing.assert_array_equal(tf_checkpoint.read(path)["a"].read(), array)


def test_a_tensor_in_parts_is_refused(path):
    half = tf.zeros((2, 3))
    for i in range(2):
        tf.raw_ops.SaveV2(
            prefix=f"{path}{i}",
            tensor_names=["a"],
            shape_and_slices=[f"4 3 {2 * i},2:-"],
            tensors=[half],
        )
    tf.raw_ops.MergeV2Checkpoints(
        checkpoint_prefixes=[f"{path}0", f"{path}1"], destination_prefix=str(path)
    )
    with pytest.raises(InputError, match="'a' is in several parts"):
        tf_checkpoint.read(path)


def test_a_missing_checkpoint_is_told(path):
    with pytest.raises(InputError, match="There is no TensorFlow checkpoint at .*net.ckpt"):
        tf_checkpoint.read(path)


# Archives.


def add(archive, name, content=b"", **attributes):
    """Adds a file, or something else, to an archive."""
    entry_ = tarfile.TarInfo(name)
    entry_.size = len(content)
    for key, value in attributes.items():
        setattr(entry_, key, value)
    archive.addfile(entry_, io.BytesIO(content))


@pytest.fixture
def archive_path(tmp_path):
    return tmp_path / "net_2016_08_28.tar.gz"


@pytest.mark.parametrize("member", ["net.ckpt", None])
def test_the_checkpoint_in_an_archive_is_read(member, archive_path):
    write_archive(GOLDEN, archive_path, "net.ckpt")
    assert_is_golden(tf_checkpoint.read(archive_path, member))


def test_a_v2_checkpoint_in_an_archive_is_read_from_whatever_folder(path, archive_path):
    write_checkpoint(GOLDEN, path)
    with tarfile.open(archive_path, "w:gz") as archive:
        add(archive, "./export/train.graph", b"no tensors")
        for file in path.parent.glob("net.ckpt.*"):
            archive.add(file, f"./export/{file.name}")
    assert_is_golden(tf_checkpoint.read(archive_path))


def test_of_several_checkpoints_one_must_be_chosen(path, archive_path):
    write_v1_checkpoint(GOLDEN, path)
    with tarfile.open(archive_path, "w:gz") as archive:
        archive.add(path, "net.ckpt")
        add(archive, "other.ckpt-1000", b"no table")
    with pytest.raises(InputError, match=r"should have one checkpoint.* net.ckpt, other.ckpt-1000"):
        tf_checkpoint.read(archive_path)
    assert_is_golden(tf_checkpoint.read(archive_path, "net.ckpt"))
    with pytest.raises(
        InputError, match=r"should have one checkpoint 'third.ckpt'.*Received: none"
    ):
        tf_checkpoint.read(archive_path, "third.ckpt")


def test_the_unpacked_files_go_with_the_tensors(path, archive_path, tmp_path, monkeypatch):
    folder = tmp_path / "unpacked"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    write_archive(GOLDEN, archive_path, "net.ckpt")
    tensors = tf_checkpoint.read(archive_path)
    assert list(folder.rglob("net.ckpt"))
    last = tensors.popitem()[1]
    del tensors
    gc.collect()
    last.read()
    del last
    gc.collect()
    assert not list(folder.iterdir())


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        ("net.ckpt", {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"}),
        ("net.ckpt", {"type": tarfile.LNKTYPE, "linkname": "net.txt"}),
        ("net.ckpt", {"type": tarfile.CHRTYPE}),
        ("net.ckpt", {"type": tarfile.FIFOTYPE}),
        ("net.ckpt", {"type": tarfile.DIRTYPE}),
        ("/net.ckpt", {}),
        ("../net.ckpt", {}),
        ("a/../../net.ckpt", {}),
    ],
)
def test_what_is_no_plain_file_in_the_archive_is_refused(name, attributes, archive_path):
    with tarfile.open(archive_path, "w:gz") as archive:
        add(archive, "net.txt", b"text")
        add(archive, name, **attributes)
    with pytest.raises(InputError, match="should be a plain file within the archive"):
        tf_checkpoint.read(archive_path)


def test_nothing_else_in_the_archive_is_touched(path, archive_path, tmp_path):
    write_v1_checkpoint(GOLDEN, path)
    with tarfile.open(archive_path, "w:gz") as archive:
        add(archive, "../escaped.txt", b"text")
        add(archive, "link.txt", type=tarfile.SYMTYPE, linkname="/etc/passwd")
        archive.add(path, "net.ckpt")
    before = sorted(tmp_path.parent.rglob("*"))
    assert_is_golden(tf_checkpoint.read(archive_path))
    assert sorted(tmp_path.parent.rglob("*")) == before


@pytest.mark.parametrize("name", ["net.ckpt", "beside.txt"])
def test_an_archive_that_unpacks_without_end_is_refused(name, archive_path):
    with tarfile.open(archive_path, "w:gz") as archive:
        add(archive, name, bytes(20_000_000))
    with pytest.raises(InputError, match=r"may unpack to [\d,]+ bytes at most"):
        tf_checkpoint.read(archive_path)


def test_a_cut_archive_is_refused(archive_path):
    write_archive(GOLDEN, archive_path, "net.ckpt")
    whole = archive_path.read_bytes()
    for length in range(0, len(whole) - 100, 97):
        archive_path.write_bytes(whole[:length])
        with pytest.raises(InputError):
            tf_checkpoint.read(archive_path)


# Damaged files.


def damaged(content, rng, count):
    """Gives copies of a file with bytes changed, inserted or cut off."""
    for _ in range(count):
        copy = bytearray(content)
        place = int(rng.integers(len(copy)))
        kind = rng.random()
        if kind < 0.2:
            del copy[place:]
        elif kind < 0.3:
            copy[place:place] = rng.bytes(3)
        else:
            for i in rng.integers(len(copy), size=int(rng.choice([1, 1, 2, 8]))):
                copy[i] = rng.choice([0, 127, 128, 255, copy[i] ^ 1 << int(rng.integers(8))])
        yield bytes(copy)


@pytest.mark.parametrize(
    ("version", "suffix"), [("v1", ""), ("v2", ".index"), ("v2", ".data-00000-of-00001")]
)
def test_a_damaged_file_is_refused_or_gives_the_same_numbers(version, suffix, path, rng):
    WRITERS[version](GOLDEN, path)
    file = path.with_name(f"{path.name}{suffix}")
    refusals = []
    for content in damaged(file.read_bytes(), rng, 400):
        file.write_bytes(content)
        try:
            tensors = tf_checkpoint.read(path)
            arrays = {name: tensor.read() for name, tensor in tensors.items()}
        except InputError as error:
            refusals.append(str(error))
            continue
        for name, array in arrays.items():
            np.testing.assert_array_equal(array, draw_variable(name, SHAPES[name]))
    assert len(refusals) > 300
    assert not any("\n" in refusal for refusal in refusals)


# What TensorFlow's own reader ends the process on, or asks the machine for, check sums being right.
ENTRIES = {
    "too large": entry(1 << 40),
    "too large for 64 bits": entry(1 << 32, 1 << 32, size=16),
    "of negative length": entry(-1, size=16),
    "of two negative lengths": entry(-2, -2, size=16),
    "of too many axes": entry(*[1] * 300),
    "in another place": entry(4, offset=1 << 50),
    "at a negative place": entry(4, offset=-8),
    "of negative size": entry(4, size=-16),
    "of another size": entry(4, size=12),
    "in a missing file": entry(4, shard=9),
    "in a negative file": entry(4, shard=-1),
    "in parts": entry(4, parts=field(7, field(1, field(1, -3) + field(2, -7)))),
    "no message": b"\xff" * 30,
    "cut": entry(4)[:-2],
    "of a group": field(1, 1) + b"\x13",
    "whose shape is a number": field(1, 1) + field(2, 4) + field(5, 16),
    "whose size is a text": field(1, 1) + field(2, shape(4)) + field(5, b"16"),
}


def write_index(path, content):
    path.with_name(f"{path.name}.index").write_bytes(content)
    path.with_name(f"{path.name}.data-00000-of-00001").write_bytes(bytes(16))


def read_all(path):
    return {name: tensor.read() for name, tensor in tf_checkpoint.read(path).items()}


def test_a_table_of_the_tests_own_is_read(path):
    good = entry(4, crc=masked_crc32c(bytes(16)))
    write_index(path, simple_table({b"": HEADER, b"a": good}))
    np.testing.assert_array_equal(read_all(path)["a"], np.zeros(4))


@pytest.mark.parametrize("what", ENTRIES)
def test_a_wrong_entry_is_refused_before_memory_is_claimed(what, path):
    write_index(path, simple_table({b"": HEADER, b"a": ENTRIES[what]}))
    with pytest.raises(InputError, match="is not a whole TensorFlow checkpoint"):
        tf_checkpoint.read(path)


def test_numbers_with_another_sum_are_refused(path):
    write_index(path, simple_table({b"": HEADER, b"a": entry(4, crc=1)}))
    with pytest.raises(InputError, match="the check sum of 'a' is wrong"):
        read_all(path)


@pytest.mark.parametrize("dtype", [0, 7, 20, 21, 101, 999])
def test_what_is_no_tensor_of_numbers_is_passed_over(dtype, path):
    write_index(path, simple_table({b"": HEADER, b"a": entry(4, dtype=dtype)}))
    assert tf_checkpoint.read(path) == {}


def test_numbers_of_another_machine_are_refused(path):
    write_index(path, simple_table({b"": HEADER + field(2, 1), b"a": entry(4)}))
    with pytest.raises(InputError, match="order of bytes"):
        tf_checkpoint.read(path)


HEAD = (0, b"", HEADER)
# An entry that says of its value that it goes on in the numbers behind the entries.
LONG_ENTRY = varint(0) + varint(1) + varint(len(entry(4)) + 4) + b"a" + entry(4)
TABLES = {
    "empty": b"",
    "without an end": simple_table({b"": HEADER})[:-1],
    "without a header": simple_table({b"a": entry(4)}),
    "with a key twice": table(stored(block([HEAD, (0, b"a", entry(4)), (0, b"a", entry(4))]))),
    "with a block twice": table(
        stored(block([HEAD])), handles=[varint(0) + varint(len(block([HEAD])))] * 2
    ),
    "compressed": table(stored(block([HEAD]), compression=1)),
    "with a block beyond its end": table(stored(block([HEAD])), handles=[b"\x00\xff\x7f"]),
    "with a block without a place": table(stored(block([HEAD])), handles=[b""]),
    "with an endless number": table(stored(block([HEAD])), handles=[b"\xff" * 20]),
    "with too large a search list": table(stored(block([HEAD])[:-4] + b"\xff" * 4)),
    "with an entry beyond its block": table(stored(block([HEAD])[:-8] + LONG_ENTRY + block([]))),
    "with a key that shares too much": table(stored(block([HEAD, (9, b"a", b"")]))),
    "with a key without end": table(stored(block([HEAD, (0, b"a" * 2000, b"")]))),
    "with growing keys": table(
        stored(block([HEAD, *((min(i, 900), b"a" * 200, b"") for i in range(0, 10_000, 200))]))
    ),
}


@pytest.mark.parametrize("what", TABLES)
def test_a_wrong_table_is_refused(what, path):
    write_index(path, TABLES[what])
    with pytest.raises(InputError, match="is not a whole TensorFlow checkpoint"):
        tf_checkpoint.read(path)


def test_a_table_with_too_many_entries_is_refused(path, monkeypatch):
    monkeypatch.setattr("keras_convnets.weights.formats.sorted_table._MOST_ENTRIES", 3)
    write_index(path, simple_table({b"": HEADER, b"a": entry(4), b"b": entry(4)}))
    tf_checkpoint.read(path)
    write_index(path, simple_table({b"%d" % i: entry(4) for i in range(4)}))
    with pytest.raises(InputError, match="more than 3 entries"):
        tf_checkpoint.read(path)


def v1_key(name):
    return b"\0" + name + b"\0\1" + b"\1\1\x80\x7f"


def v1_tensor(name=b"a", numbers=b"\0" * 16):
    return field(2, field(1, name) + field(3, field(1, 1) + field(5, numbers)))


def v1_meta(*lengths, dtype=1, parts=1):
    saved = field(1, b"a") + field(2, shape(*lengths)) + field(3, dtype) + field(4, b"") * parts
    return field(1, field(1, saved))


V1_TABLES = {
    "of a tensor that is not there": {b"": v1_meta(4)},
    "of a tensor that is larger": {b"": v1_meta(1 << 40), v1_key(b"a"): v1_tensor()},
    "of a negative length": {b"": v1_meta(-4), v1_key(b"a"): v1_tensor()},
    "of a tensor in parts": {b"": v1_meta(4, parts=2), v1_key(b"a"): v1_tensor()},
}
V1_TENSORS = {
    "of another shape": {b"": v1_meta(3), v1_key(b"a"): v1_tensor()},
    "of another name": {b"": v1_meta(4), v1_key(b"a"): v1_tensor(b"b")},
    "of numbers cut within": {b"": v1_meta(3), v1_key(b"a"): v1_tensor(numbers=b"\0" * 14)},
    "of no message": {b"": v1_meta(4), v1_key(b"a"): b"\xff" * 40},
}


def test_a_v1_table_of_the_tests_own_is_read(path):
    path.write_bytes(simple_table({b"": v1_meta(2, 2), v1_key(b"a"): v1_tensor()}))
    np.testing.assert_array_equal(read_all(path)["a"], np.zeros((2, 2)))


@pytest.mark.parametrize("what", V1_TABLES)
def test_a_wrong_v1_table_is_refused_before_memory_is_claimed(what, path):
    path.write_bytes(simple_table(V1_TABLES[what]))
    with pytest.raises(InputError, match="is not a whole TensorFlow checkpoint"):
        tf_checkpoint.read(path)


@pytest.mark.parametrize("what", V1_TENSORS)
def test_a_wrong_v1_tensor_is_refused(what, path):
    path.write_bytes(simple_table(V1_TENSORS[what]))
    tensors = tf_checkpoint.read(path)
    with pytest.raises(InputError, match="is not a whole TensorFlow checkpoint"):
        tensors["a"].read()
