"""results.json: everything that the figure of a claim and its verdict are made of."""

import dataclasses
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from keras_convnets.claims import base
from keras_convnets.claims.claim import Claim, HeatMap
from keras_convnets.claims.metrics import METRICS
from keras_convnets.claims.plan import LEAST_STEPS, Plan
from keras_convnets.claims.rules import Slope, decide

# Told of every run, whatever the claim is decided by.
_ALWAYS = ("test_top1", "mean_validation_top1")
_KEPT = ("step", "samples", "seconds", "loss", "top1", "val_loss", "val_top1")


@dataclasses.dataclass(frozen=True)
class RunResult:
    """What a run of an arm gave.

    Attributes:
        seed: of the run.
        path: its directory, from that of the reproduction.
        rows: of its curve.
        evaluation: of the test images; empty if it diverged.
        diverged: why it has no end, or `None`.
        images: how many it was trained on, without those that it held out.
    """

    seed: int
    path: str
    rows: Sequence[dict[str, float]]
    evaluation: dict[str, Any]
    diverged: str | None
    images: int

    @property
    def is_whole(self) -> bool:
        """Whether it came to its end."""
        return self.diverged is None

    @property
    def outcome(self) -> str:
        """What it gave, for the user."""
        if self.diverged is not None:
            return self.diverged
        return f"{self.evaluation['split']} top-1 {self.evaluation['top1']:.1%}"


def summarize(
    claim: Claim,
    plan: Plan,
    runs: Sequence[Sequence[RunResult]],
    chosen: Sequence[tuple[float, float] | None],
) -> dict[str, Any]:
    """Returns the content of results.json.

    Args:
        claim: the claim.
        plan: its plan.
        runs: for each arm its runs, in the order of the seeds.
        chosen: rate and L2 of each arm if it was tuned.
    """
    deciding = [rule.metric for rule in claim.rules]
    drawn = [METRICS[name].drawn for name in deciding if METRICS[name].drawn]
    names = dict.fromkeys((*deciding, *drawn, *_ALWAYS))
    figures = {
        name: {
            arm.name: [_figure(name, run, plan.classes, plan.steps) for run in own]
            for arm, own in zip(claim.arms, runs, strict=True)
        }
        for name in names
    }
    findings = [rule.find(figures[rule.metric]) for rule in claim.rules]
    tested = [run.evaluation["n"] for own in runs for run in own if run.is_whole]
    is_map = isinstance(claim.figure, HeatMap)
    return {
        **{name: getattr(claim, name) for name in ("title", "paper", "section", "sentence")},
        "claim": claim.name,
        "verdict": decide(findings),
        "findings": [dataclasses.asdict(finding) for finding in findings],
        "steps": plan.steps,
        "batch_size": claim.fields.get("batch_size", base.BATCH_SIZE),
        "question": dataclasses.asdict(plan.question),
        "training_images": runs[0][0].images,
        "test_images": tested[0] if tested else None,
        "equal": claim.equal if any(arm.free for arm in claim.arms) else None,
        "figure": dataclasses.asdict(claim.figure) if is_map else claim.figure,
        "axis": _axis(claim),
        "arms": _arms(plan, figures, runs, chosen),
        "remarks": _remarks(claim, plan, runs),
        "versions": plan.versions,
        "command": _command(plan),
    }


def _arms(
    plan: Plan,
    figures: Mapping[str, Mapping[str, Sequence[float]]],
    runs: Sequence[Sequence[RunResult]],
    chosen: Sequence[tuple[float, float] | None],
) -> list[dict[str, Any]]:
    return [
        {
            "name": net.arm.name,
            "net": net.arm.net,
            "options": dict(net.options),
            "parameters": net.parameters,
            "macs": net.macs,
            "rate_and_l2": list(tuned) if tuned else None,
            "milliseconds_a_step": round(1000 * speed.step, 2),
            "figures": {name: by_arm[net.arm.name] for name, by_arm in figures.items()},
            "runs": [_encode(run) for run in own],
        }
        for net, speed, tuned, own in zip(plan.nets, plan.speeds, chosen, runs, strict=True)
    ]


def _figure(name: str, run: RunResult, classes: int, steps: int) -> float:
    metric = METRICS[name]
    if not run.is_whole:
        return metric.diverged(classes, steps)
    return metric.value(run.rows, run.evaluation)


def _encode(run: RunResult) -> dict[str, Any]:
    rows = [{name: row[name] for name in _KEPT if name in row} for row in run.rows]
    return {
        "seed": run.seed,
        "path": run.path,
        "diverged": run.diverged,
        "evaluation": run.evaluation,
        "curve": rows,
    }


def _axis(claim: Claim) -> str | None:
    """What the arms stand along, if a slope over them is a rule."""
    slopes = [rule for rule in claim.rules if isinstance(rule, Slope) and not rule.minus]
    return slopes[0].axis.removeprefix("log2 ") if slopes else None


def _remarks(claim: Claim, plan: Plan, runs: Sequence[Sequence[RunResult]]) -> list[str]:
    question = plan.question
    allowed = f"as many as {question.minutes:g} minutes allowed on this machine"
    if plan.steps == LEAST_STEPS:
        allowed = f"the least, for which {question.minutes:g} minutes were too few on this machine"
    remarks = [*claim.remarks, f"All runs have {plan.steps:,} steps, {allowed}."]
    if question.trials:
        remarks.append(
            f"Each arm has the rate and L2 that did best on held-out images in {question.trials} "
            f"trials of {plan.trial_steps:,} steps."
        )
    else:
        remarks.append(
            "Rate and L2 are the claim's and were not searched for; `--tune-each-arm` searches "
            "them for each arm."
        )
    remarks += [
        f"{arm.name}, seed {run.seed}: {run.diverged}; it counts as chance."
        for arm, own in zip(claim.arms, runs, strict=True)
        for run in own
        if not run.is_whole
    ]
    return remarks


def _command(plan: Plan) -> str:
    question = plan.question
    words = ["keras-convnets", "reproduce", question.claim, "--data", question.data]
    words += ["--images", str(question.images), "--seeds", str(question.seeds)]
    words += ["--minutes", f"{question.minutes:g}"]
    if question.trials:
        words += ["--tune-each-arm", str(question.trials)]
    return shlex.join(words)
