"""How keras-applications named the layers of its ResNeXts: as ours, but for three things.

The classifier was `probs`. A grouped convolution was a depthwise one (`conv2_block1_2_conv`), whose
outputs were then added up by group: by a frozen convolution of one pixel (`conv2_block1_2_gconv`)
at first, by a layer without weights later. And batch normalization added 1.001e-5 to the variance
where ours adds 1e-5; the difference goes into the moving variance, so that the sum is the same.
"""

import collections
import re
from collections.abc import Mapping

import numpy as np

from keras_convnets.errors import InputError
from keras_convnets.weights.tensors import Stored, Tensors

_EPSILON_DIFFERENCE = 1.001e-5 - 1e-5
_DEPTHWISE = "depthwise_kernel"


def translate(stored: Mapping[str, Stored]) -> Tensors | None:
    """Names the tensors of a ResNeXt of keras-applications as ours, in the form of our layers.

    Args:
        stored: tensors by "layer/variable".

    Returns:
        Our tensors, or `None` for other nets.

    Raises:
        InputError: if a grouped convolution is not made as it should be.
    """
    layers: dict[str, dict[str, Stored]] = collections.defaultdict(dict)
    for name, tensor in stored.items():
        layer, _, variable = name.rpartition("/")
        layers[layer][variable] = tensor
    if not any(_is_grouped(layer) and _DEPTHWISE in layers[layer] for layer in layers):
        return None
    sums = {name: layers.pop(name) for name in list(layers) if name.endswith("_2_gconv")}
    tensors: Tensors = {}
    for layer, variables in layers.items():
        if _is_grouped(layer):
            summed = sums.pop(f"{layer.removesuffix('conv')}gconv", None)
            tensors[layer] = {"kernel": _grouped(layer, variables, summed)}
        else:
            ours = "predictions" if layer == "probs" else layer
            tensors[ours] = {name: _adjusted(name, tensor) for name, tensor in variables.items()}
    for name in sums:
        raise InputError(f"The layer {name!r} should add up what a depthwise convolution gives.")
    return tensors


def _is_grouped(layer: str) -> bool:
    return re.fullmatch(r"conv\d_block\d+_2_conv", layer) is not None


def _adjusted(variable: str, tensor: Stored) -> Stored:
    """A tensor as it is, or the moving variance for our epsilon."""
    if variable != "moving_variance":
        return tensor
    return tensor.then(tensor.shape, lambda array: array.astype("float64") + _EPSILON_DIFFERENCE)


def _grouped(
    layer: str, variables: Mapping[str, Stored], summed: Mapping[str, Stored] | None
) -> Stored:
    """The kernel of a grouped convolution.

    Args:
        layer: name of the depthwise convolution.
        variables: of it.
        summed: those of the frozen convolution behind it, if there is one.
    """
    shape = variables[_DEPTHWISE].shape if variables.keys() == {_DEPTHWISE} else ()
    if len(shape) != 4 or not shape[3] or shape[2] % shape[3]:
        raise InputError(
            f"The layer {layer!r} should have one depthwise kernel, (height, width, groups * n, n)."
            f" Received: {', '.join(f'{name} {s.shape}' for name, s in variables.items())}"
        )
    height, width, channels, each = shape
    groups = channels // each
    matrix = None if summed is None else summed.get("kernel")
    if summed is not None and (
        summed.keys() != {"kernel"} or matrix.shape != (1, 1, channels * each, channels)
    ):
        raise InputError(f"The layer behind {layer!r} should add up its outputs by group.")

    def to_grouped(depthwise: np.ndarray) -> np.ndarray:
        if matrix is not None and not _adds_up(matrix.read(), groups, each):
            raise InputError(f"The layer behind {layer!r} should add up its outputs by group.")
        by_input = depthwise.reshape(height, width, groups, each, each)
        return by_input.transpose(0, 1, 3, 2, 4).reshape(height, width, each, channels)

    return variables[_DEPTHWISE].then((height, width, each, channels), to_grouped)


def _adds_up(matrix: np.ndarray, groups: int, each: int) -> bool:
    """Whether a matrix adds the n-th outputs of all inputs of a group up to its n-th output."""
    same_group = np.eye(groups, dtype=bool)[:, None, None, :, None]
    same_output = np.eye(each, dtype=bool)[None, None, :, None, :]
    return bool(
        (matrix.reshape(groups, each, each, groups, each) == (same_group & same_output)).all()
    )
