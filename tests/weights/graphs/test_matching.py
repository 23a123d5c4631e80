"""Which node is which, in graphs of a few nodes."""

import pytest

from keras_convnets.weights.graphs.matching import NoMatchError, match
from keras_convnets.weights.graphs.nodes import Node


class Nodes:
    """A graph under construction."""

    def __init__(self):
        self.all = []
        self.image = self.add("input")

    def add(self, kind, *inputs, traits=(), name=""):
        """Adds a node."""
        node = Node(kind, traits, inputs, name)
        self.all.append(node)
        return node

    def conv(self, x, filters=1, name=""):
        return self.add("conv", x, traits=(filters,), name=name)


def is_isomorphism(pairs):
    """Whether each node has its own counterpart, and neighbours are neighbours there."""

    def inputs(node, of):
        found = [of(before) for before in node.inputs]
        return found if node.is_ordered else sorted(found, key=id)

    return len(set(pairs.values())) == len(pairs) and all(
        inputs(node, pairs.__getitem__) == inputs(its, lambda before: before)
        for node, its in pairs.items()
    )


def test_nodes_are_told_apart_by_what_they_lead_to():
    """Two equal convolutions, both summed, and one of them rectified beside."""
    graphs = []
    for first in (0, 1):
        nodes = Nodes()
        paths = [nodes.conv(nodes.image), nodes.conv(nodes.image)]
        total = nodes.add("add", *paths)
        rectified = nodes.add("activation", paths[first])
        end = nodes.add("concat", rectified, total)
        graphs.append((nodes.all, end, paths[first]))
    (ours, end, mine), (theirs, _, its) = graphs
    pairs = match(ours, theirs, [end])
    assert pairs[mine] is its
    assert is_isomorphism(pairs)


def test_what_can_be_exchanged_is_exchanged_everywhere():
    """Two equal convolutions in two sums."""
    graphs = []
    for order in (1, -1):
        nodes = Nodes()
        paths = [nodes.conv(nodes.image), nodes.conv(nodes.image)]
        sums = [nodes.add("add", *paths[::order]), nodes.add("add", *paths)]
        end = nodes.add("concat", nodes.conv(sums[0], 2), nodes.conv(sums[1], 3))
        graphs.append((nodes.all, end))
    (ours, end), (theirs, _) = graphs
    assert is_isomorphism(match(ours, theirs, [end]))


def sums_of(*couples):
    """Convolutions, of which couples are summed."""
    nodes = Nodes()
    convs = [nodes.conv(nodes.image) for _ in range(max(map(max, couples)) + 1)]
    sums = [nodes.add("add", convs[i], convs[j]) for i, j in couples]
    return nodes.all, nodes.add("add", *sums)


def rings(*lengths):
    """Convolutions in rings, in which each is summed with the next one."""
    couples, start = [], 0
    for length in lengths:
        couples += [(start + i, start + (i + 1) % length) for i in range(length)]
        start += length
    return sums_of(*couples)


def test_a_path_is_no_star():
    """Though both have four convolutions and three sums of two."""
    ours, end = sums_of((0, 1), (1, 2), (2, 3))
    theirs, _ = sums_of((0, 1), (0, 2), (0, 3))
    assert is_isomorphism(match(ours, sums_of((3, 2), (0, 1), (2, 0))[0], [end]))
    with pytest.raises(NoMatchError):
        match(ours, theirs, [end])


def test_rings_are_matched_with_rings_of_their_length():
    """All these nodes have one colour, whether they stand in one ring or in two."""
    ours, end = rings(3, 3)
    assert is_isomorphism(match(ours, rings(3, 3)[0], [end]))
    with pytest.raises(NoMatchError):
        match(ours, rings(6)[0], [end])


def test_weights_that_are_shared_are_not_those_of_two_nodes():
    nodes, others = Nodes(), Nodes()
    conv = nodes.conv(nodes.image, name="conv")
    end = nodes.add("add", nodes.add("activation", conv), nodes.add("norm", conv))
    first, second = others.conv(others.image), others.conv(others.image)
    others.add("add", others.add("activation", first), others.add("norm", second))
    with pytest.raises(NoMatchError, match="conv"):
        match(nodes.all, others.all, [end])


def test_missing_ends_are_left_out_if_they_may_be():
    nodes, others = Nodes(), Nodes()
    trunk = nodes.conv(nodes.image)
    end, side = nodes.conv(trunk, 2, name="end"), nodes.conv(trunk, 3, name="side")
    others.conv(others.conv(others.image), 2)
    pairs = match(nodes.all, others.all, [end], optional=[side])
    assert pairs.keys() == set(nodes.all) - {side}
    with pytest.raises(NoMatchError, match="side"):
        match(nodes.all, others.all, [end, side])
