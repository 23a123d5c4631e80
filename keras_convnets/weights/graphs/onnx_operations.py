"""What each operator of ONNX makes of a map."""

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from keras_convnets.weights.graphs import onnx_layouts as layouts
from keras_convnets.weights.graphs.affine import Affine, Norm
from keras_convnets.weights.graphs.nodes import NO_PADS, Flow, Graph, Pads
from keras_convnets.weights.graphs.onnx_constants import given_integers, integers
from keras_convnets.weights.graphs.onnx_layouts import NCHW, NHWC
from keras_convnets.weights.tensors import Stored

_POOLS = {
    "MaxPool": "max_pool",
    "AveragePool": "average_pool",
    "GlobalMaxPool": "max_pool",
    "GlobalAveragePool": "average_pool",
    "ReduceMax": "max_pool",
    "ReduceMean": "average_pool",
}
_AUTO_PADS = {b"VALID": "valid", b"SAME_UPPER": "same", b"SAME_LOWER": "same_lower"}
_MOST_CHANNELS = 2**16
_MOST_SUMMANDS = 128
_ENDLESS = 10**6  # where slices end that go to the end of an axis; no map is as long


@dataclasses.dataclass
class Weights:
    """The weights of a node.

    Attributes:
        kernel: in Keras' layout, (h, w, in / groups, out) or (in, out); `None` for a normalization.
        affine: what happens to the channels of its output, or to those of a normalization.
    """

    kernel: Stored | None
    affine: Affine


