"""How Caffe's own nets name their layers: `bvlc_googlenet` and `bvlc_alexnet`.

A layer has its kernel as blob 0 and its bias as blob 1. Both nets take BGR images, and so do ours.
"""

import dataclasses
from collections.abc import Mapping, Sequence

from keras_convnets.errors import InputError
from keras_convnets.weights.tensors import Stored, Tensors

_BRANCHES = {
    "1x1": "branch1_conv",
    "3x3_reduce": "branch2_conv1",
    "3x3": "branch2_conv2",
    "5x5_reduce": "branch3_conv1",
    "5x5": "branch3_conv2",
    "pool_proj": "branch4_conv",
}
_MODULES = "3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b"
GOOGLENET = {
    "conv1/7x7_s2": "conv1",
    "conv2/3x3_reduce": "conv2_reduce",
    "conv2/3x3": "conv2",
    **{
        f"inception_{module}/{theirs}": f"inception_{module}_{ours}"
        for module in _MODULES
        for theirs, ours in _BRANCHES.items()
    },
    **{
        f"loss{i}/{theirs}": f"aux{i}{ours}"
        for i in (1, 2)
        for theirs, ours in (("conv", "_conv"), ("fc", "_fc"), ("classifier", ""))
    },
    "loss3/classifier": "predictions",
}
ALEXNET = {
    **{f"conv{i}": f"conv{i}" for i in range(1, 6)},
    "fc6": "fc6",
    "fc7": "fc7",
    "fc8": "predictions",
}
_DENSE = {"fc6", "fc7", "predictions", "aux1_fc", "aux2_fc", "aux1", "aux2"}
_FLATTENED = {"fc6", "aux1_fc", "aux2_fc"}  # dense layers on a map
_NETS = {"conv1/7x7_s2/0": GOOGLENET, "fc6/0": ALEXNET}  # by a blob that tells


def check_order(names: Sequence[str]) -> None:
    """Refuses `bvlc_reference_caffenet`, an AlexNet that pools before it normalizes.

    Args:
        names: of the layers in their order.

    Raises:
        InputError: if they are those of that net, whose blobs are AlexNet's by name and shape.
    """
    if {"fc6", "pool1", "norm1"} <= set(names) and names.index("pool1") < names.index("norm1"):
        raise InputError(
            "CaffeNet pools before it normalizes, and AlexNet after, so these weights would fit "
            "and give wrong results; `bvlc_alexnet` is the file for AlexNet."
        )


def translate(stored: Mapping[str, Stored]) -> Tensors | None:
    """Names the blobs of Caffe's GoogLeNet or AlexNet as our layers, in Keras' layout.

    Args:
        stored: blobs by "layer/index".

    Returns:
        Our tensors; a layer that is none of the net's keeps its name and its blobs. `None` for
        other nets.

    Raises:
        InputError: if a blob of a layer is missing or has another number of axes.
    """
    names = next((net for blob, net in _NETS.items() if blob in stored), None)
    if names is None:
        return None
    layers: dict[str, dict[str, Stored]] = {}
    for name, blob in stored.items():
        layer, _, index = name.rpartition("/")
        layers.setdefault(layer, {})[index] = blob
    return {
        names.get(layer, layer): _layer(layer, names[layer], blobs) if layer in names else blobs
        for layer, blobs in layers.items()
    }


def _layer(theirs: str, ours: str, blobs: Mapping[str, Stored]) -> dict[str, Stored]:
    """The kernel and the bias of one layer."""
    if blobs.keys() != {"0", "1"}:
        raise InputError(
            f"The Caffe layer {theirs!r} should have two blobs, kernel and bias. "
            f"Received: {len(blobs)}"
        )
    kernel = _squeezed(blobs["0"], 2 if ours in _DENSE else 4, f"{theirs}/0")
    kernel = kernel.transposed(1, 0) if ours in _DENSE else kernel.transposed(2, 3, 1, 0)
    kernel = dataclasses.replace(kernel, channels_first=ours in _FLATTENED)
    return {"kernel": kernel, "bias": _squeezed(blobs["1"], 1, f"{theirs}/1")}


def _squeezed(blob: Stored, rank: int, name: str) -> Stored:
    """The blob without the leading axes of length 1 that old files give every shape."""
    surplus = len(blob.shape) - rank
    if surplus < 0 or any(length != 1 for length in blob.shape[:surplus]):
        raise InputError(
            f"The Caffe blob {name!r} should have {rank} {'axis' if rank == 1 else 'axes'}. "
            f"Received: shape {blob.shape}"
        )
    return blob.reshaped(*blob.shape[surplus:])
