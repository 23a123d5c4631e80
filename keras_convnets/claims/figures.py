"""The figure of a claim, drawn from its results alone."""

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import SubFigure

from keras_convnets.analysis.plots import RIGHT, WRONG, Picture, band
from keras_convnets.claims.metrics import METRICS
from keras_convnets.claims.rules import FAILS, HOLDS, UNDECIDED

COLOURS = {HOLDS: RIGHT, FAILS: WRONG, UNDECIDED: "#7f6000"}
# In a line beside an interval.
_MOST_LETTERS = 62
_DATA = {"fashion_mnist": "Fashion-MNIST", "fashion_mnist_6k": "Fashion-MNIST, embedded part"}


def draw(results: dict[str, Any]) -> Picture:
    """Draws what was measured on the left, and what it says of the claim on the right.

    Args:
        results: the content of results.json.
    """
    picture = Picture(figsize=(12, 5.6), layout="constrained")
    verdict = results["verdict"]
    picture.suptitle("\n".join(textwrap.wrap(results["title"], 90)), fontsize=14, fontweight="bold")
    body, foot = picture.subfigures(2, 1, height_ratios=(12, 1))
    left, right = body.subfigures(1, 2, width_ratios=(1.35, 1))
    figure = results["figure"]
    if isinstance(figure, dict):
        _draw_heat_map(left, results)
    elif figure == "curves":
        _draw_curves(left.subplots(), results)
    else:
        _draw_points(left.subplots(), results)
    _draw_findings(right, results)
    right.suptitle(
        f"{verdict} at this scale", fontsize=16, fontweight="bold", color=COLOURS[verdict]
    )
    foot.text(0.01, 0.5, _scale(results), fontsize=8.5, va="center", color="0.35")
    return picture


def thousands(amount: int) -> str:
    """Returns an amount of parameters or multiply-adds as figures write it."""
    return f"{amount / 1e6:.2f} M" if amount >= 1e6 else f"{amount / 1e3:.1f} k"


def _scale(results: dict[str, Any]) -> str:
    question = results["question"]
    name = _DATA.get(question["data"], question["data"])
    tuned = f", rate and L2 tuned for each arm ({question['trials']} trials)"
    seeds = "1 seed" if question["seeds"] == 1 else f"{question['seeds']} seeds"
    return (
        f"{results['paper']}, {results['section']}.\n{name}: {results['training_images']:,} images "
        f"to train on, {results['test_images'] or 0:,} to test; {results['steps']:,} steps "
        f"of {results['batch_size']}, {seeds}{tuned if question['trials'] else ''}."
    )


def _label(arm: dict[str, Any]) -> str:
    top1 = arm["figures"]["test_top1"]
    return (
        f"{arm['name']} ({thousands(arm['parameters'])} parameters, {thousands(arm['macs'])} MAC)"
        f"\n  test {_spread(top1)} %"
    )


def _spread(values: Sequence[float]) -> str:
    mean = f"{np.mean(values):.1f}"
    return mean if len(values) == 1 else f"{mean} ({min(values):.1f} to {max(values):.1f})"


def _draw_curves(axes: Axes, results: dict[str, Any]) -> None:
    """Validation accuracy over steps, a band from the worst to the best seed."""
    for arm in results["arms"]:
        lines = [
            (
                [row["step"] for row in run["curve"]],
                [100 * row["val_top1"] for row in run["curve"]],
            )
            for run in arm["runs"]
            if run["curve"]
        ]
        if lines:
            band(axes, lines, _label(arm))
    axes.set_xlabel("training steps")
    axes.set_ylabel("validation accuracy, %")
    axes.set_title("mean of the seeds, and the band from the worst to the best", fontsize=9)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8.5)


def _draw_points(axes: Axes, results: dict[str, Any]) -> None:
    """The deciding figure of each arm: a dot for each seed, a bar for their mean."""
    metric = results["findings"][0]["metric"]
    metric = METRICS[metric].drawn or metric
    arms, axis = results["arms"], results["axis"]
    for place, arm in enumerate(arms):
        values = arm["figures"][metric]
        axes.plot([place] * len(values), values, "o", color="C0", alpha=0.6)
        axes.plot([place - 0.25, place + 0.25], [np.mean(values)] * 2, color="C0", linewidth=3)
        axes.annotate(
            f"{np.mean(values):.1f}", (place + 0.28, np.mean(values)), va="center", fontsize=9
        )
    cost = "{name}\n{parameters}\nparameters\n{macs} MAC"
    axes.set_xticks(
        range(len(arms)),
        [
            cost.format(
                name="\n".join(textwrap.wrap(arm["name"], 14)),
                parameters=thousands(arm["parameters"]),
                macs=thousands(arm["macs"]),
            )
            for arm in arms
        ],
        fontsize=8 if len(arms) > 5 else 9,
    )
    axes.set_xlim(-0.6, len(arms) - 0.3)
    axes.set_ylabel(METRICS[metric].label)
    axes.set_title(
        "a dot for each seed, a bar for their mean"
        + (f"; {axis} rises to the right" if axis else ""),
        fontsize=9,
    )
    axes.grid(alpha=0.3, axis="y")


