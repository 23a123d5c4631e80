"""What a reproduction does, decided once and kept beside its runs."""

import dataclasses
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_convnets import data as sources
from keras_convnets import training
from keras_convnets.claims import base
from keras_convnets.claims.arms import Net, recipe_of, settle
from keras_convnets.claims.claim import Claim
from keras_convnets.claims.mosaics import write_mosaics
from keras_convnets.claims.subset import cut
from keras_convnets.errors import InputError
from keras_convnets.files import read_json, write_json

FILE = "plan.json"
IMAGES = 12_000
MINUTES = 10.0
LEAST_STEPS = 100
# Length of a trial as a share of a run's.
TRIAL_SHARE = 0.25
# What trials draw from, evenly on a logarithmic scale, for batches of 32.
RATES = (0.005, 0.5)
DECAYS = (1e-6, 1e-3)
# Beside its steps a run evaluates after each epoch, a tenth of the images it trained on.
_EVALUATIONS = 1.1
# And traces the evaluation beside the step, reads the test images, saves, and writes its report.
_FIXED_SECONDS = 6.0
_TRACES = 3.0
_MOST_MEASURED = 4
_MEASURED_SECONDS = 1.0


@dataclasses.dataclass(frozen=True)
class Question:
    """What a user asks for; the same question goes on with what is there.

    Attributes:
        claim: name of the claim.
        data: images, a spec of `data.load`.
        images: how many training images, those held out included; 0 for all.
        seeds: runs of each arm.
        minutes: how long all of it may take.
        trials: of the search of each arm; 0 for none.
    """

    claim: str
    data: str
    images: int
    seeds: int
    minutes: float
    trials: int


@dataclasses.dataclass(frozen=True)
class Speed:
    """How long an arm takes.

    Attributes:
        step: seconds of a step.
        run: seconds of a run beside its steps.
        is_measured: or else from those of the arms that were, by multiply-adds.
    """

    step: float
    run: float
    is_measured: bool


@dataclasses.dataclass(frozen=True)
class Plan:
    """A question with all that follows from it.

    Attributes:
        question: what was asked.
        data: the images, a spec of `data.load`.
        steps: length of each run.
        trial_steps: length of each trial.
        classes: of the images.
        nets: what the arms cost, in their order.
        speeds: of the arms.
        trials: rate and L2 of each trial, the same for all arms.
        versions: of what the first process ran with.
    """

    question: Question
    data: str
    steps: int
    trial_steps: int
    classes: int
    nets: tuple[Net, ...]
    speeds: tuple[Speed, ...]
    trials: tuple[tuple[float, float], ...]
    versions: dict[str, str]

    def seconds(self, arm: int, steps: int) -> float:
        """Returns how long a run of an arm should take."""
        return self.speeds[arm].run + steps * self.speeds[arm].step * _EVALUATIONS


def obtain(claim: Claim, question: Question, folder: Path, tell: Callable[[str], None]) -> Plan:
    """Reads the plan of a folder, or makes one: nets, images, and the speed of this machine.

    Args:
        claim: the claim.
        question: what was asked.
        folder: of the reproduction.
        tell: takes a line for the user.

    Raises:
        InputError: if the folder has the plan of another question.
    """
    began = time.perf_counter()
    if (folder / FILE).is_file():
        return _read(claim, question, folder)
    data = question.data
    if claim.data == "mosaics":
        data = write_mosaics(data, question.images, 0, folder / "data")
    elif question.images:
        data = cut(data, question.images, 0, folder / "data")
    images = sources.load(data)
    nets = settle(claim, images.channels, len(images.classes))
    tell(f"measuring the speed of {min(len(nets), _MOST_MEASURED)} nets on this machine")
    speeds = _measure(claim, nets, data)
    left = 60 * question.minutes - (time.perf_counter() - began)
    steps = _steps(speeds, question, left)
    if steps == LEAST_STEPS:
        tell(
            f"{question.minutes:g} minutes are too few on this machine: runs have {steps} steps, "
            "the least, and take longer"
        )
    plan = Plan(
        question=question,
        data=data,
        steps=steps,
        trial_steps=max(LEAST_STEPS, round(TRIAL_SHARE * steps)),
        classes=len(images.classes),
        nets=nets,
        speeds=speeds,
        trials=draw_trials(question.trials, claim),
        versions=training.run.versions(),
    )
    write_json(folder / FILE, _encode(plan))
    return plan


