"""What the `weights` argument of a builder means."""

import dataclasses
import os
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from keras_convnets.errors import InputError
from keras_convnets.weights import catalog
from keras_convnets.weights.catalog import Entry

_GRAPH = "_graph_of_builder"


@dataclasses.dataclass(frozen=True)
class Pretrained:
    """Weights of the catalog that a builder was asked for.

    Attributes:
        given: "imagenet" or the name of the entry, as it was typed.
        entry: what that means.
    """

    given: str
    entry: Entry


@dataclasses.dataclass(frozen=True)
class _Graph:
    """What a builder made: its name, and its options that change the graph."""

    builder: str
    options: Mapping[str, Any]


def find_pretrained(builder: str, weights: Any, options: Mapping[str, Any]) -> Any:
    """Returns the `Pretrained` that `weights` means for a graph, or `weights` if it means none.

    Args:
        builder: name of the builder.
        weights: its argument.
        options: its options that change the graph, where they differ from its defaults.

    Raises:
        InputError: if the weights belong to another graph; no option changes because of them.
    """
    if not isinstance(weights, str) or os.path.exists(weights):
        return weights
    if weights == "imagenet":
        return Pretrained(weights, imagenet_weights(builder, options))
    if not weights.lower().startswith(f"{builder}.".lower()):
        return weights  # it is for the builder to say what it is not
    entry = catalog.find(weights)
    check_graph(entry, builder, options)
    return Pretrained(weights, entry)


def check_graph(entry: Entry, builder: str, options: Mapping[str, Any]) -> None:
    """Makes sure that weights belong to a graph.

    Args:
        entry: the weights.
        builder: name of the builder.
        options: its options that change the graph, where they differ from its defaults.

    Raises:
        InputError: if they belong to another.
    """
    if entry.builder != builder or not _same(entry.options, options):
        raise InputError(
            f"The weights {entry.name!r} belong to {_call(entry.builder, entry.options)}. "
            f"Received: {_call(builder, options)}"
        )


def remember_graph(model: keras.Model, builder: str, options: Mapping[str, Any]) -> None:
    """Notes the builder of a model and the options that change its graph, until it is saved."""
    setattr(model, _GRAPH, _Graph(builder, dict(options)))


def check_model(entry: Entry, model: keras.Model) -> None:
    """Makes sure that weights belong to the graph of a model, if a builder just made it.

    Raises:
        InputError: if they belong to another.
    """
    graph = getattr(model, _GRAPH, None)
    if graph is not None:
        check_graph(entry, graph.builder, graph.options)


def imagenet_weights(builder: str, options: Mapping[str, Any]) -> Entry:
    """Returns the entry that "imagenet" means for a graph.

    Raises:
        InputError: if there is none.
    """
    entry = catalog.imagenet_entry(builder, options)
    if entry is None:
        raise InputError(_without_weights(builder, options))
    return entry


def _without_weights(builder: str, options: Mapping[str, Any]) -> str:
    graphs = {
        _call(entry.builder, entry.options)
        for entry in catalog.entries()
        if entry.builder == builder
    }
    if not graphs:
        return (
            f"`weights='imagenet'` does not serve {builder}; use `weights=None` or the path of a "
            f"file. Nets with ImageNet weights: {', '.join(catalog.imagenet_builders())}."
        )
    return (
        f"The ImageNet weights belong to {' and '.join(sorted(graphs))}; use `weights=None` with "
        f"other options. Received: {_call(builder, options)}"
    )


def _same(options: Mapping[str, Any], others: Mapping[str, Any]) -> bool:
    return options.keys() == others.keys() and all(
        np.array_equal(options[name], others[name]) for name in options
    )


def _call(builder: str, options: Mapping[str, Any]) -> str:
    return f"{builder}({', '.join(f'{name}={value!r}' for name, value in options.items())})"
