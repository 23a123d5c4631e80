"""The nets of a claim, solved to equal cost, and the recipe of each."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from keras_convnets import get_model
from keras_convnets.analysis import count_complexity, solve
from keras_convnets.analysis.weightless import weightless
from keras_convnets.claims import base
from keras_convnets.claims.claim import MOST_MACS, TOLERANCE, Arm, Claim
from keras_convnets.errors import InputError
from keras_convnets.training import Recipe, choice


@dataclasses.dataclass(frozen=True)
class Net:
    """An arm whose net is settled.

    Attributes:
        arm: the arm.
        options: all options of its builder, but for those that the data gives.
        parameters: trainable ones.
        macs: multiply-adds of one image.
    """

    arm: Arm
    options: Mapping[str, Any]
    parameters: int
    macs: int


def settle(claim: Claim, channels: int, classes: int, kinds: int | None = None) -> tuple[Net, ...]:
    """Returns the nets of a claim; those with a free option cost what the first one does.

    Args:
        claim: the claim.
        channels: of the images.
        classes: of the data.
        kinds: classes of arms with one label, whose nets are else those that they would be with
            all.

    Raises:
        InputError: if no value of a free option comes near enough, or a net is too large.
    """
    size = claim.fields.get("input_size", 28)
    given = {"input_shape": (size, size, channels), "classes": classes}
    nets: list[Net] = []
    for arm in claim.arms:
        if arm.free is None:
            nets.append(_count(arm, given, arm.options))
            continue
        first = nets[0]
        amount = first.parameters if claim.equal == "params" else first.macs
        solution = solve(arm.net, **{claim.equal: amount}, free=arm.free, **given, **arm.options)
        if abs(solution.error) > TOLERANCE:
            raise InputError(
                f"The arm {arm.name!r} of {claim.name!r} can't have the cost of the first one: "
                f"{solution}."
            )
        options = {**arm.options, arm.free: solution.value}
        nets.append(Net(arm, options, solution.cost.trainable, solution.cost.macs))
    nets = [
        _count(net.arm, {**given, "classes": kinds}, net.options)
        if net.arm.labels == "one"
        else net
        for net in nets
    ]
    for net in nets:
        if net.macs > MOST_MACS:
            raise InputError(
                f"The arm {net.arm.name!r} of {claim.name!r} should take at most {MOST_MACS:,} "
                f"multiply-adds. Received: {net.macs:,}"
            )
    return tuple(nets)


def _count(arm: Arm, given: Mapping[str, Any], options: Mapping[str, Any]) -> Net:
    cost = weightless(
        lambda: count_complexity(get_model(arm.net, weights=None, **given, **options))
    )
    return Net(arm, dict(options), cost.trainable, cost.macs)


def recipe_of(
    claim: Claim,
    net: Net,
    steps: int,
    data: str,
    rate: float | None = None,
    l2: float | None = None,
) -> Recipe:
    """Returns the recipe of an arm.

    Args:
        claim: the claim.
        net: its arm.
        steps: length.
        data: a spec of `data.load`.
        rate: greatest learning rate; that of the claim if `None`.
        l2: decay; that of the claim if `None`.
    """
    fields = {**claim.fields, **net.arm.fields}
    own_rate = fields.pop("rate", base.RATE)
    schedule = fields.pop("schedule", base.schedule)
    fields["schedule"] = schedule(own_rate if rate is None else rate, steps)
    if l2 is not None:
        fields["l2"] = l2
    fields |= {"model": net.arm.net, "model_options": dict(net.options), "data": data}
    reason = f"of the arm {net.arm.name!r} of the claim {claim.name!r}"
    recipe = base.recipe(steps)
    recipe = recipe.replace(**{name: choice(value, reason) for name, value in fields.items()})
    return dataclasses.replace(
        recipe, name=f"{claim.name}, {net.arm.name}", about=f"{claim.title} ({claim.paper})."
    )