class Operation:
    """One node of a file, with at least one map for its input.

    Args:
        graph: takes what it does.
        kind: the operator.
        attributes: by name.
        inputs: maps, constants, `None` for what is left out, and other things.
        name: of the node.
    """

    def __init__(
        self,
        graph: Graph,
        kind: str,
        attributes: dict[str, Any],
        inputs: Sequence[Any],
        name: str,
    ):
        self.graph = graph
        self.kind = kind
        self.attributes = attributes
        self.inputs = inputs
        self.name = name
        self.flows = [value for value in inputs if isinstance(value, Flow)]

    def flow(self) -> Flow:
        """What the node gives.

        Raises:
            ValueError: or another error of a malformed node.
        """
        x, method = self.inputs[0], _METHODS.get(self.kind)
        flow = method(self, x) if method and isinstance(x, Flow) else None
        if flow is None and self.kind in _ARITHMETIC:
            flow = self._arithmetic()
        return self.graph.operation(self.kind, self.flows, name=self.name) if flow is None else flow

    def _constant(self, index: int, rank: int | None = None) -> Stored | None:
        """The input at a position if it is a constant, with a number of axes."""
        value = self.inputs[index] if index < len(self.inputs) else None
        is_constant = isinstance(value, Stored) and rank in (None, len(value.shape))
        return value if is_constant else None

    def _conv(self, x: Flow) -> Flow | None:
        kernel, bias = self._constant(1, 4), self._constant(2, 1)
        is_complete = kernel is not None and (bias is not None) == self._has(2)
        if not is_complete or x.axes not in (None, NCHW):
            return None
        filters, _, *kernel_size = kernel.shape
        affine = Affine(filters)
        if bias is not None:
            affine.add(bias.read())
        return self.graph.conv(
            x,
            filters=filters,
            kernel_size=tuple(kernel_size),
            strides=self._pair("strides"),
            dilations=self._pair("dilations"),
            groups=self.attributes.get("group", 1),
            padding=self._padding(),
            weights=Weights(kernel.transposed(2, 3, 1, 0), affine),
            name=self.name,
        )

    def _gemm(self, x: Flow) -> Flow | None:
        kernel, bias = self._constant(1, 2), self._constant(2)
        axes = x.axes if x.axes is None or not self.attributes.get("transA") else x.axes[::-1]
        if kernel is None or (bias is None and self._has(2)) or not _is_flat(axes):
            return None
        if self.attributes.get("transB"):
            kernel = kernel.transposed(1, 0)
        alpha, beta = self.attributes.get("alpha", 1.0), self.attributes.get("beta", 1.0)
        if alpha != 1:
            kernel = kernel.then(kernel.shape, lambda array: array * alpha)
        flow = self._dense(x.change(axes=axes), kernel)
        if bias is not None:
            units = kernel.shape[1]
            numbers = np.broadcast_to(_numbers(bias).ravel(), (units,))
            flow.node.weights.affine.add(numbers if beta == 1 else numbers * beta)
        return flow

    def _matmul(self, x: Flow) -> Flow | None:
        kernel = self._constant(1, 2)
        if kernel is None:
            return None
        if _is_flat(x.axes):
            return self._dense(x, kernel)
        if x.axes != NHWC:
            return None
        kernel = kernel.reshaped(1, 1, *kernel.shape)
        weights = Weights(kernel, Affine(kernel.shape[3]))
        flow = self.graph.conv(
            x, filters=kernel.shape[3], kernel_size=(1, 1), weights=weights, name=self.name
        )
        return flow.change(axes=NHWC)

    def _dense(self, x: Flow, kernel: Stored) -> Flow:
        is_first = x.axes[1] == "chw"
        kernel = dataclasses.replace(kernel, channels_first=is_first)
        return self.graph.dense(x, weights=Weights(kernel, Affine(kernel.shape[1])), name=self.name)

    def _batch_norm(self, x: Flow) -> Flow | None:
        vectors = [self._constant(i, 1) for i in range(1, 5)]
        if None in vectors:
            return None
        gamma, beta, mean, variance = map(_numbers, vectors)
        x, affine = self._affine(x, len(gamma))
        epsilon = self.attributes.get("epsilon", 1e-5)
        affine.normalize(Norm(gamma, beta, mean, variance, epsilon))
        return x

    def _affine(self, x: Flow, channels: int) -> tuple[Flow, Affine]:
        """Where a step goes that happens to each channel."""
        if not self.graph.takes_norm(x):
            x = self.graph.norm(x, Weights(None, Affine(channels)), self.name)
        return x, x.node.weights.affine

    def _has_one_channel(self, x: Flow) -> bool:
        return self.graph.takes_norm(x) and x.node.weights.affine.channels == 1

    def _arithmetic(self) -> Flow | None:
        """A sum, difference, product or quotient of maps, or of a map and a constant."""
        first, second = self.inputs
        if len(self.flows) == 2:
            return self._of_maps(first, second)
        if isinstance(second, Flow) and self.kind in ("Add", "Mul"):
            first, second = second, first
        if not isinstance(first, Flow) or not isinstance(second, Stored):
            return None
        if first.node.kind == "input":
            return first
        numbers = _numbers(second)
        is_sum = self.kind in ("Add", "Sub")
        if self.kind == "Sub":
            numbers = -numbers
        elif self.kind == "Div":
            numbers = 1 / numbers.astype("float64")
        if numbers.size == 1 and not self._has_one_channel(first):
            change = self.graph.shift if is_sum else self.graph.scale
            return change(first, float(numbers.ravel()[0]), self.name)
        if numbers.size != 1 and not _is_along_channels(first.axes, numbers.shape):
            return None
        first, affine = self._affine(first, numbers.size)
        (affine.add if is_sum else affine.multiply)(numbers.ravel())
        return first

    def _of_maps(self, first: Flow, second: Flow) -> Flow | None:
        if self.kind == "Add":
            return self.graph.add(self.flows, self.name)
        ways = [(first, second), (second, first)][: 2 if self.kind == "Mul" else 1]
        for x, factor in ways if self.kind in ("Mul", "Div") else ():
            if self.graph.is_local_factor(x, factor):
                return self.graph.local_response_norm(x, name=self.name)
        return None

    def _sum(self, x: Flow) -> Flow | None:
        is_sum = len(self.flows) == len(self.inputs) <= _MOST_SUMMANDS
        return self.graph.add(self.flows, self.name) if is_sum else None

    def _concat(self, x: Flow) -> Flow | None:
        axes = {flow.axes for flow in self.flows}
        is_uniform = len(self.flows) == len(self.inputs) and len(axes) == 1 and None not in axes
        if not is_uniform or x.axes[self.attributes["axis"]] != "c":
            return None
        return self.graph.concat(self.flows, self.name)

    def _pool(self, x: Flow) -> Flow | None:
        size = tuple(self.attributes["kernel_shape"])
        is_plain = len(size) == 2 and min(size) > 0 and self._pair("dilations") == (1, 1)
        if not is_plain or x.axes not in (None, NCHW):
            return None
        return self.graph.pool(
            x,
            _POOLS[self.kind],
            size,
            self._pair("strides"),
            self._padding(),
            ceil=bool(self.attributes.get("ceil_mode")),
            counts_padding=bool(self.attributes.get("count_include_pad")),
            name=self.name,
        )

    def _global_pool(self, x: Flow) -> Flow | None:
        if x.axes not in (None, NCHW):
            return None
        return self.graph.global_pool(x, _POOLS[self.kind], self.name)

    def _reduce(self, x: Flow) -> Flow | None:
        if x.axes is None:
            return None
        positions = {i % len(x.axes) for i in self._integers("axes")}
        if sorted(x.axes[i] for i in positions) != ["h", "w"]:
            return None
        axes = x.axes
        if not self.attributes.get("keepdims", 1):
            axes = tuple(axis for i, axis in enumerate(axes) if i not in positions)
        return self.graph.global_pool(x, _POOLS[self.kind], self.name).change(axes=axes)

    def _activation(self, x: Flow) -> Flow:
        return self.graph.activation(x, self.kind.lower(), self.name)

    def _clip(self, x: Flow) -> Flow | None:
        low, high = (self._limit(i, name) for i, name in ((1, "min"), (2, "max")))
        if low != 0 or high not in (None, 6):
            return None
        return self.graph.activation(x, "relu" if high is None else "relu6", self.name)

    def _limit(self, index: int, name: str) -> float | None:
        """A limit of a Clip node, `None` for none."""
        value = self.attributes.get(name)
        if self._has(index):
            stored = self._constant(index)
            value = math.nan if stored is None else float(_numbers(stored).item())
        return None if value is None or abs(value) > 1e30 else value

    def _pass(self, x: Flow) -> Flow:
        return x

    def _transpose(self, x: Flow) -> Flow:
        return layouts.transposed(x, self.attributes.get("perm"))

    def _flatten(self, x: Flow) -> Flow | None:
        return layouts.flattened(x) if self.attributes.get("axis", 1) == 1 else None

    def _reshape(self, x: Flow) -> Flow | None:
        given = self._constant(1)
        is_known = given is not None or "shape" in self.attributes
        return layouts.reshaped(x, self._integers("shape") if is_known else None)

    def _squeeze(self, x: Flow) -> Flow | None:
        return layouts.squeezed(x, self._integers("axes"))

    def _unsqueeze(self, x: Flow) -> Flow:
        return layouts.unsqueezed(x, self._integers("axes"))

    def _integers(self, name: str) -> list[int]:
        """Axes or a shape, which older files have as an attribute."""
        return given_integers(name, self.attributes, self.inputs[1:])

    def _pad(self, x: Flow) -> Flow | None:
        pads = self._integers("pads")
        value = self._limit(2, "value")  # what is lost to a max pool counts as none
        is_constant = self.attributes.get("mode", b"constant") == b"constant"
        if x.axes is None or value not in (None, 0) or not is_constant or min(pads, default=-1) < 0:
            return None
        positions = range(len(x.axes))
        if self._has(3):
            given = self._constant(3)
            positions = [] if given is None else [i % len(x.axes) for i in integers(given)]
        if len(pads) != 2 * len(positions):
            return None
        count = len(positions)
        sides = {x.axes[i]: (pads[k], pads[k + count]) for k, i in enumerate(positions)}
        padded = {axis for axis, side in sides.items() if any(side)}
        if padded == {"c"}:
            return self.graph.step("pad_channels", x, sides["c"], name=self.name)
        if not padded <= {"h", "w"}:
            return None
        (top, bottom), (left, right) = (sides.get(axis, (0, 0)) for axis in "hw")
        return self.graph.pad(x, (top, left, bottom, right))

    def _slice(self, x: Flow) -> Flow | None:
        """Every n-th row and column of a map; parts of it are none of these nets'."""
        parts = [self._constant(i) for i in range(1, 5)]
        if x.axes is None or None in parts:
            return None
        starts, ends, positions, steps = map(integers, parts)
        strides = {"h": 1, "w": 1}
        for start, end, position, step in zip(starts, ends, positions, steps, strict=True):
            axis = x.axes[position]
            length = None if x.size is None or axis not in strides else x.size["hw".index(axis)]
            is_whole = start == 0 and step > 0 and end >= (length or _ENDLESS)
            if not is_whole or (step > 1 and axis not in strides):
                return None
            strides[axis] = step
        return self.graph.subsample(x, (strides["h"], strides["w"]))

    def _local_response_norm(self, x: Flow) -> Flow:
        defaults = {"size": 0, "alpha": 1e-4, "beta": 0.75, "bias": 1.0}
        constants = tuple(self.attributes.get(name, value) for name, value in defaults.items())
        return self.graph.local_response_norm(x, constants, self.name)

    def _has(self, index: int) -> bool:
        """Whether an input is given."""
        return index < len(self.inputs) and self.inputs[index] is not None

    def _pair(self, name: str) -> tuple[int, int]:
        """An attribute of two positive integers, 1 by default."""
        first, second = self.attributes.get(name, (1, 1))
        if min(first, second) < 1:
            raise ValueError(f"{name} {(first, second)}")
        return first, second

    def _padding(self) -> str | Pads:
        automatic = _AUTO_PADS.get(self.attributes.get("auto_pad"))
        if automatic is not None:
            return automatic
        top, left, bottom, right = self.attributes.get("pads", NO_PADS)
        return top, left, bottom, right


