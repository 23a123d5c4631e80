"""Two ways to do one thing, timed in turns: what counts is the ratio, for machines are noisy."""

import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import rich.console
import rich.table

RESULTS = Path(__file__).parent / "results"


def seconds(function: Callable[[], object]) -> float:
    """Returns how long one call takes."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def time_in_turns(
    calls: Sequence[Callable[[], object]],
    rounds: int,
    measure: Callable[[Callable[[], object]], float] = seconds,
) -> list[list[float]]:
    """Returns the seconds of each call in each round, after one of each that doesn't count."""
    for call in calls:
        call()
    times = [[] for _ in calls]
    for turn in range(rounds):
        # There and back, so that no call always follows the same one.
        turns = list(zip(calls, times, strict=True))
        for call, own in turns if turn % 2 else reversed(turns):
            own.append(measure(call))
    return times


def median_ratio(numerators: Sequence[float], denominators: Sequence[float]) -> float:
    """Returns the median of the rounds' ratios."""
    return statistics.median(a / b for a, b in zip(numerators, denominators, strict=True))


def machine() -> str:
    """Returns what a result was measured on."""
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"


def write_result(result: dict) -> None:
    """Writes results/NAME.json."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{result['name']}.json").write_text(json.dumps(result, indent=2) + "\n")


def print_result(result: dict) -> None:
    """Prints a result as a table."""
    table = rich.table.Table("what", "value", title=result["name"])
    for key, value in result.items():
        table.add_row(key, str(value))
    rich.console.Console().print(table)


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
    times = time_in_turns([ours, rival], rounds, measure)
    first, second = map(statistics.median, times)
    result = {
        "name": name,
        "rival": rival_name,
        "ours_seconds": round(first, 4),
        "rival_seconds": round(second, 4),
        "difference_seconds": round(first - second, 4),
        "time_ratio": round(median_ratio(*times), 3),
        "speed_ratio": round(median_ratio(*reversed(times)), 3),
        "rounds": rounds,
        "wanted": wanted,
        "machine": machine(),
    }
    write_result(result)
    print_result(result)
