"""A plan: memory, traffic, rate, staleness and days of one training on one cluster."""

import dataclasses
import math
from typing import Any

from keras_convnets.distribution.planning import timing
from keras_convnets.distribution.planning.assumptions import Assumptions
from keras_convnets.distribution.planning.timing import COORDINATOR, Timing
from keras_convnets.distribution.planning.traffic import ServerLoad, greatest, server_loads, total
from keras_convnets.distribution.planning.work import Work
from keras_convnets.errors import InputError, check_number

MOST_PROCESSES = 100_000
_DAY = 24 * 60 * 60


@dataclasses.dataclass(frozen=True)
class Plan:
    """What `make_plan` returns.

    Attributes:
        name: of the work.
        mode: how workers share their gradients.
        workers: number of workers.
        servers: number of parameter servers.
        memory: bytes by role and kind.
        loads: of each parameter server.
        timing: seconds of a step, and what bounds the rate.
        images_per_update: images of which an update has gradients.
        ideal_images_per_second: what the workers would do if they only computed.
        staleness: updates of others between a worker's reading and writing, or `None`.
        days: of one pass over the data, and of the whole training.
        notes: sentences on what does not fit.
        assumptions: what all that rests on.
    """

    name: str
    mode: str
    workers: int
    servers: int
    memory: dict[str, dict[str, float]]
    loads: tuple[ServerLoad, ...]
    timing: Timing
    images_per_update: int
    ideal_images_per_second: float
    staleness: float | None
    days: dict[str, float]
    notes: tuple[str, ...]
    assumptions: Assumptions

    @property
    def images_per_second(self) -> float:
        """Of all workers together."""
        return self.timing.rate * self.images_per_update

    def to_json(self) -> dict[str, Any]:
        """Returns the whole plan as JSON has it; a limit that there is not is `None`."""
        limits = self.timing.limits
        return {
            "name": self.name,
            "mode": self.mode,
            "workers": self.workers,
            "ps": self.servers,
            "memory_bytes": self.memory,
            "ps_bytes": [dataclasses.asdict(load) for load in self.loads],
            "step_seconds": self.timing.parts,
            "limits_updates_per_second": {
                name: limit if math.isfinite(limit) else None for name, limit in limits.items()
            },
            "bottleneck": self.timing.bottleneck,
            "updates_per_second": self.timing.rate,
            "images_per_update": self.images_per_update,
            "images_per_second": self.images_per_second,
            "ideal_images_per_second": self.ideal_images_per_second,
            "staleness": self.staleness,
            "days": self.days,
            "notes": list(self.notes),
            "assumptions": {
                item.name: {"value": item.value, "unit": item.unit, "source": item.source}
                for item in self.assumptions
            },
        }


def make_plan(work: Work, workers: int, servers: int, assumptions: Assumptions) -> Plan:
    """Returns the plan of a training.

    Asynchronous workers share parameter servers; synchronous ones do if there are any, and add up
    their gradients in a ring otherwise.

    Args:
        work: what is trained.
        workers: number of workers.
        servers: number of parameter servers.
        assumptions: see `assume`.

    Raises:
        InputError: if there can be no such cluster.
    """
    check_cluster(workers, servers, work.is_async)
    if assumptions["peak_flops"] is None:
        raise InputError(
            "Nothing is printed of what this device can do; measure it by `--device local`, or "
            "give `--assume peak_flops=NUMBER`."
        )
    loads = server_loads(work, servers, assumptions) if servers else ()
    if work.is_async:
        mode = "asynchronous"
        timed = timing.time_async(work, workers, loads, assumptions)
    elif servers:
        mode = "synchronous"
        timed = timing.time_sync_servers(work, workers, loads, assumptions)
    else:
        mode = "synchronous by all-reduce in a ring"
        timed = timing.time_all_reduce(work, workers, assumptions)
    batch = assumptions["worker_batch"]
    memory = _memory(work, loads, assumptions)
    images_per_update = batch if work.is_async else batch * workers
    return Plan(
        name=work.name,
        mode=mode,
        workers=workers,
        servers=servers,
        memory=memory,
        loads=loads,
        timing=timed,
        images_per_update=images_per_update,
        ideal_images_per_second=workers * batch / timing.compute_seconds(work, assumptions),
        staleness=_staleness(timed, workers) if work.is_async else None,
        days=_days(work, timed.rate, images_per_update, assumptions["training_images"]),
        notes=_notes(work, memory, images_per_update, assumptions),
        assumptions=assumptions,
    )


