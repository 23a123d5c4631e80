"""Reproducing a claim: runs of each arm, one after the other, then the verdict and its figure."""

import contextlib
import dataclasses
import datetime
import gc
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import rich.console

from keras_convnets import training
from keras_convnets.claims.arms import recipe_of
from keras_convnets.claims.claim import Claim
from keras_convnets.claims.figures import draw
from keras_convnets.claims.plan import IMAGES, MINUTES, POINTS, Plan, Question, obtain
from keras_convnets.claims.results import RunResult, summarize
from keras_convnets.data.sources import is_installed
from keras_convnets.errors import DivergedError, StoppedError
from keras_convnets.files import check_writable, read_json, replacing, write_json
from keras_convnets.locking import locked
from keras_convnets.progress import counting
from keras_convnets.training import Run
from keras_convnets.training.display import watching

RESULTS = "results.json"
FIGURE = "figure.png"
_DIVERGED = "diverged.json"
# Trials hold out images by a seed that no run has.
_TRIAL_SEED = 1000


def _duration(seconds: float) -> str:
    return str(datetime.timedelta(seconds=round(seconds)))


def default_data() -> str:
    """Returns the full Fashion-MNIST where it is installed, or else the embedded part of it."""
    return "fashion_mnist" if is_installed("fashion_mnist") else "fashion_mnist_6k"


@dataclasses.dataclass(frozen=True)
class Job:
    """One run of a reproduction.

    Attributes:
        path: its directory.
        about: what messages call it.
        arm: index of its arm.
        seed: of the run.
        steps: length.
        evaluate_every: steps between the points of its curve; `None` at ends of epochs alone.
        rate: greatest learning rate, or `None` for that of the claim.
        l2: the same for the decay.
    """

    path: Path
    about: str
    arm: int
    seed: int
    steps: int
    evaluate_every: int | None = None
    rate: float | None = None
    l2: float | None = None


class Reproduction:
    """A claim at work in a folder.

    Args:
        claim: the claim.
        question: what was asked.
        folder: where everything goes; a folder with the same question goes on.
        quiet: whether to show nothing.

    Raises:
        InputError: if something can't work.
    """

    def __init__(self, claim: Claim, question: Question, folder: Path, quiet: bool = False):
        self.claim = claim
        self.folder = folder
        self._quiet = quiet
        self._console = rich.console.Console(quiet=quiet)
        self.plan = obtain(claim, question, folder, self._tell)
        self._clock = _Clock(self.plan)

    def work(self) -> dict[str, Any]:
        """Does what is left to do.

        Returns:
            The content of results.json.

        Raises:
            StoppedError: if someone asked to stop; the same command goes on.
        """
        self._tell(self._about())
        chosen = self._tune()
        runs = [[] for _ in self.claim.arms]
        jobs = self._jobs(chosen)
        for number, job in enumerate(jobs, start=1):
            runs[job.arm].append(self._run(job, f"run {number} of {len(jobs)}: {job.about}"))
        results = summarize(self.claim, self.plan, runs, chosen)
        write_json(self.folder / RESULTS, results)
        with replacing(self.folder / FIGURE) as temporary:
            temporary.write_bytes(draw(results).png())
        return results

    def _about(self) -> str:
        question, count = self.plan.question, len(self.claim.arms)
        trials = f" after {question.trials} trials of {self.plan.trial_steps:,}"
        return (
            f"{count} arms, {question.seeds} seeds, {self.plan.steps:,} steps each"
            f"{trials if question.trials else ''}: about {_duration(self._clock.left)}"
        )

    def _jobs(self, chosen: Sequence[tuple[float, float] | None]) -> list[Job]:
        """The runs, seed by seed, so that what is there early compares all arms."""
        return [
            Job(
                self.folder / "runs" / f"{_slug(arm.name)}-seed{seed}",
                f"{arm.name}, seed {seed}",
                index,
                seed,
                self.plan.steps,
                self.plan.evaluate_every,
                *(chosen[index] or (None, None)),
            )
            for seed in range(self.plan.question.seeds)
            for index, arm in enumerate(self.claim.arms)
        ]

    def _tune(self) -> list[tuple[float, float] | None]:
        """Returns for each arm the rate and L2 that did best on its validation images."""
        trials = self.plan.trials
        chosen: list[tuple[float, float] | None] = []
        for index, arm in enumerate(self.claim.arms):
            scores = []
            for number, (rate, l2) in enumerate(trials, start=1):
                job = Job(
                    self.folder / "tuning" / f"{_slug(arm.name)}-trial{number}",
                    f"{arm.name}, rate {rate:g}, L2 {l2:g}",
                    index,
                    _TRIAL_SEED,
                    self.plan.trial_steps,
                    rate=rate,
                    l2=l2,
                )
                result = self._run(job, f"trial {number} of {len(trials)}: {job.about}")
                scores.append(result.rows[-1]["val_top1"] if result.is_whole else -1.0)
            chosen.append(trials[scores.index(max(scores))] if trials else None)
        return chosen

    def _run(self, job: Job, about: str) -> RunResult:
        """Does one run, or what is left of it."""
        began = time.perf_counter()
        is_new = not _is_done(job.path)
        if is_new:
            self._tell(f"{about} (about {_duration(self._clock.left)} left)")
            with self._stoppable(), self._bar(job):
                _train(self.claim, self.plan, job)
        result = _read(job, self.folder)
        self._clock.done(job, time.perf_counter() - began if is_new else None)
        if is_new:
            self._tell(f"    {result.outcome}")
        return result

    @contextlib.contextmanager
    def _stoppable(self) -> Iterator[None]:
        try:
            yield
        except StoppedError as error:
            reason = str(error).partition(";")[0]
            raise StoppedError(f"{reason}; the same command goes on from there.") from error

    @contextlib.contextmanager
    def _bar(self, job: Job) -> Iterator[None]:
        """Shows how far the run is, from where it goes on."""
        done = 0
        with counting(job.about, job.steps, self._quiet) as advance:

            def move(step: int) -> None:
                nonlocal done
                advance(step - done)
                done = step

            with watching(move):
                yield

    def _tell(self, sentence: str) -> None:
        self._console.print(sentence, highlight=False, markup=False, soft_wrap=True)


