"""The net on the parameter servers, beside the one in the chief's memory."""

import types
from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf

from keras_convnets.training.parameter_server.split_dense import with_split_layers
from keras_convnets.training.phases import Phases

# A variable of the chief, and those on the servers that it is in parts, side by side.
_Pair = tuple[keras.Variable, Sequence[keras.Variable]]


class Twin:
    """A net and its optimizer on the parameter servers of a strategy.

    The chief keeps a net of the usual form: it is what starts, is saved, restored and evaluated, so
    that checkpoints don't depend on the number of servers.

    Args:
        model: the chief's net; built.
        optimizer: the chief's optimizer; built.
        strategy: whose servers.
        servers: how many there are.
        make_phases: gives what compiles a net by the recipe.
    """

    def __init__(
        self,
        model: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        strategy: tf.distribute.ParameterServerStrategy,
        servers: int,
        make_phases: Callable[[keras.Model], Phases],
    ):
        with strategy.scope():
            self.model = with_split_layers(model, servers)
            self.phases = make_phases(self.model)
        self.optimizer = self.model.optimizer
        self._pairs = _align(model.variables, self.model.variables)
        self._pairs += _align(optimizer.variables, self.optimizer.variables)
        inner = getattr(self.optimizer, "inner_optimizer", self.optimizer)
        self.iterations = inner.iterations
        device = self.iterations.value.device
        make_atomic(
            *(self.optimizer.iterations, inner.iterations),
            # On the same server, if it has one, for then no message is needed.
            behind=min(
                self.model.trainable_variables, key=lambda weight: weight.value.device != device
            ),
        )
        self.push()

    def push(self) -> None:
        """Gives the servers what the chief has; nothing else may be at work."""
        for ours, theirs in self._pairs:
            value = keras.ops.convert_to_numpy(ours)
            begin = 0
            for part in theirs:
                end = begin + (part.shape[-1] if len(theirs) > 1 else 0)
                part.assign(value[..., begin:end] if len(theirs) > 1 else value)
                begin = end

    def pull(self) -> None:
        """Gives the chief what the servers have; nothing else may be at work."""
        for ours, theirs in self._pairs:
            parts = [keras.ops.convert_to_numpy(part) for part in theirs]
            ours.assign(np.concatenate(parts, axis=-1) if len(parts) > 1 else parts[0])

    def steps(self) -> int:
        """Returns the number of updates that the servers have had."""
        return int(self.iterations.numpy())

    def placement(self) -> dict[str, list[keras.Variable]]:
        """Returns the variables of net and optimizer that each server holds, by device."""
        held: dict[str, list[keras.Variable]] = {}
        for variable in (*self.model.variables, *self.optimizer.variables):
            held.setdefault(variable.value.device, []).append(variable)
        return dict(sorted(held.items()))


def make_atomic(*counters: keras.Variable, behind: keras.Variable) -> None:
    """Lets several workers add to variables without losing what another one adds meanwhile.

    Keras adds by reading and assigning; TensorFlow has an operation that does both at once.

    Args:
        *counters: the variables.
        behind: a weight whose update comes first: nothing else would keep a server from counting
            an update whose gradients have not come.
    """

    def assign_add(self, value):
        with tf.device(behind.value.device):
            updated = tf.identity(behind.value)
        with tf.device(self.value.device), tf.control_dependencies([updated]):
            return self._value.assign_add(tf.cast(value, self._value.dtype))

    for counter in counters:
        counter.assign_add = types.MethodType(assign_add, counter)


def _align(ours: Sequence[keras.Variable], theirs: Sequence[keras.Variable]) -> list[_Pair]:
    """Finds the parts of each variable: both nets make them in one order."""
    rest, pairs = list(theirs), []
    for variable in ours:
        parts = [rest.pop(0)]
        while tuple(parts[0].shape) != tuple(variable.shape) and _width(parts) < variable.shape[-1]:
            parts.append(rest.pop(0))
        if _width(parts) != _width([variable]):
            raise AssertionError(f"{variable.path} has no counterpart on the servers")
        pairs.append((variable, parts))
    if rest:
        raise AssertionError(f"{rest[0].path} has no counterpart in the chief's net")
    return pairs


def _width(parts: Sequence[keras.Variable]) -> int:
    return sum(part.shape[-1] if len(part.shape) else 1 for part in parts)
