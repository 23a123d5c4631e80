"""HDF5 files that lead elsewhere, claim what they have not, or go in circles."""

import zipfile
import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest

FORMS = pytest.mark.parametrize("form", [".keras", ".weights.h5", ".h5"])
HUGE = 2**31, 2**20  # 8 petabytes of float32


@pytest.fixture
def spoil(tiny_contents, tmp_path):
    """A function that writes a file of the net, changed by a function of the `h5py.File`."""

    def write(form, change) -> Path:
        path = tmp_path / f"tiny{form}"
        path.write_bytes(tiny_contents[form])
        if form != ".keras":
            with h5py.File(path, "r+") as file:
                change(file)
            return path
        inner = tmp_path / "model.weights.h5"
        with zipfile.ZipFile(path) as archive:
            configuration = archive.read("config.json")
            archive.extract(inner.name, tmp_path)
        with h5py.File(inner, "r+") as file:
            change(file)
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("config.json", configuration)
            archive.write(inner, inner.name)
        return path

    return write


def bias_of(file: h5py.File) -> h5py.Dataset:
    """The bias of the classifier, of shape (4,)."""
    return file.visititems(lambda _, item: item if getattr(item, "shape", None) == (4,) else None)


def replaced(**options):
    """A change of the bias into another dataset."""

    def change(file):
        name = bias_of(file).name
        del file[name]
        file.create_dataset(name, **{"shape": (4,), "dtype": "float32", **options})

    return change


def linked(link):
    def change(file):
        name = bias_of(file).name
        file.move(name, "/elsewhere")
        file[name] = link

    return change


def other_file(file):
    """The numbers of the bias in a file of their own."""
    outside = Path(file.filename).with_name("outside.bin")
    outside.write_bytes(bytes(16))
    replaced(external=[(str(outside), 0, 16)])(file)


def virtual(file):
    name = bias_of(file).name
    outside = Path(file.filename).with_name("outside.h5")
    with h5py.File(outside, "w") as source:
        source["bias"] = np.zeros(4, "float32")
        layout = h5py.VirtualLayout((4,), "float32")
        layout[:] = h5py.VirtualSource(source["bias"])
    del file[name]
    file.create_virtual_dataset(name, layout)


def packed(content: bytes, **options):
    """A change of the bias into a chunk."""

    def change(file):
        replaced(chunks=(4,), compression="gzip", **options)(file)
        bias_of(file).id.write_direct_chunk((0,), content)

    return change


def group_instead(file):
    name = bias_of(file).name
    del file[name]
    file.create_group(name)


def nothing_instead(file):
    name = bias_of(file).name
    del file[name]
    file[name] = h5py.Empty("float32")


TENSORS = {
    "huge": (replaced(shape=HUGE), r"should have [\d,]+ bytes. Received: 0"),
    "huge in chunks": (replaced(shape=HUGE, chunks=(2**9, 2**9)), r"should have [\d,]+ bytes"),
    "huge and packed": (
        replaced(shape=HUGE, chunks=(2**9, 2**9), compression="gzip"),
        r"should have [\d,]+ bytes",
    ),
    "huge chunk": (replaced(maxshape=(None,), chunks=(2**29,)), "have 2,147,483,648 bytes"),
    "never written": (replaced(), "should have 16 bytes. Received: 0"),
    "no chunks": (replaced(chunks=(2,)), "would lie behind its end"),
    "bomb": (packed(zlib.compress(bytes(2**24))), "a chunk in it has not the numbers"),
    "short chunk": (packed(zlib.compress(bytes(15))), "a chunk in it has not the numbers"),
    "no zlib": (packed(b"no zlib"), "is not a whole HDF5 file"),
    "integers": (replaced(dtype="int32"), "should hold floating-point numbers"),
    "texts": (replaced(dtype=h5py.string_dtype()), "should hold floating-point numbers"),
    "lists": (replaced(dtype=h5py.vlen_dtype("float32")), "should hold floating-point numbers"),
    "references": (replaced(dtype=h5py.ref_dtype), "should hold floating-point numbers"),
    "regions": (replaced(dtype=h5py.regionref_dtype), "should hold floating-point numbers"),
    "records": (replaced(dtype=np.dtype([("a", "f4")])), "should hold floating-point numbers"),
    "empty": (nothing_instead, "a shape in it is unknown"),
    "group": (group_instead, "should be a tensor"),
    "soft link": (linked(h5py.SoftLink("/elsewhere")), "has a link to another place"),
    "external link": (linked(h5py.ExternalLink("/x.h5", "/")), "has a link to another place"),
    "external numbers": (other_file, "are not in .* but in another file"),
    "virtual": (virtual, "kept in another way than Keras has"),
}


