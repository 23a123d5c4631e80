"""A Keras model as a graph of what it computes."""

import dataclasses

import keras
from keras import layers

from keras_convnets.weights.graphs.nodes import Flow, Graph, Node, Pair

# Layers that leave a map as it is when a net predicts, or only change its shape.
_PASSING = (
    layers.Dropout,
    layers.SpatialDropout2D,
    layers.GaussianDropout,
    layers.GaussianNoise,
    layers.AlphaDropout,
    layers.Identity,
    layers.Flatten,
    layers.Softmax,
)
_GLOBAL_POOLS = {
    layers.GlobalAveragePooling2D: "average_pool",
    layers.GlobalMaxPooling2D: "max_pool",
}
_POOLS = {layers.AveragePooling2D: "average_pool", layers.MaxPooling2D: "max_pool"}
_ADAPTIVE_POOLS = {
    layers.AdaptiveAveragePooling2D: "average_pool",
    layers.AdaptiveMaxPooling2D: "max_pool",
}


@dataclasses.dataclass
class Place:
    """Where the weights of a node go.

    Attributes:
        layer: the layer.
        kernel: name of the variable of its kernel; `None` for a normalization.
        has_bias: whether the layer has a bias, and this node gets it.
        norm: the batch normalization behind it.
    """

    layer: keras.Layer
    kernel: str | None = None
    has_bias: bool = False
    norm: layers.BatchNormalization | None = None


