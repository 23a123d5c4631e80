"""Parameters, multiply-adds and activation memory of a net, layer by layer."""

import dataclasses
import html
import math
from collections.abc import Sequence

import keras

from keras_convnets.errors import InputError
from keras_convnets.recursion import deep_graphs


@dataclasses.dataclass(frozen=True)
class LayerCost:
    """The cost of one layer for one image."""

    name: str
    kind: str
    output_shape: tuple[int, ...]
    trainable: int
    total: int
    macs: int


@dataclasses.dataclass(frozen=True)
class Complexity:
    """The cost of a net for one image.

    Attributes:
        trainable: parameters that training changes.
        total: these and the others, such as moving statistics.
        macs: multiply-adds of convolutions and dense layers.
        peak_activation_bytes: the most that must be held at once between layers, when they run in
            order and nothing is computed in place.
        layers: the cost of each layer, in the order of execution.
    """

    trainable: int
    total: int
    macs: int
    peak_activation_bytes: int
    layers: tuple[LayerCost, ...]

    def __str__(self) -> str:
        return (
            f"{self.trainable:,} trainable of {self.total:,} parameters, "
            f"{self.macs / 1e9:.4g} G multiply-adds, "
            f"{self.peak_activation_bytes / 2**20:.1f} MiB of activations at the peak"
        )

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{html.escape(layer.name)}</td><td>{html.escape(layer.kind)}</td>"
            f"<td>{layer.output_shape}</td><td>{layer.trainable:,}</td><td>{layer.macs:,}</td></tr>"
            for layer in self.layers
        )
        header = "".join(
            f"<th>{name}</th>"
            for name in ("layer", "kind", "output", "trainable parameters", "multiply-adds")
        )
        return f"<p>{self}</p><table><tr>{header}</tr>{rows}</table>"


def count_complexity(model: keras.Model, input_shape: Sequence[int] | None = None) -> Complexity:
    """Counts what a functional model costs for one image.

    Counted as multiply-adds are convolutions (plain, grouped, depthwise, separable, transposed),
    dense layers, and layers that have a method `count_macs(input_shape, output_shape)`.

    Args:
        model: a functional model whose layers are each used once; models inside it are counted too.
        input_shape: shape of one image without the batch, for a model whose input size is free.

    Returns:
        A `Complexity`.

    Raises:
        InputError: if the input size is free and no `input_shape` is given.

    Example:

    >>> model = keras_convnets.LeNet5(variant="modern")
    >>> keras_convnets.count_complexity(model).macs
    416520
    """
    model = with_static_input(model, input_shape, "count_complexity")
    layers = tuple(cost for layer in model.layers for cost in _costs(layer))
    return Complexity(
        trainable=_count(model.trainable_variables),
        total=_count(model.variables),
        macs=sum(layer.macs for layer in layers),
        peak_activation_bytes=_peak_activation_bytes(model),
        layers=layers,
    )


def with_static_input(
    model: keras.Model, input_shape: Sequence[int] | None, caller: str
) -> keras.Model:
    """Returns the model, or a copy for images of the shape given if its input size is free.

    Raises:
        InputError: if the shape does not fit the model, or is needed and missing.
    """
    fixed = tuple(model.inputs[0].shape[1:])
    if input_shape is not None and None not in fixed and tuple(input_shape) != fixed:
        raise InputError(
            f"The input of this model has the shape {fixed}. Received: input_shape={input_shape}"
        )
    if input_shape is not None:
        image = keras.Input(tuple(input_shape), dtype=model.inputs[0].dtype)
        with deep_graphs():
            model = keras.models.clone_model(model, input_tensors=image)
    free = [tensor.shape[1:] for tensor in model.inputs if None in tensor.shape[1:]]
    if free:
        raise InputError(
            f"The input size of this model is free, so `{caller}` needs an `input_shape`. "
            f"Received: a model with input {free[0]} and input_shape=None"
        )
    return model


def _costs(layer: keras.Layer) -> list[LayerCost]:
    if isinstance(layer, keras.Model):
        return [cost for inner in layer.layers for cost in _costs(inner)]
    outputs = layer.output if isinstance(layer.output, list | tuple) else [layer.output]
    return [
        LayerCost(
            name=layer.name,
            kind=type(layer).__name__,
            output_shape=tuple(outputs[0].shape[1:]),
            trainable=_count(layer.trainable_variables),
            total=_count(layer.variables),
            macs=_macs(layer),
        )
    ]


def _macs(layer: keras.Layer) -> int:
    if hasattr(layer, "count_macs"):
        return layer.count_macs(tuple(layer.input.shape), tuple(layer.output.shape))
    if isinstance(layer, keras.layers.Dense):
        return math.prod(layer.output.shape[1:-1]) * math.prod(layer.kernel.shape)
    kernels = [
        getattr(layer, name)
        for name in ("kernel", "depthwise_kernel", "pointwise_kernel")
        if getattr(layer, name, None) is not None
    ]
    if not kernels or not hasattr(layer, "data_format"):
        return 0
    # A transposed convolution multiplies once for each position that it reads.
    at = layer.input if "Transpose" in type(layer).__name__ else layer.output
    positions = at.shape[1:-1] if layer.data_format == "channels_last" else at.shape[2:]
    return math.prod(positions) * sum(math.prod(kernel.shape) for kernel in kernels)


def _peak_activation_bytes(model: keras.Model) -> int:
    """Runs through the layers in order and drops each tensor after its last reader."""
    layers = [layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]
    last_reader = {id(t): i for i, layer in enumerate(layers) for t in ends_of(layer)[0]}
    last_reader |= {id(tensor): len(layers) for tensor in model.outputs}
    alive = {id(tensor): _bytes(tensor) for tensor in model.inputs}
    peak = sum(alive.values())
    for i, layer in enumerate(layers):
        inputs, outputs = ends_of(layer)
        if isinstance(layer, keras.Model):
            inside = _peak_activation_bytes(layer) - sum(map(_bytes, inputs))
            peak = max(peak, sum(alive.values()) + inside)
        alive |= {id(tensor): _bytes(tensor) for tensor in outputs}
        peak = max(peak, sum(alive.values()))
        alive = {key: size for key, size in alive.items() if last_reader.get(key, -1) > i}
    return peak


def ends_of(layer: keras.Layer) -> tuple[list, list]:
    """The tensors that a layer reads and writes in the graph around it."""
    if isinstance(layer, keras.Model):  # its `input` is that of the graph inside
        call = layer._inbound_nodes[-1]
        return list(call.input_tensors), list(call.output_tensors)
    return keras.tree.flatten(layer.input), keras.tree.flatten(layer.output)


def _bytes(tensor) -> int:
    bits = int("".join(c for c in str(tensor.dtype) if c.isdigit()) or 8)
    return math.prod(tensor.shape[1:]) * bits // 8


def _count(variables) -> int:
    """The number of parameters; the state of a random generator is none."""
    return sum(math.prod(v.shape) for v in variables if "seed_generator_state" not in v.path)
