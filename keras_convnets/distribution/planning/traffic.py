"""What a parameter server holds, and what goes to and from it at each step."""

import dataclasses
from collections.abc import Sequence

from keras_convnets.distribution.planning.assumptions import Assumptions
from keras_convnets.distribution.planning.placement import EVEN, place
from keras_convnets.distribution.planning.work import Variable, Work


@dataclasses.dataclass(frozen=True)
class ServerLoad:
    """Bytes of one parameter server.

    Attributes:
        variables: that it holds: weights and statistics.
        kept: slots of the optimizer and averages of those.
        pulled: read by each worker at each of its steps: weights and statistics.
        pushed: sent by it: gradients, and new statistics.
        touched: read and written in the server's memory by one update.
    """

    variables: float
    kept: float
    pulled: float
    pushed: float
    touched: float


def server_loads(work: Work, servers: int, assumptions: Assumptions) -> tuple[ServerLoad, ...]:
    """Returns the load of each parameter server.

    Args:
        work: what is trained.
        servers: how many parameter servers there are.
        assumptions: `placement`, `dense_parts` and `bytes_per_number` are read.
    """
    size = assumptions["bytes_per_number"]
    if assumptions["placement"] == EVEN:
        whole = _load(work, work.variables, size)
        part = [value / servers for value in dataclasses.astuple(whole)]
        return (ServerLoad(*part),) * servers
    placed = place(work.variables, servers, assumptions["dense_parts"])
    return tuple(_load(work, variables, size) for variables in placed)


def _load(work: Work, variables: Sequence[Variable], size: int) -> ServerLoad:
    numbers = sum(variable.size for variable in variables)
    learnt = sum(variable.size for variable in variables if variable.trainable)
    kept = sum(work.kept(variable) for variable in variables)
    # An update reads what was pushed, reads and writes each slot and average, and writes each
    # variable; weights are read, too.
    touched = numbers + 2 * kept + numbers + learnt
    return ServerLoad(*(size * count for count in (numbers, kept, numbers, numbers, touched)))


def greatest(loads: Sequence[ServerLoad], field: str) -> float:
    """Returns the greatest value of a field; 0 without servers."""
    return max((getattr(load, field) for load in loads), default=0.0)


def total(loads: Sequence[ServerLoad], field: str) -> float:
    """Returns the sum of a field over the servers."""
    return sum(getattr(load, field) for load in loads)
