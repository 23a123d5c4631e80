"""Writes ONNX files from graphs whose weights were taken out."""

import gzip
from pathlib import Path

import onnx

from .drawing import FOLDER, Golden, draw


def graph_file(peer: str) -> Path:
    """Where the graph of a golden is."""
    return FOLDER / f"{peer}.onnx.gz"


def model_of(peer: str) -> onnx.ModelProto:
    """The model of a golden, with the drawn tensors where its own were."""
    model = onnx.load_model_from_string(gzip.decompress(graph_file(peer).read_bytes()))
    shapes = Golden.load(peer).shapes
    for tensor in model.graph.initializer:
        if tensor.name in shapes:
            array = draw(tensor.name, tuple(tensor.dims))
            tensor.raw_data = array.astype("<f4").tobytes()
    return model


def write_onnx(peer: str, path: Path) -> None:
    """Writes the file of a golden."""
    onnx.save(model_of(peer), path)
