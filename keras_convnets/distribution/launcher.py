"""A cluster of real processes on one machine, for development and tests."""

import contextlib
import datetime
import os
import socket
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import rich.console
import rich.control
import rich.segment
import rich.table

from keras_convnets.distribution.processes import Process
from keras_convnets.distribution.roles import Role
from keras_convnets.distribution.supervisor import (
    AsynchronousSupervisor,
    Command,
    Limits,
    SynchronousSupervisor,
)
from keras_convnets.errors import InputError, check_number
from keras_convnets.exit_codes import RESTART
from keras_convnets.files import check_writable
from keras_convnets.stopping import stop_requests

HOST = "127.0.0.1"
_DEFAULT_LIMITS = Limits()


def launch(
    command: Command,
    *,
    workers: int,
    servers: int = 0,
    logs: str | os.PathLike,
    pin_cores: bool = False,
    limits: Limits = _DEFAULT_LIMITS,
) -> int:
    """Runs a command in every process of a cluster on this machine, to the end.

    With parameter servers there is a chief beside the workers, else worker 0 is the chief.
    TF_CONFIG tells each process its task. A process that dies is started again, within limits;
    SIGTERM and Ctrl-C let the chief save its state first. No process outlives this one, whatever
    ends it.

    Args:
        command: what to run.
        workers: number of workers.
        servers: number of parameter servers; without any, workers are taken to be synchronous.
        logs: folder of the logs: one for each process, which is appended to, and launch.log with
            what happened. The chief's output is printed, too.
        pin_cores: whether each worker gets a CPU core of its own, as long as there are enough.
        limits: how much is taken, and how long waited for.

    Returns:
        0 if the work is done, 1 if it failed, 2 if a process can't work with what it was given,
        75 if it was stopped and can go on.

    Raises:
        InputError: if the numbers can't be, or the logs can't be written.
    """
    _check(workers, servers, limits)
    logs = Path(logs)
    check_writable(logs)
    logs.mkdir(parents=True, exist_ok=True)
    reporter = _Reporter(logs / "launch.log")
    supervise = AsynchronousSupervisor if servers else SynchronousSupervisor
    with local_roles(workers, servers) as roles, stop_requests() as stop:
        processes = _make_processes(roles, logs, pin_cores)
        supervisor = supervise(processes, command, limits, reporter.tell)
        try:
            supervisor.start()
            reporter.show_start(processes)
            code = supervisor.run(stop)
            supervisor.end()
        except KeyboardInterrupt:  # the second one
            code = RESTART
        finally:
            supervisor.kill()
        processes[0].drain()
        reporter.show_end(processes)
    return code


@contextlib.contextmanager
def local_roles(workers: int, servers: int) -> Iterator[list[Role]]:
    """Gives the roles of a cluster on this machine, the chief's first, at free ports.

    Within the block the ports are held, so that nobody else gets them before their process listens
    or while it is restarted. To listen there it has to set SO_REUSEPORT; TensorFlow does if
    TF_GRPC_REUSE_PORT is 1.
    """
    counts = {"chief": 1, "worker": workers, "ps": servers} if servers else {"worker": workers}
    with contextlib.ExitStack() as stack:
        cluster = {
            task: tuple(f"{HOST}:{_hold_port(stack)}" for _ in range(count))
            for task, count in counts.items()
        }
        yield [Role(task, i, cluster) for task in cluster for i in range(len(cluster[task]))]


def _hold_port(stack: contextlib.ExitStack) -> int:
    holder = stack.enter_context(socket.socket())
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    # All addresses, as TensorFlow's server wants them all.
    holder.bind(("", 0))
    return holder.getsockname()[1]


def _check(workers: int, servers: int, limits: Limits) -> None:
    if sys.platform != "linux":
        raise InputError(
            "A cluster is launched under Linux, which ends its processes with the launcher. "
            f"Received: {sys.platform}"
        )
    check_number("The number of workers", workers, least=1, whole=True)
    check_number("The number of parameter servers", servers, least=0, whole=True)
    check_number("The number of restarts", limits.restarts, least=0, whole=True)


def _make_processes(roles: Sequence[Role], logs: Path, pin_cores: bool) -> list[Process]:
    cores = sorted(os.sched_getaffinity(0))
    return [
        Process(
            role,
            logs / f"{str(role).replace(' ', '-')}.log",
            core=cores[role.index % len(cores)] if pin_cores and role.task == "worker" else None,
            echo=sys.stdout if role.is_chief else None,
        )
        for role in roles
    ]


class _Reporter:
    """Tells what happens, in the terminal and in a log."""

    def __init__(self, log: Path):
        self._log = log
        self._console = rich.console.Console(highlight=False, markup=False, soft_wrap=True)

    def tell(self, sentence: str) -> None:
        """Writes what happened."""
        now = datetime.datetime.now().astimezone()
        with self._log.open("a") as file:
            file.write(f"{now.isoformat(' ', 'seconds')} {sentence}\n")
        # The bar of the chief may be in the line.
        kinds = rich.segment.ControlType
        self._console.control(rich.control.Control(kinds.CARRIAGE_RETURN, (kinds.ERASE_IN_LINE, 2)))
        self._console.print(sentence, style="yellow")

    def show_start(self, processes: Sequence[Process]) -> None:
        """Prints who does what where."""
        rows = [(process.pid, process.role.address) for process in processes]
        self._show(processes, ("process", "address"), rows)

    def show_end(self, processes: Sequence[Process]) -> None:
        """Prints what became of each."""
        rows = [(max(0, process.starts - 1), process.exit_code) for process in processes]
        self._show(processes, ("restarts", "exit code"), rows)

    def _show(
        self, processes: Sequence[Process], names: Sequence[str], rows: Sequence[Sequence[object]]
    ) -> None:
        table = rich.table.Table("role", *names, "log")
        for process, row in zip(processes, rows, strict=True):
            table.add_row(str(process.role), *map(str, row), process.log.name)
        self._console.print(table, f"Logs are in {self._log.parent}.", sep="\n")
