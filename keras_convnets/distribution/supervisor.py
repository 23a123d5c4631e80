"""Who sees to it that a cluster goes on when a process dies, and that all ends when it should."""

import abc
import dataclasses
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from keras_convnets.distribution.processes import Process, signal_name
from keras_convnets.exit_codes import BAD_INPUT, FAILED, RESTART
from keras_convnets.stopping import StopRequest

_LOOK_EVERY = 0.1


@dataclasses.dataclass(frozen=True)
class Command:
    """What every process of a cluster runs.

    Attributes:
        start: program and arguments that begin the work.
        resume: those that go on with it.
        marker: a file; once it is there, there is work to go on with.
    """

    start: Sequence[str]
    resume: Sequence[str]
    marker: Path

    @property
    def next(self) -> Sequence[str]:
        """Program and arguments for a process that takes up the work of another."""
        return self.resume if self.marker.exists() else self.start


@dataclasses.dataclass(frozen=True)
class Limits:
    """How much a supervisor takes, and how long it waits.

    Attributes:
        restarts: how often the chief, or all synchronous workers, may be started again.
        quick: a worker that lives for less than these seconds died at once.
        quick_deaths: how often in a row a worker may do so.
        notice: seconds that the chief has to notice that a parameter server is gone.
        checkpoint: seconds that it has to save its state and end when it is asked to.
        end: seconds that the others have to end, when they are asked to, or when one of them ended
            as if the work were done.
    """

    restarts: int = 3
    quick: float = 30.0
    quick_deaths: int = 5
    notice: float = 120.0
    checkpoint: float = 60.0
    end: float = 10.0


class Supervisor(abc.ABC):
    """Runs the processes of a cluster to the end of their work.

    Args:
        processes: one for each task, that which is the chief first: if it died of another's death,
            a look that sees the former sees the latter, too.
        command: what they run.
        limits: how much it takes.
        tell: gets a sentence for each thing that happens.
    """

    def __init__(
        self,
        processes: Sequence[Process],
        command: Command,
        limits: Limits,
        tell: Callable[[str], None],
    ):
        self.processes = processes
        self.command = command
        self.limits = limits
        self.tell = tell
        self.restarts = 0
        self.chief = processes[0]

    def start(self) -> None:
        """Starts them all."""
        for process in self.processes:
            process.start(self.command.start)

    def run(self, stop: StopRequest) -> int:
        """Returns the exit code of the whole when the work is done, has failed, or shall stop."""
        while stop.name is None:
            self.chief.watch(_LOOK_EVERY)
            code = self._look()
            if code is not None:
                return code
        return self._stop(stop.name)

    def end(self) -> None:
        """Ends what still runs: asks, waits, and then kills."""
        self._terminate(self.processes, self.limits.end)

    def kill(self) -> None:
        """Ends what still runs, at once."""
        for process in self.processes:
            process.kill()

    def _look(self) -> int | None:
        """Sees to what happened since the last look; returns the exit code if it is over."""
        dead = [process for process in self.processes if process.poll() is not None]
        for process in dead:
            if process.poll() == BAD_INPUT:
                self.tell(f"{process.role} can't work with what it was given.")
                self._tell_last_lines(process)
                return BAD_INPUT
        if self.chief.poll() == FAILED:  # it says so itself: a restart would come to the same
            return FAILED
        if self.chief.poll() == 0:
            return self._finish()
        return self._mend(dead)

    @abc.abstractmethod
    def _mend(self, dead: Sequence[Process]) -> int | None:
        """Sees to it that the work goes on without, or again with, processes that died.

        Args:
            dead: those that do not run, the chief among them if its work is not done.

        Returns:
            The exit code of the whole if it can't.
        """

    def _finish(self) -> int:
        """What is to do when the chief's work is done; returns the exit code."""
        return 0

    @property
    @abc.abstractmethod
    def _saving(self) -> Sequence[Process]:
        """The processes that save the state, while the others still serve them."""

    def _stop(self, name: str) -> int:
        """Lets the state be saved, as a signal asked; returns the exit code."""
        self.tell(f"{name}: {self.chief.role} saves its state and ends.")
        self._terminate(self._saving, self.limits.checkpoint)
        return 0 if self.chief.poll() == 0 else RESTART

    def _terminate(self, processes: Iterable[Process], seconds: float) -> None:
        processes = [process for process in processes if process.poll() is None]
        for process in processes:
            process.terminate()
        self._wait(processes, seconds)
        for process in processes:
            if process.poll() is None:
                self.tell(f"{process.role} did not end in {seconds:g} s and is killed.")
                process.kill()

    def _wait(self, processes: Sequence[Process], seconds: float) -> None:
        """Waits until processes have ended, or some time is over."""
        limit = time.monotonic() + seconds
        while any(process.poll() is None for process in processes) and time.monotonic() < limit:
            self.chief.watch(_LOOK_EVERY)

    def _may_restart(self, cause: Process) -> bool:
        """Counts a restart of what `restarts` limits; tells if it is one too many."""
        if self.restarts == self.limits.restarts:
            self.tell(
                f"{cause.role} {_how_it_ended(cause.poll())}, and --max-restarts "
                f"{self.limits.restarts} is reached."
            )
            self._tell_last_lines(cause)
            return False
        self.restarts += 1
        return True

    def _restart(self, process: Process, command: Sequence[str]) -> None:
        """Starts a process again, and tells why."""
        what = _how_it_ended(process.poll())
        process.start(command)
        self.tell(f"{process.role} {what}; started again as process {process.pid}.")

    def _tell_last_lines(self, process: Process) -> None:
        if process is not self.chief:  # whose lines are in the terminal
            self.tell(f"The last lines of {process.log}:\n{process.last_lines()}")


