"""A claim of a paper as data: the nets that it compares, and how the figures decide."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from keras_convnets.claims.rules import Contrast, Slope

# Nets are small, so that a claim takes minutes on two cores.
MOST_MACS = 5_000_000
MOST_RUNS = 12
# How far apart nets of "equal" cost may be, as a share.
TOLERANCE = 0.02


@dataclasses.dataclass(frozen=True)
class Arm:
    """One side of a comparison: a net, and what else differs from the other sides.

    Attributes:
        name: what figures call it.
        net: `Builder` or `Builder:variant`.
        options: of the builder.
        free: the option that is solved for, so that the arm costs what the first one does; `None`
            if the options say all.
        fields: fields of the recipe other than the net's, which are else those of the claim;
            "rate" is the greatest rate, and "schedule" a function of it and of the steps.
        labels: "all", or "one" for an arm that learns one label of each mosaic.
    """

    name: str
    net: str
    options: Mapping[str, Any]
    free: str | None = None
    fields: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    labels: Literal["all", "one"] = "all"


@dataclasses.dataclass(frozen=True)
class HeatMap:
    """Arms in rows and columns.

    Attributes:
        rows: names of the rows.
        columns: names of the columns.
        arms: for each row the arm of each column.
        across: what the columns are.
        down: what the rows are.
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    arms: tuple[tuple[str, ...], ...]
    across: str
    down: str


@dataclasses.dataclass(frozen=True)
class Claim:
    """What a paper says, and the small experiment that tries it.

    Attributes:
        name: what users type.
        title: the claim in a few words, for the figure.
        paper: authors, year and arXiv number.
        section: where the paper says it.
        sentence: what it says, in our words.
        arms: what is compared.
        rules: what must be found for the claim to hold, all of them.
        figure: "curves" over steps, "points" of each arm, or a `HeatMap`.
        equal: what arms with a free option share with the first one: "params" or "macs".
        fields: fields of the recipe that differ from `base.recipe`; see `Arm.fields`.
        seeds: how many runs of each arm there are by default.
        data: "single": images with one label each; "mosaics": four of them in one, which then has
            several labels.
        remarks: what a reader must know of the experiment, in sentences.
    """

    name: str
    title: str
    paper: str
    section: str
    sentence: str
    arms: tuple[Arm, ...]
    rules: tuple[Contrast | Slope, ...]
    figure: Literal["curves", "points"] | HeatMap = "curves"
    equal: Literal["params", "macs"] = "params"
    fields: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    seeds: int = 3
    data: Literal["single", "mosaics"] = "single"
    remarks: Sequence[str] = ()

    def arm(self, name: str) -> Arm:
        """Returns the arm of a name."""
        return next(arm for arm in self.arms if arm.name == name)
