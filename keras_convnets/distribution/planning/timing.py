"""How long a step takes, and what bounds the rate of many workers."""

import dataclasses
import math
from collections.abc import Sequence

from keras_convnets.distribution.planning.assumptions import Assumptions
from keras_convnets.distribution.planning.traffic import ServerLoad, greatest, total
from keras_convnets.distribution.planning.work import Work

# What can bound the rate.
COMPUTE = "compute"
WORKER_NETWORK = "worker's network"
PS_NETWORK = "ps network"
PS_UPDATES = "ps updates"
COORDINATOR = "coordinator"
SHARED_CORES = "shared cores"


@dataclasses.dataclass(frozen=True)
class Timing:
    """The rate of a cluster in steady state.

    Attributes:
        parts: seconds of a step of one worker, by what takes them; nothing waits in them.
        limits: updates a second that each resource allows; the least of them is the rate.
        bottleneck: what bounds the rate.
    """

    parts: dict[str, float]
    limits: dict[str, float]
    bottleneck: str

    @property
    def rate(self) -> float:
        """Updates a second, of all workers together."""
        return min(self.limits.values())

    @property
    def seconds(self) -> float:
        """A step of one worker where nothing waits."""
        return sum(self.parts.values())


def compute_seconds(work: Work, assumptions: Assumptions) -> float:
    """Returns how long a worker computes at a step.

    A multiply-add is two operations. The backward pass computes two gradients of each layer, by its
    inputs and by its weights, and each has as many multiply-adds as the layer itself: three passes.
    """
    operations = 2 * assumptions["passes"] * work.macs * assumptions["worker_batch"]
    return operations / (assumptions["peak_flops"] * assumptions["efficiency"])


def time_async(
    work: Work, workers: int, loads: Sequence[ServerLoad], assumptions: Assumptions
) -> Timing:
    """Returns the rate of workers that update by themselves.

    The bounds are those of operational analysis: no worker is faster than alone, and no shared
    resource does more than it can. Near the knee real rates lie below both.
    """
    network, closures = assumptions["network"], assumptions["steps_per_closure"]
    moved = (total(loads, "pulled") + total(loads, "pushed")) * (1 - assumptions["overlap"])
    parts = {
        COMPUTE: compute_seconds(work, assumptions),
        WORKER_NETWORK: moved / network,
        PS_UPDATES: greatest(loads, "touched") / assumptions["ps_memory_speed"],
        COORDINATOR: assumptions["step_overhead"] + assumptions["closure_overhead"] / closures,
    }
    seconds = sum(parts.values())
    limits = {
        "workers": workers / seconds,
        PS_NETWORK: network / max(greatest(loads, "pulled"), greatest(loads, "pushed")),
        PS_UPDATES: _inverse(parts[PS_UPDATES]),
        COORDINATOR: _inverse(assumptions["closure_overhead"] / closures),
    }
    if assumptions["shared_cores"]:
        limits[SHARED_CORES] = assumptions["shared_cores"] / seconds
    return _timing(parts, limits)


def time_sync_servers(
    work: Work, workers: int, loads: Sequence[ServerLoad], assumptions: Assumptions
) -> Timing:
    """Returns the rate of workers that wait for each other at parameter servers.

    All pull at once and push at once, and each server adds up the gradients of all.
    """
    sends = _slowest(workers, loads, "pulled"), _slowest(workers, loads, "pushed")
    exposed = (1 - assumptions["overlap"]) / assumptions["network"]
    adding = 3 * (workers - 1) * greatest(loads, "pushed")  # read two, write their sum
    is_at_server = workers * greatest(loads, "pulled") > total(loads, "pulled")
    parts = {
        COMPUTE: compute_seconds(work, assumptions),
        PS_NETWORK if is_at_server else WORKER_NETWORK: sum(sends) * exposed,
        PS_UPDATES: (greatest(loads, "touched") + adding) / assumptions["ps_memory_speed"],
    }
    return _synchronous(parts, workers, assumptions)


def time_all_reduce(work: Work, workers: int, assumptions: Assumptions) -> Timing:
    """Returns the rate of workers that add up their gradients in a ring.

    Each sends and receives 2 (N - 1) / N of the bytes, in 2 (N - 1) messages.
    """
    size = work.total * assumptions["bytes_per_number"]
    moved = 2 * (workers - 1) / workers * size * (1 - assumptions["overlap"])
    hops = 2 * (workers - 1) * assumptions["hop_seconds"]
    parts = {
        COMPUTE: compute_seconds(work, assumptions),
        WORKER_NETWORK: moved / assumptions["network"] + hops,
    }
    return _synchronous(parts, workers, assumptions)


def _synchronous(parts: dict[str, float], workers: int, assumptions: Assumptions) -> Timing:
    seconds = sum(parts.values())
    limits = {"workers": 1 / seconds}
    if assumptions["shared_cores"]:
        limits[SHARED_CORES] = assumptions["shared_cores"] / (workers * seconds)
    return _timing(parts, limits)


def _timing(parts: dict[str, float], limits: dict[str, float]) -> Timing:
    least = min(limits, key=limits.get)
    # Workers that wait for nothing shared are bound by what they spend most of a step on.
    bottleneck = max(parts, key=parts.get) if least == "workers" else least
    return Timing(parts, limits, bottleneck)


def _slowest(workers: int, loads: Sequence[ServerLoad], field: str) -> float:
    """Bytes through the busiest cable when every worker moves its own at once."""
    return max(total(loads, field), workers * greatest(loads, field))


def _inverse(seconds: float) -> float:
    return 1 / seconds if seconds else math.inf