def _draw_heat_map(place: SubFigure, results: dict[str, Any]) -> None:
    """The deciding figure of each arm in its cell, and below the second row less the first."""
    figure, metric = results["figure"], results["findings"][0]["metric"]
    by_name = {arm["name"]: arm["figures"][metric] for arm in results["arms"]}
    values = np.array([[np.mean(by_name[name]) for name in row] for row in figure["arms"]])
    above, below = place.subplots(2, 1, height_ratios=(1, 1.1), sharex=True)
    drawn = above.imshow(values, cmap="viridis", aspect="auto")
    place.colorbar(drawn, ax=above, label=METRICS[metric].label)
    for row, column in np.ndindex(*values.shape):
        dark = values[row, column] < (values.min() + values.max()) / 2
        above.text(
            column,
            row,
            f"{values[row, column]:.1f}",
            ha="center",
            va="center",
            color="white" if dark else "black",
        )
    above.set_yticks(range(len(figure["rows"])), figure["rows"])
    above.set_ylabel(figure["down"])
    differences = np.array(
        [
            np.array(by_name[second]) - np.array(by_name[first])
            for first, second in zip(*figure["arms"][:2], strict=True)
        ]
    )
    means = differences.mean(axis=1)
    below.bar(
        range(len(means)), means, color=[RIGHT if mean > 0 else WRONG for mean in means], alpha=0.7
    )
    for column, row in enumerate(differences):
        if len(row) > 1:
            below.plot([column] * len(row), row, "o", color="0.2", markersize=4)
    below.axhline(0, color="0.2", linewidth=0.8)
    first, second = figure["rows"][:2]
    below.set_ylabel(f"{second} less {first}, {METRICS[metric].unit}")
    below.set_xticks(range(len(figure["columns"])), figure["columns"])
    below.set_xlabel(figure["across"])
    below.grid(alpha=0.3, axis="y")


def _draw_findings(place: SubFigure, results: dict[str, Any]) -> None:
    """The estimate and interval of each part of the claim, beside zero."""
    units: dict[str, list[dict[str, Any]]] = {}
    for finding in results["findings"]:
        units.setdefault(METRICS[finding["metric"]].unit, []).append(finding)
    heights = [len(findings) for findings in units.values()]
    panels = place.subplots(len(units), 1, squeeze=False, height_ratios=heights)[:, 0]
    for axes, (unit, findings) in zip(panels, units.items(), strict=True):
        for row, finding in enumerate(findings):
            _draw_finding(axes, row, finding, unit)
        axes.axvline(0, color="0.2", linewidth=1)
        axes.set_ylim(len(findings) - 0.4, -0.75)
        axes.set_yticks([])
        axes.margins(x=0.1)
        axes.set_xlabel(f"{unit}, with the 95 % interval; the claim is right of 0")
        axes.grid(alpha=0.3, axis="x")


def _draw_finding(axes: Axes, row: int, finding: dict[str, Any], unit: str) -> None:
    colour, estimate = COLOURS[finding["verdict"]], finding["estimate"]
    said = f"{estimate:+.2f}" if unit != "steps" else f"{estimate:+.0f}"
    if finding["low"] is None:
        said += ", too few runs for an interval"
    else:
        low, high = finding["low"], finding["high"]
        axes.plot([low, high], [row, row], color=colour, linewidth=2.5, solid_capstyle="butt")
        digits = 0 if unit == "steps" else 2
        said += f" ({low:+.{digits}f} to {high:+.{digits}f})"
    if finding["crossing"] is not None:
        said += f"; zero at {finding['crossing']:.0f} {finding['axis']}"
    axes.plot([estimate], [row], "o", color=colour, markersize=8)
    what = METRICS[finding["metric"]].label.rpartition(",")[0]
    lines = textwrap.wrap(f"{finding['statement']}: {finding['verdict']}", 52)
    found = f"{what} {said}"
    lines += [found] if len(found) <= _MOST_LETTERS else [*textwrap.wrap(what, 52), said]
    axes.text(
        0.5,
        row - 0.18,
        "\n".join(lines),
        transform=axes.get_yaxis_transform(),
        ha="center",
        va="bottom",
        fontsize=9,
        color=colour,
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1},
    )
