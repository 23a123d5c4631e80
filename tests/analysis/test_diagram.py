"""Diagrams in which nothing overlaps and nothing is missing."""

import itertools
import re
import xml.parsers.expat

import keras
import numpy as np
import pytest
from keras import layers
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.patches import FancyBboxPatch, Polygon
from matplotlib.transforms import Bbox

import keras_convnets
from keras_convnets.analysis import canvas
from keras_convnets.analysis.blocks import Module, find_blocks, steps_of
from keras_convnets.analysis.diagram import diagram
from keras_convnets.analysis.layout import Box, Chain
from keras_convnets.analysis.steps import TIMES, Kind, Step
from keras_convnets.analysis.weightless import weightless


def odd_net():
    """A net with what no other has: two inputs, a side head in a branch, ways that cross."""

    def conv(name, x):
        return layers.Conv2D(8, 1, name=name)(x)

    image, other = keras.Input((8, 8, 3), name="image"), keras.Input((5,), name="other")
    x = conv("stem", image)
    a, b = conv("m1_a", x), conv("m1_b", x)
    x = layers.Concatenate(name="m1")([a, conv("m1_b1", b), conv("m1_b2", b), b])
    a, b = conv("m2_a", x), conv("m2_b", x)
    crossed = [layers.Add(name="m2_c")([a, b]), layers.Concatenate(name="m2_d")([a, b])]
    x = layers.Concatenate(name="m2")([*crossed, conv("m2_e", x)])
    a = conv("m3_a", x)
    side = layers.Add(name="side_add")([conv("side_1", a), conv("side_2", a)])
    side = layers.Dense(3, name="side_out")(layers.GlobalMaxPooling2D(name="side_pool")(side))
    x = layers.Flatten(name="flat")(layers.Add(name="m3")([conv("m3_a2", a), conv("m3_b", x)]))
    x = layers.Concatenate(name="both")([x, layers.Dense(4, name="fc")(other)])
    x = layers.Dense(2, name="out")(x)
    return keras.Model([image, other], [x, side], name="an odd net, whose name is long: a $b$ _c_")


def build(name, **options):
    return keras_convnets.get_model(name, weights=None, **options)


NETS = {
    "LeNet5": lambda: build("LeNet5"),
    "VGG16": lambda: build("VGG16"),
    "GoogLeNet": lambda: build("GoogLeNet", aux_logits=True),
    "InceptionV4": lambda: build("InceptionV4"),
    "InceptionResNetV1": lambda: build("InceptionResNetV1", aux_logits=True),
    "Xception": lambda: build("Xception", include_top=False),
    "ResNet50V2": lambda: build("ResNet50V2"),
    "ResNeXt29": lambda: build("ResNeXt29", form="a"),
    "odd": odd_net,
}


@pytest.fixture(scope="module", params=NETS)
def drawn(request):
    """A diagram with the blocks that it shows."""

    def work():
        model = NETS[request.param]()
        return diagram(model), find_blocks(model)

    return weightless(work)


def extents(picture):
    """Texts, boxes and frames with the rectangles that they take, in pixels."""
    agg = FigureCanvasAgg(picture)
    agg.draw()
    axes = picture.axes[0]
    texts = [(text.get_text(), text.get_window_extent(agg.get_renderer())) for text in axes.texts]
    boxes = [
        (patch.zorder, patch.get_path().get_extents(patch.get_transform()))
        for patch in axes.patches
        if isinstance(patch, FancyBboxPatch)
    ]
    return [(text, extent) for text, extent in texts if text], boxes


def overlaps(one, other, least=0.5):
    """Whether two rectangles share more than a hair."""
    shared = Bbox.intersection(one, other)
    return shared is not None and min(shared.width, shared.height) > least


def contains(outer, inner):
    return (
        outer.x0 <= inner.x0
        and inner.x1 <= outer.x1
        and outer.y0 <= inner.y0
        and inner.y1 <= outer.y1
    )


def test_no_text_leaves_its_box_or_meets_another(drawn):
    picture, _ = drawn
    texts, boxes = extents(picture)
    page = picture.bbox
    for text, extent in texts:
        assert contains(page, extent), text
        for level, box in boxes:
            if level != canvas.STACKS:
                assert contains(box, extent) or not overlaps(box, extent), text
    for (one, first), (other, second) in itertools.combinations(texts, 2):
        assert not overlaps(first, second), (one, other)


def test_boxes_are_in_each_other_or_apart(drawn):
    _, boxes = extents(drawn[0])
    solid = [(level, box) for level, box in boxes if level != canvas.STACKS]
    for (one, first), (other, second) in itertools.combinations(solid, 2):
        both_steps = one == other == canvas.BOXES
        nested = contains(first, second) or contains(second, first)
        assert not overlaps(first, second) or (nested and not both_steps)


