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
from keras_convnets.errors import InputError, check_number
from keras_convnets.files import read_json, write_json
from keras_convnets.training.preparation import VALIDATION_SHARE

FILE = "plan.json"
IMAGES = 12_000
MINUTES = 10.0
LEAST_STEPS = 100
# Length of a trial as a share of a run's.
TRIAL_SHARE = 0.25
# What trials draw from, evenly on a logarithmic scale, for batches of 32.
RATES = (0.005, 0.5)
DECAYS = (1e-6, 1e-3)
# Evaluations in a run, for its curve and what is read from that, beside those of its epochs.
POINTS = 12
# Beside its steps a run evaluates after each epoch, a tenth of the images it trained on.
_EVALUATIONS = 1.1
# Of an image's time in a step; forward alone is a third of it, and batches are larger.
_FORWARD = 0.25
# And traces the evaluation beside the step, reads the test images, and saves.
_FIXED_SECONDS = 6.0
_TRACES = 2.0
_MOST_MEASURED = 4
# What the folder of mosaics with one label each adds to the name of the other.
_ONE_LABEL = "_one_label"
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

    Raises:
        InputError: if an amount makes no sense.
    """

    claim: str
    data: str
    images: int
    seeds: int
    minutes: float
    trials: int

    def __post_init__(self):
        check_number("`--seeds`", self.seeds, least=1, whole=True)
        check_number("`--minutes`", self.minutes, above=0)
        check_number("`--images`", self.images, least=0, whole=True)
        check_number("`--tune-each-arm`", self.trials, least=0, whole=True)


@dataclasses.dataclass(frozen=True)
class Speed:
    """How long an arm takes.

    Attributes:
        step: seconds of a step.
        image: seconds of an image that is evaluated.
        run: seconds of a run beside its steps and the points of its curve.
        is_measured: or else from those of the arms that were, by multiply-adds.
    """

    step: float
    image: float
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
        held_out: images of a point of a curve.
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
    held_out: int
    nets: tuple[Net, ...]
    speeds: tuple[Speed, ...]
    trials: tuple[tuple[float, float], ...]
    versions: dict[str, str]

    @property
    def evaluate_every(self) -> int:
        """Steps between the points of a curve."""
        return max(1, round(self.steps / POINTS))

    def data_of(self, arm: int) -> str:
        """Returns the images of an arm, a spec of `data.load`."""
        return _data_of(self.nets[arm], self.data)

    def seconds(self, arm: int, steps: int, points: int = 0) -> float:
        """Returns how long a run of an arm should take.

        Args:
            arm: its index.
            steps: length.
            points: of its curve, beside those at the ends of epochs.
        """
        speed = self.speeds[arm]
        evaluations = points * self.held_out * speed.image
        return speed.run + steps * speed.step * _EVALUATIONS + evaluations


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
    kinds = None
    if claim.data == "mosaics":
        path = folder / "data"
        data = write_mosaics(question.data, question.images, 0, path)
        if any(arm.labels == "one" for arm in claim.arms):
            path = path.with_name(path.name + _ONE_LABEL)
            one = write_mosaics(question.data, question.images, 0, path, one_label=True)
            kinds = len(sources.load(one).classes)
    elif question.images:
        data = cut(data, question.images, 0, folder / "data")
    images = sources.load(data)
    held_out = len(images.hold_out(VALIDATION_SHARE, 0).validation)
    nets = settle(claim, images.channels, len(images.classes), kinds)
    tell(f"measuring the speed of {min(len(nets), _MOST_MEASURED)} nets on this machine")
    speeds = _measure(claim, nets, data, len(images.held_back[1]))
    left = 60 * question.minutes - (time.perf_counter() - began)
    steps = _steps(speeds, question, left, held_out)
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
        held_out=held_out,
        nets=nets,
        speeds=speeds,
        trials=draw_trials(question.trials, claim),
        versions=training.run.versions(),
    )
    write_json(folder / FILE, _encode(plan))
    return plan


def _data_of(net: Net, data: str) -> str:
    return data + _ONE_LABEL if net.arm.labels == "one" else data


def draw_trials(count: int, claim: Claim) -> tuple[tuple[float, float], ...]:
    """Returns the rate and L2 of each trial: first those of the claim, then seeded draws."""
    drawn = [(claim.fields.get("rate", base.RATE), claim.fields.get("l2", base.L2))]
    generator = random.Random(0)
    for _ in range(1, count):
        rate, l2 = (float(np.exp(generator.uniform(*np.log(limits)))) for limits in (RATES, DECAYS))
        drawn.append((float(f"{rate:.2g}"), float(f"{l2:.2g}")))
    return tuple(drawn[:count])


def _measure(claim: Claim, nets: Sequence[Net], data: str, test_images: int) -> tuple[Speed, ...]:
    """Measures some arms from the cheapest to the dearest; the others lie between by their cost."""
    by_cost = sorted(range(len(nets)), key=lambda index: nets[index].macs)
    places = np.linspace(0, len(nets) - 1, min(len(nets), _MOST_MEASURED)).round().astype(int)
    measured: dict[int, tuple[float, float, float]] = {}
    for index in [by_cost[place] for place in places]:
        began = time.perf_counter()
        recipe = recipe_of(claim, nets[index], 1000, _data_of(nets[index], data))
        profile = training.profile(recipe, seconds=_MEASURED_SECONDS, quiet=True)
        seconds = time.perf_counter() - began - 2 * _MEASURED_SECONDS
        # Without an accelerator input and net share the cores.
        step = recipe.batch_size.value * (1 / profile.compute + 1 / profile.input)
        image = _FORWARD / profile.compute
        rest = _FIXED_SECONDS + _TRACES * max(seconds, 0.0) + test_images * image
        measured[index] = (step, image, rest)
    order = [index for index in by_cost if index in measured]
    costs = [nets[index].macs for index in order]
    return tuple(
        Speed(*measured[index], True)
        if index in measured
        else Speed(
            *(
                float(np.interp(net.macs, costs, [measured[other][part] for other in order]))
                for part in range(3)
            ),
            False,
        )
        for index, net in enumerate(nets)
    )


def _steps(speeds: Sequence[Speed], question: Question, seconds: float, held_out: int) -> int:
    """The length that all runs and trials together have the time for, equal for all arms."""
    runs = question.seeds + question.trials
    points = question.seeds * POINTS * held_out
    fixed = sum(runs * speed.run + points * speed.image for speed in speeds)
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
            held_out=fields["held_out"],
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
