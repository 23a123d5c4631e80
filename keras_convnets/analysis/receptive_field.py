"""How much of the image a cell of a feature map can see."""

import dataclasses
from collections.abc import Sequence

import keras
from keras import layers

from keras_convnets.analysis.complexity import with_static_input
from keras_convnets.layers import ConnectionTableConv2D, TrainableSubsampling


@dataclasses.dataclass(frozen=True)
class ReceptiveField:
    """What a cell sees along one axis: cell i the pixels `first + i * stride` and `size - 1` more.

    Attributes:
        size: pixels that one cell can see, those beyond the border of the image included.
        stride: pixels from one cell to the next.
        first: the first pixel that cell 0 sees; negative where it sees padding.
    """

    size: int
    stride: int
    first: int


@dataclasses.dataclass(frozen=True)
class _Window:
    """What a layer's output cell reads of its input."""

    size: int = 1
    stride: int = 1
    before: int = 0  # cells of padding before the first


def receptive_field(
    model: keras.Model, input_shape: Sequence[int] | None = None
) -> dict[str, tuple[ReceptiveField, ReceptiveField]]:
    """Returns the receptive field of each feature map of a functional model.

    Where branches meet, it is the smallest range that holds those of all branches. What is
    computed on whole maps (global pooling, dense layers and all behind them) has no entry.

    Args:
        model: a functional model of one image input, built of convolutions, pools, padding,
            merges, and layers that act on each cell.
        input_shape: shape of one image without the batch, for a model whose input size is free;
            where "same" padding begins depends on it.

    Returns:
        For the name of each layer with a feature map, the receptive fields along height and width,
        in the order of execution.

    Raises:
        InputError: if the input size is free and no `input_shape` is given.

    Example:

    >>> model = keras_convnets.GoogLeNet(weights=None)
    >>> keras_convnets.analysis.receptive_field(model)["inception_5b"][0].size
    715
    """
    model = with_static_input(model, input_shape, "receptive_field")
    pixel = ReceptiveField(1, 1, 0)
    fields = {id(model.inputs[0]): (pixel, pixel)}
    found = {}
    for layer in model.layers:
        inputs, output = keras.tree.flatten(layer.input), layer.output
        known = [fields[id(tensor)] for tensor in inputs if id(tensor) in fields]
        if isinstance(layer, layers.InputLayer) or len(known) < len(inputs):
            continue
        if len(getattr(output, "shape", ())) != 4:
            continue
        merged = [_merge(axis) for axis in zip(*known, strict=True)]
        windows = [_window(layer, axis) for axis in (0, 1)]
        if None in windows:
            continue
        fields[id(output)] = tuple(map(_through, merged, windows))
        found[layer.name] = fields[id(output)]
    return found


def _merge(fields: Sequence[ReceptiveField]) -> ReceptiveField:
    """The smallest range that holds all of those given."""
    first = min(field.first for field in fields)
    last = max(field.first + field.size for field in fields)
    return ReceptiveField(last - first, fields[0].stride, first)


def _through(field: ReceptiveField, window: _Window) -> ReceptiveField:
    """The field behind a layer that reads a window of cells which have a field each."""
    return ReceptiveField(
        field.size + (window.size - 1) * field.stride,
        field.stride * window.stride,
        field.first - window.before * field.stride,
    )


def _window(layer: keras.Layer, axis: int) -> _Window | None:
    """What an output cell reads along an axis; `None` if it reads the whole map."""
    length = _spatial(layer, keras.tree.flatten(layer.input)[0])[axis]
    if isinstance(layer, layers.ZeroPadding2D):
        return _Window(before=layer.padding[axis][0])
    if isinstance(layer, ConnectionTableConv2D):
        return _Window(layer.kernel_size)
    if isinstance(layer, TrainableSubsampling):
        return _Window(2, 2)
    if hasattr(layer, "pool_size"):
        size, stride = layer.pool_size[axis], layer.strides[axis]
    elif hasattr(layer, "kernel_size"):
        size = (layer.kernel_size[axis] - 1) * layer.dilation_rate[axis] + 1
        stride = layer.strides[axis]
    elif _spatial(layer, layer.output)[axis] == length:
        return _Window()
    else:
        return None
    before = 0
    if layer.padding == "same":
        outside = max((-(-length // stride) - 1) * stride + size - length, 0)
        before = outside // 2
    return _Window(size, stride, before)


def _spatial(layer: keras.Layer, tensor) -> tuple[int, int]:
    """Height and width of a feature map of a layer."""
    data_format = getattr(layer, "data_format", None) or keras.config.image_data_format()
    last = data_format == "channels_last"
    return tensor.shape[1:3] if last else tensor.shape[2:4]
