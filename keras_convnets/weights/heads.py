"""Which layers of a net are its head, which not every graph of it has."""

import re

import keras


def is_auxiliary(name: str) -> bool:
    """Whether a layer belongs to an auxiliary classifier, by its name."""
    return re.match(r"aux\d", name) is not None


def is_head(name: str) -> bool:
    """Whether a layer is there only in a net with its top, by its name."""
    return re.fullmatch(r"fc\d|predictions|cccp6|f6|rbf", name) is not None


def classifiers(model: keras.Model) -> set[str]:
    """Returns the names of the layers that give the logits: the last with weights on each way."""
    found = set()
    for output in model.outputs:
        operation = output._keras_history.operation
        while not operation.weights and operation._inbound_nodes[-1].parent_nodes:
            operation = operation._inbound_nodes[-1].parent_nodes[0].operation
        found.add(operation.name)
    return found
