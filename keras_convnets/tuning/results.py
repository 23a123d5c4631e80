"""What a search has found so far: trials.json."""

import dataclasses
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from keras_convnets.files import read_json, write_json
from keras_convnets.training import Run
from keras_convnets.tuning.outcome import (
    COMPLETED,
    FAILED,
    INFEASIBLE,
    TRIALS,
    Outcome,
    Task,
    ended_ids,
    read_outcome,
    read_task,
    run_path,
)
from keras_convnets.tuning.plan import Plan

FILE = "trials.json"


@dataclasses.dataclass(frozen=True)
class Trial:
    """A trial that has ended.

    Attributes:
        task: what it tried.
        outcome: how it ended.
        search_memory: that of the search's process at its end, in bytes; `None` if unknown.
    """

    task: Task
    outcome: Outcome
    search_memory: int | None = None


def ended(folder: Path, memory: Mapping[str, int | None] | None = None) -> list[Trial]:
    """Returns the trials that have ended, in the order of their numbers.

    Args:
        folder: of the search.
        memory: that of the search's process at their ends.
    """
    known = {**_kept_memory(folder), **(memory or {})}
    return [
        Trial(read_task(folder, key), read_outcome(folder, key), known.get(key))
        for key in ended_ids(folder)
    ]


def best(trials: list[Trial]) -> Trial | None:
    """Returns the completed trial with the best objective; of equal ones that of the least loss."""
    completed = [trial for trial in trials if trial.outcome.status == COMPLETED]
    return max(completed, key=lambda t: (t.outcome.objective, -t.outcome.loss), default=None)


def write_results(folder: Path, plan: Plan, trials: list[Trial]) -> dict[str, Any]:
    """Writes trials.json.

    Args:
        folder: of the search.
        plan: of the search.
        trials: those that have ended.

    Returns:
        Its content: what was searched, and a row for each trial with `values` (of the
        hyper-parameters by name), `status`, `cause`, `reason`, `objective`, `curve` (the rows of
        history.csv), `parameters`, `macs`, `seconds`, `peak_memory` and `search_memory` (bytes) and
        `path` (of the run, in the folder); of Hyperband also `epochs`, `past` (the trial that it
        follows), `continued` (whether it went on with its run), `bracket` and `round`.
    """
    counts = Counter(trial.outcome.status for trial in trials)
    top = best(trials)
    recipe = plan.recipe
    results = {
        "recipe": recipe.name,
        "net": recipe.net,
        "data": recipe.data.value,
        "space": plan.axes,
        "tuner": plan.question.tuner,
        "seed": plan.question.seed,
        "limits": dataclasses.asdict(plan.limits),
        "objective": {"name": plan.objective, "direction": "max"},
        "best": None if top is None else top.task.id,
        "counts": {status: counts[status] for status in (COMPLETED, FAILED, INFEASIBLE)},
        "versions": plan.versions,
        "trials": [_row(folder, trial) for trial in trials],
    }
    write_json(folder / FILE, results)
    return results


def _row(folder: Path, trial: Trial) -> dict[str, Any]:
    path = run_path(folder, trial.task.id)
    curve = Run(path).history if (path / "recipe.json").is_file() else []
    return {
        **dataclasses.asdict(trial.task),
        **dataclasses.asdict(trial.outcome),
        "search_memory": trial.search_memory,
        "path": f"{TRIALS}/{trial.task.id}",
        "curve": curve,
    }


def _kept_memory(folder: Path) -> dict[str, int | None]:
    path = folder / FILE
    if not path.is_file():
        return {}
    return {row["id"]: row["search_memory"] for row in read_json(path)["trials"]}
