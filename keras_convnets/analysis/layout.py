"""Where each thing of a diagram stands: parts that know their size and draw themselves."""

import abc
from collections.abc import Sequence

from keras_convnets.analysis.blocks import Branch, Item, SideHead
from keras_convnets.analysis.canvas import NOTE, SMALL, TEXT, Canvas, text_width
from keras_convnets.analysis.steps import TIMES, Kind, Step

# Inside and border.
COLOURS = {
    Kind.INPUT: ("#ffffff", "#8a8a8a"),
    Kind.CONVOLUTION: ("#cfe3f5", "#4a7fb0"),
    Kind.SEPARABLE: ("#dcd3f0", "#7a62ad"),
    Kind.POOL: ("#fbd9c6", "#c9713f"),
    Kind.DENSE: ("#d3ecd0", "#55945a"),
    Kind.NORMALIZATION: ("#fdf1c3", "#b3922f"),
    Kind.JOIN: ("#dedede", "#7d7d7d"),
    Kind.OTHER: ("#f4f4f4", "#8a8a8a"),
}
_FRAME, _INNER_FRAME = ("#f6f8fa", "#a9b4be"), ("#ffffff", "#a9b4be")

BOX, BAR = 17.0, 13.0  # heights of a step and of a join
_PAD = 9.0  # between a frame and what is in it
_ROW = 16.0  # of a frame's label
_LINE, _LABELLED_LINE = 10.0, 19.0  # from one part to the next
_FORK = 5.0  # from the top of a fan to the line from branch to branch
_BETWEEN = 12.0  # branches
_IDENTITY = 8.0  # what a line alone takes on each side
_ASIDE = 5.0  # from a line to a text beside it
_HEAD_ROOM = 4.0  # for an arrowhead between a frame's label and its first box
_STACK = 2.5  # from a frame to the next one behind it


class Part(abc.ABC):
    """Something in a diagram, on a line that runs down the page.

    Attributes:
        left: how far it reaches to the left of the line, in points.
        right: how far to the right.
        height: how far down.
        is_pointed_at: whether the line to its top ends in an arrowhead.
        exits: where lines leave its bottom, in points right of the line.
    """

    left: float
    right: float
    height: float
    is_pointed_at: bool = False
    exits: tuple[float, ...] = (0.0,)

    @abc.abstractmethod
    def draw(self, canvas: Canvas, x: float, y: float) -> None:
        """Draws it on a line at x, with its top at y."""


class Box(Part):
    """A step."""

    is_pointed_at = True

    def __init__(self, step: Step, width: float = 0.0):
        self.step = step
        self.height = BOX
        self.left = self.right = max(width, text_width(step.text) + 12) / 2

    def draw(self, canvas: Canvas, x: float, y: float) -> None:
        canvas.box(x - self.left, y, 2 * self.left, BOX, COLOURS[self.step.kind])
        canvas.text(x, y + BOX / 2, self.step.text)


class Chain(Part):
    """Parts below each other; with none it is a line alone.

    Args:
        parts: what they are; boxes get the same width.
        labels: what stands beside the line below each part, "" for nothing.
    """

    def __init__(self, parts: Sequence[Part], labels: Sequence[str] = ()):
        width = max((2 * part.left for part in parts if isinstance(part, Box)), default=0.0)
        self._parts = [Box(p.step, width) if isinstance(p, Box) else p for p in parts]
        self._labels = labels or [""] * len(parts)
        self._gaps = [_LABELLED_LINE if label else _LINE for label in self._labels]
        if self._gaps and not self._labels[-1]:
            self._gaps[-1] = 0.0
        self.left = max((part.left for part in parts), default=_IDENTITY)
        texts = [text_width(label, SMALL) + _ASIDE for label in self._labels]
        self.right = max([*(part.right for part in parts), *texts], default=_IDENTITY)
        self.height = sum(part.height for part in parts) + sum(self._gaps)
        if parts:
            self.is_pointed_at, self.exits = parts[0].is_pointed_at, parts[-1].exits

    def draw(self, canvas: Canvas, x: float, y: float) -> None:
        points = [part.is_pointed_at for part in self._parts[1:]] + [False]
        rows = zip(self._parts, self._labels, self._gaps, points, strict=False)
        for part, label, gap, is_pointed_at in rows:
            part.draw(canvas, x, y)
            y += part.height
            if gap:
                canvas.line((x, y), (x, y + gap), head=is_pointed_at)
                middle = y + gap / 2 - 1
                canvas.text(x + _ASIDE, middle, label, size=SMALL, colour=NOTE, align="left")
            y += gap


