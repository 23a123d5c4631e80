"""Which node of one graph is which of another: colours, refined until they tell nodes apart.

A node has the colour of another if both are the same step, on inputs of equal colours, for
consumers of equal colours (Weisfeiler and Leman 1968). What is of one colour in the end can be
exchanged, such as the paths of a ResNeXt unit, and is paired so that neighbours stay neighbours.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from keras_convnets.weights.graphs.nodes import Node

Colours = dict[Node, int]


class NoMatchError(Exception):
    """A node has no counterpart.

    Attributes:
        node: the first one of our graph.
    """

    def __init__(self, node: Node):
        super().__init__(node.name)
        self.node = node


class _Palette:
    """A number for each description."""

    def __init__(self):
        self._numbers: dict[tuple, int] = {}

    def __call__(self, *description) -> int:
        return self._numbers.setdefault(description, len(self._numbers))


def match(
    ours: list[Node], theirs: list[Node], outputs: Iterable[Node], optional: Iterable[Node] = ()
) -> dict[Node, Node]:
    """Finds the counterpart of each node of ours.

    Args:
        ours: our nodes, inputs first.
        theirs: the same of the other graph, which may have more.
        outputs: those of ours that must be there.
        optional: outputs that may be missing, with all that leads to them only.

    Returns:
        A node of theirs for each of ours, but for those that lead to missing outputs only.

    Raises:
        NoMatchError: if a node has no counterpart.
    """
    palette = _Palette()
    seen = _inherited(ours, palette)
    by_colour: dict[int, Node] = {}
    for node, colour in _inherited(theirs, palette).items():
        by_colour.setdefault(colour, node)
    ends = {
        node: by_colour[seen[node]] for node in (*outputs, *optional) if seen[node] in by_colour
    }
    for node in outputs:
        if node not in ends:
            lost = _ancestors(ours, [node])
            raise NoMatchError(next(node for node in lost if seen[node] not in by_colour))
    ours, theirs = _ancestors(ours, ends), _ancestors(theirs, ends.values())
    _compare(_inherited(ours, palette), _inherited(theirs, palette))
    mine, other = _refined(ours, theirs, ends, palette)
    _compare(mine, other)
    return _paired(ends, mine, other)


def _compare(mine: Colours, other: Colours) -> None:
    """Makes sure that both graphs have as many nodes of each colour."""
    have, want = Counter(other.values()), Counter(mine.values())
    for node, colour in mine.items():
        if have[colour] != want[colour]:
            raise NoMatchError(node)


def _inherited(nodes: list[Node], palette: _Palette, own: Mapping | None = None) -> Colours:
    """Colours by what leads to a node."""
    colours: Colours = {}
    for node in nodes:
        before = [colours[i] for i in node.inputs]
        key = (node.kind, node.traits) if own is None else own[node]
        colours[node] = palette("in", key, *(before if node.is_ordered else sorted(before)))
    return colours


def _bequeathed(nodes: list[Node], palette: _Palette, own: Colours, ends: Mapping) -> Colours:
    """Colours by what a node leads to."""
    uses: dict[Node, list[tuple[int, int]]] = {node: [] for node in nodes}
    colours: Colours = {}
    for node in reversed(nodes):
        colours[node] = palette("out", own[node], ends.get(node), *sorted(uses[node]))
        for position, before in enumerate(node.inputs):
            uses[before].append((colours[node], position if node.is_ordered else 0))
    return colours


def _refined(ours: list[Node], theirs: list[Node], ends: Mapping[Node, Node], palette: _Palette):
    """Colours of both graphs by all that surrounds a node."""
    graphs = ours, theirs
    marks = (
        {node: i for i, node in enumerate(ends)},
        {node: i for i, node in enumerate(ends.values())},
    )
    colours = [_inherited(nodes, palette) for nodes in graphs]
    count = 0
    while count < (now := len({*colours[0].values(), *colours[1].values()})):
        count = now
        for i, nodes in enumerate(graphs):
            down = _bequeathed(nodes, palette, colours[i], marks[i])
            colours[i] = _inherited(nodes, palette, down)
    return colours


def _ancestors(nodes: list[Node], ends: Iterable[Node]) -> list[Node]:
    """The nodes that lead to some, these included, in their order."""
    found = set(ends)
    for node in reversed(nodes):
        if node in found:
            found.update(node.inputs)
    return [node for node in nodes if node in found]


def _paired(ends: Mapping[Node, Node], mine: Colours, other: Colours) -> dict[Node, Node]:
    """Walks both graphs side by side from their ends."""
    pairs, taken = dict(ends), set(ends.values())
    pending = list(ends.items())
    while pending:
        node, counterpart = pending.pop()
        for before, its in _aligned(node, counterpart, pairs, mine, other):
            if before in pairs or its in taken:
                if pairs.get(before) is not its:
                    raise NoMatchError(before)
                continue
            pairs[before] = its
            taken.add(its)
            pending.append((before, its))
    return pairs


def _aligned(
    node: Node, counterpart: Node, pairs: Mapping[Node, Node], mine: Colours, other: Colours
) -> Iterable[tuple[Node, Node]]:
    """The inputs of a node, each with its counterpart."""
    if node.is_ordered:
        return zip(node.inputs, counterpart.inputs, strict=True)
    known = [(before, pairs[before]) for before in node.inputs if before in pairs]
    free = sorted((n for n in node.inputs if n not in pairs), key=mine.__getitem__)
    rest = list(counterpart.inputs)
    for before, its in known:
        if its not in rest:
            raise NoMatchError(before)
        rest.remove(its)
    return [*known, *zip(free, sorted(rest, key=other.__getitem__), strict=True)]
