"""What tests ask of processes that they started."""

import time
from pathlib import Path


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that nobody has waited for has ended, too."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def wait_for(condition, seconds=120):
    """Returns what a condition finds, once it finds something."""
    limit = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < limit
        time.sleep(0.05)
    return found
