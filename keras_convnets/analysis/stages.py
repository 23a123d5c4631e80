"""What a net costs at each resolution of its feature maps."""

import dataclasses
import math
from collections.abc import Iterator, Sequence

import keras
from keras import layers

from keras_convnets.analysis.complexity import (
    LayerCost,
    count_complexity,
    ends_of,
    with_static_input,
)
from keras_convnets.layers import TrainableSubsampling


@dataclasses.dataclass(frozen=True)
class StageCost:
    """The cost of the layers whose maps have one resolution.

    Attributes:
        stride: input pixels from one cell of the maps to the next; `None` for the head.
        size: height and width of the first map; `None` for the head.
        layers: the cost of each layer, in the order of execution.
    """

    stride: int | None
    size: tuple[int, int] | None
    layers: tuple[LayerCost, ...]

    @property
    def name(self) -> str:
        """The stage in words: "stride 4", or "head"."""
        return "head" if self.stride is None else f"stride {self.stride}"

    @property
    def trainable(self) -> int:
        """Parameters that training changes."""
        return sum(layer.trainable for layer in self.layers)

    @property
    def macs(self) -> int:
        """Multiply-adds of one image."""
        return sum(layer.macs for layer in self.layers)


def cost_by_stage(
    model: keras.Model, input_shape: Sequence[int] | None = None
) -> tuple[StageCost, ...]:
    """Adds up what a functional model costs for one image at each resolution.

    A layer belongs to the resolution of its output, by the strides of the layers up to it: maps
    of 149 x 149 and of 147 x 147 from 299 x 299 pixels have the stride 2. What has no map, or one
    that was pooled from the whole map before it, belongs to the head.

    Args:
        model: a functional model whose layers are each used once; models inside it are counted too.
        input_shape: shape of one image without the batch, for a model whose input size is free.

    Returns:
        A `StageCost` for each resolution, the finest first and the head last.

    Raises:
        InputError: if the input size is free and no `input_shape` is given.

    Example:

    >>> model = keras_convnets.LeNet5(variant="modern")
    >>> [stage.name for stage in keras_convnets.analysis.cost_by_stage(model)]
    ['stride 1', 'stride 2', 'stride 4', 'head']
    """
    model = with_static_input(model, input_shape, "cost_by_stage")
    height = 0 if _is_channels_last(model) else 1
    strides, _ = _strides(model, [1] * len(model.inputs))
    stages: dict[int | None, list[LayerCost]] = {}
    for cost, stride in zip(count_complexity(model).layers, strides, strict=True):
        if cost.kind != "InputLayer":
            stages.setdefault(stride, []).append(cost)
    return tuple(
        StageCost(
            stride=stride,
            size=None if stride is None else stages[stride][0].output_shape[height : height + 2],
            layers=tuple(stages[stride]),
        )
        for stride in sorted(stages, key=lambda stride: stride or math.inf)
    )


def _strides(
    model: keras.Model, entering: Sequence[int | None]
) -> tuple[list[int | None], list[int | None]]:
    """The strides of the maps that each layer gives, and of those that leave the model."""
    at = dict(zip(map(id, model.inputs), entering, strict=True))
    found = []
    # Between layers there may be plain operations, x + 3; not in a keras.Sequential.
    for layer in getattr(model, "operations", model.layers):
        sources, results = ends_of(layer)
        strides = [at[id(tensor)] for tensor in sources]
        if isinstance(layer, layers.InputLayer):
            leaving = [at[id(layer.output)]]
        elif isinstance(layer, keras.Model):
            inside, leaving = _strides(layer, strides)
            found += inside
        else:
            # A map that is weighted by something pooled from all of it keeps its stride.
            stride = min((s for s in strides if s is not None), default=None)
            leaving = [_through(layer, stride)] * len(results)
        if isinstance(layer, keras.Layer) and not isinstance(layer, keras.Model):
            found.append(leaving[0])
        at |= zip(map(id, results), leaving, strict=True)
    return found, [at[id(tensor)] for tensor in model.outputs]


def _through(layer: keras.Operation, stride: int | None) -> int | None:
    """The stride behind a layer, given that in front of it."""
    whole_map = (
        layers.AdaptiveAveragePooling2D,
        layers.AdaptiveMaxPooling2D,
        layers.GlobalAveragePooling2D,
        layers.GlobalMaxPooling2D,
    )
    output = keras.tree.flatten(layer.output)[0]
    if stride is None or len(output.shape) != 4 or isinstance(layer, whole_map):
        return None
    if isinstance(layer, TrainableSubsampling):
        return stride * 2
    if isinstance(layer, layers.UpSampling2D):
        return _divided(stride, layer.size[0])
    strides = keras.tree.flatten(getattr(layer, "strides", 1))[0]
    if isinstance(layer, layers.Conv2DTranspose):
        return _divided(stride, strides)
    return stride * strides


def _divided(stride: float, by: int) -> float:
    """The stride of a map with more cells; below 1 if it has more than the image has pixels."""
    quotient = stride / by
    return int(quotient) if quotient == int(quotient) else quotient


def _is_channels_last(model: keras.Model) -> bool:
    """Whether maps are (height, width, channels): the format of its layers, or else Keras'."""
    formats = {getattr(layer, "data_format", None) for layer in _flatten(model)} - {None}
    return (formats or {keras.config.image_data_format()}) == {"channels_last"}


def _flatten(model: keras.Model) -> Iterator[keras.Layer]:
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _flatten(layer)
        else:
            yield layer
