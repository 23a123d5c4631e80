"""What the process of a trial does: `python -m keras_convnets.tuning.trial FOLDER TRIAL BEGAN`."""

import dataclasses
import os
import shutil
import sys
import time
import traceback
from pathlib import Path

from keras_convnets import training
from keras_convnets.errors import DivergedError, InputError, StoppedError, reason_of
from keras_convnets.exit_codes import RESTART
from keras_convnets.files import write_json
from keras_convnets.training import Epochs, Recipe, Run
from keras_convnets.training.run import FINAL_FILES
from keras_convnets.training.schedules import Cosine, Polynomial, Schedule, Warmup
from keras_convnets.tuning import memory
from keras_convnets.tuning.limits import Cost, InfeasibleError
from keras_convnets.tuning.outcome import (
    COMPLETED,
    CRASH,
    DIVERGED,
    FAILED,
    INFEASIBLE,
    MEMORY,
    OUTCOME,
    Outcome,
    Task,
    read_task,
    run_path,
    write_outcome,
)
from keras_convnets.tuning.plan import Plan

_TENSORBOARD = "tensorboard"


def work(folder: Path, trial_id: str) -> Outcome:
    """Trains what a trial is to try, or goes on with it, and tells how it ended.

    Args:
        folder: of the search.
        trial_id: number of the trial.

    Raises:
        StoppedError: if someone asked to stop; the same call goes on.
    """
    import tensorflow as tf

    plan, task, cost = Plan.read(folder), read_task(folder, trial_id), None
    try:
        recipe = recipe_of(plan, task)
        cost = plan.limits.check(recipe, plan.channels, plan.classes)
        continued = _train(plan, task, recipe, folder)
    except StoppedError:
        raise
    except InfeasibleError as error:
        return Outcome(INFEASIBLE, reason=str(error))
    except DivergedError as error:
        return _failed(DIVERGED, f"{str(error).partition(';')[0]}.", cost)
    except (MemoryError, tf.errors.ResourceExhaustedError) as error:
        return _failed(MEMORY, f"The memory ran out: {reason_of(error)}", cost)
    except Exception as error:  # whatever it is, the search goes on
        traceback.print_exc()
        kind = "" if isinstance(error, InputError) else f"{type(error).__name__}: "
        return _failed(CRASH, f"{kind}{reason_of(error)}", cost)
    run = Run(run_path(folder, trial_id))
    row = run.history[run.final_epoch - 1]
    return Outcome(
        COMPLETED,
        objective=row[plan.objective],
        loss=row["val_loss"],
        parameters=cost.parameters,
        macs=cost.macs,
        continued=continued,
    )


def recipe_of(plan: Plan, task: Task) -> Recipe:
    """Returns what a trial trains.

    Raises:
        InfeasibleError: if its values can't be together.
    """
    return _with_length(plan.space.apply(plan.recipe, task.values), task.epochs)


def begins(short: Recipe, long: Recipe) -> bool:
    """Whether a run by a recipe is, to the bit, the beginning of a longer run by another.

    It is if they differ in their length alone, and nothing else follows from that: rates may, and
    a head phase.
    """
    is_same = long.replace(length=short.length) == short
    return is_same and short.head_phase.value is None and not _is_fitted(short.schedule.value)


def _is_fitted(schedule: Schedule) -> bool:
    """Whether a schedule fits itself to the length of the run."""
    schedule = schedule.then if isinstance(schedule, Warmup) else schedule
    return isinstance(schedule, Cosine | Polynomial)


def _with_length(recipe: Recipe, epochs: int | None) -> Recipe:
    return recipe if epochs is None else recipe.scaled(length=Epochs(epochs))


def _failed(cause: str, reason: str, cost: Cost | None) -> Outcome:
    parameters, macs = (None, None) if cost is None else (cost.parameters, cost.macs)
    return Outcome(FAILED, cause, reason, parameters=parameters, macs=macs)


def _train(plan: Plan, task: Task, recipe: Recipe, folder: Path) -> bool:
    """Trains a trial, or goes on with it; returns whether that is with the run of its past."""
    path = run_path(folder, task.id)
    for leftover in path.parent.glob(f".*.partial.{task.id}"):
        shutil.rmtree(leftover)  # of a run that was killed before it was there
    continued = False
    if task.past is not None:
        before = _with_length(plan.space.apply(plan.recipe, task.values), task.past_epochs)
        continued = begins(before, recipe)
    if continued and not path.exists():
        _copy(Run(run_path(folder, task.past)), recipe, path)
    if (path / "recipe.json").is_file():
        training.resume(path)
    else:
        # Images that no choice may see stay unread.
        training.train(recipe, out=path, seed=plan.question.seed, report=False, test=False)
    return continued


def _copy(past: Run, recipe: Recipe, path: Path) -> None:
    """Makes the run of a trial from one that was shorter, whole or not at all."""
    partial = path.with_name(f".{os.getpid()}.partial.{path.name}")
    left = shutil.ignore_patterns(*FINAL_FILES, OUTCOME, _TENSORBOARD, ".*")
    shutil.copytree(past.path, partial, ignore=left)
    # That of the run is settled for its data.
    write_json(partial / "recipe.json", past.recipe.replace(length=recipe.length).to_json())
    os.rename(partial, path)


def _log_values(folder: Path, task: Task) -> None:
    """Writes the values for the HParams tab of TensorBoard, beside the curves of the run."""
    import tensorflow as tf
    from tensorboard.plugins.hparams import api

    logs = run_path(folder, task.id) / _TENSORBOARD
    if logs.is_dir():
        with tf.summary.create_file_writer(str(logs)).as_default():
            api.hparams(task.values, trial_id=task.id)


def main(folder: Path, trial_id: str, began: float) -> None:
    """Does the work of the process, and exits.

    Args:
        folder: of the search.
        trial_id: number of the trial.
        began: when it was taken up, in seconds since 1970.
    """
    try:
        outcome = work(folder, trial_id)
    except StoppedError as error:
        print(error)
        sys.exit(RESTART)
    _log_values(folder, read_task(folder, trial_id))
    used = {
        "seconds": round(time.time() - began, 3),
        "peak_memory": memory.peak_memory(os.getpid()),
    }
    write_outcome(folder, trial_id, dataclasses.replace(outcome, **used))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]))
