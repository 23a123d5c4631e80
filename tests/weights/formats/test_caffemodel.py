"""Caffe's files: three generations of one format, and what must not come through."""

import numpy as np
import pytest

from keras_convnets.errors import InputError
from keras_convnets.weights.formats import caffemodel

from ..peers.write_caffe import blob, field, layer, varint, write


@pytest.fixture
def path(tmp_path):
    return tmp_path / "net.caffemodel"


@pytest.fixture
def tensors(rng):
    shapes = {"conv1/7x7/0": (4, 3, 7, 7), "conv1/7x7/1": (4,), "fc/0": (5, 8), "fc/1": (5,)}
    return {name: rng.normal(size=shape).astype("float32") for name, shape in shapes.items()}


def legacy(shape):
    """A shape as old files have it."""
    return (1,) * (4 - len(shape)) + shape


@pytest.mark.parametrize("generation", ["v0", "v1", "v2"])
def test_blobs_come_by_layer_and_index(generation, path, tensors):
    write(path, tensors, generation)
    stored = caffemodel.read(path)
    assert list(stored) == list(tensors)
    for name, array in tensors.items():
        shape = array.shape if generation == "v2" else legacy(array.shape)
        assert stored[name].shape == shape
        np.testing.assert_array_equal(stored[name].read(), array.reshape(shape))


def test_numbers_may_have_eight_bytes(path):
    array = np.array([1 / 3, -2.0])
    write(path, {"scale/0": array})
    np.testing.assert_array_equal(caffemodel.read(path)["scale/0"].read(), array)


def test_numbers_may_come_in_several_parts(path):
    parts = field(5, np.float32([1, 2]).tobytes()) + field(5, np.float32([3]).tobytes())
    write_layer(path, field(7, field(1, b"\x03")) + parts)
    assert caffemodel.read(path)["conv/0"].read().tolist() == [1, 2, 3]


def test_layers_without_blobs_are_passed_over(path, tensors):
    write(path, tensors)
    pool = field(100, field(1, b"pool") + field(2, b"Pooling"))
    path.write_bytes(pool + path.read_bytes() + pool)
    assert list(caffemodel.read(path)) == list(tensors)


def write_layer(path, content):
    """Writes a net of one layer with one blob."""
    path.write_bytes(field(100, field(1, b"conv") + field(7, content)))


def shaped(*lengths, data=b""):
    """A blob with a shape and data that may not fit it."""
    return field(7, field(1, b"".join(map(varint, lengths)))) + field(5, data)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (shaped(2, 3, data=b"\0" * 20), r"'conv/0' .*needs 24 bytes .*\(2, 3\). Received: 20"),
        (shaped(2, data=b"\0" * 9), "needs 8 bytes .* Received: 9"),
        (shaped(2**40, 2**40), f"needs {2**82} bytes"),
        (shaped(-2, -2, data=b"\0" * 16), r"positive lengths. Received: \(-2, -2\)"),
        (shaped(0, 3), r"positive lengths. Received: \(0, 3\)"),
        (shaped(*[1] * 1000, data=b"\0" * 4), "at most 32 positive lengths"),
        (field(1, 2) + field(5, b"\0" * 8), r"positive lengths. Received: \(2, 0, 0, 0\)"),
        (b"", r"needs 4 bytes .* Received: 0"),
    ],
)
def test_shapes_fit_their_data(content, message, path):
    write_layer(path, content)
    with pytest.raises(InputError, match=message):
        caffemodel.read(path)


def test_layers_with_blobs_have_names_of_their_own(path):
    array = np.zeros(2, "float32")
    path.write_bytes(layer("conv", [array], "v2") + layer("conv", [array], "v1"))
    with pytest.raises(InputError, match="several layers named 'conv'"):
        caffemodel.read(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no Caffe model: it has no layer with blobs"),
        (b"PK\x03\x04 not this format", "is not a whole Caffe model"),
        (field(100, 7), "no layer with blobs"),  # a number in place of a message
        (field(100, b"\xff" * 9), "is not a whole Caffe model"),
    ],
)
def test_other_files_are_refused(content, message, path):
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        caffemodel.read(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (field(100, b"") * 10_001, "more than 10000 layers"),
        (field(100, field(7, b"") * 10_001), "more than 10000 blobs"),
    ],
)
def test_small_files_hold_no_nets_without_end(content, message, path):
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        caffemodel.read(path)


def test_missing_files_are_named(path):
    with pytest.raises(InputError, match="net.caffemodel.*No such file"):
        caffemodel.read(path)


@pytest.mark.parametrize("generation", ["v1", "v2"])
def test_damaged_files_load_or_are_refused(generation, path, rng):
    """Whatever byte is changed, and wherever the file ends."""
    tensors = {"conv/0": np.ones((2, 1, 1, 2), "float32"), "conv/1": np.ones(2, "float32")}
    write(path, tensors, generation)
    whole = path.read_bytes()
    damaged = [whole[:end] for end in range(len(whole))]
    for position in range(len(whole)):
        byte = rng.integers(256, dtype=np.uint8).tobytes()
        damaged.append(whole[:position] + byte + whole[position + 1 :])
    refused = 0
    for content in damaged:
        path.write_bytes(content)
        try:
            for stored in caffemodel.read(path).values():
                assert stored.read().shape == stored.shape
        except InputError:
            refused += 1
    assert len(damaged) / 2 < refused < len(damaged)


def test_blobs_of_the_writer_are_those_of_the_reader(path):
    """The legacy shape goes before the new one, as in Caffe."""
    write_layer(path, blob(np.float32([[1, 2]]), legacy=True) + field(7, field(1, b"\x09")))
    assert caffemodel.read(path)["conv/0"].shape == (1, 1, 1, 2)