def test_no_line_runs_through_a_text_or_a_step(drawn):
    picture, _ = drawn
    texts, boxes = extents(picture)
    obstacles = [extent for _, extent in texts]
    obstacles += [box.padded(-1) for level, box in boxes if level == canvas.BOXES]
    for line in picture.axes[0].lines:
        points = line.get_transform().transform(line.get_xydata())
        for (x0, y0), (x1, y1) in itertools.pairwise(points):
            assert x0 == pytest.approx(x1) or y0 == pytest.approx(y1)
            way = Bbox.from_extents(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
            assert not any(way.overlaps(obstacle) for obstacle in obstacles)


def test_lines_end_at_borders_lines_and_arrowheads(drawn):
    picture, _ = drawn
    _, boxes = extents(picture)
    axes = picture.axes[0]
    lines = [line.get_transform().transform(line.get_xydata()) for line in axes.lines]
    ways = [
        (i, Bbox.from_extents(*np.minimum(start, end), *np.maximum(start, end)))
        for i, line in enumerate(lines)
        for start, end in itertools.pairwise(line)
    ]
    heads = [patch.get_window_extent() for patch in axes.patches if isinstance(patch, Polygon)]
    hair = picture.dpi / 72 * 0.5
    for i, line in enumerate(lines):
        for point in line[[0, -1]]:
            touched = heads + [way for j, way in ways if j != i]
            assert any(box.padded(hair).contains(*point) for box in touched) or any(
                box.padded(hair).contains(*point) and not box.padded(-hair).contains(*point)
                for _, box in boxes
            )


def test_everything_is_shown(drawn):
    picture, blocks = drawn
    shown = [text.get_text() for text in picture.axes[0].texts]
    for step in steps_of(blocks):
        assert shown.count(step.text) >= 1
    for block in blocks:
        if isinstance(block, Module):
            assert block.name in shown
            assert block.repeats == 1 or any(text.endswith(f" {block.repeats}") for text in shown)
    assert len([box for level, box in extents(picture)[1] if level == canvas.BOXES]) == len(
        list(steps_of(blocks))
    ) + len({step.kind for step in steps_of(blocks)})


def test_pages_are_about_as_wide_as_high(drawn):
    width, height = drawn[0].get_size_inches()
    assert 0.6 < width / height < 1.6


def test_the_shape_that_leaves_a_column_stands_at_its_end(drawn):
    picture, _ = drawn
    texts, _ = extents(picture)
    point = picture.dpi / 72
    for line in picture.axes[0].lines:
        points = line.get_transform().transform(line.get_xydata())
        if len(points) == 5:  # from the end of a column to the top of the next
            x, y = points[0]
            beside = Bbox.from_extents(x, y, x + 8 * point, y + 20 * point)
            [label] = [text for text, extent in texts if extent.overlaps(beside)]
            assert re.fullmatch(f"[0-9? {TIMES}]+", label)


def test_pages_are_as_wide_as_their_title():
    picture = diagram(build("LeNet5"), "a title that is longer than the net is wide, by far " * 2)
    texts, _ = extents(picture)
    assert all(contains(picture.bbox, extent) for _, extent in texts)


def test_columns_are_as_wide_as_their_labels():
    step = Step("pool", Kind.POOL, (), (), ())
    chain = Chain([Box(step), Box(step)], ["a label wider than the box", ""])
    assert chain.right > 2 * chain.left > 0


def test_letters_are_large_enough(drawn):
    assert min(text.get_size() for text in drawn[0].axes[0].texts) >= 7.5


def test_svg_is_xml_with_the_names_of_the_modules():
    picture = weightless(lambda: diagram(build("Xception"), "Xception, a title"))
    content, comments = picture.content("svg"), []
    parser = xml.parsers.expat.ParserCreate()
    parser.CommentHandler = comments.append
    parser.Parse(content, True)  # raises where it is not well-formed
    assert {" block4 ", " block5 to block12 ", " Xception, a title "} <= set(comments)
    assert picture.content("svg") == content


def test_branches_stand_side_by_side_and_steps_below_each_other():
    image = keras.Input((8, 8, 3))
    left = layers.Conv2D(4, 3, padding="same", name="m_a2")(layers.Conv2D(4, 1, name="m_a1")(image))
    right = layers.Conv2D(4, 5, padding="same", name="m_b")(image)
    model = keras.Model(image, layers.Concatenate(name="m")([left, right]))
    texts, _ = extents(diagram(model))
    at = {text: (extent.x0 + extent.width / 2, extent.y0) for text, extent in texts}
    first, second, beside = (at[f"{n}{TIMES}{n} conv, 4"] for n in (1, 3, 5))
    assert first[0] == pytest.approx(second[0], abs=1)
    assert first[1] > second[1] > at["concat"][1]
    assert (beside[0] > first[0], beside[1]) == (True, pytest.approx(first[1], abs=1))
