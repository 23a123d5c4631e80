"""Random crops: windows drawn as their sources draw them, and how they are resized."""

import numpy as np
import PIL.Image
import pytest
import tensorflow as tf
from sklearn.datasets import load_sample_image

from keras_convnets.data import InceptionCrop, RandomSizedCrop, ShorterSideCrop, SlimCrop
from keras_convnets.data.augmentation.crops import FILTERS

from .draws import are_independent, is_drawn_like, is_uniform, over_seeds

COUNT = 3000


def windows(crop, shape):
    """Windows of many seeds: (n, 4) top, left, height, width."""
    return over_seeds(lambda seed: crop.window(tf.constant(shape), seed), COUNT)


def torch_patch(rng, height, width, *, tries, swaps):
    """The loop of papers.md 14; `None` where no patch fits."""
    for _ in range(tries):
        area = rng.uniform(0.08, 1.0) * height * width
        ratio = rng.uniform(3 / 4, 4 / 3)
        w, h = round(np.sqrt(area * ratio)), round(np.sqrt(area / ratio))
        if swaps and rng.uniform() < 0.5:
            w, h = h, w
        if w <= width and h <= height:
            return rng.integers(height - h + 1), rng.integers(width - w + 1), h, w
    return None


def slim_patch(rng, height, width):
    """As TensorFlow's kernel draws it: first the aspect, then the height."""
    for _ in range(100):
        ratio = rng.uniform(0.75, 1.33)
        least, largest = (round(np.sqrt(share * height * width / ratio)) for share in (0.05, 1.0))
        largest = min(largest, height, int((width + 0.5 - 1e-7) / ratio))
        h = rng.integers(min(least, largest), largest + 1)
        w = round(h * ratio)
        if w <= width and h * w >= 0.1 * height * width:
            return rng.integers(height - h + 1), rng.integers(width - w + 1), h, w
    return None


@pytest.mark.parametrize(
    ("crop", "reference"),
    [
        (InceptionCrop(), lambda rng, *shape: torch_patch(rng, *shape, tries=100, swaps=False)),
        (RandomSizedCrop(), lambda rng, *shape: torch_patch(rng, *shape, tries=10, swaps=True)),
        (SlimCrop(), slim_patch),
    ],
    ids=["inception", "torch", "slim"],
)
@pytest.mark.parametrize("shape", [(400, 400), (300, 450)])
def test_patches_are_drawn_as_the_source_draws_them(crop, reference, shape, rng):
    drawn = windows(crop, shape)
    expected = [reference(rng, *shape) for _ in range(COUNT)]
    expected = np.array([patch for patch in expected if patch])
    for measure in (
        lambda y, x, h, w: h * w,
        lambda y, x, h, w: w / h,
        lambda y, x, h, w: h,
        lambda y, x, h, w: y,
        lambda y, x, h, w: x,
        lambda y, x, h, w: (y + 0.5) / (shape[0] - h + 1),
        lambda y, x, h, w: y + x,
    ):
        assert is_drawn_like(measure(*drawn.T), measure(*expected.T))


def test_areas_of_the_inception_crop_are_uniform_and_those_of_slim_are_not():
    """8 to 100 % (papers.md 5b), and at least the tenth of slim's box (papers.md 14)."""
    square = (1000, 1000)
    inner = InceptionCrop(area=(0.08, 0.7))  # all of these fit
    areas = windows(inner, square)[:, 2:].prod(axis=1) / 1e6
    assert is_uniform(areas, 0.08, 0.7)
    slim = windows(SlimCrop(), square)[:, 2:].prod(axis=1) / 1e6
    assert 0.0995 < slim.min() < 0.11
    assert np.median(slim) < 0.42  # of uniform ones 0.54


def test_where_a_patch_lies_does_not_depend_on_its_size():
    y, x, h, w = windows(InceptionCrop(area=(0.08, 0.4)), (700, 700)).T
    assert are_independent(y / (700 - h), x / (700 - w), h * w, w / h)


def test_where_no_patch_fits_the_central_square_is_taken():
    """The torch crop gives up after ten patches (papers.md 14)."""
    for crop in (InceptionCrop(), RandomSizedCrop()):
        np.testing.assert_array_equal(
            np.unique(windows(crop, (20, 1000)), axis=0), [[0, 490, 20, 20]]
        )
    elongated = windows(RandomSizedCrop(), (100, 700))
    is_central = (elongated == [0, 300, 100, 100]).all(axis=1)
    rng = np.random.default_rng(3)
    missed = [torch_patch(rng, 100, 700, tries=10, swaps=True) is None for _ in range(COUNT)]
    assert abs(is_central.mean() - np.mean(missed)) < 0.05
    assert 0.2 < is_central.mean() < 0.9


@pytest.mark.parametrize(("low", "high"), [(256, 256), (384, 384), (256, 512), (256, 480)], ids=str)
def test_the_shorter_side_becomes_s_and_the_crop_224_of_it(low, high, rng):
    """VGG [256, 512] and fixed (papers.md 4b), ResNet [256, 480] (10b)."""
    for shape in ((600, 1000), (1000, 600)):
        y, x, h, w = windows(ShorterSideCrop(low, high), shape).T
        np.testing.assert_array_equal(h, w)
        scales = rng.integers(low, high + 1, COUNT)
        sides = np.round(224 * 600 / scales)
        assert set(h) <= set(np.round(224 * 600 / np.arange(low, high + 1)))
        assert is_drawn_like(h, sides)
        assert is_drawn_like(y, rng.integers(0, shape[0] - sides + 1))
        assert is_drawn_like(x, rng.integers(0, shape[1] - sides + 1))
        assert are_independent(*([h] if low < high else []), y / (shape[0] - h), x / (shape[1] - w))


