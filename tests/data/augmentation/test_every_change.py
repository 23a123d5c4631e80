"""What holds for every change of single images, whatever it does."""

import numpy as np
import pytest
import tensorflow as tf

from keras_convnets.data import (
    ColorJitter,
    FlipLeftRight,
    HowardDistortion,
    InceptionCrop,
    PadCrop,
    PCALighting,
    RandomSizedCrop,
    ShorterSideCrop,
    SlimCrop,
    SlimDistortion,
)
from keras_convnets.errors import InputError
from keras_convnets.training.literals import CLASSES, decode, encode, parse

GREY_LIGHTING = PCALighting(0.1, (0.05,), ((1.0,),))
CROPS = [
    InceptionCrop(),
    InceptionCrop(area=(0.05, 1.0), filters=("bilinear", "area", "nearest", "bicubic")),
    InceptionCrop((0.5, 0.9), (1.0, 1.0), antialias=False),
    SlimCrop(),
    RandomSizedCrop(),
    ShorterSideCrop(256, 512),
    ShorterSideCrop(256, 256, central_square=True),
    ShorterSideCrop(32, 40, crop=32),
]
COLORS = [PCALighting(), ColorJitter(), HowardDistortion(), SlimDistortion()]
GREYS = [GREY_LIGHTING, ColorJitter(), HowardDistortion(lighting=GREY_LIGHTING), SlimDistortion()]
MOVES = [FlipLeftRight(), PadCrop(2)]
SHAPES = [(1, 1), (1, 300), (20_000, 1), (299, 300), (301, 7)]


def name(change):
    return repr(change)[:70]


def at(seed):
    return tf.constant([5, seed])


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("crop", CROPS, ids=name)
def test_windows_lie_within_images_of_any_size(crop, shape):
    windows = np.array([crop.window(tf.constant(shape), at(i)) for i in range(12)])
    assert windows.dtype == np.int32
    assert windows[:, :2].min() >= 0
    assert windows[:, 2:].min() >= 1
    assert (windows[:, :2] + windows[:, 2:] <= shape).all()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("crop", CROPS, ids=name)
def test_any_size_is_cropped_to_the_input(crop, shape, channels):
    out = crop(tf.fill([*shape, channels], 77.0), at(1), 32).numpy()
    np.testing.assert_allclose(out, np.full((32, 32, channels), 77), rtol=1e-5)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("change", "channels"),
    [(change, 3) for change in (*MOVES, *COLORS)] + [(change, 1) for change in (*MOVES, *GREYS)],
    ids=str,
)
def test_changes_of_images_of_any_size_keep_the_size(change, channels, shape):
    out = change(tf.fill([*shape, channels], 77.0), at(1), 32).numpy()
    assert out.shape == (*shape, channels)
    assert out.dtype == np.float32
    assert np.isfinite(out).all()


@pytest.mark.parametrize("change", [*CROPS, *COLORS, *MOVES], ids=name)
def test_an_image_depends_on_its_seed_alone_whatever_the_parallelism(change, rng):
    image = tf.constant(rng.uniform(0, 255, (40, 50, 3)), tf.float32)

    def images(parallel, order):
        seeds = tf.data.Dataset.from_tensor_slices([[5, i] for i in order])
        made = seeds.map(lambda seed: change(image, seed, 24), parallel)
        return [x.numpy().tobytes() for x in made]

    first = images(None, range(20))
    assert len(set(first)) >= (2 if isinstance(change, FlipLeftRight) else 10)
    assert first == images(8, range(20))
    assert first[::-1] == images(2, range(19, -1, -1))


@pytest.mark.parametrize("change", [*CROPS, *COLORS], ids=name)
def test_channels_stay_known_where_sizes_are_not(change):
    """So that changes may stand in any order."""
    images = tf.data.Dataset.from_generator(
        lambda: [np.zeros((9, 12, 3), "float32")],
        output_signature=tf.TensorSpec((None, None, 3)),
    )
    side = 8 if change.sets_size else None
    made = images.map(lambda image: change(image, [1, 2], 8))
    assert made.element_spec.shape.as_list() == [side, side, 3]
    assert len(list(made)) == 1


@pytest.mark.parametrize("change", [*CROPS, *COLORS, *GREYS], ids=name)
def test_recipes_name_changes_as_text(change):
    assert type(change) in CLASSES.values()
    assert parse(repr(change)) == change
    assert decode(encode((change,))) == (change,)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: InceptionCrop(area=(0, 1)),
            "least area of InceptionCrop should be a number above",
        ),
        (lambda: SlimCrop(area=(0.5, 2)), "largest area of SlimCrop .* of at most 1"),
        (lambda: RandomSizedCrop(aspect=1), "RandomSizedCrop wants two numbers as aspect"),
        (lambda: InceptionCrop(filters=()), "InceptionCrop wants a tuple of filters"),
        (lambda: InceptionCrop(filters="area"), "InceptionCrop wants a tuple of filters"),
        (
            lambda: InceptionCrop(filters=("cubic",)),
            "`filters` should be one of 'bilinear', 'area'",
        ),
        (lambda: InceptionCrop(antialias=2), "`antialias` should be one of True, False"),
        (lambda: ShorterSideCrop(223, 256), "low of ShorterSideCrop .* of at least 224"),
        (lambda: ShorterSideCrop(256, 255), "high of ShorterSideCrop .* of at least 256"),
        (lambda: ShorterSideCrop(256, 256, 0), "crop of ShorterSideCrop .* of at least 1"),
        (lambda: ShorterSideCrop(256, 256.5), "high of ShorterSideCrop should be an integer"),
        (
            lambda: ShorterSideCrop(256, 256, 224, 3),
            "`central_square` should be one of True, False",
        ),
        (lambda: ColorJitter(contrast=1.1), "contrast of ColorJitter .* of at most 1"),
        (lambda: PCALighting(std=-1), "std of PCALighting .* of at least 0"),
        (lambda: PCALighting(eigenvalues=(1, -1, 0)), "eigenvalue of PCALighting .* of at least 0"),
        (lambda: PCALighting(eigenvalues=(1, 1)), "wants 2 rows of 2 numbers as eigenvectors"),
        (lambda: PCALighting(eigenvectors=((1, 0), (0, 1))), "wants 3 rows of 3 numbers"),
        (lambda: PCALighting(eigenvalues=0.1), "wants a tuple of eigenvalues"),
        (lambda: HowardDistortion(factors=(1.5, 0.5)), "largest factors of HowardDistortion"),
        (lambda: HowardDistortion(lighting=0.1), "wants a PCALighting or None as lighting"),
    ],
)
def test_changes_that_make_no_sense_are_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()