class AsynchronousSupervisor(Supervisor):
    """For a chief, workers and parameter servers.

    A worker that dies is started again, and nobody waits for it. With a parameter server its
    variables are gone: when the chief has noticed and ended, both start again, and go on from the
    last checkpoint. If the chief dies, it alone does. One that ends with 0 may have seen before the
    chief that the run is finished, so that the chief has some time to end, too.
    """

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self._lost: float | None = None  # when a parameter server was

    def _mend(self, dead):
        dead = [process for process in dead if not self._may_be_done(process)]
        for worker in (process for process in dead if process.role.task == "worker"):
            if not self._restart_worker(worker):
                return FAILED
        servers = [process for process in dead if process.role.task == "ps"]
        if self.chief in dead:
            return self._restart_chief(servers)
        if servers:
            self._urge_chief(servers)
        return None

    @property
    def _saving(self):
        return [self.chief]

    def _may_be_done(self, process: Process) -> bool:
        return process.poll() == 0 and process.seconds_since_end < self.limits.end

    def _restart_worker(self, worker: Process) -> bool:
        quick = worker.seconds < self.limits.quick
        worker.quick_deaths = worker.quick_deaths + 1 if quick else 0
        if worker.quick_deaths == self.limits.quick_deaths:
            self.tell(
                f"{worker.role} {_how_it_ended(worker.poll())}, and it lived for less than "
                f"{self.limits.quick:g} s {worker.quick_deaths} times in a row."
            )
            self._tell_last_lines(worker)
            return False
        self._restart(worker, self.command.start)
        return True

    def _urge_chief(self, servers: Sequence[Process]) -> None:
        """Waits for the chief to notice that servers are gone, and ends it if it does not."""
        if self._lost is None:
            self._lost = time.monotonic()
            names = ", ".join(str(server.role) for server in servers)
            self.tell(f"{names} {_how_it_ended(servers[0].poll())}; waiting for the chief to end.")
        if time.monotonic() - self._lost > self.limits.notice:
            self._terminate([self.chief], self.limits.end)

    def _restart_chief(self, servers: Sequence[Process]) -> int | None:
        self._lost = None
        if not self._may_restart(servers[0] if servers else self.chief):
            return RESTART if self.chief.poll() == RESTART else FAILED
        for server in servers:
            self._restart(server, self.command.start)
        self._restart(self.chief, self.command.next)
        return None


class SynchronousSupervisor(Supervisor):
    """For workers that do each step together: if one dies, all start again.

    They go on from the last checkpoint.
    """

    def _mend(self, dead):
        failed = [process for process in dead if process.poll() != 0]
        if not failed:
            return None
        # One that asks for a restart has noticed that another is gone.
        cause = min(failed, key=lambda process: process.poll() == RESTART)
        if not self._may_restart(cause):
            return RESTART if cause.poll() == RESTART else FAILED
        self.tell(f"{cause.role} {_how_it_ended(cause.poll())}; all workers start again.")
        self._terminate(self.processes, self.limits.end)
        for process in self.processes:
            self._restart(process, self.command.next)
        return None

    def _finish(self):
        self._wait(self.processes, self.limits.end)
        return 0

    @property
    def _saving(self):
        return self.processes


def _how_it_ended(code: int) -> str:
    """Says an exit code."""
    if code < 0:
        return f"was killed by {signal_name(-code)}"
    return {0: "ended", RESTART: "asked for a restart"}.get(code, f"failed with code {code}")
