"""Files that are damaged or made for another net: a sentence, and the net keeps what it has."""

import dataclasses
import functools
import json

import numpy as np
import pytest

from keras_convnets import weights
from keras_convnets.errors import InputError

from . import tiny_files
from .peers import write_torch

net = functools.cache(tiny_files.build)
FORMS = pytest.mark.parametrize("form", tiny_files.WRITERS)


def test_whole_files_load(tiny_net, tmp_path):
    """Or all that follows would show nothing."""
    for form in tiny_files.WRITERS:
        report = weights.load(tiny_net, tiny_files.write(tiny_net, tmp_path, form))
        assert len(report.matched) == len(
            {layer.name for layer in tiny_net.layers if layer.weights}
        )


@FORMS
@pytest.mark.parametrize("kept", [0, 1, 7, 100, 0.5, -4096, -100])
def test_truncated_files_are_refused(form, kept, tiny_contents, refuses, tmp_path):
    path = tmp_path / f"tiny{form}"
    content = tiny_contents[form]
    path.write_bytes(content[: int(len(content) * kept) if kept == 0.5 else kept])
    refuses(path, "is not a whole ")


@FORMS
@pytest.mark.parametrize("content", [b"\0" * 5000, b"<html>404</html>\n" * 100, b"\xff" * 5000])
def test_other_files_are_refused(form, content, refuses, tmp_path):
    path = tmp_path / f"other{form}"
    path.write_bytes(content)
    refuses(path, "is not a whole |asks to run ")


@FORMS
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"repeats": (1, 1, 1, 2)}, "has weights for|has no|more|modules"),
        ({"width_multiplier": 0.1}, r"layer 'conv3_block1_1_conv' wants .*\(3, 3, 8, 16\)"),
        ({"classes": 5}, "layer 'predictions' wants kernel .*`strict=False` starts"),
        ({"input_shape": (32, 32, 1)}, r"layer 'conv1_conv' wants .*\(3, 3, 1, 8\)"),
    ],
    ids=["layers", "widths", "classes", "channels"],
)
def test_files_of_another_net_are_refused(form, options, message, refuses, tmp_path):
    refuses(tiny_files.write(net(**options), tmp_path, form), message)


@FORMS
@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_refused(form, number, refuses, monkeypatch, tmp_path):
    model = net()
    last = model.get_layer("predictions").weights[-1]
    last.assign([0, 0, number, 0])
    draw = write_torch.draw
    monkeypatch.setattr(
        write_torch,
        "draw",
        lambda name, shape: (
            np.full(shape, number, "f4") if name == "fc.bias" else draw(name, shape)
        ),
    )
    refuses(tiny_files.write(model, tmp_path, form), "'predictions/bias' is not finite everywhere")


def test_numbers_that_the_net_cannot_hold_are_refused(tiny_net, refuses, tmp_path):
    path = write_tensors(tmp_path, tiny_net, {"predictions/bias": ("F64", np.full(4, 1e300))})
    refuses(path, "'predictions/bias' is not finite everywhere")


def test_a_file_with_a_wrong_hash_is_refused(tiny_net, monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_CONVNETS_CACHE", str(tmp_path))
    entry = dataclasses.replace(weights.find("ResNet18.torchvision_v1"), options=tiny_files.OPTIONS)
    path = tmp_path / entry.file.name
    tiny_files.write(tiny_net, tmp_path, ".pth").rename(path)
    with pytest.raises(InputError, match=f"{path.name}.* is damaged or another one"):
        weights.load(tiny_net, entry)


def write_tensors(folder, model, changed):
    """Writes a `.safetensors` file whose tensors of some names have (dtype, array) instead."""
    header, data = {}, b""
    for layer in model.layers:
        for variable in layer.weights:
            name = f"{layer.name}/{variable.name}"
            dtype, array = changed.get(name, ("F32", variable.numpy()))
            end = len(data) + array.nbytes
            header[name] = {
                "dtype": dtype,
                "shape": array.shape,
                "data_offsets": [len(data), end],
            }
            data += array.tobytes()
    return write_header(folder, json.dumps(header).encode(), data)


def write_header(folder, header, data=b"", length=None):
    """Writes a `.safetensors` file."""
    path = folder / "tiny.safetensors"
    length = len(header) if length is None else length
    path.write_bytes(length.to_bytes(8, "little") + header + data)
    return path


@pytest.mark.parametrize("dtype", ["I32", "F8_E4M3", "BOOL", "C64"])
def test_tensors_without_floats_are_refused(dtype, tiny_net, refuses, tmp_path):
    bias = np.zeros(4, {"I32": "i4", "C64": "c8"}.get(dtype, "u1"))
    path = write_tensors(tmp_path, tiny_net, {"predictions/bias": (dtype, bias)})
    refuses(path, f"should be BF16, F16, F32, F64. Received: {dtype} for 'predictions/bias'")


def header(**fields):
    tensor = {"dtype": "F32", "shape": [4], "data_offsets": [0, 16], **fields}
    return json.dumps({"a": tensor}).encode()


TWICE = b'{"dtype":"F32","shape":[4],"data_offsets":[0,16]}'


@pytest.mark.parametrize(
    ("content", "length", "message"),
    [
        (header(), 2**63, "header may have 8,388,608 bytes. Received: 9,223,372,036,854,775,808"),
        (header(), 2**23 + 1, "header may have"),
        (header(), 2**20, "is not a whole .safetensors file"),
        (header(), 0, "is not a whole .safetensors file"),
        (header(shape=[2**40, 2**40]), None, "is not a whole .safetensors file"),
        (header(shape=[-4]), None, "is not a whole .safetensors file"),
        (header(shape=[8]), None, "is not a whole .safetensors file"),
        (header(shape=[1] * 1000 + [4]), None, "names that no net of this package has"),
        (header(data_offsets=[0, 2**50]), None, "is not a whole .safetensors file"),
        (header(data_offsets=[16, 0]), None, "is not a whole .safetensors file"),
        (header(data_offsets=[4, 20]), None, "is not a whole .safetensors file"),
        (header(dtype="F99"), None, "unknown variant `F99`"),
        (b'{"a":' + TWICE + b',"a":' + TWICE + b"}", None, "its header has a name twice"),
        (b'{"a":' + TWICE + b',"b":' + TWICE + b"}", None, "invalid offset for tensor"),
        (b"[]", None, "is not a whole .safetensors file"),
        (b"{}", None, "is not a whole .safetensors file"),
        (b"\xff\xfe", None, "is not a whole .safetensors file"),
        (b"[" * 2**20, None, "is not a whole .safetensors file"),
        (b'{"a":' * 2**20, None, "is not a whole .safetensors file"),
    ],
)
def test_bad_headers_are_refused(content, length, message, refuses, tmp_path):
    refuses(write_header(tmp_path, content, bytes(16), length), message)
