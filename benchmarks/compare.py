"""Two ways to do one thing, timed in turns: what counts is the ratio, for machines are noisy."""

import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import rich.console
import rich.table

RESULTS = Path(__file__).parent / "results"


def seconds(function: Callable[[], object]) -> float:
    """Returns how long one call takes."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def compare(
    name: str,
    ours: Callable[[], object],
    rival: Callable[[], object],
    *,
    rival_name: str,
    rounds: int,
    wanted: str,
    measure: Callable[[Callable[[], object]], float] = seconds,
) -> None:
    """Times both in turns, prints a table, and writes results/NAME.json.

    Args:
        name: what is timed.
        ours: a call of ours.
        rival: a call of the rival's.
        rival_name: what the rival is.
        rounds: how often each is timed, after one call of each that is not.
        wanted: the goal, as a phrase.
        measure: returns the seconds of one call.
    """
    ours(), rival()
    pairs = []
    for turn in range(rounds):
        if turn % 2:
            pairs.append((measure(ours), measure(rival)))
        else:
            theirs = measure(rival)
            pairs.append((measure(ours), theirs))
    first, second = (statistics.median(times) for times in zip(*pairs, strict=True))
    result = {
        "name": name,
        "rival": rival_name,
        "ours_seconds": round(first, 4),
        "rival_seconds": round(second, 4),
        "difference_seconds": round(first - second, 4),
        "time_ratio": round(statistics.median(a / b for a, b in pairs), 3),
        "speed_ratio": round(statistics.median(b / a for a, b in pairs), 3),
        "rounds": rounds,
        "wanted": wanted,
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=2) + "\n")
    table = rich.table.Table("what", "value", title=name)
    for key, value in result.items():
        table.add_row(key, str(value))
    rich.console.Console().print(table)
