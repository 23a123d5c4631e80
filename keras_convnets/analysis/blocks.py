"""A net as its papers draw it: a line of steps and modules, with repeats counted.

A module is what lies between a fork and the join where all its ways meet again. Nothing here knows
the name of a net: forks and joins are found in the graph.
"""

import collections
import dataclasses
import graphlib
import itertools
from collections.abc import Iterable, Iterator, Sequence

import keras

from keras_convnets.analysis.steps import Kind, Step, belongs, step
from keras_convnets.errors import InputError

# Equal branches side by side, from which on they are one with a count.
MANY_PATHS = 5


@dataclasses.dataclass(frozen=True)
class Branch:
    """A way through a module; with no items it is the identity.

    Attributes:
        items: what lies on it.
        paths: how many equal ones stand side by side.
    """

    items: tuple["Item", ...]
    paths: int = 1


@dataclasses.dataclass(frozen=True)
class Module:
    """Branches side by side, from a fork to a join.

    Two modules are equal if they do the same to the same shapes, whatever their names.

    Attributes:
        name: what the names of its layers begin with, or that of its join; "a to b" if repeated.
        lead: steps before the fork that are named as parts of it.
        branches: what lies between fork and join, in the order in which the join takes them.
        join: where they meet; `None` inside a branch whose ways end in the join around it.
        input_shape: of what is forked, without the batch.
        shape: of what the join gives; of the fork without a join.
        repeats: how often it stands one after the other.
    """

    name: str = dataclasses.field(compare=False)
    lead: tuple[Step, ...]
    branches: tuple[Branch, ...]
    join: Step | None
    input_shape: tuple[int | None, ...]
    shape: tuple[int | None, ...]
    repeats: int = 1


@dataclasses.dataclass(frozen=True)
class SideHead:
    """What leads from the line to an output of its own, such as an auxiliary classifier.

    Attributes:
        name: what the names of its layers begin with, or that of its last layer.
        items: what lies on it.
    """

    name: str = dataclasses.field(compare=False)
    items: tuple["Item", ...]


Item = Step | Module | SideHead


def find_blocks(model: keras.Model) -> tuple[Item, ...]:
    """Finds the steps, the modules of parallel branches, and their repeats.

    Args:
        model: a functional model, or a built sequential one.

    Returns:
        What lies on the line from the input to the main output, which is the deepest one, in its
        order; consecutive equal modules are one with a count.

    Raises:
        InputError: if the layers are not known before the model runs.

    Example:

    >>> from keras_convnets.analysis.blocks import find_blocks
    >>> blocks = find_blocks(keras_convnets.GoogLeNet(weights=None))
    >>> [block.name for block in blocks if hasattr(block, "branches")][:3]
    ['inception_3a', 'inception_3b', 'inception_4a']
    """
    if not getattr(model, "inputs", None):
        raise InputError(
            "Blocks are found in functional models and built sequential ones. "
            f"Received: {type(model).__name__} {getattr(model, 'name', model)!r}"
        )
    parents = _parents(model)
    order = list(graphlib.TopologicalSorter(parents).static_order())
    main = max((_ancestors(node, parents) for node in _ends(model)), key=len)
    line = [node for node in order if node in main]
    sides: dict = collections.defaultdict(list)
    for group in _connected([node for node in order if node not in main], parents):
        items = _Graph(group, parents, {}).line()
        name = _common_name(_layers(items)) or group[-1].operation.name
        feet = {foot for node in group for foot in parents[node]} & main
        foot = max(feet, key=order.index, default=line[-1])
        sides[foot].append(SideHead(name, items))
    return _Graph(line, parents, sides).line()


def steps_of(items: Iterable[Item | Branch]) -> Iterator[Step]:
    """Yields all steps of some items, those of repeated ones once."""
    for item in items:
        if isinstance(item, Step):
            yield item
        elif isinstance(item, Module):
            yield from item.lead
            yield from steps_of(item.branches)
            if item.join:
                yield item.join
        else:
            yield from steps_of(item.items)


