"""Steps of a net: a layer that counts, and those around it that a reader takes with it."""

import dataclasses
import enum
import re
from collections.abc import Sequence

import keras
from keras import layers

from keras_convnets.layers import (
    ConnectionTableConv2D,
    LocalResponseNormalization,
    ResidualScale,
    TrainableSubsampling,
)

TIMES = "\N{MULTIPLICATION SIGN}"
UNKNOWN = "?"  # a size that is free


class Kind(enum.StrEnum):
    """What a step does, in the words of a legend."""

    INPUT = "input"
    CONVOLUTION = "convolution"
    SEPARABLE = "separable or grouped convolution"
    POOL = "pool"
    DENSE = "dense"
    NORMALIZATION = "normalization, activation"
    JOIN = "join"
    OTHER = "other"


@dataclasses.dataclass(frozen=True)
class Step:
    """Layers that are one step to a reader: a convolution with its BN and activation, say.

    Two steps are equal if they do the same and give the same shape, whatever their names.

    Attributes:
        text: what it does, such as "3 x 3 conv, 64, /2" with a times sign.
        kind: what kind of thing that is.
        shape: of its output, without the batch; `None` for a size that is free.
        parts: classes of its layers.
        layers: names of its layers.
    """

    text: str
    kind: Kind
    shape: tuple[int | None, ...]
    parts: tuple[str, ...]
    layers: tuple[str, ...] = dataclasses.field(compare=False)


_CONVOLUTIONS = {
    layers.Conv2D: "conv",
    layers.SeparableConv2D: "separable conv",
    layers.DepthwiseConv2D: "depthwise conv",
    layers.Conv2DTranspose: "transposed conv",
    ConnectionTableConv2D: "conv by table",
}
_POOLS = {
    layers.MaxPooling2D: "max pool",
    layers.AveragePooling2D: "average pool",
    layers.GlobalMaxPooling2D: "global max pool",
    layers.GlobalAveragePooling2D: "global average pool",
    layers.AdaptiveMaxPooling2D: "max pool",
    layers.AdaptiveAveragePooling2D: "average pool",
    TrainableSubsampling: f"2{TIMES}2 trainable pool, /2",
}
_JOINS = {
    layers.Add: "add",
    layers.Concatenate: "concat",
    ResidualScale: "add",
}
_ACTIVATIONS = (
    layers.Activation,
    layers.ReLU,
    layers.LeakyReLU,
    layers.PReLU,
    layers.ELU,
    layers.Softmax,
)
_DROPOUTS = (layers.Dropout, layers.SpatialDropout2D, layers.GaussianDropout, layers.AlphaDropout)
_WEIGHTED = (*_CONVOLUTIONS, layers.Dense)


def belongs(operation: keras.Operation, group: Sequence[keras.Operation]) -> bool:
    """Whether a reader takes an operation for a part of the step that a group before it is.

    Args:
        operation: the one that comes next.
        group: the operations of the step so far.
    """
    if isinstance(group[0], layers.InputLayer):
        return False
    last = group[-1]
    if isinstance(last, layers.ZeroPadding2D):
        return isinstance(operation, (*_CONVOLUTIONS, *_POOLS))
    if isinstance(last, layers.Flatten):
        return isinstance(operation, layers.Dense)
    if isinstance(operation, layers.BatchNormalization):
        return any(isinstance(member, _WEIGHTED) for member in group)
    return isinstance(operation, (*_ACTIVATIONS, *_DROPOUTS))


def step(group: Sequence[keras.Operation], shape: Sequence[int | None]) -> Step:
    """Returns operations as one step.

    Args:
        group: the operations in their order, each but the first a part by `belongs`.
        shape: of the last one's output, without the batch.
    """
    text, kind = _describe(_main(group), tuple(shape))
    if kind is Kind.NORMALIZATION:
        words = [_describe(member, tuple(shape))[0] for member in group]
    else:
        words = [text, *filter(None, map(_unusual_activation, group))]
        words += [_dropout(member) for member in group if isinstance(member, _DROPOUTS)]
    return Step(
        text=", ".join(words),
        kind=kind,
        shape=tuple(shape),
        parts=tuple(type(member).__name__ for member in group),
        layers=tuple(member.name for member in group),
    )


def shape_text(shape: Sequence[int | None]) -> str:
    """Returns a shape in words, such as "28 x 28 x 192" with times signs."""
    return f" {TIMES} ".join(UNKNOWN if size is None else str(size) for size in shape)


def _main(group: Sequence[keras.Operation]) -> keras.Operation:
    """The operation that the step is named after."""
    before = (layers.ZeroPadding2D, layers.Flatten)
    return next((member for member in group if not isinstance(member, before)), group[0])


