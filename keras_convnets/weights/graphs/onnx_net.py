"""An ONNX file as a graph of what it computes."""

import math
from collections import Counter
from typing import Any

import numpy as np

from keras_convnets.errors import InputError
from keras_convnets.weights.graphs.nodes import Flow, Graph
from keras_convnets.weights.graphs.onnx_constants import SMALL, fold, stored_tensor
from keras_convnets.weights.graphs.onnx_layouts import NCHW, NHWC
from keras_convnets.weights.graphs.onnx_operations import Operation
from keras_convnets.weights.tensors import Stored

# Far more than any net has.
_MOST_NODES = 20_000  # and tensors
_MOST_INPUTS = 200_000  # of all nodes together
_DEEPEST_CONSTANT = 32
_MOST_COMPUTED = 2**25  # numbers in all constants that are computed from others


class Unknown:
    """A value that is neither a map nor a constant that is known, such as a shape."""


Value = Flow | Stored | Unknown


class OnnxNet:
    """The graph of a file.

    Args:
        model: an `onnx.ModelProto`.
        channels: of the images, to tell how these are laid out.

    Attributes:
        graph: its graph.

    Raises:
        InputError: if it is damaged, or not complete in itself.
    """

    def __init__(self, model: Any, channels: int):
        self.graph = Graph()
        self._values: dict[str, Value] = {}
        self._depths: dict[str, int] = {}
        self._computed = 0
        proto = model.graph
        if max(len(proto.node), len(proto.initializer)) > _MOST_NODES:
            raise InputError(f"it has more than {_MOST_NODES} nodes or tensors.")
        if sum(len(node.input) for node in proto.node) > _MOST_INPUTS:
            raise InputError(f"its nodes have more than {_MOST_INPUTS} inputs.")
        uses = Counter(
            name for node in proto.node if node.op_type != "Shape" for name in node.input
        )
        self._uses = uses + Counter(output.name for output in proto.output)
        for tensor in proto.initializer:
            self._define(tensor.name, stored_tensor(tensor) or Unknown())
        for image in proto.input:
            if image.name not in self._values:  # old files list their weights too
                self._define(image.name, self._input(image, channels))
        for node in proto.node:
            self._visit(node)

    def _define(self, name: str, value: Value) -> None:
        if name in self._values:
            raise InputError(f"several values in it are named {name!r}.")
        if name:
            self._values[name] = value

    def _input(self, image: Any, channels: int) -> Value:
        lengths = [d.dim_value or None for d in image.type.tensor_type.shape.dim]
        if len(lengths) != 4:
            return Unknown()
        axes = NCHW if lengths[1] == channels else NHWC if lengths[3] == channels else None
        size = tuple(lengths[axes.index(axis)] for axis in "hw") if axes else (None,)
        return self.graph.input(None if None in size else size, axes)

    def _visit(self, node: Any) -> None:
        import onnx

        try:
            attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
            value = self._value(node, attributes, [self._take(name, node) for name in node.input])
        except InputError:
            raise
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise InputError(
                f"its node {node.name or node.op_type!r} is malformed: {error}."
            ) from error
        for position, name in enumerate(node.output):
            self._define(name, Unknown() if position else value)

    def _take(self, name: str, node: Any) -> Value | None:
        """The value of an input, `None` for one that is left out."""
        if not name:
            return None
        if name not in self._values:
            raise InputError(f"its node {node.name!r} uses {name!r} before that is there.")
        value = self._values[name]
        if isinstance(value, Flow) and self._uses[name] > 1:
            return value.change(is_shared=True)
        return value

    def _value(self, node: Any, attributes: dict[str, Any], inputs: list[Value | None]) -> Value:
        """What a node gives."""
        if node.op_type == "Constant":
            return _constant(attributes)
        if node.op_type == "Shape":
            return Unknown()
        if not any(isinstance(value, Flow) for value in inputs):
            return self._folded(node, attributes, inputs)
        return Operation(self.graph, node.op_type, attributes, inputs, node.name).flow()

    def _folded(self, node: Any, attributes: dict[str, Any], inputs: list[Value | None]) -> Value:
        if not inputs or not all(isinstance(value, Stored) for value in inputs):
            return Unknown()
        depth = 1 + max(self._depths.get(name, 0) for name in node.input)
        if depth > _DEEPEST_CONSTANT:
            raise InputError(f"its constant {node.output[0]!r} is computed in too many steps.")
        for name in node.output:
            self._depths[name] = depth
        value = fold(node.op_type, attributes, inputs)
        if value is None:
            return Unknown()
        numbers = math.prod(value.shape)
        self._computed += numbers if numbers <= SMALL else 0  # larger ones are read later
        if self._computed > _MOST_COMPUTED:
            raise InputError("it computes more constants than any net has.")
        return value


def _constant(attributes: dict[str, Any]) -> Value:
    """The value of a Constant node."""
    for name, value in attributes.items():
        if name == "value":
            return stored_tensor(value) or Unknown()
        if name in ("value_float", "value_floats"):
            return Stored.of(np.asarray(value, "float32"))
        if name in ("value_int", "value_ints"):
            return Stored.of(np.asarray(value, "int64"))
    return Unknown()