class Fan(Part):
    """The branches of a module between its fork and its join."""

    def __init__(self, branches: Sequence[Branch], join: Step | None):
        self._branches = [_branch(branch) for branch in branches]
        self._join = join
        width = sum(b.left + b.right for b in self._branches) + _BETWEEN * (len(branches) - 1)
        self._places, edge = [], -width / 2
        for branch in self._branches:
            self._places.append(edge + branch.left)
            edge += branch.left + branch.right + _BETWEEN
        if len(branches) == 1:  # on the line itself, whatever stands beside it
            self._places, width = [0.0], 2 * max(branch.left, branch.right)
        self.left = self.right = max(width, text_width(join.text) + 12 if join else 0) / 2
        self._fork = _FORK if len(branches) > 1 else 0.0
        self._depth = max(branch.height for branch in self._branches)
        self.height = self._fork + _LINE + self._depth
        if join:
            self.height += _LINE + BAR
        else:
            pairs = zip(self._places, self._branches, strict=True)
            self.exits = tuple(place + out for place, branch in pairs for out in branch.exits)

    def draw(self, canvas: Canvas, x: float, y: float) -> None:
        fork, top = y + self._fork, y + self._fork + _LINE
        bottom = top + self._depth
        if self._fork:
            canvas.line((x, y), (x, fork))
            first, last = min(0, self._places[0]), max(0, self._places[-1])
            canvas.line((x + first, fork), (x + last, fork))
        end = bottom + _LINE if self._join else bottom
        for place, branch in zip(self._places, self._branches, strict=True):
            at = x + place
            if branch.height:
                canvas.line((at, fork), (at, top), head=branch.is_pointed_at)
                branch.draw(canvas, at, top)
            start = top + branch.height if branch.height else fork
            for out in branch.exits:
                canvas.line((at + out, start), (at + out, end), head=bool(self._join))
        if self._join:
            canvas.box(x - self.left, end, 2 * self.left, BAR, COLOURS[self._join.kind])
            canvas.text(x, end + BAR / 2, self._join.text)


class Frame(Part):
    """A frame around a part, with its name left of the line and a count right of it."""

    def __init__(self, inside: Part, name: str, count: str, *, is_stack: bool, is_inner: bool):
        self._inside, self._name, self._count = inside, name, count
        self._is_inner = is_inner
        self._half = _PAD + max(
            inside.left,
            inside.right,
            text_width(name, TEXT, "bold") + _ASIDE,
            text_width(count, TEXT, "bold") + _ASIDE,
        )
        behind = 2 * _STACK if is_stack else 0.0
        self._behind = [2 * _STACK, _STACK] if is_stack else []
        self._top = _ROW if name or count else _PAD
        if inside.is_pointed_at:
            self._top += _HEAD_ROOM
        self._frame_height = self._top + inside.height + _PAD
        self.left, self.right = self._half, self._half + behind
        self.height = self._frame_height + behind
        self.exits = inside.exits

    def draw(self, canvas: Canvas, x: float, y: float) -> None:
        left, size = x - self._half, (2 * self._half, self._frame_height)
        colours = _INNER_FRAME if self._is_inner else _FRAME
        for shift in self._behind:
            canvas.frame(left + shift, y + shift, *size, colours, is_behind=True)
        canvas.frame(left, y, *size, colours)
        text = {"weight": "bold"}
        canvas.text(left + _PAD, y + _ROW / 2, self._name, align="left", **text)
        canvas.text(x + self._half - _PAD, y + _ROW / 2, self._count, align="right", **text)
        top = y + self._top
        canvas.line((x, y), (x, top), head=self._inside.is_pointed_at)
        self._inside.draw(canvas, x, top)
        for out in self.exits:
            bottom = top + self._inside.height
            canvas.line((x + out, bottom), (x + out, y + self.height))


class Aside(Part):
    """A way to an output of its own, in a frame at the right of the line, which goes on."""

    def __init__(self, head: SideHead):
        self._name = head.name
        self._inside = Chain([part_of(item) for item in head.items])
        self._half = _PAD + max(
            self._inside.left,
            self._inside.right,
            text_width(head.name, TEXT, "bold") / 2,
        )
        self.left, self.right = 0.0, _BETWEEN + 2 * self._half
        self.height = _ROW + _LINE + self._inside.height + _PAD

    def draw(self, canvas: Canvas, x: float, y: float) -> None:
        middle = x + _BETWEEN + self._half
        size = 2 * self._half, self.height
        canvas.line((x, y), (x, y + self.height))
        canvas.frame(x + _BETWEEN, y, *size, _INNER_FRAME, dashed=True)
        canvas.text(x + _BETWEEN + _PAD, y + _ROW / 2, self._name, weight="bold", align="left")
        fork, top = y + _ROW, y + _ROW + _LINE
        canvas.line((x, fork), (middle, fork), (middle, top), head=self._inside.is_pointed_at)
        self._inside.draw(canvas, middle, top)


def part_of(item: Item, *, is_inner: bool = True) -> Part:
    """Returns the part that shows an item.

    Args:
        item: a step, a module or a side head.
        is_inner: whether it stands in a module, whose frame and name are enough for it.
    """
    if isinstance(item, Step):
        return Box(item)
    if isinstance(item, SideHead):
        return Aside(item)
    inside = Chain([*map(Box, item.lead), Fan(item.branches, item.join)])
    if is_inner and item.repeats == 1:
        return inside
    count = f"{TIMES} {item.repeats}" if item.repeats > 1 else ""
    return Frame(inside, item.name, count, is_stack=item.repeats > 1, is_inner=is_inner)


def _branch(branch: Branch) -> Part:
    chain = Chain([part_of(item) for item in branch.items])
    if branch.paths == 1:
        return chain
    return Frame(chain, "", f"{branch.paths} paths", is_stack=True, is_inner=True)
