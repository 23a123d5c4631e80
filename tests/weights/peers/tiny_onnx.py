"""Writes small ONNX files node by node."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


class TinyOnnx:
    """An ONNX file under construction.

    Args:
        rng: draws the weights.
        image: shape of the input.
    """

    def __init__(self, rng: np.random.Generator, image: tuple[int, ...] = (1, 3, 8, 8)):
        self.rng = rng
        self.image = image
        self.nodes: list[onnx.NodeProto] = []
        self.tensors: list[onnx.TensorProto] = []
        self._count = 0

    def constant(self, array: Any, dtype: str = "float32") -> str:
        """Adds a tensor of the file."""
        name = self._name()
        self.tensors.append(numpy_helper.from_array(np.asarray(array, dtype), name))
        return name

    def drawn(self, *shape: int) -> str:
        """Adds a tensor of random numbers in [0.5, 1.5], which serves as a variance too."""
        return self.constant(self.rng.uniform(0.5, 1.5, shape))

    def array(self, name: str) -> np.ndarray:
        """The numbers of a tensor of the file."""
        return numpy_helper.to_array(next(t for t in self.tensors if t.name == name))

    def node(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Adds a node, and returns the name of its output."""
        name = self._name()
        self.nodes.append(helper.make_node(operator, inputs, [name], name, **attributes))
        return name

    def norm(self, x: str, channels: int, epsilon: float = 1e-3, gamma: str | None = None) -> str:
        """Adds a batch normalization."""
        gamma = gamma or self.drawn(channels)
        statistics = [self.drawn(channels) for _ in range(3)]
        return self.node("BatchNormalization", x, gamma, *statistics, epsilon=epsilon)

    def model(self, *outputs: str) -> onnx.ModelProto:
        """The model with these outputs."""
        image = helper.make_tensor_value_info("image", TensorProto.FLOAT, self.image)
        ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
        graph = helper.make_graph(self.nodes, "net", [image], ends, self.tensors)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])

    def save(self, path: Path, *outputs: str) -> onnx.ModelProto:
        """Writes the file, and returns the model."""
        model = self.model(*outputs)
        onnx.save(model, path)
        return model

    def _name(self) -> str:
        self._count += 1
        return f"value_{self._count}"
