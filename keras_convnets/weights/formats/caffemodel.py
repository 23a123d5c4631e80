"""Caffe's `.caffemodel` files: a net as a protocol buffer, with the blobs of each layer.

Three generations of layers are in use: `layer`, and before it `layers`, which at first held
another message with the name and the blobs. The numbers of the fields are those of BVLC/caffe
src/caffe/proto/caffe.proto.
"""

import functools
import math
import os
from pathlib import Path
from typing import Any

import numpy as np

from keras_convnets.errors import InputError
from keras_convnets.weights.formats.reading import reading
from keras_convnets.weights.tensors import Stored

# Each message by the names of its fields: number, whether it is repeated, and the type, which is
# a scalar of protocol buffers or another message. Packed numbers are declared as bytes, so that
# they become an array without one Python object for each.
_MESSAGES = {
    "BlobShape": {"dim": (1, True, "int64")},
    "BlobProto": {
        "num": (1, False, "int32"),
        "channels": (2, False, "int32"),
        "height": (3, False, "int32"),
        "width": (4, False, "int32"),
        "data": (5, True, "bytes"),
        "shape": (7, False, "BlobShape"),
        "double_data": (8, True, "bytes"),
    },
    "V0LayerParameter": {"name": (1, False, "bytes"), "blobs": (50, True, "BlobProto")},
    "V1LayerParameter": {
        "layer": (1, False, "V0LayerParameter"),
        "name": (4, False, "bytes"),
        "blobs": (6, True, "BlobProto"),
    },
    "LayerParameter": {"name": (1, False, "bytes"), "blobs": (7, True, "BlobProto")},
    "NetParameter": {
        "layers": (2, True, "V1LayerParameter"),
        "layer": (100, True, "LayerParameter"),
    },
}
_LEGACY_AXES = "num", "channels", "height", "width"
_MOST_AXES = 32  # of Caffe's blobs
_MOST_BYTES = 2**31 - 1  # of a protocol buffer
_MOST_LAYERS = 10_000  # and blobs; far more than any net has


def read(path: str | os.PathLike) -> dict[str, Stored]:
    """Reads the blobs of a Caffe net.

    Args:
        path: a `.caffemodel` file.

    Returns:
        The blobs by "layer/index"; in old files every shape has four axes, the first ones 1.

    Raises:
        InputError: if the file is no such file, or is damaged.
    """
    layers = _layers(path)
    if sum(len(layer.blobs) for layer in layers) > _MOST_LAYERS:
        raise InputError(f"{str(path)!r} has more than {_MOST_LAYERS} blobs.")
    stored: dict[str, Stored] = {}
    for layer in layers:
        layer_name = _name(layer)
        for index, blob in enumerate(layer.blobs):
            name = f"{layer_name}/{index}"
            if name in stored:
                raise InputError(f"{str(path)!r} has several layers named {layer_name!r}.")
            stored[name] = _stored(blob, f"The blob {name!r} in {str(path)!r}")
    if not stored:
        raise InputError(f"{str(path)!r} is no Caffe model: it has no layer with blobs.")
    return stored


def layer_names(path: str | os.PathLike) -> list[str]:
    """Returns the names of all layers, in their order in the net.

    Raises:
        InputError: if the file is no Caffe model.
    """
    return [_name(layer) for layer in _layers(path)]


def _name(layer: Any) -> str:
    return layer.name.decode("utf-8", "replace")


def _layers(path: str | os.PathLike) -> list[Any]:
    net = _parse(path)
    if len(net.layers) + len(net.layer) > _MOST_LAYERS:
        raise InputError(f"{str(path)!r} has more than {_MOST_LAYERS} layers.")
    return [*(_older(layer) for layer in net.layers), *net.layer]


def _parse(path: str | os.PathLike) -> Any:
    with reading(path, "Caffe model"):
        size = os.path.getsize(path)
        if size > _MOST_BYTES:
            raise InputError(
                f"A Caffe model has at most {_MOST_BYTES} bytes. Received: {str(path)!r} of {size}"
            )
        return _net_parameter().FromString(Path(path).read_bytes())


def _older(layer: Any) -> Any:
    """The message that has the name and the blobs of a layer in `layers`."""
    return layer.layer if layer.HasField("layer") else layer


def _stored(blob: Any, owner: str) -> Stored:
    """A blob, once its data have been found to fit its shape."""
    if any(map(blob.HasField, _LEGACY_AXES)):
        shape = tuple(getattr(blob, axis) for axis in _LEGACY_AXES)
    else:
        shape = tuple(blob.shape.dim)
    if len(shape) > _MOST_AXES or any(length < 1 for length in shape):
        raise InputError(
            f"{owner} should have a shape of at most {_MOST_AXES} positive lengths. "
            f"Received: {shape[: _MOST_AXES + 1]}"
        )
    chunks, dtype = (blob.double_data, "<f8") if blob.double_data else (blob.data, "<f4")
    have, want = sum(map(len, chunks)), math.prod(shape) * np.dtype(dtype).itemsize
    if have != want:
        raise InputError(f"{owner} needs {want} bytes for its shape {shape}. Received: {have}")
    return Stored(shape, lambda: np.frombuffer(b"".join(chunks), dtype).reshape(shape))


@functools.cache
def _net_parameter() -> type:
    """The class of Caffe's NetParameter, with the fields that matter here."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="caffe.proto", package="caffe", syntax="proto2")
    for message_name, fields in _MESSAGES.items():
        message = file.message_type.add(name=message_name)
        for name, (number, repeated, kind) in fields.items():
            label = kinds.LABEL_REPEATED if repeated else kinds.LABEL_OPTIONAL
            field = message.field.add(name=name, number=number, label=label)
            if kind in _MESSAGES:
                field.type, field.type_name = kinds.TYPE_MESSAGE, f".caffe.{kind}"
            else:
                field.type = kinds.Type.Value(f"TYPE_{kind.upper()}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("caffe.NetParameter"))
