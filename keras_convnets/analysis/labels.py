"""Names beside points of a plot, where no other name is."""

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from keras_convnets.analysis.plots import Picture

# Where a label may stand, in points from its circle: the nearest free place is taken.
_PLACES = tuple(
    (distance * math.cos(turn), distance * math.sin(turn))
    for distance in (12, 20, 30, 42, 56, 72, 90)
    for turn in (0, 0.5, -0.5, 1.0, -1.0, 1.6, -1.6, 2.2, -2.2, 2.7, -2.7, math.pi)
)


def label_points(
    figure: Picture,
    axes: Axes,
    points: Sequence[tuple[float, float, str]],
    taken: Sequence[Bbox] = (),
) -> None:
    """Writes names beside points, each at the nearest place that no other one has.

    The layout of the figure stays as it is from then on.

    Args:
        figure: what the axes are in.
        axes: what to write on.
        points: places and names; those further up choose first.
        taken: what else must stay free, in pixels.
    """
    figure.draw_without_rendering()  # so that the axes have their place
    figure.set_layout_engine("none")
    renderer = FigureCanvasAgg(figure).get_renderer()
    centres = axes.transData.transform([(x, y) for x, y, _ in points])
    taken = [*taken, *(Bbox.from_bounds(x - 6, y - 6, 12, 12) for x, y in centres)]
    for x, y, name in sorted(points, key=lambda point: -point[1]):
        for place in _PLACES:
            label = axes.annotate(
                name,
                (x, y),
                place,
                textcoords="offset points",
                ha="left" if place[0] >= 0 else "right",
                va="center",
                fontsize=7.5,
                parse_math=False,
                arrowprops={"arrowstyle": "-", "lw": 0.5, "color": "0.4", "shrinkA": 0},
            )
            label.update_positions(renderer)
            box = Text.get_window_extent(label, renderer)  # without its line
            inside = axes.bbox.contains(box.x0, box.y0) and axes.bbox.contains(box.x1, box.y1)
            if inside and not any(box.overlaps(other) for other in taken):
                break
            label.remove()
        else:  # crowded: better on top of another one than not there
            axes.add_artist(label)
        taken.append(box)
