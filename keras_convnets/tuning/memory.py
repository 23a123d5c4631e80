"""What Linux says of the memory of processes."""

import os
from pathlib import Path

_STATUS = "/proc/{}/status"
_VMSTAT = Path("/proc/vmstat")


def peak_memory(pid: int) -> int | None:
    """Returns the most memory that a process had so far, in bytes; `None` if it has ended."""
    return _read(pid, "VmHWM")


def own_memory() -> int | None:
    """Returns the memory of this process, in bytes; `None` where nothing says it."""
    return _read(os.getpid(), "VmRSS")


def count_kills() -> int:
    """Returns how many processes the kernel has killed for want of memory since it started."""
    try:
        lines = _VMSTAT.read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))


def _read(pid: int, field: str) -> int | None:
    try:
        lines = Path(_STATUS.format(pid)).read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith(field)), None)
