"""Several workers on this machine, by Keras Tuner's own service: one process has the oracle.

The process of the search serves the oracle at 127.0.0.1, and each worker asks it for trials. Keras
Tuner's `start_server` is not used: it waits in steps of 20 seconds, and for ever for a worker that
was killed.
"""

import contextlib
import dataclasses
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent import futures
from pathlib import Path

import grpc
import keras_tuner
import tensorflow as tf
from keras_tuner.src import protos
from keras_tuner.src.distribute.oracle_chief import OracleServicer

from keras_convnets.distribution.launcher import HOST
from keras_convnets.distribution.processes import signal_name, start_tied
from keras_convnets.errors import InputError, StoppedError
from keras_convnets.stopping import StopRequest
from keras_convnets.tuning.outcome import LOGS
from keras_convnets.tuning.runner import SAVING, end, kill, last_lines

COMMAND = (sys.executable, "-m", "keras_convnets.tuning.worker")
# How often a worker that died is started again.
RESTARTS = 3
_LOOK_EVERY = 0.2


@dataclasses.dataclass(frozen=True)
class Share:
    """What a worker gets of the machine.

    Attributes:
        cores: CPU cores.
        gpu: as CUDA_VISIBLE_DEVICES names it, or `None` where there are none.
    """

    cores: frozenset[int]
    gpu: str | None = None


def share_out(workers: int, cores: list[int], gpus: list[str]) -> list[Share]:
    """Shares a machine out: a GPU for each worker, and as many cores for each as can be.

    Args:
        workers: how many there are.
        cores: CPU cores; where there are fewer than workers, some share one.
        gpus: names of the GPUs; none, or at least one for each.

    Raises:
        InputError: if there are some GPUs, but too few.
    """
    if gpus and len(gpus) < workers:
        raise InputError(
            f"Each worker wants a GPU of its own, of which there are {len(gpus)}. "
            f"Received: --workers {workers}"
        )
    first = [len(cores) * worker // workers for worker in range(workers + 1)]
    return [
        Share(
            frozenset(cores[first[i] : max(first[i + 1], first[i] + 1)]),
            gpus[i] if gpus else None,
        )
        for i in range(workers)
    ]


def visible_gpus() -> list[str]:
    """Returns the GPUs that this process sees, as CUDA_VISIBLE_DEVICES names them."""
    count = len(tf.config.list_physical_devices("GPU"))
    named = [name for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name]
    return named[:count] if named else [str(index) for index in range(count)]


@contextlib.contextmanager
def served(oracle: keras_tuner.Oracle) -> Iterator[int]:
    """Serves an oracle to processes of this machine within the block; gives the port."""
    options = [("grpc.so_reuseport", 0)]  # nobody else answers at the same port
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=1), options=options)
    protos.get_service_grpc().add_OracleServicer_to_server(OracleServicer(oracle), server)
    port = server.add_insecure_port(f"{HOST}:0")
    server.start()
    try:
        yield port
    finally:
        server.stop(None).wait()


class _Worker:
    """A worker of a search, and its process."""

    def __init__(self, name: str, share: Share, command: list[str], folder: Path, port: int):
        self.name = name
        self.log = folder / LOGS / f"{name}.log"
        self.starts = 0
        self._share = share
        self._command = command
        self._environ = os.environ | {
            "KERASTUNER_TUNER_ID": name,
            "KERASTUNER_ORACLE_IP": HOST,
            "KERASTUNER_ORACLE_PORT": str(port),
            "PYTHONUNBUFFERED": "1",
            "no_grpc_proxy": HOST,  # gRPC asks the proxy of the environment for its own machine
        }
        if share.gpu is not None:
            self._environ["CUDA_VISIBLE_DEVICES"] = share.gpu
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        self.log.parent.mkdir(exist_ok=True)
        with self.log.open("ab") as output:
            self.process = start_tied(self._command, self._environ, output, self._share.cores)
        self.starts += 1

    @property
    def how_it_ended(self) -> str:
        code = self.process.poll()
        return f"was killed by {signal_name(-code)}" if code < 0 else f"ended with code {code}"


def serve(
    oracle: keras_tuner.Oracle,
    folder: Path,
    workers: int,
    minutes: float | None,
    stop: StopRequest,
    look: Callable[[], None],
    command: Sequence[str] = COMMAND,
) -> None:
    """Runs the trials that an oracle asks for in several processes, until it has no more.

    A worker that dies is started again and goes on with its trial. No process outlives this one.

    Args:
        oracle: the oracle.
        folder: of the search.
        workers: how many run at a time.
        minutes: how long a trial may take; `None` for as long as it wants.
        stop: whether someone asked to stop.
        look: is called again and again.
        command: what runs a worker, but for what its `main` takes.

    Raises:
        InputError: if there are fewer GPUs than workers.
        StoppedError: if someone asked to stop, or a worker died again and again.
    """
    shares = share_out(workers, sorted(os.sched_getaffinity(0)), visible_gpus())
    command = [*command, str(folder), *([] if minutes is None else [str(minutes)])]
    with served(oracle) as port:
        team = [
            _Worker(f"worker-{index}", share, command, folder, port)
            for index, share in enumerate(shares)
        ]
        try:
            for worker in team:
                worker.start()
            while stop.name is None and not _all_done(team):
                time.sleep(_LOOK_EVERY)
                look()
            if stop.name is not None:
                _end(team)
                raise StoppedError(f"Stopped by {stop.name}; the same command goes on.")
        finally:
            for worker in team:
                if worker.process is not None:
                    kill(worker.process)
    look()


def _all_done(team: list[_Worker]) -> bool:
    """Starts dead workers again; returns whether all have done their work."""
    for worker in team:
        if worker.process.poll() in (None, 0):
            continue
        if worker.starts > RESTARTS:
            last = " ".join(last_lines(worker.log)[-1:])
            raise StoppedError(
                f"{worker.name} {worker.how_it_ended} for the {worker.starts}th time: {last} "
                f"({worker.log}); the same command goes on."
            )
        worker.start()
    return all(worker.process.poll() == 0 for worker in team)


def _end(team: list[_Worker]) -> None:
    """Lets all trials be saved."""
    for worker in team:
        if worker.process.poll() is None:
            worker.process.terminate()
    for worker in team:
        end(worker.process, SAVING + 5)
