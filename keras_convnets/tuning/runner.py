"""Each trial in a process of its own, so that its memory returns to the system, however it ends."""

import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from keras_convnets.distribution.processes import signal_name, start_tied
from keras_convnets.errors import StoppedError
from keras_convnets.exit_codes import RESTART
from keras_convnets.stopping import StopRequest
from keras_convnets.tuning import memory
from keras_convnets.tuning.outcome import (
    CRASH,
    FAILED,
    KILLED,
    MEMORY,
    TIME,
    Outcome,
    Task,
    keep_task,
    log_path,
    read_outcome,
    write_outcome,
)

COMMAND = (sys.executable, "-m", "keras_convnets.tuning.trial")
# How often a trial that somebody killed goes on from its checkpoint.
RESTARTS = 2
# Seconds that a process has to save its state.
SAVING = 60.0
_LOOK_EVERY = 0.1
_BY_SOMEBODY = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
# What C++ and TensorFlow's allocators write.
_OUT_OF_MEMORY = ("std::bad_alloc", "OOM when allocating")
_TAIL = 20


@dataclasses.dataclass(frozen=True)
class _End:
    """How a process ended."""

    code: int
    peak_memory: int
    is_late: bool
    is_starved: bool

    @property
    def was_killed(self) -> bool:
        """Whether somebody ended it who was not the kernel for want of memory."""
        is_signal = self.code == RESTART or -self.code in _BY_SOMEBODY
        return is_signal and not self.is_starved and not self.is_late


class Runner:
    """Runs trials, one after the other.

    Args:
        folder: of the search.
        stop: whether someone asked to stop.
        minutes: how long a trial may take; `None` for as long as it wants.
        command: what runs a trial, but for what its `main` takes.
    """

    def __init__(
        self,
        folder: Path,
        stop: StopRequest,
        *,
        minutes: float | None = None,
        command: Sequence[str] = COMMAND,
    ):
        self._folder = folder
        self._stop = stop
        self._minutes = minutes
        self._command = command

    def run(self, task: Task) -> Outcome:
        """Runs a trial to its end, from its checkpoint if it has one, and records how it ended.

        Raises:
            StoppedError: if someone asked to stop.
        """
        keep_task(self._folder, task)
        kept = read_outcome(self._folder, task.id)
        if kept is not None:  # a kill came before the oracle knew
            return kept
        began, ends = time.time(), []
        while len(ends) <= RESTARTS and all(end.was_killed for end in ends):
            ends.append(self._watch(task, began))
            kept = read_outcome(self._folder, task.id)
            if kept is not None:
                return kept
            if self._stop.name is not None:
                raise StoppedError(f"Stopped by {self._stop.name}; the same command goes on.")
        outcome = dataclasses.replace(
            self._explain(task, ends),
            seconds=round(time.time() - began, 3),
            peak_memory=max(end.peak_memory for end in ends) or None,
        )
        write_outcome(self._folder, task.id, outcome)
        return outcome

    def _watch(self, task: Task, began: float) -> _End:
        """Starts the process of a trial, and waits for its end or brings it about."""
        kills, peak, is_late = memory.count_kills(), 0, False
        process = self._start(task, began)
        try:
            while process.poll() is None and self._stop.name is None and not is_late:
                time.sleep(_LOOK_EVERY)
                peak = max(peak, memory.peak_memory(process.pid) or 0)
                is_late = self._minutes is not None and time.time() - began > 60 * self._minutes
            if self._stop.name is not None:
                end(process, SAVING)
        finally:
            kill(process)
        is_starved = process.returncode == -signal.SIGKILL and memory.count_kills() > kills
        return _End(process.returncode, peak, is_late, is_starved)

    def _start(self, task: Task, began: float) -> subprocess.Popen:
        log = log_path(self._folder, task.id)
        log.parent.mkdir(exist_ok=True)
        environ = {name: value for name, value in os.environ.items() if name != "TF_CONFIG"}
        environ["PYTHONUNBUFFERED"] = "1"
        with log.open("ab") as output:
            command = [*self._command, str(self._folder), task.id, str(began)]
            return start_tied(command, environ, output)

    def _explain(self, task: Task, ends: Sequence[_End]) -> Outcome:
        """Says why a trial has left no outcome."""
        end, log = ends[-1], log_path(self._folder, task.id)
        lines = last_lines(log)
        if end.is_late:
            return Outcome(FAILED, TIME, f"It took longer than {self._minutes:g} minutes.")
        if end.is_starved:
            return Outcome(FAILED, MEMORY, "The kernel killed it, for the memory ran out.")
        how = f"code {end.code}" if end.code >= 0 else signal_name(-end.code)
        if any(word in line for line in lines for word in _OUT_OF_MEMORY):
            return Outcome(FAILED, MEMORY, f"It ended with {how}, for the memory ran out.")
        if end.was_killed:
            return Outcome(FAILED, KILLED, f"It was killed by {how} {len(ends)} times.")
        last = f"; the last line of {log}: {lines[-1]}" if lines else "."
        return Outcome(FAILED, CRASH, f"It ended with {how}{last}")


def end(process: subprocess.Popen, seconds: float) -> None:
    """Asks a process to end, and waits some time for it."""
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        kill(process)


def kill(process: subprocess.Popen) -> None:
    """Ends a process and what it started, at once."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def last_lines(log: Path) -> list[str]:
    """Returns the last lines of a log that are not empty."""
    if not log.is_file():
        return []
    with log.open(errors="replace") as file:
        return [line.strip() for line in deque(file, _TAIL) if line.strip()]