class KerasNet:
    """The graph of a Functional model.

    Args:
        model: a net.

    Attributes:
        graph: its graph.
        outputs: the node of each output, by the name of the output.
    """

    def __init__(self, model: keras.Model):
        self.graph = Graph()
        self._flows: dict[int, Flow] = {}
        self._uses: dict[int, int] = {}
        nodes = [
            node
            for depth in sorted(model._nodes_by_depth, reverse=True)
            for node in model._nodes_by_depth[depth]
        ]
        ends = zip(model.output_names, model.outputs, strict=True)
        for node in nodes:
            for tensor in node.input_tensors:
                self._uses[id(tensor)] = self._uses.get(id(tensor), 0) + 1
        for node in nodes:
            self._visit(node)
        self.outputs: dict[str, Node] = {
            name: self._flows[id(tensor)].node for name, tensor in ends
        }

    def _visit(self, node) -> None:
        layer, tensors = node.operation, node.input_tensors
        if not tensors:
            self._flows[id(node.outputs[0])] = self.graph.input(_size(node.outputs[0]))
            return
        flow = self._layer(layer, [self._take(tensor) for tensor in tensors])
        for tensor in node.outputs:
            self._flows[id(tensor)] = flow

    def _take(self, tensor: keras.KerasTensor) -> Flow:
        flow = self._flows[id(tensor)]
        return flow.change(is_shared=flow.is_shared or self._uses[id(tensor)] > 1)

    def _layer(self, layer: keras.Operation, flows: list[Flow]) -> Flow:
        """What a layer makes of its inputs."""
        graph, name, first = self.graph, layer.name, flows[0]
        if isinstance(layer, _PASSING):
            return first
        if isinstance(layer, layers.ZeroPadding2D):
            (top, bottom), (left, right) = layer.padding
            return graph.pad(first, (top, left, bottom, right))
        if isinstance(layer, layers.BatchNormalization):
            return self._norm(layer, first)
        if isinstance(layer, layers.Activation | layers.ReLU):
            return self._activation(layer, first)
        if isinstance(layer, layers.Add):
            return graph.add(flows, name)
        if isinstance(layer, layers.Concatenate):
            return graph.concat(flows, name)
        if isinstance(layer, layers.Dense):
            flow = graph.dense(first, weights=Place(layer, "kernel", layer.use_bias), name=name)
            return self._activation(layer, flow)
        if isinstance(layer, layers.SeparableConv2D):
            return self._separable(layer, first)
        is_conv = isinstance(layer, layers.Conv2D | layers.DepthwiseConv2D)
        if is_conv and not hasattr(layer, "segments"):
            return self._conv(layer, first)
        return self._other(layer, flows)

    def _other(self, layer: keras.Operation, flows: list[Flow]) -> Flow:
        """Pools, layers of this package, and what no graph of a file has."""
        graph, name, first = self.graph, layer.name, flows[0]
        if (kind := _of_class(_GLOBAL_POOLS, layer)) is not None:
            return graph.global_pool(first, kind, name)
        if (kind := _of_class(_POOLS, layer)) is not None:
            size, strides = tuple(layer.pool_size), tuple(layer.strides)
            return graph.pool(first, kind, size, strides, layer.padding, name=name)
        if (kind := _of_class(_ADAPTIVE_POOLS, layer)) is not None:
            return self._adaptive_pool(layer, kind, first)
        # Layers of this package go by their names: this room stands below theirs.
        match type(layer).__name__:
            case "ResidualScale":
                x, residue = flows
                return graph.add([x, graph.scale(residue, layer.scale, name)], name)
            case "LocalResponseNormalization":
                constants = layer.size, layer.alpha, layer.beta, layer.k
                return graph.local_response_norm(first, constants, name)
            case "PadChannels":
                added = layer.channels - layer.input.shape[_channel_axis(layer)]
                return graph.step("pad_channels", first, (0, added), name=name)
        return graph.operation(type(layer).__name__, flows, name=name)

    def _norm(self, layer: layers.BatchNormalization, flow: Flow) -> Flow:
        if self.graph.takes_norm(flow) and flow.node.weights.norm is None:
            flow.node.weights.norm = layer
            return flow
        return self.graph.norm(flow, Place(layer, norm=layer), layer.name)

    def _activation(self, layer: keras.Layer, flow: Flow) -> Flow:
        if isinstance(layer, layers.ReLU):
            function = {None: "relu", 6: "relu6"}.get(layer.max_value, "other")
        else:
            function = getattr(layer.activation, "__name__", "other")
        if function in ("linear", "softmax"):
            return flow
        return self.graph.activation(flow, function, layer.name)

    def _conv(self, layer: layers.Conv2D | layers.DepthwiseConv2D, flow: Flow) -> Flow:
        if isinstance(layer, layers.DepthwiseConv2D):
            groups, multiplier = layer.kernel.shape[2:]
            filters = groups * multiplier
        else:
            filters, groups = layer.filters, layer.groups
        flow = self.graph.conv(
            flow,
            filters=filters,
            kernel_size=tuple(layer.kernel_size),
            strides=tuple(layer.strides),
            dilations=tuple(layer.dilation_rate),
            groups=groups,
            padding=layer.padding,
            weights=Place(layer, "kernel", layer.use_bias),
            name=layer.name,
        )
        return self._activation(layer, flow)

    def _separable(self, layer: layers.SeparableConv2D, flow: Flow) -> Flow:
        channels, multiplier = layer.depthwise_kernel.shape[2:]
        flow = self.graph.conv(
            flow,
            filters=channels * multiplier,
            kernel_size=tuple(layer.kernel_size),
            strides=tuple(layer.strides),
            dilations=tuple(layer.dilation_rate),
            groups=channels,
            padding=layer.padding,
            weights=Place(layer, "depthwise_kernel"),
            name=layer.name,
        )
        flow = self.graph.conv(
            flow,
            filters=layer.filters,
            kernel_size=(1, 1),
            weights=Place(layer, "pointwise_kernel", layer.use_bias),
            name=layer.name,
        )
        return self._activation(layer, flow)

    def _adaptive_pool(self, layer: keras.Layer, kind: str, flow: Flow) -> Flow:
        """A plain pool where the map divides into equal windows."""
        output, size = tuple(layer.output_size), flow.size
        if size is None or any(s % o for s, o in zip(size, output, strict=True)):
            return self.graph.operation(kind, [flow], output, name=layer.name)
        window = tuple(s // o for s, o in zip(size, output, strict=True))
        return self.graph.pool(flow, kind, window, window, "valid", name=layer.name)


def _of_class(table: dict[type, str], layer: keras.Operation) -> str | None:
    return next((kind for cls, kind in table.items() if isinstance(layer, cls)), None)


def _channel_axis(layer: keras.Layer) -> int:
    return 1 if layer.data_format == "channels_first" else 3


def _size(tensor: keras.KerasTensor) -> Pair | None:
    """Height and width of a batch of images."""
    if len(tensor.shape) != 4:
        return None
    is_last = keras.config.image_data_format() == "channels_last"
    size = tuple(tensor.shape[1:3] if is_last else tensor.shape[2:4])
    return None if None in size else size
