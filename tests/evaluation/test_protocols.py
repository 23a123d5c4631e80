"""What the papers show a net of an image: plain geometry (papers.md 2b, 4b, 5c, 10b)."""

import numpy as np
import pytest

from keras_convnets.errors import InputError
from keras_convnets.evaluation import (
    CenterCrop,
    DenseEvaluation,
    GoogLeNetCrops,
    MultiScale,
    TenCrops,
    TwelveCrops,
)
from keras_convnets.evaluation.protocols import Box, parse
from keras_convnets.preprocessing import Preprocessing

IMAGENET = Preprocessing(224, 3, "tf", 224 / 256)
INCEPTION = Preprocessing(299, 3, "tf", 0.875)
CROPS = (TenCrops(), TwelveCrops(), GoogLeNetCrops())


def all_boxes(protocol, preprocessing, landscape=True, aspect=1.5):
    """(scale, box) of each view without its mirror image."""
    found = []
    for scale in protocol.scales(preprocessing):
        sides = (scale, round(scale * aspect))
        height, width = sides if landscape else sides[::-1]
        boxes = protocol.boxes(height, width, preprocessing.size)
        for box in boxes:
            assert 0 <= box.y <= height - box.side, "a box is outside"
            assert 0 <= box.x <= width - box.side, "a box is outside"
        found += [(scale, box) for box in boxes]
    return found


@pytest.mark.parametrize("landscape", [True, False])
@pytest.mark.parametrize("preprocessing", [IMAGENET, INCEPTION], ids=["224", "299"])
@pytest.mark.parametrize(("protocol", "count"), [*zip(CROPS, (10, 12, 144), strict=True)])
def test_crops_are_distinct_inside_and_as_many_as_their_name_says(
    protocol, count, preprocessing, landscape
):
    boxes = all_boxes(protocol, preprocessing, landscape)
    assert 2 * len(boxes) == 2 * len(set(boxes)) == count


def test_ten_crops_are_corners_and_centre_of_the_central_square():
    """papers.md 2b, of an image of 256 x 400: the square begins at 72."""
    assert TenCrops().scales(IMAGENET) == (256,)
    assert TenCrops().boxes(256, 400, 224) == [
        Box(0, 72, 224),
        Box(0, 104, 224),
        Box(32, 72, 224),
        Box(32, 104, 224),
        Box(16, 88, 224),
    ]


def test_twelve_crops_add_the_whole_square():
    assert TwelveCrops().boxes(256, 400, 224) == [
        *TenCrops().boxes(256, 400, 224),
        Box(0, 72, 256),
    ]


def test_googlenet_takes_four_scales_and_three_squares_along_the_longer_side():
    """papers.md 5c."""
    protocol = GoogLeNetCrops()
    assert protocol.scales(IMAGENET) == (256, 288, 320, 352)
    wide, tall = protocol.boxes(288, 401, 224), protocol.boxes(401, 288, 224)
    assert [box for box in wide if box.side == 288] == [Box(0, x, 288) for x in (0, 56, 113)]
    assert [box for box in tall if box.side == 288] == [Box(y, 0, 288) for y in (0, 56, 113)]
    left = {(box.y, box.x) for box in wide[:5]}
    assert left == {(0, 0), (0, 64), (64, 0), (64, 64), (32, 32)}
    assert {(box.x, box.y, box.side) for box in tall} == set(wide)


def test_the_squares_of_a_square_image_are_one():
    boxes = all_boxes(GoogLeNetCrops(), IMAGENET, aspect=1)
    assert (len(boxes), len(set(boxes))) == (72, 24)


def test_scales_grow_with_the_input_of_the_net():
    assert GoogLeNetCrops().scales(INCEPTION) == (342, 384, 427, 470)
    assert MultiScale().scales(INCEPTION) == (299, 342, 513, 641, 854)


def test_dense_scales_are_those_of_the_papers():
    """papers.md 4b (Q = S, and S - 32, S, S + 32) and 10b."""
    assert DenseEvaluation().scales(IMAGENET) == (256,)
    assert DenseEvaluation(384).scales(IMAGENET) == (384,)
    assert MultiScale("vgg").scales(IMAGENET) == (224, 256, 288)
    assert MultiScale().scales(IMAGENET) == (224, 256, 384, 480, 640)
    assert MultiScale((256, 384, 512)).scales(IMAGENET) == (256, 384, 512)


def test_a_dense_evaluation_is_never_smaller_than_the_input():
    bordered = Preprocessing(32, 1, "lenet", 32 / 28)
    assert DenseEvaluation().scales(bordered) == (32,)
    for protocol in (DenseEvaluation(200), MultiScale((200, 256))):
        with pytest.raises(InputError, match="at least the 224 pixels that the net takes"):
            protocol.scales(IMAGENET)


@pytest.mark.parametrize("protocol", [TenCrops(), TwelveCrops(), TenCrops(0.9999)])
def test_corners_need_room(protocol):
    name = protocol.name.partition(":")[0]
    with pytest.raises(InputError, match=f"such as {name}:0.875"):
        protocol.scales(Preprocessing(32, 3, "tf"))


@pytest.mark.parametrize(
    ("text", "protocol"),
    [
        ("center", CenterCrop(None)),
        ("center:0.875", CenterCrop(0.875)),
        ("crops10", TenCrops()),
        ("crops12:0.9", TwelveCrops(0.9)),
        ("crops144", GoogLeNetCrops()),
        ("dense", DenseEvaluation()),
        ("dense:384", DenseEvaluation(384)),
        ("multiscale:resnet", MultiScale()),
        ("multiscale:vgg", MultiScale("vgg")),
        ("multiscale:256,384,512", MultiScale((256, 384, 512))),
    ],
)
def test_a_name_is_read_and_told_again(text, protocol):
    assert parse(text) == protocol
    assert protocol.name == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("crop10", "the nearest are crops10"),
        ("", "All are center"),
        ("crops144:3", "has no value to set"),
        ("dense:big", "is one of center"),
        ("dense:", "is one of center"),
        ("dense:0", "an integer of at least 1"),
        ("crops10:1", "above 0 and below 1"),
        ("crops12:nan", "above 0 and below 1"),
        ("center:3", "of at most 2"),
        ("multiscale:alexnet", "'resnet', 'vgg'"),
        ("multiscale:256", "two sides at least"),
        ("multiscale:256,256", "two sides at least"),
        ("multiscale:256,0", "an integer of at least 1"),
    ],
)
def test_what_is_no_protocol_is_refused(text, message):
    with pytest.raises(InputError, match=message):
        parse(text)


def test_the_share_of_a_central_crop_is_the_models_unless_given():
    assert CenterCrop().fraction == 1.0
    assert CenterCrop(None).of(IMAGENET) == IMAGENET
    assert CenterCrop(0.5).of(IMAGENET) == Preprocessing(224, 3, "tf", 0.5)


def test_sides_in_proportion_are_whole(rng):
    for size in rng.integers(32, 600, 20):
        sides = GoogLeNetCrops().scales(Preprocessing(int(size), 3, "tf"))
        np.testing.assert_allclose(sides, np.array([256, 288, 320, 352]) * size / 224, atol=0.5)