def _describe(operation: keras.Operation, shape: tuple) -> tuple[str, Kind]:
    """What an operation does, and what kind of thing that is."""
    name = _of_class(_CONVOLUTIONS, operation)
    if name is not None:
        return _convolution(operation, name)
    name = _of_class(_POOLS, operation)
    if name is not None:
        return _pool(operation, name, shape), Kind.POOL
    name = _of_class(_JOINS, operation)
    if name is not None:
        scale = getattr(operation, "scale", 1)
        return name if scale == 1 else f"{name}, residue {TIMES} {scale:g}", Kind.JOIN
    if isinstance(operation, layers.InputLayer):
        return f"input, {shape_text(shape)}", Kind.INPUT
    if isinstance(operation, layers.Dense):
        return f"dense {operation.units}", Kind.DENSE
    if isinstance(operation, layers.BatchNormalization):
        return "BN", Kind.NORMALIZATION
    if isinstance(operation, LocalResponseNormalization):
        return "local response norm", Kind.NORMALIZATION
    if isinstance(operation, _ACTIVATIONS):
        return _activation(operation) or "linear", Kind.NORMALIZATION
    if isinstance(operation, _DROPOUTS):
        return _dropout(operation), Kind.OTHER
    if isinstance(operation, keras.Model):
        return operation.name, Kind.OTHER
    is_join = isinstance(operation, keras.Operation) and _input_count(operation) > 1
    return _words(type(operation).__name__), Kind.JOIN if is_join else Kind.OTHER


def _of_class(table: dict[type, str], operation: keras.Operation) -> str | None:
    return next((name for kind, name in table.items() if isinstance(operation, kind)), None)


def _convolution(layer: keras.Layer, name: str) -> tuple[str, Kind]:
    words = [f"{_size(layer.kernel_size)} {name}"]
    filters = getattr(layer, "filters", None) or len(getattr(layer, "connections", ()))
    if filters:
        words.append(str(filters))
    groups, segments = getattr(layer, "groups", 1), getattr(layer, "segments", 1)
    segments = segments if isinstance(segments, int) else len(segments)
    if groups > 1:
        words.append(f"{groups} groups")
    if segments > 1:
        words.append(f"{segments} segments")
    words += _strides(getattr(layer, "strides", 1))
    dilation = _pair(getattr(layer, "dilation_rate", 1))
    if max(dilation) > 1:
        words.append(f"dilation {_size(dilation) if len(set(dilation)) > 1 else dilation[0]}")
    is_thin = "separable" in name or "depthwise" in name or groups > 1 or segments > 1
    return ", ".join(words), Kind.SEPARABLE if is_thin else Kind.CONVOLUTION


def _pool(layer: keras.Layer, name: str, shape: tuple) -> str:
    if hasattr(layer, "pool_size"):
        return ", ".join([f"{_size(layer.pool_size)} {name}", *_strides(layer.strides)])
    if hasattr(layer, "output_size"):
        return f"{name} to {_size(layer.output_size)}"
    return name


def _strides(strides: int | Sequence[int]) -> list[str]:
    strides = _pair(strides)
    if max(strides) == 1:
        return []
    return [f"/{strides[0]}" if len(set(strides)) == 1 else f"/{_size(strides)}"]


def _size(size: int | Sequence[int]) -> str:
    return TIMES.join(map(str, _pair(size)))


def _pair(size: int | Sequence[int]) -> tuple[int, ...]:
    return (size, size) if isinstance(size, int) else tuple(size)


def _unusual_activation(operation: keras.Operation) -> str | None:
    """The name of an operation's activation if it has one and that is not ReLU."""
    name = _activation(operation)
    return None if name == "ReLU" else name


def _activation(operation: keras.Operation) -> str | None:
    """The name of an operation's activation, or `None` if it has none."""
    function = getattr(operation, "activation", None)
    if function is None and isinstance(operation, _ACTIVATIONS):
        return {"ReLU": "ReLU"}.get(type(operation).__name__) or _words(type(operation).__name__)
    name = getattr(function, "__name__", "")
    if name in ("", "linear"):
        return None
    return {"relu": "ReLU", "elu": "ELU"}.get(name, name.replace("_", " "))


def _dropout(layer: keras.Layer) -> str:
    return f"dropout {layer.rate:g}"


def _input_count(operation: keras.Operation) -> int:
    return len(operation._inbound_nodes[0].input_tensors)


def _words(name: str) -> str:
    """The name of a class in words."""
    name = re.sub(r"[123]D$", "", name)
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).lower()
    return words.replace(" normalization", " norm")
