"""Our reader of HDF5 against the files that its library writes, in every form of them."""

import h5py
import numpy as np
import pytest

from keras_convnets.errors import InputError
from keras_convnets.weights.formats.hdf5 import Hdf5

FORMS = ("earliest", "v108", "v110", "v112", "latest")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "file.h5"


def texts_of(value):
    """What h5py reads of an attribute, as texts."""
    values = [value] if isinstance(value, str | bytes) else np.ravel(value)
    return [text.decode() if isinstance(text, bytes) else text for text in values]


def assert_same(group: h5py.Group, ours) -> None:
    """Compares all groups, attributes and numbers."""
    assert sorted(group) == list(ours)
    for name, value in group.attrs.items():
        assert ours.texts(name) == texts_of(value)
    for name, below in group.items():
        assert ours[name].is_group == isinstance(below, h5py.Group)
        if ours[name].is_group:
            assert_same(below, ours[name])
            continue
        stored = ours[name].tensor()
        array = stored.read()
        assert stored.shape == array.shape == below.shape
        assert array.dtype == below.dtype.newbyteorder("=")
        np.testing.assert_array_equal(array, below[()])


@pytest.mark.parametrize("count", [1, 9, 300])  # in a header, and in trees of some depths
@pytest.mark.parametrize("in_order", [False, True])
@pytest.mark.parametrize("form", FORMS)
def test_groups_and_attributes_are_those_that_the_library_reads(form, in_order, count, path, rng):
    names = [f"layer_{i}_{'x' * (i % 40)}" for i in range(count)]
    with h5py.File(path, "w", libver=form, track_order=in_order) as file:
        file.attrs["layer_names"] = [name.encode() for name in names[:50]]
        file.attrs["config"] = "ö" * 100_000
        file.attrs["empty"] = []
        for i in range(min(count, 30)):
            file.attrs[f"layer_names{i}"] = [name.encode() for name in names[:i]]
        for name in names:
            group = file.create_group(name, track_order=in_order)
            group.attrs["weight_names"] = ["kernel:0", "bias:0", ""]
            group[f"{name}/kernel:0"] = rng.normal(size=(2, 3)).astype("float32")
    with h5py.File(path) as file, Hdf5(path).open() as root:
        assert_same(file, root)
        assert root[f"{names[-1]}/{names[-1]}/kernel:0"].tensor().shape == (2, 3)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", ["<f2", "<f4", "<f8", ">f4"])
def test_numbers_are_those_that_the_library_reads(form, dtype, path, rng):
    array = rng.normal(size=(50, 33, 3)).astype(dtype)
    with h5py.File(path, "w", libver=form) as file:
        file["tensor"], file["scalar"] = array, array[0, 0, 0]
        if form in ("earliest", "v108"):
            for name, options in {
                "chunks": {},
                "gzip": {"compression": "gzip"},
                "shuffle": {"compression": "gzip", "shuffle": True},
            }.items():
                file.create_dataset(name, data=array, chunks=(7, 8, 2), **options)
    with h5py.File(path) as file, Hdf5(path).open() as root:
        assert_same(file, root)


def test_a_part_of_an_archive_is_read_from_memory(path):
    with h5py.File(path, "w") as file:
        file["a"] = np.arange(3.0)
    with Hdf5("archive", path.read_bytes()).open() as root:
        assert root["a"].tensor().read().tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"libver": "latest", "chunks": (2,)}, "kept in another way than Keras has"),
        ({"compression": "lzf"}, "unknown filter 32000"),
        ({"dtype": "complex64"}, "should hold floating-point numbers"),
        ({"dtype": "int32"}, "should hold floating-point numbers"),
        ({"dtype": h5py.string_dtype()}, "should hold floating-point numbers"),
        ({"dtype": h5py.ref_dtype}, "should hold floating-point numbers"),
        ({"dtype": h5py.vlen_dtype("float32")}, "should hold floating-point numbers"),
        ({"dtype": np.dtype([("a", "f4"), ("b", "f4")])}, "should hold floating-point numbers"),
    ],
)
def test_what_is_not_read_is_said(options, message, path):
    options = {"dtype": "float32", **options}
    with h5py.File(path, "w", libver=options.pop("libver", "earliest")) as file:
        file.create_dataset("a", (4,), **options)
    with pytest.raises(InputError, match=message), Hdf5(path).open() as root:
        root["a"].tensor()