class _End:
    """Behind the last nodes of a graph."""


_END = _End()


class _Graph:
    """Calls of operations, in an order of execution, and where the ways from each meet again."""

    def __init__(self, nodes: Sequence, parents: dict, sides: dict):
        self.sides = sides
        self.position = {node: i for i, node in enumerate([*nodes, _END])}
        self.parents = {node: [p for p in parents[node] if p in self.position] for node in nodes}
        self.children: dict = {node: [] for node in nodes}
        for node in nodes:
            for parent in self.parents[node]:
                self.children[parent].append(node)
        for following in self.children.values():
            if not following:
                following.append(_END)
        self.meeting: dict = {}
        for node in reversed(nodes):
            self.meeting[node] = self.meet(self.children[node])

    def meet(self, nodes: Iterable):
        """The first node that all ways from all of the nodes pass."""
        nodes = set(nodes)
        while len(nodes) > 1:
            earliest = min(nodes, key=self.position.get)
            nodes.remove(earliest)
            nodes.add(self.meeting[earliest])
        return nodes.pop()

    def line(self) -> tuple[Item, ...]:
        """The whole graph as one line."""
        return self.chain([node for node, before in self.parents.items() if not before], None, _END)

    def chain(self, heads: Sequence, fork, end) -> tuple[Item, ...]:
        """What lies on the ways from some nodes to the end where they meet at last.

        Args:
            heads: the nodes that the fork feeds, in this part of the graph.
            fork: the node before them; `None` for the input.
            end: the node behind, which is no part of it.
        """
        found = []
        while heads != [end]:
            node = self.meet(heads)
            if len(heads) > 1:
                found.append(self._module(heads, fork, node))
            if node is end:
                break
            found += [node, *self.sides.get(node, [])]
            fork, heads = node, self.children[node]
        return _count_repeats(_fuse(found))

    def _module(self, heads: Sequence, fork, join) -> Module:
        """The branches between a fork and the node where its ways meet, without that node."""
        parents = [] if join is _END else self.parents[join]
        ways = [(parents.index(fork), Branch(()))] if join in heads else []
        for group in _connected(self._between(heads, join), self.parents):
            own = [head for head in heads if head in group]
            crosses = len(own) > 1 and self.meet(own) is join
            items = (_tangle(group),) if crosses else self.chain(own, fork, join)
            place = min((i for i, parent in enumerate(parents) if parent in group), default=0)
            ways.append((place, Branch(items)))
        branches = _count_paths([branch for _, branch in sorted(ways, key=lambda way: way[0])])
        shape = () if fork is None else _shape(fork)
        return Module(_common_name(_layers(branches)), (), branches, None, shape, shape)

    def _between(self, heads: Iterable, join) -> list:
        """The nodes from some on, before the join, in an order of execution."""
        found, waiting = set(), list(heads)
        while waiting:
            node = waiting.pop()
            if node is not join and node not in found:
                found.add(node)
                waiting += self.children[node]
        return sorted(found, key=self.position.get)


def _parents(model: keras.Model) -> dict:
    """For each call of an operation that the outputs need, those that feed it."""
    parents, waiting = {}, _ends(model)
    while waiting:
        node = waiting.pop()
        if node not in parents:
            parents[node] = list(dict.fromkeys(node.parent_nodes))
            waiting += parents[node]
    return parents


def _ends(model: keras.Model) -> list:
    histories = [tensor._keras_history for tensor in model.outputs]
    return [history.operation._inbound_nodes[history.node_index] for history in histories]


def _ancestors(node, parents: dict) -> set:
    """A node and all that it needs."""
    found, waiting = set(), [node]
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting += parents[node]
    return found