class _Clock:
    """Knows how long the rest takes, from the plan and from how well it was kept so far."""

    def __init__(self, plan: Plan):
        self._plan = plan
        arms, question = range(len(plan.nets)), plan.question
        self._planned = sum(
            question.seeds * plan.seconds(arm, plan.steps, POINTS)
            + question.trials * plan.seconds(arm, plan.trial_steps)
            for arm in arms
        )
        self._expected, self._taken = 0.0, 0.0

    @property
    def left(self) -> float:
        """Seconds to the end."""
        factor = self._taken / self._expected if self._expected else 1.0
        return max(self._planned, 0.0) * factor

    def done(self, job: Job, seconds: float | None) -> None:
        """Notes a run, and how long it took if it was not there already."""
        points = POINTS if job.evaluate_every else 0
        expected = self._plan.seconds(job.arm, job.steps, points)
        self._planned -= expected
        if seconds is not None:
            self._expected += expected
            self._taken += seconds


def _train(claim: Claim, plan: Plan, job: Job) -> None:
    """Trains a run, or goes on with it; a run that diverges leaves a note."""
    job.path.parent.mkdir(parents=True, exist_ok=True)
    for leftover in job.path.parent.glob(".*.partial.*"):
        shutil.rmtree(leftover)  # of a run that was killed before it was there
    try:
        if (job.path / "recipe.json").is_file():
            training.resume(job.path, quiet=True)
        else:
            data = plan.data_of(job.arm)
            recipe = recipe_of(claim, plan.nets[job.arm], job.steps, data, job.rate, job.l2)
            training.train(
                recipe,
                out=job.path,
                seed=job.seed,
                evaluate_every=job.evaluate_every,
                report=False,  # drawing it takes as long as a short run
                quiet=True,
            )
    except DivergedError as error:
        write_json(job.path / _DIVERGED, {"reason": str(error).partition(";")[0]})
    finally:
        keras.utils.clear_session()
        gc.collect()


def _is_done(path: Path) -> bool:
    is_run = (path / "recipe.json").is_file()
    return is_run and (Run(path).is_finished or (path / _DIVERGED).is_file())


def _read(job: Job, folder: Path) -> RunResult:
    run, note = Run(job.path), job.path / _DIVERGED
    return RunResult(
        seed=job.seed,
        path=str(job.path.relative_to(folder)),
        rows=run.curve,
        evaluation=run.evaluation or {},
        diverged=read_json(note)["reason"] if note.is_file() else None,
        images=run.settings.training_images,
    )


def _slug(name: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in name)


def reproduce(
    claim: Claim,
    folder: str | os.PathLike,
    *,
    data: str | None = None,
    images: int = IMAGES,
    seeds: int | None = None,
    minutes: float = MINUTES,
    trials: int = 0,
    quiet: bool = False,
) -> dict[str, Any]:
    """Tries a claim of a paper on small nets, and says whether it holds at this scale.

    All arms train for equally many steps, as many as the time allows on this machine; the length is
    decided once. Killed at any moment, the same call goes on.

    Args:
        claim: the claim; see `claims.get`.
        folder: where runs, results.json and figure.png go.
        data: images, a spec of `data.load`; if `None` Fashion-MNIST, in full where it is installed.
        images: how many training images are used, those held out included; 0 for all.
        seeds: runs of each arm; the claim's own if `None`.
        minutes: how long it may take.
        trials: of a search of rate and L2 that each arm gets by itself; 0 for none.
        quiet: whether to show nothing.

    Returns:
        The content of results.json.

    Raises:
        InputError: if something can't work.
        StoppedError: if SIGTERM or Ctrl-C came; the same call goes on.

    Example:

    >>> claim = keras_convnets.claims.get("xception_residuals")
    >>> results = keras_convnets.claims.reproduce(claim, "claims/residuals", minutes=10)
    >>> results["verdict"] in ("holds", "does not hold", "undecided")
    True
    """
    question = Question(
        claim=claim.name,
        data=data or default_data(),
        images=images,
        seeds=claim.seeds if seeds is None else seeds,
        minutes=minutes,
        trials=trials,
    )
    check_writable(folder)
    with locked(folder):
        return Reproduction(claim, question, Path(folder), quiet).work()
