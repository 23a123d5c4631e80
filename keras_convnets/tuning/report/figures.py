"""The figures of a report, each drawn from trials.json alone."""

import itertools
import textwrap
from collections.abc import Sequence

import matplotlib
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter, LogLocator, MaxNLocator, NullFormatter
from matplotlib.transforms import Bbox

from keras_convnets.analysis.labels import label_points
from keras_convnets.analysis.plots import RIGHT, WRONG, Picture, band
from keras_convnets.tuning.outcome import INFEASIBLE
from keras_convnets.tuning.report.found import Found, Row, front, is_own, values_of
from keras_convnets.tuning.report.importance import EPOCHS, Importance
from keras_convnets.tuning.report.scales import Scale

CURVES = 5
# Inches for the axes of all hyper-parameters, and letters in a line of a legend.
_WIDEST, _LETTERS = 11.0, 125
# Costs that differ more are drawn on a log scale.
_WIDE = 4.0
_OWN = "#d95f02"
_LIGHT = {INFEASIBLE: "0.5"}
_DOTS = {INFEASIBLE: ":"}
# Trials with the same choice stand side by side in a strip this wide at most, of an axis of length
# 1, and of the distance to the next choice.
_STRIP, _STRIP_OF_STEP = 0.05, 0.4


def amount(number: float) -> str:
    """Returns a number of parameters or multiply-adds as text: 4.23 M."""
    return EngFormatter(places=2 if number >= 1000 else 0)(number)


def parallel(found: Found, scales: Sequence[Scale]) -> Picture:
    """Draws each trial as a line through its values to its result.

    Args:
        found: a search with a completed trial.
        scales: of the hyper-parameters.
    """
    rows = found.completed
    percents = [found.percent(row) for row in rows]
    results = Scale(f"{found.objective}, %", min(percents), max(percents))
    picture = Picture(figsize=(2.6 + min(1.9 * len(scales), _WIDEST), 5), layout="constrained")
    axes = picture.subplots()
    shifts = _shifts(found.trials)
    colour = ScalarMappable(Normalize(results.low, results.high), "viridis_r").to_rgba
    for row in found.others:
        places = [_shifted(scale, row, shifts) for scale in scales]
        style = {"color": _LIGHT.get(row["status"], WRONG), "alpha": 0.6, "linewidth": 1}
        axes.plot(places, linestyle=_DOTS.get(row["status"], "--"), **style)
        axes.plot([len(places) - 1], places[-1:], "x", **style)
    for order, row in reversed(list(enumerate(rows))):
        percent = found.percent(row)
        places = [_shifted(scale, row, shifts) for scale in scales] + [results.place(percent)]
        axes.plot(places, color=colour(percent), linewidth=1.3 if order else 3.5)
    if not is_own(rows[0]):
        for row in filter(is_own, rows):
            places = [_shifted(scale, row, shifts) for scale in scales]
            axes.plot([*places, results.place(found.percent(row))], ":", color=_OWN, linewidth=2.5)
    for position, scale in enumerate((*scales, results)):
        _draw_scale(axes, position, scale, is_cut=scale is results and found.below > 0)
    axes.set_xlim(-0.15, len(scales) + 0.45)
    axes.set_ylim(-0.06, 1.06)
    axes.set_axis_off()
    picture.legend(handles=_kinds(found), loc="outside lower center", ncols=4, fontsize=9)
    return picture


def _shifts(rows: Sequence[Row]) -> dict[str, float]:
    """Offsets from -0.5 to 0.5, by which trials of equal choices stand side by side."""
    return {row["id"]: (i + 0.5) / len(rows) - 0.5 for i, row in enumerate(rows)}


def _shifted(scale: Scale, row: Row, shifts: dict[str, float]) -> float:
    place = scale.place(row["values"][scale.name])
    step = 1 if scale.choices else scale.step
    if step is None or scale.high == scale.low:
        return place
    strip = min(_STRIP, _STRIP_OF_STEP * step / (scale.high - scale.low))
    return place + strip * shifts[row["id"]]


def _draw_scale(axes: Axes, position: int, scale: Scale, *, is_cut: bool) -> None:
    """Draws the line of a hyper-parameter, with its labels on the right."""
    axes.plot([position, position], [0, 1], color="0.2", linewidth=1.2, zorder=3)
    for number, (place, label) in enumerate(scale.ticks()):
        axes.plot([position, position + 0.03], [place, place], color="0.2", linewidth=1, zorder=3)
        label = f"{label} or less" if is_cut and number == 0 else label
        axes.text(
            position + 0.05,
            place,
            label,
            va="center",
            fontsize=9,
            zorder=4,
            parse_math=False,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.8},
        )
    name = f"{scale.name} (log)" if scale.is_log else scale.name
    axes.text(position, 1.07, name, ha="center", va="bottom", fontweight="bold", parse_math=False)


