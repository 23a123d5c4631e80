"""What is worth knowing of an asynchronous run: who works how fast, on how old weights, and where
what learns lies."""

import collections
import math
import time
from typing import Any

import keras
import numpy as np

from keras_convnets.training.parameter_server.steps import Done
from keras_convnets.training.parameter_server.twin import Twin


class Figures:
    """Counts what workers say of their steps.

    Args:
        batch_size: images of a step.
    """

    def __init__(self, batch_size: int):
        self._batch_size = batch_size
        self._steps: collections.Counter[int] = collections.Counter()
        self._staleness: collections.Counter[int] = collections.Counter()
        self._began = time.perf_counter()
        self._away = 0.0

    def add(self, done: Done) -> None:
        """Counts some steps of a worker."""
        self._steps[int(done.worker)] += len(done.staleness)
        self._staleness.update(done.staleness.tolist())

    def rest(self, seconds: float) -> None:
        """Leaves out time in which no worker was asked to do anything."""
        self._away += seconds

    def summary(self, twin: Twin, surplus: int) -> dict[str, Any]:
        """Returns the content of asynchronous.json.

        `staleness` is the number of updates by others between a worker's first look at the weights
        and its own update. Bytes of a step are those that a worker takes from a server and sends to
        it: what learns and the statistics there, and gradients of what learns.

        Args:
            twin: the net on the servers.
            surplus: updates beyond those that were asked for, by workers that died in between.
        """
        seconds = time.perf_counter() - self._began - self._away
        values = np.array(sorted(self._staleness.elements()))
        return {
            "steps": int(sum(self._steps.values())),
            "seconds": round(seconds, 3),
            "surplus": surplus,
            "staleness": {
                "mean": float(values.mean()) if len(values) else None,
                "p95": int(np.quantile(values, 0.95, method="higher")) if len(values) else None,
                "counts": {str(value): self._staleness[value] for value in sorted(self._staleness)},
            },
            "workers": {
                str(worker): {
                    "steps": steps,
                    "images_per_second": round(steps * self._batch_size / seconds, 1),
                }
                for worker, steps in sorted(self._steps.items())
            },
            "servers": {
                device: _load(variables, twin.model)
                for device, variables in twin.placement().items()
            },
        }


def summary_line(figures: dict[str, Any]) -> str:
    """Says what a run's asynchronous.json holds."""
    staleness, workers = figures["staleness"], figures["workers"]
    speeds = ", ".join(
        f"worker {name} {row['images_per_second']:,.0f}" for name, row in workers.items()
    )
    loads = ", ".join(f"{server['bytes'] / 1e6:,.1f}" for server in figures["servers"].values())
    return (
        f"images/s: {speeds}; updates by others between read and write: mean "
        f"{staleness['mean'] or 0:.2f}, p95 {staleness['p95'] or 0}; MB on the servers: {loads}"
    )


def _load(variables: list[keras.Variable], model: keras.Model) -> dict[str, int]:
    """What a server holds, and what goes to and from it in a step."""
    learns = {id(variable) for variable in model.trainable_variables}
    is_of_net = {id(variable) for variable in model.variables}
    return {
        "variables": len(variables),
        "bytes": sum(map(_bytes, variables)),
        "bytes_read_per_step": sum(_bytes(v) for v in variables if id(v) in is_of_net),
        "bytes_written_per_step": sum(_bytes(v) for v in variables if id(v) in learns),
    }


def _bytes(variable: keras.Variable) -> int:
    return math.prod(variable.shape) * np.dtype(variable.value.dtype.as_numpy_dtype).itemsize
