"""The diagram of a net: its steps and modules from top to bottom, wrapped into columns."""

import dataclasses
import math
from collections.abc import Iterable, Sequence

import keras

from keras_convnets.analysis.blocks import Item, Module, SideHead, find_blocks, steps_of
from keras_convnets.analysis.canvas import NOTE, SMALL, TITLE, Canvas, text_width, wrap_text
from keras_convnets.analysis.layout import COLOURS, Chain, Part, part_of
from keras_convnets.analysis.plots import Picture
from keras_convnets.analysis.steps import Kind, shape_text

_MARGIN, _GUTTER = 18.0, 36.0
_LEAST_WIDTH = 260.0  # of what stands above and below the net
_ASPECT = 1.15  # width by height, which columns are to come near to
_MOST_COLUMNS = 12
_HEADER, _ROW = 44.0, 15.0
_SWATCH, _SWATCH_GAP, _ENTRY_GAP = 14.0, 5.0, 16.0
_TURN = 12.0  # from the line that comes from the column before to the top of a column
_NOTE = (
    "A box holds a layer with the padding, batch normalization and activation around it; "
    "activations other than ReLU are named."
)


def diagram(model: keras.Model, title: str | None = None) -> Picture:
    """Draws the steps and modules of a net, with shapes, branches and repeats.

    Args:
        model: a functional model, or a built sequential one.
        title: what stands above; the name of the model if `None`.

    Returns:
        A picture, whose `content("svg")` or `content("png")` makes a file.

    Raises:
        InputError: if the layers are not known before the model runs.

    Example:

    >>> from keras_convnets.analysis.diagram import diagram
    >>> diagram(keras_convnets.LeNet5()).content("svg")[:5]
    b'<?xml'
    """
    items = find_blocks(model)
    title = title or model.name
    columns = _columns(items)
    net_width, net_height = _size(columns)
    inner = max(net_width, _LEAST_WIDTH, text_width(title, TITLE, "bold"))
    kinds = [kind for kind in Kind if any(step.kind is kind for step in steps_of(items))]
    rows, notes = _legend_rows(kinds, inner), wrap_text(_NOTE, inner)
    below = _ROW * (len(rows) + len(notes)) + _MARGIN / 2
    width, height = inner + 2 * _MARGIN, _HEADER + net_height + 1.5 * _MARGIN + below
    figure = Picture(figsize=(width / 72, height / 72))
    canvas = Canvas(figure.add_axes((0, 0, 1, 1)), width, height)
    canvas.text(_MARGIN, _MARGIN + 2, title, size=TITLE, weight="bold", align="left")
    trainable = sum(math.prod(variable.shape) for variable in model.trainable_variables)
    count = f"{trainable:,} parameters"
    canvas.text(_MARGIN, _MARGIN + 18, count, size=SMALL, colour=NOTE, align="left")
    _draw_columns(canvas, columns, (width - net_width) / 2, _HEADER)
    _draw_legend(canvas, rows, notes, height - below)
    return figure


@dataclasses.dataclass
class _Row:
    """An item of the line and the side heads behind it, which stay in one column.

    Attributes:
        shape: of what it gives, as a text.
        parts: what shows it.
        labels: what stands beside the line below each part.
    """

    shape: str
    parts: list[Part]
    labels: list[str]


def _columns(items: Sequence[Item]) -> list[Chain]:
    """Cuts the line into columns, so that the page is about as wide as high."""
    rows = _rows(items)
    counts = range(1, min(_MOST_COLUMNS, len(rows)) + 1)
    return min(([_column(run) for run in _cut(rows, count)] for count in counts), key=_distance)


def _rows(items: Sequence[Item]) -> list[_Row]:
    rows: list[_Row] = []
    for item in items:
        part = part_of(item, is_inner=False)
        if isinstance(item, SideHead):
            rows[-1].parts.append(part)
            rows[-1].labels.append("")
            continue
        shape = shape_text(item.shape)
        is_new = rows and shape != rows[-1].shape  # the first step names its shape itself
        rows.append(_Row(shape, [part], [shape if is_new or isinstance(item, Module) else ""]))
    return rows


def _column(rows: Sequence[_Row]) -> Chain:
    """A column, with the shape of what leaves it at its end."""
    labels = [label for row in rows for label in row.labels]
    return Chain([part for row in rows for part in row.parts], [*labels[:-1], rows[-1].shape])


def _cut(rows: Sequence[_Row], count: int) -> list[list[_Row]]:
    """Cuts rows into at most `count` columns, the highest of which is as low as can be."""
    heights = [Chain(row.parts, row.labels).height for row in rows]
    low, high = max(heights), sum(heights)
    for _ in range(20):
        middle = (low + high) / 2
        fits = len(_fill(rows, heights, middle)) <= count
        low, high = (low, middle) if fits else (middle, high)
    return _fill(rows, heights, high)


def _fill(rows: Sequence[_Row], heights: Sequence[float], limit: float) -> list[list[_Row]]:
    """Fills one column after the other, up to a height."""
    columns: list[list[_Row]] = []
    total = math.inf
    for row, height in zip(rows, heights, strict=True):
        if total + height > limit:
            columns.append([])
            total = 0.0
        columns[-1].append(row)
        total += height
    return columns


def _distance(columns: Sequence[Part]) -> float:
    """How far a page is from the aspect that it should have."""
    width, height = _size(columns)
    return abs(math.log((width + 2 * _MARGIN) / (height + _HEADER + 4 * _ROW) / _ASPECT))


def _size(columns: Sequence[Part]) -> tuple[float, float]:
    width = sum(column.left + column.right for column in columns) + _GUTTER * (len(columns) - 1)
    return width, _TURN + max(column.height for column in columns)


def _draw_columns(canvas: Canvas, columns: Sequence[Part], left: float, top: float) -> None:
    before: tuple[float, float] | None = None
    for column in columns:
        x, y = left + column.left, top + _TURN
        if before:
            gutter = left - _GUTTER / 2
            turns = (gutter, before[1]), (gutter, top), (x, top)
            canvas.line(before, *turns, (x, y), head=column.is_pointed_at)
        column.draw(canvas, x, y)
        before = x, y + column.height
        left += column.left + column.right + _GUTTER
    canvas.line((x, before[1] - 1), before, head=True)


def _legend_rows(kinds: Iterable[Kind], width: float) -> list[list[tuple[float, Kind]]]:
    """Places the entries of the legend: in each row, the left side and kind of each."""
    rows: list[list[tuple[float, Kind]]] = [[]]
    x = 0.0
    for kind in kinds:
        entry = _SWATCH + _SWATCH_GAP + text_width(kind.value, SMALL)
        if rows[-1] and x + entry > width:
            rows.append([])
            x = 0.0
        rows[-1].append((x, kind))
        x += entry + _ENTRY_GAP
    return rows


def _draw_legend(canvas: Canvas, rows, notes: Sequence[str], y: float) -> None:
    text = {"size": SMALL, "colour": NOTE, "align": "left"}
    for row in rows:
        for place, kind in row:
            x = _MARGIN + place
            canvas.box(x, y - 4.5, _SWATCH, 9, COLOURS[kind])
            canvas.text(x + _SWATCH + _SWATCH_GAP, y, kind.value, **text)
        y += _ROW
    for line in notes:
        canvas.text(_MARGIN, y, line, **text)
        y += _ROW