@FORMS
@pytest.mark.parametrize("fault", TENSORS)
def test_tensors_that_are_none_or_not_there_are_refused(fault, form, spoil, refuses):
    change, message = TENSORS[fault]
    refuses(spoil(form, change), message)


def labels(file) -> tuple[h5py.AttributeManager, str]:
    """The attribute with the name of a layer, or of all."""
    if "model_weights" in file:
        return file["model_weights"].attrs, "layer_names"
    return bias_of(file).parent.attrs, "name"


def labelled(value):
    def change(file):
        attributes, name = labels(file)
        attributes[name] = value

    return change


NAMES = {
    "numbers": ([1, 2, 3], "its attribute '.*' is no text"),
    "number": (1.5, "its attribute '.*' is no text"),
    "bytes": (np.void(b"\0\1"), "its attribute '.*' is no text"),
    "not UTF-8": (np.array([b"\xff\xfe"]), "can't decode byte"),
    "long": ("x" * 2**20, "does not fit|has nothing at"),
    "long and cut": ([b"x" * 60_000], "does not fit|has nothing at"),
    "another": (["conv2_conv"], "does not fit|has nothing at"),
    "no shape": (h5py.Empty("S1"), "a shape in it is unknown"),
}


@FORMS
@pytest.mark.parametrize("fault", NAMES)
def test_names_that_are_none_are_refused(fault, form, spoil, refuses):
    value, message = NAMES[fault]
    refuses(spoil(form, labelled(value)), message)


@pytest.mark.parametrize(
    ("names", "message"),
    [([], "it has no weights for"), (["conv1_conv"] * 2, "two layers with the name 'conv1_conv'")],
)
def test_lists_of_layers_that_do_not_fit_are_refused(names, message, spoil, refuses):
    refuses(spoil(".h5", labelled(names)), message)


def in_a_circle(file):
    file["layers/again"] = file["layers"]


def in_ever_more_ways(file):
    """Each group has two names for the next, so that there are 2**50 ways to the last."""
    group = file["layers"]
    for _ in range(50):
        below = group.create_group("a")
        group["b"] = below
        group = below


@pytest.mark.parametrize("form", [".keras", ".weights.h5"])
@pytest.mark.parametrize("change", [in_a_circle, in_ever_more_ways])
def test_groups_without_end_are_refused(change, form, spoil, refuses):
    refuses(spoil(form, change), "without end")


def test_a_way_without_end_is_refused(spoil, refuses):
    def change(file):
        layer = bias_of(file).parent
        while "weight_names" not in layer.attrs:
            layer = layer.parent
        layer["loop"] = layer
        layer.attrs["weight_names"] = [b"loop/" * 12_000 + b"bias"]

    refuses(spoil(".h5", change), "without end|has nothing at")


def test_a_heap_of_texts_that_never_ends_is_refused(tiny_contents, refuses, tmp_path):
    """HDF5's own library runs without end on this file."""
    path = tmp_path / "tiny.weights.h5"
    content = bytearray(tiny_contents[".weights.h5"])
    first = content.index(b"GCOL") + 16
    content[first + 8 : first + 16] = bytes(8)  # the length of the first text
    path.write_bytes(content)
    refuses(path, "a part of it is too short")
