"""A net as a graph of what it computes, in the words that Keras and ONNX have in common.

Only what decides is a node: convolutions, dense layers, normalizations, pools, sums,
concatenations, activations. Batch normalization right behind a convolution is a part of its node,
for a file may have folded it. Paddings, layouts and changes of shape travel with the values, and
what stands before the first layer, such as scaling of the pixels, is a part of the input.
"""

import dataclasses
import math
from collections.abc import Iterable, Sequence
from typing import Any

Pair = tuple[int, int]
Pads = tuple[int, int, int, int]  # top, left, bottom, right

NO_PADS: Pads = (0, 0, 0, 0)
# Nodes of these kinds have weights, and take a normalization into themselves.
_WEIGHTED = ("conv", "dense")
# These take more than arithmetic: they are never a part of the input.
_FIRM = (*_WEIGHTED, "norm", "max_pool", "average_pool", "mean", "max", "activation")
# Between a map and the factor that local response normalization makes from it.
_LOCAL = ("scale", "shift", "pad", "operation", "add")
_MOST_LOCAL = 32
_MOST_PARTS = 128


@dataclasses.dataclass(eq=False)
class Node:
    """One step of a net.

    Attributes:
        kind: "conv", "dense", "norm", "max_pool", ...
        traits: what two nodes must have in common to be the same step.
        inputs: the nodes before it; their order matters if `is_ordered`.
        name: for messages.
        weights: what its weights are, or where they go.
        details: what is compared once two nodes are known to be the same step, `None` where it
            can't be told: "pads" (top, left), "size" of the map that it gives, "counts_padding" of
            an average pool, "constants" of a local response normalization.
    """

    kind: str
    traits: tuple[Any, ...]
    inputs: tuple["Node", ...]
    name: str = ""
    weights: Any = None
    details: dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def is_ordered(self) -> bool:
        """Whether the order of the inputs matters."""
        return self.kind != "add"


@dataclasses.dataclass(frozen=True)
class Flow:
    """What flows from a node to the next.

    Attributes:
        node: where it comes from.
        size: height and width of the map, `None` if they are free.
        axes: what each axis is: "n", "c", "h", "w", or several in one, such as "chw"; `None` if
            that can't be told.
        pads: zeros around the map that no node has used yet.
        strides: of which only every n-th row and column is left, not used yet either.
        is_shared: whether others take it too.
    """

    node: Node
    size: Pair | None = None
    axes: tuple[str, ...] | None = ("n", "c", "h", "w")
    pads: Pads = NO_PADS
    strides: Pair = (1, 1)
    is_shared: bool = False

    def change(self, **changes: Any) -> "Flow":
        """The flow with other attributes."""
        return dataclasses.replace(self, **changes)


