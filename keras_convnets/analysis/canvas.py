"""What a diagram is drawn with: boxes, lines and texts, at places in points."""

import functools

from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.patches import FancyBboxPatch, Polygon
from matplotlib.textpath import TextPath

TEXT, SMALL, TITLE = 8.0, 7.5, 13.0  # letters; a screen shows 7.5 points as 10 pixels
LINE, NOTE = "#5a5a5a", "#4a4a4a"
_HEAD = 4.0  # length of an arrowhead
Colours = tuple[str, str]  # of the inside and of the border
# What lies below what.
STACKS, FRAMES, LINES, BOXES, TEXTS = 1, 2, 3, 4, 5


@functools.lru_cache(maxsize=4096)
def text_width(text: str, size: float = TEXT, weight: str = "normal") -> float:
    """Returns the width of a text in points."""
    if not text.strip():
        return 0.0  # no outline
    outline = TextPath((0, 0), text, size=size, prop=FontProperties(weight=weight))
    return float(outline.vertices[:, 0].max())


class Canvas:
    """Draws on axes that fill a figure; the unit is a point, and y runs from the top down.

    Args:
        axes: what to draw on.
        width: of the figure, in points.
        height: of the figure, in points.
    """

    def __init__(self, axes: Axes, width: float, height: float):
        self._axes = axes
        axes.set_axis_off()
        axes.set_xlim(0, width)
        axes.set_ylim(height, 0)

    def box(self, left: float, top: float, width: float, height: float, colours: Colours) -> None:
        """Draws a box."""
        self._rounded(left, top, width, height, colours, 3, zorder=BOXES)

    def frame(
        self,
        left: float,
        top: float,
        width: float,
        height: float,
        colours: Colours,
        *,
        dashed: bool = False,
        is_behind: bool = False,
    ) -> None:
        """Draws a frame, below all lines and boxes; a later frame lies on an earlier one.

        Args:
            left: its left side.
            top: its top.
            width: its width.
            height: its height.
            colours: of it.
            dashed: whether the border is.
            is_behind: whether it only shows that there are more frames below one.
        """
        style = {"linestyle": (0, (4, 2))} if dashed else {}
        level = STACKS if is_behind else FRAMES
        self._rounded(left, top, width, height, colours, 6, zorder=level, **style)

    def _rounded(self, left, top, width, height, colours, radius, **style) -> None:
        shape = f"round,pad=0,rounding_size={radius}"
        fill, edge = colours
        self._axes.add_patch(
            FancyBboxPatch(
                (left, top), width, height, shape, fc=fill, ec=edge, linewidth=0.8, **style
            )
        )

    def line(self, *points: tuple[float, float], head: bool = False) -> None:
        """Draws a line through points, with an arrowhead down into the last one if there is one."""
        x, y = points[-1]
        end = y - _HEAD / 2 if head else y  # the line must not show at the tip
        xs, ys = zip(*points[:-1], (x, end), strict=True)
        self._axes.add_line(
            Line2D(xs, ys, color=LINE, linewidth=0.9, solid_joinstyle="round", zorder=LINES)
        )
        if head:
            corners = [(x, y), (x - _HEAD * 0.55, y - _HEAD), (x + _HEAD * 0.55, y - _HEAD)]
            self._axes.add_patch(Polygon(corners, facecolor=LINE, linewidth=0, zorder=LINES))

    def text(
        self,
        x: float,
        middle: float,
        text: str,
        *,
        size: float = TEXT,
        weight: str = "normal",
        colour: str = "black",
        align: str = "center",
    ) -> None:
        """Writes a line of text; `middle` is that of its capital letters."""
        self._axes.text(
            x,
            middle + 0.365 * size,
            text,
            size=size,
            weight=weight,
            color=colour,
            ha=align,
            va="baseline",
            zorder=TEXTS,
            parse_math=False,  # a net may be named "a$b"
        )


def wrap_text(text: str, width: float, size: float = SMALL) -> list[str]:
    """Cuts a text into lines of at most a width in points, but of one word at least."""
    lines: list[str] = []
    for word in text.split():
        if lines and text_width(f"{lines[-1]} {word}", size) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines
