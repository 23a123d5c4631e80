"""ONNX files: which of their tensors is which weight of ours, by what the graphs compute.

Names in these files say nothing ("onnx::Conv_193"), and tensors may be folded, transposed or
written out, so that the graph of the file is compared with that of our model.
"""

import os
import warnings
from typing import Any

import keras
import numpy as np

from keras_convnets.errors import InputError
from keras_convnets.weights.formats.reading import reading
from keras_convnets.weights.graphs.keras_net import KerasNet, Place
from keras_convnets.weights.graphs.matching import NoMatchError, match
from keras_convnets.weights.graphs.nodes import Node
from keras_convnets.weights.graphs.onnx_net import OnnxNet
from keras_convnets.weights.graphs.onnx_operations import Weights
from keras_convnets.weights.heads import is_auxiliary
from keras_convnets.weights.report import some
from keras_convnets.weights.tensors import Stored, Tensors

_MOST_BYTES = 2**31 - 1  # of a protocol buffer


def read(path: str | os.PathLike, model: keras.Model) -> Tensors:
    """Reads the weights of an ONNX file for a model of ours.

    Auxiliary heads may be missing on either side, and the top may be missing in the model. Where
    padding differs, which the weights do not show, a warning says so.

    Args:
        path: an `.onnx` file, complete in itself.
        model: the net that it is; no weight of it is read.

    Raises:
        InputError: if the file is damaged, or computes something else than the model.
    """
    path = os.fspath(path)
    ours = KerasNet(model)
    is_last = keras.config.image_data_format() == "channels_last"
    proto = _parse(path)
    try:
        theirs = OnnxNet(proto, model.inputs[0].shape[-1 if is_last else 1])
    except InputError as error:
        raise InputError(f"{path!r} can't be used: {error}") from error
    optional = set(filter(is_auxiliary, ours.outputs))
    try:
        pairs = match(
            ours.graph.nodes,
            theirs.graph.nodes,
            [node for name, node in ours.outputs.items() if name not in optional],
            [ours.outputs[name] for name in optional],
        )
    except NoMatchError as error:
        raise InputError(
            f"{path!r} is another net than {model.name!r}: it has no counterpart of the layer "
            f"{error.node.name!r}, or has it in another place."
        ) from error
    _warn_of_differences(pairs, path)
    tensors: Tensors = {}
    for node, counterpart in pairs.items():
        if node.weights is not None:
            _fill(tensors, node.weights, counterpart.weights)
    return tensors


def _parse(path: str) -> Any:
    try:
        import onnx
    except ImportError as error:
        raise InputError(
            "Reading ONNX files needs the package onnx: `pip install 'keras-convnets[onnx]'`."
        ) from error
    with reading(path, "ONNX model"):
        if os.path.getsize(path) > _MOST_BYTES:
            raise InputError(f"An ONNX file has at most {_MOST_BYTES} bytes. Received: {path!r}")
        return onnx.load(path, load_external_data=False)


def _warn_of_differences(pairs: dict[Node, Node], path: str) -> None:
    """Warns of what can be different in nets with the same weights."""
    images = next(node for node in pairs if node.kind == "input")
    compared = ["pads", "counts_padding", "constants"]
    if images.details["size"] == pairs[images].details["size"]:
        compared.append("size")
    differing = [
        node.name
        for node, counterpart in pairs.items()
        for detail in compared
        if _differ(node.details.get(detail), counterpart.details.get(detail))
    ]
    if differing:
        warnings.warn(
            f"{path!r} pads or normalizes differently in {some(dict.fromkeys(differing))}: the "
            "weights fit, but what this net makes of them is not just what that one does.",
            stacklevel=4,
        )


def _differ(ours: Any, theirs: Any) -> bool:
    return None not in (ours, theirs) and not np.allclose(ours, theirs, rtol=1e-6, atol=0)


def _fill(tensors: Tensors, place: Place, weights: Weights) -> None:
    """Puts the weights of a node where they go."""
    name, affine = place.layer.name, weights.affine
    if place.kernel is not None:
        tensors.setdefault(name, {})[place.kernel] = _laid_out(place, weights.kernel)
    if place.has_bias or place.norm is None:
        bias, affine = affine.split_bias()
        if place.has_bias:
            tensors[name]["bias"] = Stored.of(bias)
        elif bias.any():
            raise InputError(f"The file has a bias for the layer {name!r}, which has none.")
    if place.norm is not None:
        norm = affine.norm(place.norm.epsilon)
        tensors[place.norm.name] = {
            "gamma": Stored.of(norm.gamma),
            "beta": Stored.of(norm.beta),
            "moving_mean": Stored.of(norm.mean),
            "moving_variance": Stored.of(norm.variance),
        }
    elif not affine.is_empty:
        raise InputError(
            f"The file normalizes behind the layer {name!r}, and this net does not; build it with "
            "batch normalization."
        )


def _laid_out(place: Place, kernel: Stored) -> Stored:
    """A kernel with the axes that its layer wants."""
    if isinstance(place.layer, keras.layers.Dense):
        return kernel if len(kernel.shape) == 2 else kernel.reshaped(*kernel.shape[2:])
    if len(kernel.shape) == 2:
        return kernel.reshaped(1, 1, *kernel.shape)
    is_depthwise = place.kernel == "depthwise_kernel" or isinstance(
        place.layer, keras.layers.DepthwiseConv2D
    )
    if not is_depthwise:
        return kernel
    *size, _, filters = kernel.shape
    channels = getattr(place.layer, place.kernel).shape[2]
    return kernel.reshaped(*size, channels, filters // channels)