def test_alexnet_crops_from_the_central_square():
    """224 of 256 (papers.md 2b): of 512 x 800 pixels, 448 of the middle 512."""
    y, x, h, w = windows(ShorterSideCrop(256, 256, central_square=True), (512, 800)).T
    assert set(h) == set(w) == {448}
    assert (set(y), set(x)) == (set(range(65)), set(range(144, 144 + 65)))


def test_each_place_of_a_window_is_as_likely():
    y, x, *_ = windows(ShorterSideCrop(7, 7, crop=4), (7, 7)).T
    counts = np.bincount(y * 4 + x)
    assert counts.shape == (16,)
    assert np.square(counts - COUNT / 16).sum() / (COUNT / 16) < 37.7  # chi-squared, 15, 0.1 %


@pytest.mark.parametrize(
    ("name", "shape"),
    [("bicubic", (90, 61)), ("bicubic", (17, 30)), ("bilinear", (17, 11))],
)
def test_resizing_is_pillows(name, shape, rng):
    patch = rng.uniform(0, 255, shape).astype("float32")
    out = InceptionCrop(filters=(name,)).resize(patch[..., None], [1, 2], 24).numpy()[..., 0]
    theirs = PIL.Image.fromarray(patch).resize(
        (24, 24), getattr(PIL.Image.Resampling, name.upper())
    )
    np.testing.assert_allclose(out, np.clip(theirs, 0, 255), atol=2e-3)


@pytest.mark.parametrize("shape", [(90, 61), (24, 47), (48, 72)])
def test_a_bilinear_window_that_shrinks_becomes_the_means_of_areas(shape, rng):
    patch = rng.uniform(0, 255, shape)

    def shares(length):
        """(24, length): how much of each pixel lies in each of 24 equal parts."""
        ends = np.linspace(0, length, 25)
        covered = np.minimum(ends[1:, None], np.arange(length) + 1) - np.maximum(
            ends[:-1, None], np.arange(length)
        )
        return np.clip(covered, 0, None) * 24 / length

    expected = shares(shape[0]) @ patch @ shares(shape[1]).T
    out = InceptionCrop().resize(patch[..., None].astype("float32"), [1, 2], 24)
    np.testing.assert_allclose(out[..., 0], expected, atol=2e-3)


@pytest.mark.parametrize("side", [230, 260, 300, 375])
def test_of_photographs_means_of_areas_are_almost_what_pillow_makes(side):
    """And nearer to it than plain bilinear resizing."""
    photo = load_sample_image("china.jpg")[:side, :side]
    theirs = PIL.Image.fromarray(photo).resize((224, 224), PIL.Image.Resampling.BILINEAR)

    def distance(crop):
        return np.abs(crop.resize(photo, [1, 2], 224) - np.asarray(theirs, "float32")).mean()

    assert distance(InceptionCrop()) < min(2, distance(InceptionCrop(antialias=False)))


def test_plain_resizing_takes_no_means():
    """Of stripes two pixels wide a quarter as many pixels hit the black ones alone."""
    stripes = np.tile(np.float32([255, 0, 0, 255]), (64, 16))[..., None]
    for name in ("bilinear", "bicubic"):
        plain = InceptionCrop(filters=(name,), antialias=False).resize(stripes, [1, 2], 16)
        smooth = InceptionCrop(filters=(name,)).resize(stripes, [1, 2], 16)
        assert np.max(plain) == 0
        np.testing.assert_allclose(smooth[:, 2:-2], np.full((16, 12, 1), 127.5), atol=10)


def test_bicubic_swings_are_clipped():
    edge = np.repeat(np.float32([[0, 255]]), 8, axis=1).repeat(16, axis=0)[..., None]
    raw = tf.image.resize(edge, (50, 50), "bicubic").numpy()
    out = RandomSizedCrop().resize(edge, [1, 2], 50).numpy()
    assert raw.min() < 0
    assert raw.max() > 255
    np.testing.assert_allclose(out, raw.clip(0, 255), atol=1e-4)


def test_each_filter_resizes_as_many_images(rng):
    """Drawn uniformly from four (papers.md 5b)."""
    patch = tf.constant(rng.uniform(0, 255, (13, 19, 3)), tf.float32)
    crop = SlimCrop()
    assert crop.filters == FILTERS
    choices = np.stack([tf.image.resize(patch, (8, 8), name) for name in FILTERS]).clip(0, 255)
    made = over_seeds(lambda seed: crop.resize(patch, seed, 8), 1000)
    distances = np.abs(made[:, None] - choices).max(axis=(2, 3, 4))
    assert distances.min(axis=1).max() < 1e-3
    counts = np.bincount(distances.argmin(axis=1), minlength=4)
    assert counts.min() > 195  # mean 250, four deviations 55


def test_a_call_resizes_the_pixels_of_the_window(rng):
    """A decoder that decodes the window alone gives the same image."""
    image = rng.integers(0, 256, (60, 80, 3), dtype=np.uint8)
    for crop in (InceptionCrop(filters=FILTERS), RandomSizedCrop(), ShorterSideCrop(40, 60, 32)):
        for i in range(10):
            y, x, h, w = crop.window(tf.constant([60, 80]), [3, i]).numpy()
            alone = crop.resize(tf.constant(image[y : y + h, x : x + w]), [3, i], 24)
            whole = crop(tf.constant(image, tf.float32), [3, i], 24)
            np.testing.assert_allclose(alone, whole, atol=1e-3)


@pytest.mark.parametrize("name", FILTERS)
def test_pixels_of_a_decoder_become_float32(name):
    patch = tf.constant(np.arange(48, dtype=np.uint8).reshape(4, 4, 3))
    assert InceptionCrop(filters=(name,)).resize(patch, [1, 2], 5).dtype == tf.float32