def _kinds(found: Found) -> list[Line2D]:
    """The lines of a legend."""
    best = matplotlib.colormaps["viridis_r"](1.0)
    kinds = [Line2D([], [], color=best, linewidth=3.5, label="the best trial")]
    if any(is_own(row) for row in found.completed[1:]):
        kinds.append(
            Line2D(
                [], [], color=_OWN, linestyle=":", linewidth=2.5, label="the recipe's own setting"
            )
        )
    for status in dict.fromkeys(row["status"] for row in found.others):
        style = {"color": _LIGHT.get(status, WRONG), "linestyle": _DOTS.get(status, "--")}
        kinds.append(Line2D([], [], marker="x", label=status, **style))
    return kinds


def importances(measured: Importance, objective: str) -> Picture:
    """Draws how much worse predictions are without each hyper-parameter.

    Args:
        measured: what was measured.
        objective: what people call what was maximized.
    """
    count = len(measured.names)
    picture = Picture(figsize=(8, 1.6 + 0.45 * count), layout="constrained")
    axes = picture.subplots()
    colours = ["0.6" if name == EPOCHS else "C0" for name in measured.names]
    places = range(count)
    axes.barh(places, measured.means, xerr=measured.spreads, color=colours, ecolor="0.3", capsize=3)
    axes.axvline(0, color="0.2", linewidth=0.8)
    axes.set_yticks(places, measured.names, parse_math=False)
    axes.invert_yaxis()
    axes.set_xlabel(f"points of {objective} that predictions are worse by with its values shuffled")
    axes.set_title(f"importance, from {measured.trials} completed trials", fontsize=10)
    axes.grid(alpha=0.3, axis="x")
    return picture


def learning_curves(found: Found) -> Picture:
    """Draws the validation results of the best trials over epochs.

    Args:
        found: a search with a completed trial that has a curve.
    """
    rows = with_curves(found)
    picture = Picture(figsize=(9, 4.6 + 0.2 * len(rows)), layout="constrained")
    axes = picture.subplots()
    for row in rows:
        epochs = [line["epoch"] for line in row["curve"]]
        percents = [100 * line[found.column] for line in row["curve"]]
        label = f"trial {row['id']}, {row['objective']:.2%}: {values_of(row)}"
        band(axes, [(epochs, percents)], textwrap.fill(label, _LETTERS))
    axes.set_xlabel("epoch")
    axes.set_ylabel(f"{found.objective}, %")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    picture.legend(loc="outside lower center", fontsize=8.5)
    return picture


def with_curves(found: Found) -> list[Row]:
    """Returns the best trials that have a curve."""
    return [row for row in found.completed if row["curve"]][:CURVES]


def accuracy_and_cost(found: Found) -> Picture:
    """Draws results over multiply-adds, and the Pareto front: what no other trial beats.

    Args:
        found: a search whose completed trials differ in their multiply-adds.
    """
    rows = found.completed
    costs, percents = [row["macs"] for row in rows], [found.percent(row) for row in rows]
    kept = front(costs, [row["objective"] for row in rows])
    picture = Picture(figsize=(9, 5), layout="constrained")
    axes = picture.subplots()
    axes.scatter(costs, percents, color="0.55", label="completed trials")
    axes.plot(
        *([values[i] for i in kept] for values in (costs, percents)),
        drawstyle="steps-post",
        marker="o",
        color=RIGHT,
        label="Pareto front",
    )
    for i in (i for i, row in enumerate(rows) if is_own(row)):
        label = "the recipe's own setting"
        axes.plot(costs[i], percents[i], "kD", markersize=11, fillstyle="none", label=label)
    failed = [row["macs"] for row in found.others if row["macs"]]
    if failed:
        foot = [0.02] * len(failed)
        transform = axes.get_xaxis_transform()
        axes.plot(failed, foot, "x", color=WRONG, transform=transform, label="failed")
    _draw_costs(axes, [*costs, *failed])
    low = " or less at the foot" if found.below else ""
    axes.set_ylabel(f"{found.objective}, %" + (f" ({found.floor:.1f}{low})" if low else ""))
    axes.grid(alpha=0.3)
    axes.margins(0.08)
    picture.legend(loc="outside lower center", ncols=4, fontsize=9)
    points = [(costs[i], percents[i], rows[i]["id"]) for i in kept]
    picture.draw_without_rendering()  # so that the line has its place
    label_points(picture, axes, points, taken=_steps(axes, points))
    return picture


def _steps(axes: Axes, points: Sequence[tuple[float, float, str]]) -> list[Bbox]:
    """The line of a front, in pixels."""
    corners = []
    for (x, y, _), (next_x, next_y, _) in itertools.pairwise(points):
        corners += [((x, y), (next_x, y)), ((next_x, y), (next_x, next_y))]
    return [Bbox(axes.transData.transform(pair)).padded(1) for pair in corners]


def _draw_costs(axes: Axes, costs: Sequence[float]) -> None:
    axes.set_xlabel("multiply-adds of an image")
    if max(costs) > _WIDE * min(costs):
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_formatter(EngFormatter())