class Graph:
    """A graph under construction.

    Attributes:
        nodes: in an order in which inputs go first.
    """

    def __init__(self):
        self.nodes: list[Node] = []
        self._known: dict[tuple, Node] = {}

    def input(self, size: Pair | None, axes: tuple[str, ...] | None = None) -> Flow:
        """The images."""
        return Flow(self._node("input", (), (), "input", None, size=size), size, axes)

    def conv(
        self,
        flow: Flow,
        *,
        filters: int,
        kernel_size: Pair,
        strides: Pair = (1, 1),
        dilations: Pair = (1, 1),
        groups: int = 1,
        padding: str | Pads = "valid",
        weights: Any,
        name: str = "",
    ) -> Flow:
        """A convolution; on what a global pool gives it is a dense layer."""
        if kernel_size == (1, 1):
            strides = flow.strides[0] * strides[0], flow.strides[1] * strides[1]
            flow = flow.change(strides=(1, 1))
        flow = self._stride(flow)
        window = Window(kernel_size, strides, dilations)
        pads = window.pads(padding, flow.size)
        if flow.node.kind in ("mean", "max") and kernel_size == (1, 1) and groups == 1:
            return self.dense(flow, weights=weights, name=name).change(axes=Flow.axes)
        traits = filters, kernel_size, strides, dilations, groups
        size, details = window.size(flow, pads), {"pads": _begin(flow.pads, pads)}
        return Flow(self._node("conv", traits, (flow.node,), name, weights, size=size, **details),
                    size)  # fmt: skip

    def dense(self, flow: Flow, *, weights: Any, name: str = "") -> Flow:
        """A dense layer; its units are left to those who compare shapes."""
        flow = self._settle(flow)
        return Flow(self._node("dense", (), (flow.node,), name, weights), (1, 1), ("n", "c"))

    def norm(self, flow: Flow, weights: Any, name: str = "") -> Flow:
        """A normalization that no convolution takes; see `takes_norm`."""
        flow = self._settle(flow)
        node = self._node("norm", (), (flow.node,), name, weights, size=flow.size)
        return flow.change(node=node, is_shared=False)

    def pool(
        self,
        flow: Flow,
        kind: str,
        kernel_size: Pair,
        strides: Pair,
        padding: str | Pads,
        *,
        ceil: bool = False,
        counts_padding: bool = False,
        name: str = "",
    ) -> Flow:
        """A pool: of one pixel it only strides, and over the whole map it is a global one."""
        window = Window(kernel_size, strides)
        if kernel_size == (1, 1) and flow.pads == NO_PADS:
            return self.subsample(flow, strides)
        flow = self._stride(flow)
        pads = window.pads(padding, flow.size)
        size = window.size(flow, pads, ceil)
        has_pads = pads is None or any(flow.pads) or any(pads)
        if kernel_size == flow.size and not has_pads:
            return self.global_pool(flow, kind, name)
        counts = (any(flow.pads) or counts_padding) if has_pads else None
        details = {"pads": _begin(flow.pads, pads), "size": size}
        if kind == "average_pool":
            details["counts_padding"] = counts
        node = self._node(kind, (kernel_size, strides), (flow.node,), name, None, **details)
        return Flow(node, size)

    def global_pool(self, flow: Flow, kind: str, name: str = "") -> Flow:
        """The mean or the greatest value of each map."""
        flow = self._settle(flow)
        kind = {"average_pool": "mean", "max_pool": "max"}[kind]
        return Flow(self._node(kind, (), (flow.node,), name, None), (1, 1))

    def subsample(self, flow: Flow, strides: Pair) -> Flow:
        """Every n-th row and column of a map."""
        flow = flow if flow.pads == NO_PADS else self._settle(flow)
        strides = flow.strides[0] * strides[0], flow.strides[1] * strides[1]
        return flow.change(strides=strides)

    def pad(self, flow: Flow, pads: Pads) -> Flow:
        """Zeros around a map."""
        flow = self._stride(flow)
        return flow.change(pads=tuple(map(sum, zip(flow.pads, pads, strict=True))))

    def activation(self, flow: Flow, function: str, name: str = "") -> Flow:
        """An activation function."""
        return self.step("activation", flow, function, name=name)

    def step(self, kind: str, flow: Flow, *traits: Any, name: str = "", **details: Any) -> Flow:
        """Something that happens to each value of a map, or to each channel."""
        flow = self._settle(flow)
        if flow.node.kind == "input" and kind not in _FIRM:
            return flow
        node = self._node(kind, traits, (flow.node,), name, None, size=flow.size, **details)
        return flow.change(node=node, is_shared=False)

    def scale(self, flow: Flow, factor: float, name: str = "") -> Flow:
        """A multiple of a map."""
        return flow if factor == 1 else self.step("scale", flow, _rounded(factor), name=name)

    def shift(self, flow: Flow, summand: float, name: str = "") -> Flow:
        """A map plus a constant."""
        return flow if summand == 0 else self.step("shift", flow, _rounded(summand), name=name)

    def add(self, flows: Iterable[Flow], name: str = "") -> Flow:
        """A sum, as one of two and two from the left."""
        total, *others = map(self._settle, flows)
        for other in others:
            total = self._join("add", (), [total, other], name)
        return total

    def concat(self, flows: Iterable[Flow], name: str = "") -> Flow:
        """A concatenation of channels; one of others is one of all that they have."""
        whole = list(map(self._settle, flows))
        parts: list[Flow] = []
        for flow in whole:
            if flow.node.kind == "concat":
                parts += [flow.change(node=node) for node in flow.node.inputs]
            else:
                parts.append(flow)
        # Concatenated with itself again and again, a map would have parts without number.
        return self._join("concat", (), parts if len(parts) <= _MOST_PARTS else whole, name)

    def operation(self, what: str, flows: Iterable[Flow], *traits: Any, name: str = "") -> Flow:
        """Anything else, which only its like can match."""
        flows = list(map(self._settle, flows))
        return self._join("operation", (what, *traits), flows, name).change(axes=None)

    def local_response_norm(self, flow: Flow, constants: Any = None, name: str = "") -> Flow:
        """Local response normalization, with (size, alpha, beta, k) if they are known."""
        return self.step("local_response_norm", flow, name=name, constants=constants)

    @staticmethod
    def is_local_factor(flow: Flow, factor: Flow) -> bool:
        """Whether a factor is made from the very map that it is for, and from its vicinity."""
        pending, seen = [factor.node], set()
        while pending:
            node = pending.pop()
            if node is flow.node or node in seen:
                continue
            if node.kind not in _LOCAL or len(seen) == _MOST_LOCAL:
                return False
            seen.add(node)
            pending += node.inputs
        return bool(seen)

    @staticmethod
    def takes_norm(flow: Flow) -> bool:
        """Whether a normalization here is a part of the node before it."""
        is_plain = flow.pads == NO_PADS and flow.strides == (1, 1) and not flow.is_shared
        return flow.node.kind in (*_WEIGHTED, "norm") and is_plain

    def _join(self, kind: str, traits: tuple, flows: Sequence[Flow], name: str) -> Flow:
        first = flows[0]
        if all(flow.node.kind == "input" for flow in flows):
            return first
        inputs = tuple(flow.node for flow in flows)
        node = self._node(kind, traits, inputs, name, None, size=first.size)
        return first.change(node=node, is_shared=False)

    def _settle(self, flow: Flow) -> Flow:
        """Makes nodes of strides and pads that nothing has used."""
        flow = self._stride(flow)
        if flow.pads == NO_PADS:
            return flow
        pads, flow = flow.pads, flow.change(pads=NO_PADS)
        return self.step("pad", flow, pads, name=flow.node.name)

    def _stride(self, flow: Flow) -> Flow:
        if flow.strides == (1, 1):
            return flow
        strides, flow = flow.strides, flow.change(strides=(1, 1))
        size = Window((1, 1), strides).size(flow, NO_PADS)
        return self.step("subsample", flow, strides, name=flow.node.name).change(size=size)

    def _node(self, kind, traits, inputs, name, weights, **details) -> Node:
        """A node; one without weights is there only once."""
        ids = [id(node) for node in inputs]
        key = kind, traits, *(sorted(ids) if kind == "add" else ids)
        if weights is None and key in self._known:
            return self._known[key]
        node = Node(kind, traits, inputs, name, weights, details)
        self.nodes.append(node)
        if weights is None:
            self._known[key] = node
        return node