def _connected(nodes: Sequence, parents: dict) -> list[list]:
    """Cuts nodes, in an order of execution, into groups without an edge between two of them."""
    groups: list[set] = []
    for node in nodes:
        touched = [group for group in groups if not group.isdisjoint(parents[node])]
        groups = [group for group in groups if group not in touched]
        groups.append({node}.union(*touched))
    return [[node for node in nodes if node in group] for group in groups]


def _shape(node) -> tuple[int | None, ...]:
    return tuple(node.output_tensors[0].shape[1:])


def _tangle(nodes: Sequence) -> Step:
    """What can't be drawn as branches side by side."""
    return Step(
        text=f"{len(nodes)} layers whose ways cross",
        kind=Kind.OTHER,
        shape=(),
        parts=tuple(type(node.operation).__name__ for node in nodes),
        layers=tuple(node.operation.name for node in nodes),
    )


def _fuse(found: Sequence) -> list[Item]:
    """Makes steps of nodes, and gives modules their joins and the steps that lead to them."""
    items: list[Item] = []
    group: list = []

    def close():
        if not group:
            return
        made = step([node.operation for node in group], _shape(group[-1]))
        group.clear()
        if items and isinstance(items[-1], Module) and items[-1].join is None:
            items.append(_joined(items.pop(), made))
            _move_lead(items)
        else:
            items.append(made)

    for part in found:
        if isinstance(part, Module | SideHead):
            close()
            items.append(part)
        elif group and belongs(part.operation, [node.operation for node in group]):
            group.append(part)
        else:
            close()
            group.append(part)
    close()
    return items


def _joined(module: Module, join: Step) -> Module:
    """A module with its join."""
    branches = module.branches
    if join.text.startswith("add"):
        # A sum has no order of its own; papers draw the shortcut at the right.
        branches = tuple(sorted(branches, key=lambda branch: -len(_layers(branch.items))))
    name = _common_name([*_layers(branches), *join.layers]) or join.layers[0]
    return dataclasses.replace(module, name=name, branches=branches, join=join, shape=join.shape)


def _move_lead(items: list[Item]) -> None:
    """Moves the steps before the last module into it, if they are named as parts of it."""
    module = items.pop()
    lead: list[Step] = []
    while items and isinstance(items[-1], Step) and _is_named_in(module.name, items[-1]):
        lead.insert(0, items.pop())
    items.append(dataclasses.replace(module, lead=tuple(lead)))


def _is_named_in(name: str, made: Step) -> bool:
    return all(layer.startswith(f"{name}_") for layer in made.layers)


def _count_repeats(items: Sequence[Item]) -> tuple[Item, ...]:
    """Makes one module of equal ones that follow each other."""
    counted: list[Item] = []
    for item, run in itertools.groupby(items):
        first, *others = run
        if others and isinstance(item, Module):
            name = _range(first.name, others[-1].name)
            counted.append(dataclasses.replace(first, name=name, repeats=1 + len(others)))
        else:
            counted += [first, *others]
    return tuple(counted)


def _count_paths(branches: Sequence[Branch]) -> tuple[Branch, ...]:
    """Makes one branch of equal ones, if they are many."""
    counts = collections.Counter(branches)
    if max(counts.values(), default=0) < MANY_PATHS:
        return tuple(branches)
    return tuple(dataclasses.replace(branch, paths=paths) for branch, paths in counts.items())


def _layers(items: Iterable[Item | Branch]) -> list[str]:
    return [layer for made in steps_of(items) for layer in made.layers]


def _common_name(names: Sequence[str]) -> str:
    """The words that all names begin with; "" if there are none."""
    words = zip(*(name.split("_") for name in names), strict=False)
    common = itertools.takewhile(lambda column: len(set(column)) == 1, words)
    return "_".join(column[0] for column in common)


def _range(first: str, last: str) -> str:
    """Two names as "first to last", without what both begin with in the second."""
    return f"{first} to {last.removeprefix(_common_name([first, last])).lstrip('_')}"
