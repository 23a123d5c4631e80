"""Nets side by side: what accuracy costs, and where the parameters are."""

import dataclasses
import math
from collections.abc import Sequence

import keras
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter

from keras_convnets._registry import find_architecture
from keras_convnets.analysis.labels import label_points
from keras_convnets.analysis.plots import Picture
from keras_convnets.analysis.stages import StageCost, cost_by_stage
from keras_convnets.analysis.weightless import weightless
from keras_convnets.errors import InputError


@dataclasses.dataclass(frozen=True)
class _Entry:
    """A net in the comparison; without accuracy if none of one crop of ImageNet was reported."""

    name: str
    family: str
    top1: float | None
    stages: tuple[StageCost, ...]

    @property
    def macs(self) -> int:
        return sum(stage.macs for stage in self.stages)

    @property
    def trainable(self) -> int:
        return sum(stage.trainable for stage in self.stages)


def compare(models: Sequence[str | keras.Model]) -> Picture:
    """Plots reported accuracy against multiply-adds, and parameters by stage.

    Args:
        models: names of nets, `Builder[:variant]`, or models whose input size is fixed. Models,
            and nets whose reported accuracy is not of one crop of their size, stand among the bars
            alone.

    Returns:
        A figure: on the left a circle for each net, as large as its parameters; on the right a bar
        for each, cut where the resolution of its maps changes.

    Raises:
        InputError: if there is no net, or one can't be found or counted.

    Example:

    >>> figure = keras_convnets.analysis.compare(["ResNet50", "ResNeXt50"])
    >>> len(figure.axes)
    2
    """
    is_list = isinstance(models, Sequence) and not isinstance(models, str)
    if not (is_list and models and all(isinstance(m, str | keras.Model) for m in models)):
        raise InputError(
            "`models` should be a list of names of nets or of models, such as "
            f"['ResNet50', 'ResNeXt50']. Received: {models!r}"
        )
    entries = [_entry(model) for model in models]
    height = max(4.8, 0.26 * len(entries) + 1.6)
    figure = Picture(figsize=(14, height), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.25, 1))
    _draw_bars(right, entries)
    _draw_circles(figure, left, [entry for entry in entries if entry.top1 is not None])
    return figure


def _entry(model: str | keras.Model) -> _Entry:
    if isinstance(model, keras.Model):
        shapes = [tensor.shape for tensor in getattr(model, "inputs", None) or ()]
        if not shapes or None in shapes[0][1:]:
            raise InputError(
                "A model to be compared should be built, for images of a fixed size. "
                f"Received: {model.name!r}"
            )
        return _Entry(model.name, model.name, None, cost_by_stage(model))
    entry, variant = find_architecture(model)
    stages = weightless(lambda: cost_by_stage(entry.builder(weights=None, **variant.options)))
    reported = variant.reported
    fits = reported.data == "ImageNet" and reported.one_crop
    paper = f"{entry.paper.short_authors} {entry.paper.year}"
    return _Entry(entry.name_of(variant), paper, reported.top1 if fits else None, stages)


def _draw_circles(figure: Picture, axes: Axes, entries: Sequence[_Entry]) -> None:
    if not entries:
        axes.text(0.5, 0.5, "no reported accuracy", transform=axes.transAxes, ha="center")
        axes.set_axis_off()
        return
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("multiply-adds of one image, G")
    axes.set_ylabel("reported top-1 accuracy on ImageNet, %")
    axes.set_title("accuracy and cost; the area of a circle is its parameters")
    axes.grid(alpha=0.3)
    for family in dict.fromkeys(entry.family for entry in entries):
        own = [entry for entry in entries if entry.family == family]
        axes.scatter(
            [entry.macs / 1e9 for entry in own],
            [entry.top1 for entry in own],
            s=[entry.trainable / 2e5 for entry in own],
            alpha=0.55,
            label=family,
        )
    axes.margins(0.12)
    legend = axes.legend(loc="lower right", fontsize=8)
    for handle in legend.legend_handles:
        handle.set_sizes([40])
    figure.draw_without_rendering()  # so that the legend has its place
    points = [(entry.macs / 1e9, entry.top1, entry.name) for entry in entries]
    label_points(figure, axes, points, taken=[legend.get_window_extent()])


def _draw_bars(axes: Axes, entries: Sequence[_Entry]) -> None:
    strides = sorted(
        {stage.stride for entry in entries for stage in entry.stages},
        key=lambda stride: stride or math.inf,
    )
    positions = range(len(entries))
    starts = [0.0] * len(entries)
    for stride in strides:
        widths = [
            sum(stage.trainable for stage in entry.stages if stage.stride == stride) / 1e6
            for entry in entries
        ]
        label = "head" if stride is None else f"stride {stride}"
        colour = "0.6" if stride is None else None
        axes.barh(positions, widths, left=starts, label=label, color=colour)
        starts = [start + width for start, width in zip(starts, widths, strict=True)]
    names = [entry.name for entry in entries]
    axes.set_yticks(positions, names, fontsize=8, parse_math=False)
    axes.invert_yaxis()
    axes.set_xlabel("trainable parameters, M")
    axes.set_title("parameters by stage")
    axes.grid(alpha=0.3, axis="x")
    handles, labels = axes.get_legend_handles_labels()
    axes.figure.legend(handles, labels, fontsize=8, loc="outside lower right", ncols=len(labels))