@dataclasses.dataclass(frozen=True)
class Window:
    """What slides over a map."""

    kernel_size: Pair
    strides: Pair
    dilations: Pair = (1, 1)

    @property
    def reach(self) -> Pair:
        """Height and width that it spans."""
        return tuple(
            (size - 1) * dilation + 1
            for size, dilation in zip(self.kernel_size, self.dilations, strict=True)
        )

    def pads(self, padding: str | Pads, size: Pair | None) -> Pads | None:
        """The pads that a padding stands for: "valid", "same", "same_lower", or what it is.

        `None` if they depend on a size that is not known.
        """
        if not isinstance(padding, str):
            return padding
        if padding == "valid":
            return NO_PADS
        totals = [self._total(axis, None if size is None else size[axis]) for axis in (0, 1)]
        if None in totals:
            return None
        less, more = [total // 2 for total in totals], [-(-total // 2) for total in totals]
        begin, end = (more, less) if padding == "same_lower" else (less, more)
        return (*begin, *end)

    def _total(self, axis: int, length: int | None) -> int | None:
        if self.strides[axis] == 1:
            return self.reach[axis] - 1
        if length is None:
            return 0 if self.reach[axis] == 1 else None
        stride = self.strides[axis]
        return max(0, (-(-length // stride) - 1) * stride + self.reach[axis] - length)

    def size(self, flow: Flow, pads: Pads | None, ceil: bool = False) -> Pair | None:
        """Height and width of the map that it leaves."""
        if flow.size is None or pads is None:
            return None
        round_ = math.ceil if ceil else math.floor
        lengths = []
        for axis in (0, 1):
            padded = flow.size[axis] + sum(p[axis] + p[axis + 2] for p in (flow.pads, pads))
            steps = (padded - self.reach[axis]) / self.strides[axis]
            lengths.append(round_(steps) + 1)
        return tuple(lengths)


def _begin(before: Pads, pads: Pads | None) -> Pair | None:
    """How far a window starts outside of the map."""
    return None if pads is None else (before[0] + pads[0], before[1] + pads[1])


def _rounded(number: float) -> float:
    """A constant as it is in float32."""
    return float(f"{number:.6g}")
