"""A search in a folder: an oracle chooses, and each trial is a process of its own."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras_tuner
from keras_tuner.engine.trial import TrialStatus

from keras_convnets.errors import InputError, StoppedError, check_number
from keras_convnets.files import check_writable, write_text
from keras_convnets.locking import locked
from keras_convnets.stopping import StopRequest, stop_requests
from keras_convnets.training import Recipe, Run
from keras_convnets.tuning import memory
from keras_convnets.tuning.display import Display, name_of
from keras_convnets.tuning.oracles import take_up
from keras_convnets.tuning.outcome import COMPLETED, Task, ended_ids, run_path
from keras_convnets.tuning.plan import Plan, Question
from keras_convnets.tuning.planning import obtain
from keras_convnets.tuning.recipe_module import recipe_module
from keras_convnets.tuning.report.apart import REPORT, write_apart
from keras_convnets.tuning.results import Trial, best, ended, write_results
from keras_convnets.tuning.runner import Runner

BEST = "best.py"
TRIALS = 20
# Seconds until an oracle that waits for other trials is asked again.
_IDLE = 0.5


def tune(
    recipe: Recipe,
    folder: str | os.PathLike,
    *,
    space: str = "default",
    tuner: str = "random",
    trials: int = TRIALS,
    workers: int = 1,
    data: str | None = None,
    seed: int = 0,
    max_parameters: int | None = None,
    max_macs: int | None = None,
    max_memory: int | None = None,
    minutes: float | None = None,
    quiet: bool = False,
) -> dict[str, Any]:
    """Searches for hyper-parameters of a recipe that do better on its validation images.

    Each trial is a run directory that a process of its own trains, so that its memory returns to
    the system. A trial that runs out of memory, diverges, crashes or takes too long is recorded
    with its reason, and the search goes on. Test images stay unread. Killed at any moment, the
    same call goes on: what is finished stays, and what is half done goes on from its checkpoint.

    Args:
        recipe: what is tuned; its own setting is the first trial.
        folder: where everything goes: trials/, trials.json, best.py, the recipe of the best, and
            report.html, with its figures in figures/.
        space: what varies; see `parse_space`.
        tuner: "random", "bayesian" or "hyperband", Keras Tuner's oracles. Hyperband gives its
            trials a few epochs and the best of them more, up to the length of the recipe; a run
            that got more goes on from where it was if it is to the bit what it would have been.
        trials: how many, those included that failed, were infeasible or were promoted.
        workers: how many run at a time, with the CPU cores shared out and a GPU each.
        data: images, a spec of `data.load`; those of the recipe if `None`.
        seed: of the draws, and of every run.
        max_parameters: the most that a net may have; others are infeasible, and not trained.
        max_macs: the most multiply-adds of an image.
        max_memory: the most bytes that training may need.
        minutes: the most that a trial may take.
        quiet: whether to show nothing.

    Returns:
        The content of trials.json.

    Raises:
        InputError: if something can't work, or the folder holds another search.
        StoppedError: if SIGTERM or Ctrl-C came; the same call goes on.

    Example:

    >>> recipe = keras_convnets.recipes.get("xception_fashion_mnist")
    >>> found = keras_convnets.tuning.tune(recipe, "tuning/first", space="rate,l2", trials=10)
    >>> found["best"] in [trial["id"] for trial in found["trials"]]
    True
    """
    if sys.platform != "linux":
        raise InputError(
            "A search runs under Linux, which ends its trials with it. Received: " + sys.platform
        )
    check_number("The number of trials", trials, least=1, whole=True)
    check_number("The number of workers", workers, least=1, whole=True)
    if minutes is not None:
        check_number("The minutes of a trial", minutes, above=0)
    question = Question(recipe, space, tuner, data, seed, max_parameters, max_macs, max_memory)
    check_writable(folder)
    folder = Path(folder)
    with locked(folder):
        plan = obtain(question, folder)
        search = Search(folder, plan, trials, quiet)
        try:
            with stop_requests() as stop:
                search.run(workers, minutes, stop)
        except StoppedError as error:
            search.finish()
            search.report()
            raise StoppedError(f"{error} So far: {folder / REPORT}") from error
        results = search.finish()
        search.report()
        return results


class Search:
    """A search at work.

    Args:
        folder: its folder, locked.
        plan: what it is about.
        trials: how many there are at most.
        quiet: whether to show nothing.
    """

    def __init__(self, folder: Path, plan: Plan, trials: int, quiet: bool):
        self._folder = folder
        self._plan = plan
        self._trials = trials
        for leftover in folder.rglob(".*.partial.*"):
            if leftover.is_file():
                leftover.unlink()  # of a write that was killed
        self._oracle = plan.oracle(trials)
        take_up(self._oracle, folder)
        self._memory: dict[str, int | None] = {}
        before = ended(folder)
        self._seen = {trial.task.id for trial in before}
        self._display = Display(trials, before, plan.objective, quiet)

    def run(self, workers: int, minutes: float | None, stop: StopRequest) -> None:
        """Runs what is left, one trial at a time or several.

        Raises:
            StoppedError: if someone asked to stop.
        """
        with self._display:
            self._tell_start(workers)
            if workers == 1:
                runner = Runner(self._folder, stop, minutes=minutes)
                run_trials(self._oracle, "tuner", runner, stop, self._look)
            else:
                from keras_convnets.tuning.service import serve

                serve(self._oracle, self._folder, workers, minutes, stop, self._look)

    def finish(self) -> dict[str, Any]:
        """Writes trials.json and the recipe of the best trial."""
        trials = ended(self._folder, self._memory)
        top = best(trials)
        if top is not None:
            write_text(self._folder / BEST, self._module(top, len(trials)))
        return write_results(self._folder, self._plan, trials)

    def report(self) -> None:
        """Writes report.html, or tells why it can't be: no search is lost by that."""
        fault = write_apart(self._folder)
        if fault is not None:
            self._display.tell(f"The report can't be written: {fault}")

    def _tell_start(self, workers: int) -> None:
        names = ", ".join(self._plan.axes)
        at_once = f", {workers} at a time" if workers > 1 else ""
        before = f"; {len(self._seen)} are there already" if self._seen else ""
        self._display.tell(
            f"{self._trials} trials{at_once}, {self._plan.question.tuner}: {names}{before}"
        )

    def _look(self) -> None:
        """Sees to the trials that ended since the last look."""
        new = [key for key in ended_ids(self._folder) if key not in self._seen]
        if not new:
            return
        self._seen.update(new)
        self._memory |= dict.fromkeys(new, memory.own_memory())
        trials = ended(self._folder, self._memory)
        for trial in trials:
            if trial.task.id in new:
                self._display.ended(trial)
        write_results(self._folder, self._plan, trials)

    def _module(self, top: Trial, count: int) -> str:
        recipe = Run(run_path(self._folder, top.task.id)).recipe
        objective = f"{name_of(self._plan.objective)} {top.outcome.objective:.2%}"
        path = self._folder / BEST
        about = (
            f"The recipe {recipe.name}, tuned: {objective}, the best of {count} trials.\n\n"
            f"    keras-convnets train {path}\n\n"
            f"Trial {top.task.id} of the search in {self._folder}; the validation images chose it, "
            "and no test image\nwas read."
        )
        return recipe_module(recipe, about)


def run_trials(
    oracle: keras_tuner.Oracle,
    tuner_id: str,
    runner: Runner,
    stop: StopRequest,
    look: Callable[[], None] = lambda: None,
) -> None:
    """Runs the trials that an oracle asks for, until it has no more.

    Args:
        oracle: an oracle, or the client of one.
        tuner_id: who asks.
        runner: runs them.
        stop: whether someone asked to stop.
        look: is called behind each trial.

    Raises:
        StoppedError: if someone asked to stop.
    """
    while stop.name is None:
        trial = oracle.create_trial(tuner_id)
        if trial.status == TrialStatus.STOPPED:
            return
        if trial.status == TrialStatus.IDLE:
            time.sleep(_IDLE)
            continue
        outcome = runner.run(Task.of(trial.trial_id, trial.hyperparameters.values))
        trial.status = TrialStatus.FAILED
        if outcome.status == COMPLETED:
            oracle.update_trial(trial.trial_id, {oracle.objective.name: outcome.objective})
            trial.status = TrialStatus.COMPLETED
        trial.message = outcome.reason
        oracle.end_trial(trial)
        look()
    raise StoppedError(f"Stopped by {stop.name}; the same command goes on.")