def check_cluster(workers: int, servers: int, is_async: bool) -> None:
    """Makes sure that there can be such a cluster.

    Raises:
        InputError: if there can not.
    """
    most = MOST_PROCESSES
    check_number("The number of workers", workers, least=1, most=most, whole=True)
    check_number("The number of parameter servers", servers, least=0, most=most, whole=True)
    if is_async and not servers:
        raise InputError(
            "An asynchronous training wants at least one parameter server (--ps). Received: 0"
        )


def _memory(
    work: Work, loads: tuple[ServerLoad, ...], assumptions: Assumptions
) -> dict[str, dict[str, float]]:
    size = assumptions["bytes_per_number"]
    kept = sum(map(work.kept, work.variables))
    worker = {
        "weights and statistics": size * work.total,
        "gradients": size * work.trainable,
        "activations": size * work.activations * assumptions["worker_batch"],
        # Gradients that are clipped, scaled or on their way are a second copy of them.
        "optimizer's workspace": size * work.trainable,
    }
    if not loads:
        return {"worker": {**worker, "slots and averages": size * kept}}
    return {
        "worker": worker,
        "ps, greatest": {
            "weights and statistics": greatest(loads, "variables"),
            "slots and averages": greatest(loads, "kept"),
        },
        "ps, mean": {
            "weights and statistics": total(loads, "variables") / len(loads),
            "slots and averages": total(loads, "kept") / len(loads),
        },
    }


def _staleness(timed: Timing, workers: int) -> float:
    """Updates of the other workers while one reads, computes and writes.

    In steady state each of the others updates once in the time that a worker needs for a whole
    cycle, so that they are (W - 1) times the share of the cycle between its read and its write. It
    waits for servers within that share, and for the coordinator outside.
    """
    cycle = workers / timed.rate
    outside = timed.parts[COORDINATOR]
    if timed.bottleneck == COORDINATOR:
        outside += cycle - timed.seconds
    return (workers - 1) * (cycle - outside) / cycle


def _days(work: Work, rate: float, images_per_update: int, images: int | None) -> dict[str, float]:
    per_day = rate * images_per_update * _DAY
    days = {} if images is None else {"one pass over the data": images / per_day}
    if work.unit == "updates":
        days["the recipe's length"] = work.length / (rate * _DAY)
    elif work.unit == "images":
        days["the recipe's length"] = work.length / per_day
    elif images is not None:
        days["the recipe's length"] = work.length * images / per_day
    return days


def _notes(
    work: Work,
    memory: dict[str, dict[str, float]],
    images_per_update: int,
    assumptions: Assumptions,
) -> tuple[str, ...]:
    notes = []
    need, room = sum(memory["worker"].values()), assumptions["device_memory"]
    if room is not None and need > room:
        notes.append(
            f"A worker needs {need / 2**30:.1f} GiB, and its device has {room / 2**30:.1f}: make "
            "worker_batch smaller."
        )
    if images_per_update != work.batch_size:
        notes.append(
            f"An update is of {images_per_update:,} images here and of {work.batch_size:,} in the "
            "recipe, which the learning rate belongs to."
        )
    if assumptions["training_images"] is None:
        notes.append("How many images the data has is not known: --assume training_images=NUMBER.")
    return tuple(notes)
