"""What the names of all PyTorch nets share: the parameters of a module, and their layout."""

import dataclasses
import math
from collections.abc import Callable, Mapping

from keras_convnets.errors import InputError
from keras_convnets.weights.report import some
from keras_convnets.weights.tensors import Stored, Tensors, without_background

_COUNTER = "num_batches_tracked"
_NORM = {
    "weight": "gamma",
    "bias": "beta",
    "running_mean": "moving_mean",
    "running_var": "moving_variance",
}
_WEIGHTED = {"weight": "kernel", "bias": "bias"}


class StateDict:
    """The tensors of a PyTorch net by module; each module is taken once, under our name for it.

    Args:
        stored: by their names, `module.parameter`.

    Attributes:
        excess_epsilon: by how much the epsilon of their batch normalization is greater than ours.
            It goes into the moving variance, so that an inference gives what theirs does.
    """

    def __init__(self, stored: Mapping[str, Stored]):
        self.excess_epsilon = 0.0
        self._left: dict[str, dict[str, Stored]] = {}
        for name, tensor in stored.items():
            module, _, parameter = name.rpartition(".")
            if parameter != _COUNTER:
                self._left.setdefault(module, {})[parameter] = tensor
        self._tensors: Tensors = {}

    def __contains__(self, module: str) -> bool:
        return module in self._left

    def kernel_size(self, module: str) -> int:
        """Width of a kernel; 0 if there is no such module."""
        weight = self._left.get(module, {}).get("weight")
        return weight.shape[-1] if weight is not None and weight.shape else 0

    def conv(self, module: str, layer: str) -> None:
        """Takes a convolution, grouped or not, with or without a bias."""
        self._take(module, layer, _WEIGHTED, _to_hwio)

    def norm(self, module: str, layer: str) -> None:
        """Takes a batch normalization."""
        self._take(module, layer, _NORM, lambda tensor: tensor.reshaped(tensor.shape[-1]))
        variance = self._tensors[layer].get("moving_variance")
        if self.excess_epsilon and variance is not None:
            shifted = variance.then(
                variance.shape, lambda array: array.astype("float64") + self.excess_epsilon
            )
            self._tensors[layer]["moving_variance"] = shifted

    def conv_norm(self, conv: str, norm: str, layer: str) -> None:
        """Takes a convolution and the batch normalization behind it: `layer` and `layer_bn`."""
        self.conv(conv, layer)
        self.norm(norm, f"{layer}_bn")

    def separable(self, depthwise: str, pointwise: str, layer: str) -> None:
        """Takes a depthwise and a pointwise convolution as one layer."""
        self._take(depthwise, layer, {"weight": "depthwise_kernel"}, _to_depthwise)
        self._take(pointwise, layer, {"weight": "pointwise_kernel"}, _to_hwio)

    def dense(self, module: str, layer: str, *, reads_a_map: bool = False) -> None:
        """Takes a dense layer, or a convolution over the whole map that serves as one."""

        def change(tensor: Stored) -> Stored:
            if len(tensor.shape) == 1:
                return tensor
            columns = tensor.reshaped(tensor.shape[0], math.prod(tensor.shape[1:]))
            return dataclasses.replace(columns.transposed(1, 0), channels_first=reads_a_map)

        self._take(module, layer, _WEIGHTED, change)

    def head(self, *modules: str) -> None:
        """Takes the classifier, under whichever of its names; files of a trunk have none."""
        for module in modules:
            if module in self:
                self.dense(module, "predictions")
                head = self._tensors["predictions"]
                head.update({name: without_background(tensor) for name, tensor in head.items()})

    def finish(self) -> Tensors:
        """Returns what was taken.

        Raises:
            InputError: if something is left.
        """
        if self._left:
            raise InputError(f"It has modules that this net has not: {some(self._left)}.")
        return self._tensors

    def _take(
        self, module: str, layer: str, names: Mapping[str, str], change: Callable[[Stored], Stored]
    ) -> None:
        parameters = self._left.pop(module, None)
        if parameters is None:
            raise InputError(f"It has no module {module!r}.")
        unknown = parameters.keys() - names.keys()
        if unknown:
            raise InputError(f"Its module {module!r} has other parameters: {some(unknown)}.")
        for parameter, tensor in parameters.items():
            try:
                self._tensors.setdefault(layer, {})[names[parameter]] = change(tensor)
            except (IndexError, ValueError) as error:
                raise InputError(
                    f"Its {module}.{parameter} has a shape that is none of such a layer. "
                    f"Received: {tensor.shape}"
                ) from error


def _to_hwio(tensor: Stored) -> Stored:
    if len(tensor.shape) == 2:  # a 1x1 kernel in old files of Xception
        tensor = tensor.reshaped(*tensor.shape, 1, 1)
    return tensor if len(tensor.shape) == 1 else tensor.transposed(2, 3, 1, 0)


def _to_depthwise(tensor: Stored) -> Stored:
    return tensor.transposed(2, 3, 0, 1)