def draw_trials(count: int, claim: Claim) -> tuple[tuple[float, float], ...]:
    """Returns the rate and L2 of each trial: first those of the claim, then seeded draws."""
    drawn = [(claim.fields.get("rate", base.RATE), claim.fields.get("l2", base.L2))]
    generator = random.Random(0)
    for _ in range(1, count):
        rate, l2 = (float(np.exp(generator.uniform(*np.log(limits)))) for limits in (RATES, DECAYS))
        drawn.append((float(f"{rate:.2g}"), float(f"{l2:.2g}")))
    return tuple(drawn[:count])


def _measure(claim: Claim, nets: Sequence[Net], data: str) -> tuple[Speed, ...]:
    """Measures some arms from the cheapest to the dearest; the others lie between by their cost."""
    by_cost = sorted(range(len(nets)), key=lambda index: nets[index].macs)
    places = np.linspace(0, len(nets) - 1, min(len(nets), _MOST_MEASURED)).round().astype(int)
    measured: dict[int, tuple[float, float]] = {}
    for index in [by_cost[place] for place in places]:
        began = time.perf_counter()
        recipe = recipe_of(claim, nets[index], 1000, data)
        profile = training.profile(recipe, seconds=_MEASURED_SECONDS, quiet=True)
        seconds = time.perf_counter() - began - 2 * _MEASURED_SECONDS
        # Without an accelerator input and net share the cores.
        step = recipe.batch_size.value * (1 / profile.compute + 1 / profile.input)
        measured[index] = (step, _FIXED_SECONDS + _TRACES * max(seconds, 0.0))
    order = [index for index in by_cost if index in measured]
    costs = [nets[index].macs for index in order]
    return tuple(
        Speed(*measured[index], True)
        if index in measured
        else Speed(
            *(
                float(np.interp(net.macs, costs, [measured[other][part] for other in order]))
                for part in (0, 1)
            ),
            False,
        )
        for index, net in enumerate(nets)
    )


def _steps(speeds: Sequence[Speed], question: Question, seconds: float) -> int:
    """The length that all runs and trials together have the time for, equal for all arms."""
    runs = question.seeds + question.trials
    fixed = runs * sum(speed.run for speed in speeds)
    share = question.seeds + TRIAL_SHARE * question.trials
    a_step = _EVALUATIONS * share * sum(speed.step for speed in speeds)
    return max(LEAST_STEPS, int((seconds - fixed) / a_step))


def _encode(plan: Plan) -> dict[str, Any]:
    fields = dataclasses.asdict(plan)
    fields["nets"] = [
        {"arm": net.arm.name, "options": net.options, "parameters": net.parameters,
         "macs": net.macs}
        for net in plan.nets
    ]  # fmt: skip
    return fields


def _read(claim: Claim, question: Question, folder: Path) -> Plan:
    fields = read_json(folder / FILE)
    try:
        kept = Question(**fields["question"])
        nets = tuple(
            Net(claim.arm(net["arm"]), _tuples(net["options"]), net["parameters"], net["macs"])
            for net in fields["nets"]
        )
        plan = Plan(
            question=kept,
            data=fields["data"],
            steps=fields["steps"],
            trial_steps=fields["trial_steps"],
            classes=fields["classes"],
            nets=nets,
            speeds=tuple(Speed(**speed) for speed in fields["speeds"]),
            trials=tuple((rate, l2) for rate, l2 in fields["trials"]),
            versions=fields["versions"],
        )
    except (KeyError, TypeError, ValueError, StopIteration) as error:
        raise InputError(
            f"The file {str(folder / FILE)!r} is no plan of the claim {claim.name!r}; choose "
            f"another `--out`. Received: {error!r}"
        ) from error
    if kept != question:
        asked, there = dataclasses.asdict(question), dataclasses.asdict(kept)
        changed = ", ".join(
            f"{name} {asked[name]!r} where it began with {there[name]!r}"
            for name in asked
            if asked[name] != there[name]
        )
        raise InputError(
            f"The folder {str(folder)!r} holds another reproduction; give what it began with, or "
            f"another `--out`. Received: {changed}"
        )
    return plan


def _tuples(options: dict[str, Any]) -> dict[str, Any]:
    return {
        name: tuple(value) if isinstance(value, list) else value for name, value in options.items()
    }
