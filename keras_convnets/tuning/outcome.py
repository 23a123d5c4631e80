"""A trial on disk: what it is to try, and how it ended."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from keras_convnets.errors import InputError
from keras_convnets.files import read_json, write_json

TRIALS = "trials"
LOGS = "logs"
OUTCOME = "outcome.json"

COMPLETED = "completed"
FAILED = "failed"
INFEASIBLE = "infeasible"
# Why a trial failed.
MEMORY, DIVERGED, TIME, KILLED, CRASH = "memory", "diverged", "time", "killed", "crash"
# What Hyperband adds to the values of a trial.
_OF_TUNER = "tuner/"


@dataclasses.dataclass(frozen=True)
class Task:
    """What a trial is to try.

    Attributes:
        id: its number, as Keras Tuner writes it.
        values: of the hyper-parameters by name.
        epochs: its length by Hyperband; `None` for that of the recipe.
        past: the trial that had the same values and fewer epochs, or `None`.
        past_epochs: the length of that.
        bracket: of Hyperband, or `None`.
        round: of the bracket, or `None`.
    """

    id: str
    values: dict[str, Any]
    epochs: int | None = None
    past: str | None = None
    past_epochs: int | None = None
    bracket: int | None = None
    round: int | None = None

    @classmethod
    def of(cls, trial_id: str, values: Mapping[str, Any]) -> "Task":
        """Returns the task that an oracle means.

        Args:
            trial_id: number of the trial.
            values: what the oracle chose, with what Hyperband adds.
        """
        own = {name: value for name, value in values.items() if not name.startswith(_OF_TUNER)}
        past = values.get("tuner/trial_id")
        return cls(
            id=trial_id,
            values=own,
            epochs=values.get("tuner/epochs"),
            past=past,
            past_epochs=None if past is None else values["tuner/initial_epoch"],
            bracket=values.get("tuner/bracket"),
            round=values.get("tuner/round"),
        )


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How a trial ended.

    Attributes:
        status: "completed", "failed" or "infeasible".
        cause: of a failure: "memory", "diverged", "time", "killed" or "crash"; or `None`.
        reason: a sentence, unless it was completed.
        objective: what the search maximizes, at the end of the run.
        loss: of the validation images then.
        parameters: of the net.
        macs: multiply-adds of an image.
        continued: whether it went on from the run of its `past`, and did not begin anew.
        seconds: that it took since the search took it up last.
        peak_memory: of its process, in bytes.
    """

    status: str
    cause: str | None = None
    reason: str | None = None
    objective: float | None = None
    loss: float | None = None
    parameters: int | None = None
    macs: int | None = None
    continued: bool = False
    seconds: float | None = None
    peak_memory: int | None = None


def run_path(folder: Path, trial_id: str) -> Path:
    """Returns the run directory of a trial."""
    return folder / TRIALS / trial_id


def log_path(folder: Path, trial_id: str) -> Path:
    """Returns the file that gets what the process of a trial writes."""
    return folder / LOGS / f"trial-{trial_id}.log"


def ended_ids(folder: Path) -> list[str]:
    """Returns the numbers of the trials that have ended, in order."""
    found = (path.parent.name for path in (folder / TRIALS).glob(f"*/{OUTCOME}"))
    return sorted((name for name in found if name.isdecimal()), key=int)


def keep_task(folder: Path, task: Task) -> None:
    """Writes what a trial is to try, beside its run directory.

    Raises:
        InputError: if the folder has another trial of that number.
    """
    path = _task_path(folder, task.id)
    if path.is_file():
        kept = read_task(folder, task.id)
        if kept != task:
            raise InputError(
                f"The folder {str(folder)!r} is damaged: its trial {task.id} has other values than "
                f"the search knows. Received: {kept.values} and {task.values}"
            )
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, dataclasses.asdict(task))


def read_task(folder: Path, trial_id: str) -> Task:
    """Returns what a trial is to try."""
    return _read(Task, _task_path(folder, trial_id))


def write_outcome(folder: Path, trial_id: str, outcome: Outcome) -> None:
    """Writes how a trial ended into its run directory, whole or not at all."""
    path = run_path(folder, trial_id)
    path.mkdir(parents=True, exist_ok=True)
    write_json(path / OUTCOME, dataclasses.asdict(outcome))


def read_outcome(folder: Path, trial_id: str) -> Outcome | None:
    """Returns how a trial ended; `None` if it has not."""
    path = run_path(folder, trial_id) / OUTCOME
    return _read(Outcome, path) if path.is_file() else None


def _task_path(folder: Path, trial_id: str) -> Path:
    return folder / TRIALS / f"{trial_id}.json"


def _read(kind: type, path: Path) -> Any:
    try:
        return kind(**read_json(path))
    except TypeError as error:
        raise InputError(f"The file {str(path)!r} is damaged: {error}.") from error