def _numbers(stored: Stored) -> np.ndarray:
    """The numbers of a constant for the channels of a map."""
    if math.prod(stored.shape) > _MOST_CHANNELS:
        raise ValueError(f"a constant of shape {stored.shape} in place of one for each channel")
    return stored.read()


def _is_flat(axes: tuple[str, ...] | None) -> bool:
    return axes is not None and len(axes) == 2 and axes[0] == "n"


def _is_along_channels(axes: tuple[str, ...] | None, shape: tuple[int, ...]) -> bool:
    """Whether a constant has one number for each channel of a map, by the rules of broadcasting."""
    if axes is None or len(shape) > len(axes):
        return False
    aligned = zip(axes, (1,) * (len(axes) - len(shape)) + shape, strict=True)
    return {axis for axis, length in aligned if length != 1} == {"c"}


_ARITHMETIC = ("Add", "Sub", "Mul", "Div")
_METHODS: dict[str, Callable[[Operation, Flow], Flow | None]] = {
    "AveragePool": Operation._pool,
    "BatchNormalization": Operation._batch_norm,
    "Cast": Operation._pass,
    "Clip": Operation._clip,
    "Concat": Operation._concat,
    "Conv": Operation._conv,
    "Dropout": Operation._pass,
    "Flatten": Operation._flatten,
    "Gemm": Operation._gemm,
    "GlobalAveragePool": Operation._global_pool,
    "GlobalMaxPool": Operation._global_pool,
    "Identity": Operation._pass,
    "LogSoftmax": Operation._pass,
    "LRN": Operation._local_response_norm,
    "MatMul": Operation._matmul,
    "MaxPool": Operation._pool,
    "Pad": Operation._pad,
    "ReduceMax": Operation._reduce,
    "ReduceMean": Operation._reduce,
    "Reshape": Operation._reshape,
    "Slice": Operation._slice,
    "Softmax": Operation._pass,
    "Squeeze": Operation._squeeze,
    "Sum": Operation._sum,
    "Transpose": Operation._transpose,
    "Unsqueeze": Operation._unsqueeze,
    **dict.fromkeys(
        ("Elu", "Relu", "Selu", "Sigmoid", "Softplus", "Softsign", "Tanh"), Operation._activation
    ),
}
