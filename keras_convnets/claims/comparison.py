"""Runs side by side, whoever made them: curves, what differs, and how long an accuracy took."""

import dataclasses
import html
import json
import math
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from keras_convnets.analysis.plots import Picture, band
from keras_convnets.errors import InputError, check_number
from keras_convnets.training import Run
from keras_convnets.training.page import picture, table
from keras_convnets.training.recipe import FIELDS

# What a curve may go along: the column of curve.csv and history.csv, what divides it, and the axis.
AXES = (
    ("step", 1, "training steps"),
    ("samples", 1000, "training images, thousands"),
    ("seconds", 60, "minutes of training steps"),
)
_LABELS = {"val_top1": "validation accuracy, %", "val_map_at_100": "validation MAP@100, %"}

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 1200px; margin: 2em auto; }}
table {{ border-collapse: collapse; }}
td, th {{ padding: 0.2em 1em 0.2em 0; text-align: left; vertical-align: top;
  border-bottom: 1px solid #ddd; }}
img {{ max-width: 100%; }}
</style>
</head>
<body>
<h1>{title}</h1>
{sections}
</body>
</html>
"""


@dataclasses.dataclass(frozen=True)
class Group:
    """Runs of one recipe, which differ in their seeds alone.

    Attributes:
        label: what tables and figures call them.
        runs: the runs, each with an evaluation at least.
    """

    label: str
    runs: tuple[Run, ...]


class Comparison:
    """Several runs, in groups of one recipe each.

    Args:
        paths: run directories.
        accuracy: the share of the validation images for `times`; the greatest whole per cent that
            all groups reach if `None`.

    Raises:
        InputError: if a path is no run, or a run was not evaluated yet.
    """

    def __init__(self, paths: Sequence[str | os.PathLike], accuracy: float | None = None):
        if not paths:
            raise InputError("There are no runs to compare. Received: none")
        if accuracy is not None:
            check_number("The accuracy", accuracy, above=0, most=1)
        runs = [Run(path) for path in dict.fromkeys(map(os.path.normpath, paths))]
        for run in runs:
            if not run.curve:
                raise InputError(f"The run {str(run.path)!r} has no evaluation yet.")
        self.groups = _group(runs)
        is_ranked = all("val_map_at_100" in run.curve[0] for run in runs)
        self.column = "val_map_at_100" if is_ranked else "val_top1"
        self.accuracy = self._reached_by_all() if accuracy is None else accuracy

    def _reached_by_all(self) -> float:
        best = [
            max(row[self.column] for run in group.runs for row in run.curve)
            for group in self.groups
        ]
        return math.floor(100 * min(best)) / 100

    def draw(self) -> Picture:
        """Draws validation accuracy over steps, images and time, a band for the seeds."""
        figure = Picture(figsize=(13, 4.6), layout="constrained")
        figure.suptitle(
            f"validation of the runs; a band is from the worst to the best seed; dotted: "
            f"{self.accuracy:.1%}",
            fontsize=10,
        )
        panels = figure.subplots(1, 3, sharey=True)
        for axes, (column, divisor, label) in zip(panels, AXES, strict=True):
            for group in self.groups:
                band(axes, self._lines(group, column, divisor), _counted(group))
            axes.axhline(100 * self.accuracy, color="0.5", linestyle=":", linewidth=1)
            axes.set_xlabel(label)
            axes.grid(alpha=0.3)
        panels[0].set_ylabel(_LABELS[self.column])
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(
            handles, labels, loc="outside lower center", ncols=min(3, len(labels)), fontsize=9
        )
        return figure

    def _lines(
        self, group: Group, column: str, divisor: float
    ) -> list[tuple[list[float], list[float]]]:
        return [
            (
                [row[column] / divisor for row in run.curve],
                [100 * row[self.column] for row in run.curve],
            )
            for run in group.runs
        ]

    def times(self) -> list[list[str]]:
        """Returns steps, images and minutes to the accuracy for each group, means of its runs."""
        rows = []
        for group in self.groups:
            firsts = [self._first(run) for run in group.runs]
            reached = [first for first in firsts if first is not None]
            cells = ["not reached"] * 3
            if reached:
                step, samples, seconds = np.mean(reached, axis=0)
                cells = [f"{step:,.0f}", f"{samples:,.0f}", f"{seconds / 60:.1f}"]
            rows.append([group.label, f"{len(reached)} of {len(firsts)}", *cells])
        return rows

    def _first(self, run: Run) -> tuple[float, float, float] | None:
        """Step, images and seconds of the first evaluation that reaches the accuracy."""
        for row in run.curve:
            if row[self.column] >= self.accuracy:
                return row["step"], row["samples"], row["seconds"]
        return None

    def finals(self) -> list[list[str]]:
        """Returns what each group ended with."""
        rows = []
        for group in self.groups:
            done = [run.evaluation for run in group.runs if run.evaluation]
            last = [run.curve[-1] for run in group.runs]
            name = "map_at_100" if self.column == "val_map_at_100" else "top1"
            rows.append(
                [
                    group.label,
                    str(len(group.runs)),
                    f"{np.mean([row['step'] for row in last]):,.0f}",
                    f"{np.mean([row['seconds'] for row in last]) / 60:.1f}",
                    _shares([row[self.column] for row in last]),
                    _shares([scores[name] for scores in done]) if done else "not yet",
                ]
            )
        return rows

    def differences(self) -> list[list[str]]:
        """Returns the fields in which the recipes differ: the field, then each group's value."""
        tables = [{row[0]: row[1] for row in group.runs[0].recipe.rows()} for group in self.groups]
        return [
            [field, *(values[field] for values in tables)]
            for field in FIELDS
            if len({values[field] for values in tables}) > 1
        ]

    def page(self) -> str:
        """Returns an HTML page with all of it."""
        title = "Comparison of " + ", ".join(group.label for group in self.groups)
        differences = self.differences()
        labels = [group.label for group in self.groups]
        sections = [
            picture(self.draw(), "validation accuracy over steps, images and time"),
            "<h2>Results</h2>",
            table(FINALS, self.finals()),
            f"<h2>Time to {self.accuracy:.1%} of the validation images</h2>",
            table(TIMES, self.times()),
            "<h2>What differs in the recipes</h2>",
            table(["field", *labels], differences) if differences else "<p>Nothing.</p>",
        ]
        return _PAGE.format(title=html.escape(title), sections="\n".join(sections))


FINALS = ("recipe", "runs", "steps", "minutes", "validation, %", "test, %")
TIMES = ("recipe", "runs that reach it", "steps", "images", "minutes")


def _shares(values: Sequence[float]) -> str:
    """The mean of some shares in per cent, and from the least to the greatest."""
    mean = f"{100 * np.mean(values):.2f}"
    if len(values) == 1:
        return mean
    return f"{mean} ({100 * min(values):.2f} to {100 * max(values):.2f})"


def _counted(group: Group) -> str:
    return group.label if len(group.runs) == 1 else f"{group.label} ({len(group.runs)} seeds)"


def _group(runs: Sequence[Run]) -> list[Group]:
    """Runs of equal recipes together, in the order in which they were given."""
    found: dict[str, list[Run]] = {}
    for run in runs:
        fields = run.recipe.to_json()
        values = {field: fields[field]["value"] for field in FIELDS}
        found.setdefault(json.dumps(values, sort_keys=True), []).append(run)
    groups = list(found.values())
    return [
        Group(label, tuple(group)) for label, group in zip(_labels(groups), groups, strict=True)
    ]


def _labels(groups: Sequence[Sequence[Run]]) -> list[str]:
    """The names of the recipes; where they are equal what differs, or else the folders."""
    names = [group[0].recipe.name for group in groups]
    if len(set(names)) == len(names):
        return names
    rows = [{row[0]: row[1] for row in group[0].recipe.rows()} for group in groups]
    changed = [field for field in FIELDS if len({values[field] for values in rows}) > 1]
    if len(changed) <= 2:
        return [
            f"{name}, " + ", ".join(f"{field} {values[field]}" for field in changed)
            for name, values in zip(names, rows, strict=True)
        ]
    return [Path(group[0].path).name for group in groups]
