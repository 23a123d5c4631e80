"""A process of a local cluster: how it starts, what it writes, how it ends."""

import contextlib
import ctypes
import io
import os
import re
import select
import shutil
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import IO, TextIO

from keras_convnets.distribution.roles import Role

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
# What terminals take as orders: colours, and where to write (ECMA-48 section 5.4).
_CONTROL = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]")
_TAIL = 20


class Process:
    """A task of a cluster as a process of this machine.

    Args:
        role: the task.
        log: the file that gets what it writes, behind what is there.
        core: the one CPU core that it may use, or `None` for all.
        echo: where else to write what it writes, for a person who watches; or `None`.
    """

    def __init__(
        self, role: Role, log: Path, *, core: int | None = None, echo: TextIO | None = None
    ):
        self.role = role
        self.log = log
        self.starts = 0
        self.quick_deaths = 0
        self._core = core
        self._tee = None if echo is None else _Tee(log, echo)
        self._process: subprocess.Popen | None = None
        self._started = 0.0
        self._ended: float | None = None  # when that was seen
        self._was_told = False

    @property
    def pid(self) -> int:
        """Of the process that was started last."""
        return self._process.pid

    @property
    def exit_code(self) -> str:
        """Of the process that was started last, for people."""
        code = None if self._process is None else self.poll()
        if code is None:
            return "not started" if self._process is None else "none yet"
        if code < 0 and self._was_told:
            return "ended by launch"
        return str(code) if code >= 0 else signal_name(-code)

    @property
    def seconds(self) -> float:
        """That the process which was started last runs, or ran."""
        return (self._ended or time.monotonic()) - self._started

    @property
    def seconds_since_end(self) -> float:
        """Since that was seen to have ended; 0 while it runs."""
        return 0.0 if self._ended is None else time.monotonic() - self._ended

    def start(self, command: Sequence[str]) -> None:
        """Starts it, for the first time or again.

        It dies with the process that calls this, even if that is killed; under Linux alone.
        """
        self.drain()
        environ = os.environ | {"TF_CONFIG": self.role.tf_config, "PYTHONUNBUFFERED": "1"}
        # Somebody holds its port for it; see `launcher.local_roles`.
        environ["TF_GRPC_REUSE_PORT"] = "1"
        environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")  # the processes share a machine
        with contextlib.ExitStack() as stack:
            if self._tee is None:
                output = stack.enter_context(self.log.open("ab"))
            else:
                environ |= self._tee.environ
                output = subprocess.PIPE
            cores = None if self._core is None else {self._core}
            self._process = start_tied(command, environ, output, cores)
        if self._tee is not None:
            self._tee.attach(self._process.stdout)
        self._was_told = False
        self._ended = None
        self.starts += 1
        self._started = time.monotonic()

    def poll(self) -> int | None:
        """Returns its exit code, negative if a signal killed it, or `None` while it runs."""
        code = self._process.poll()
        if code is not None and self._ended is None:
            self._ended = time.monotonic()
        return code

    def watch(self, seconds: float) -> None:
        """Waits some time, or less if it writes something that is to be passed on."""
        if self._tee is None:
            time.sleep(seconds)
        else:
            self._tee.wait(seconds)
            self._tee.read()

    def drain(self) -> None:
        """Passes on all that it wrote."""
        while self._tee is not None and self._tee.read():
            pass

    def terminate(self) -> None:
        """Asks it to end."""
        self._was_told = True
        self._process.terminate()

    def kill(self) -> None:
        """Ends it, and what it started."""
        if self._process is not None and self._process.poll() is None:
            self._was_told = True
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def last_lines(self) -> str:
        """Returns the end of its log."""
        self.drain()
        if not self.log.is_file():
            return ""
        with self.log.open(errors="replace") as file:
            return "".join(deque(file, _TAIL)).rstrip()


def signal_name(number: int) -> str:
    """Returns the name of a signal, such as "SIGKILL"."""
    names = {known.value: known.name for known in signal.Signals}
    return names.get(number, f"signal {number}")


class _Tee:
    """Passes what a process writes on to a person, and its lines to a log.

    A progress bar that is drawn again and again in one line is in the log once at most.
    """

    def __init__(self, log: Path, echo: TextIO):
        self._log = log
        self._echo = echo
        self._pipe: io.RawIOBase | None = None
        self._line = b""

    @property
    def environ(self) -> dict[str, str]:
        """What makes a program write into the pipe as into the terminal behind it."""
        if not self._echo.isatty():
            return {}
        size = shutil.get_terminal_size()
        return {"FORCE_COLOR": "1", "COLUMNS": str(size.columns), "LINES": str(size.lines)}

    def attach(self, pipe: io.RawIOBase) -> None:
        os.set_blocking(pipe.fileno(), False)
        self._pipe = pipe

    def wait(self, seconds: float) -> None:
        """Waits for something to read, or some time."""
        if self._pipe is None:
            time.sleep(seconds)
        else:
            select.select([self._pipe], [], [], seconds)

    def read(self) -> bool:
        """Passes some of it on; returns whether there may be more."""
        chunk = None if self._pipe is None else self._pipe.read(1 << 16)
        if chunk is None:  # nothing at present
            return False
        if not chunk:
            self._pipe.close()
            self._pipe = None
            chunk = b"\n" if self._line else b""
        self._pass_on(chunk)
        return True

    def _pass_on(self, chunk: bytes) -> None:
        with contextlib.suppress(OSError):  # nobody watches any more: `| head`
            if hasattr(self._echo, "buffer"):
                self._echo.buffer.write(chunk)
            else:  # a notebook's
                self._echo.write(chunk.decode(errors="replace"))
            self._echo.flush()
        *lines, rest = (self._line + chunk).split(b"\n")
        self._line = rest[rest.rfind(b"\r", 0, -1) + 1 :]  # what a bar draws over is of no use
        if lines:
            with self._log.open("ab") as file:
                file.writelines(_plain(line) + b"\n" for line in lines)


def _plain(line: bytes) -> bytes:
    """What is to be seen of a line in the end, without colours."""
    return _CONTROL.sub(b"", line.rstrip(b"\r").rpartition(b"\r")[2])


def start_tied(
    command: Sequence[str],
    environ: Mapping[str, str],
    output: int | IO[bytes],
    cores: Collection[int] | None = None,
) -> subprocess.Popen:
    """Starts a process that dies with the thread that calls this, even if that is killed.

    Ctrl-C in the terminal does not reach it. Under Linux alone.

    Args:
        command: program and arguments.
        environ: its environment.
        output: what gets all that it writes, as `subprocess.Popen` takes it.
        cores: the CPU cores that it may use; `None` for those of this process.
    """
    return subprocess.Popen(  # noqa: S603 - it is what the user wants to run
        command,
        bufsize=0,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=environ,
        process_group=0,
        preexec_fn=tied_to(os.getpid(), cores),
    )


def tied_to(parent: int, cores: Collection[int] | None = None) -> Callable[[], None]:
    """Returns what a new process does first: die when its parent does, and keep to its cores."""
    libc = ctypes.CDLL(None)

    def prepare() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before
            os._exit(1)
        if cores is not None:
            os.sched_setaffinity(0, cores)

    return prepare
