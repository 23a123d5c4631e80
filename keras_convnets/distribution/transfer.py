"""Values between a worker and the parameter servers, many small ones as one message."""

import contextlib
import math
from collections.abc import Sequence

import keras
import tensorflow as tf

# Variables of at most so many numbers travel together: a message costs some tenths of a
# millisecond, copies of so many numbers less.
SMALL = 2**16


def is_on_server(variable: keras.Variable | tf.Variable) -> bool:
    """Whether a parameter server has a variable."""
    return "/job:ps/" in _device(variable)


def computed_beside(
    variable: keras.Variable | tf.Variable,
) -> contextlib.AbstractContextManager:
    """Has a parameter server compute with what it stores, so that it need not travel.

    Args:
        variable: with which. Where no server has it, the context does nothing.
    """
    on_server = is_on_server(variable)
    return tf.device(_device(variable)) if on_server else contextlib.nullcontext()


def read_from_servers(
    variables: Sequence[keras.Variable], behind: Sequence[tf.Tensor] = ()
) -> list[tf.Tensor]:
    """Returns the values of variables, to be used on a worker.

    Args:
        variables: on parameter servers.
        behind: what must be there before.
    """
    values = [variable.value for variable in variables]
    return _moved(values, variables, lambda device: (tf.device(device), tf.device(None)), behind)


def bring_to_servers(
    values: Sequence[tf.Tensor], variables: Sequence[keras.Variable | tf.Variable]
) -> list[tf.Tensor]:
    """Returns values of a worker, to be used on the servers of some variables.

    Args:
        values: of the variables' shapes.
        variables: on parameter servers.
    """
    return _moved(values, variables, lambda device: (tf.device(None), tf.device(device)), ())


def _moved(values, variables, places, behind) -> list[tf.Tensor]:
    """Packs values where they are, and unpacks them where they go."""
    moved = [None] * len(values)
    for device, bundle in _bundles(variables):
        here, there = places(device)
        shapes = [variables[i].shape for i in bundle]
        with here, tf.control_dependencies(behind):
            message = tf.concat([tf.reshape(values[i], [-1]) for i in bundle], axis=0)
        with there:
            parts = tf.split(message, [math.prod(shape) for shape in shapes])
            for i, part, shape in zip(bundle, parts, shapes, strict=True):
                moved[i] = tf.reshape(part, shape)
    return moved


def _bundles(variables) -> list[tuple[str, list[int]]]:
    """Puts small variables of one server and type together; a large one travels by itself."""
    bundles: dict[tuple, list[int]] = {}
    for i, variable in enumerate(variables):
        own = i if math.prod(variable.shape) > SMALL else None
        bundles.setdefault((_device(variable), variable.dtype, own), []).append(i)
    return [(device, bundle) for (device, *_), bundle in bundles.items()]


def _device(variable: keras.Variable | tf.Variable) -> str:
    if isinstance(variable, keras.Variable):
        variable = variable.value
    return getattr(variable, "device", "")
