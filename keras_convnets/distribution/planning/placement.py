"""Which parameter server holds what."""

import dataclasses
from collections.abc import Sequence

from keras_convnets.distribution.planning.work import Variable

IN_TURN, EVEN = "in_turn", "even"
PLACEMENTS = (IN_TURN, EVEN)


def place(
    variables: Sequence[Variable], servers: int, dense_parts: int = 1
) -> list[list[Variable]]:
    """Returns the variables of each server as TensorFlow places them: each on the next server.

    Slots and averages of an optimizer lie beside their variable.

    Args:
        variables: in the order in which they are made.
        servers: how many parameter servers there are.
        dense_parts: into how many parts by columns the kernel of a dense layer is split.

    Example:

    >>> from keras_convnets.distribution.planning import Variable, place
    >>> variables = [Variable(name, (2,)) for name in "abc"]
    >>> [[variable.name for variable in server] for server in place(variables, 2)]
    [['a', 'c'], ['b']]
    """
    parts = [part for variable in variables for part in split(variable, dense_parts)]
    return [parts[server::servers] for server in range(servers)]


def split(variable: Variable, dense_parts: int) -> list[Variable]:
    """Returns the parts of a variable: one, but for kernels of dense layers."""
    if not variable.dense or dense_parts == 1:
        return [variable]
    rows, columns = variable.shape
    count = min(dense_parts, columns)
    widths = [columns // count + (part < columns % count) for part in range(count)]
    return [
        dataclasses.replace(variable, name=f"{variable.name}/{part}", shape=(rows, width))
        for part, width in enumerate(widths)
    ]
