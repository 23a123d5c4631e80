"""How operators of ONNX that only move numbers about change what the axes of a map are."""

from collections.abc import Sequence

from keras_convnets.weights.graphs.nodes import Flow

NCHW, NHWC = ("n", "c", "h", "w"), ("n", "h", "w", "c")
_ONE = "1"  # an axis of one number


def transposed(x: Flow, order: Sequence[int] | None) -> Flow:
    """A map with its axes in another order, by default in the opposite one."""
    if x.axes is None:
        return x
    order = order or range(len(x.axes))[::-1]
    if sorted(order) != list(range(len(x.axes))):
        raise ValueError(f"the order {tuple(order[:8])} of {len(x.axes)} axes")
    return x.change(axes=tuple(x.axes[i] for i in order))


def flattened(x: Flow) -> Flow | None:
    """A map as one vector for each image."""
    if x.axes is None or x.axes[0] != "n":
        return None
    return x.change(axes=("n", "".join(x.axes[1:])))


def reshaped(x: Flow, shape: Sequence[int] | None) -> Flow | None:
    """A map in another shape.

    Args:
        x: a map.
        shape: `None` for one that is computed, which keeps the batch and flattens the rest.
    """
    if shape is None or len(shape) == 2:
        return flattened(x)
    if x.axes is None or len(shape) != 4:
        return None
    if len(x.axes) == 2:
        size, layouts = [1, 1], (NCHW, NHWC)
    else:
        size, layouts = list(x.size or ()), (x.axes, *_equal_layouts(x, shape))
    for axes in layouts:
        lengths = dict(zip(axes, shape, strict=True))
        if [lengths.get("h"), lengths.get("w")] == size:
            return x.change(axes=axes)
    return None


def _equal_layouts(x: Flow, shape: Sequence[int]) -> list[tuple[str, ...]]:
    """The layouts in which the numbers of a map of one pixel or channel stand in the same order."""
    if x.axes not in (NCHW, NHWC):
        return []
    return [axes for axes in (NCHW, NHWC) if x.size == (1, 1) or shape[axes.index("c")] == 1]


def squeezed(x: Flow, positions: Sequence[int]) -> Flow | None:
    """A map without axes of one number, by default without all of them."""
    if x.axes is None:
        return x
    gone = {x.axes[i] for i in positions} or {"h", "w", _ONE}
    if not gone <= {"h", "w", _ONE} or (gone != {_ONE} and x.size not in (None, (1, 1))):
        return None
    return x.change(axes=tuple(axis for axis in x.axes if axis not in gone))


def unsqueezed(x: Flow, positions: Sequence[int]) -> Flow:
    """A map with further axes of one number."""
    if x.axes is None:
        return x
    axes = list(x.axes)
    for i in sorted(position % (len(x.axes) + len(positions)) for position in positions):
        axes.insert(i, _ONE)
    return x.change(axes=tuple(axes))
