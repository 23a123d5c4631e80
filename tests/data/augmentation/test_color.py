"""Random colours: the definitions, the orders and the distributions of their sources."""

import itertools

import matplotlib.colors
import numpy as np
import PIL.Image
import PIL.ImageEnhance
import pytest
import tensorflow as tf

from keras_convnets.data import ColorJitter, HowardDistortion, PCALighting, SlimDistortion
from keras_convnets.errors import InputError

from .draws import are_independent, is_drawn_like, is_uniform, over_seeds

GREY = np.array([0.299, 0.587, 0.114])  # papers.md 14


def grey(x):
    return (x @ GREY)[..., None]


# The blends of papers.md 14.
BLENDS = {
    "brightness": lambda x, f: f * x,
    "contrast": lambda x, f: f * x + (1 - f) * grey(x).mean(),
    "saturation": lambda x, f: f * x + (1 - f) * grey(x),
}


def factors_of(before, after):
    """Brightness, contrast and saturation of images that were not clipped, (n, h, w, 3)."""
    greys, plain = grey(after), grey(before)
    brightness = greys.mean(axis=(1, 2, 3)) / plain.mean()
    deviation = greys.std(axis=(1, 2, 3)) / plain.std()
    color = (after - greys).std(axis=(1, 2, 3)) / (before - plain).std()
    return brightness, deviation / brightness, color / deviation


@pytest.fixture
def image(rng):
    """A soft image that no factor of up to 1.5 x 1.5 clips, float64."""
    return rng.uniform(70, 90, (6, 7, 3)) + rng.uniform(-15, 15, (6, 7, 1))


def many(change, image, count):
    image = tf.constant(image, tf.float32)
    return over_seeds(lambda seed: change(image, seed, 8), count).astype(np.float64)


def test_jitter_is_the_three_blends_in_any_order(rng):
    """The source draws an order and does not clip, so that all six orders give one image."""
    image = rng.uniform(0, 255, (9, 7, 3))
    for seed in range(20):

        def made(*strengths, seed=seed):
            change = ColorJitter(*strengths)
            return change(tf.constant(image, tf.float32), [1, seed], 8).numpy()[None]

        # Those of one blend alone tell its factor.
        factors = {
            "brightness": factors_of(image, made(0.4, 0, 0))[0],
            "contrast": factors_of(image, made(0, 0.4, 0))[1],
            "saturation": factors_of(image, made(0, 0, 0.4))[2],
        }
        for order in itertools.permutations(factors):
            expected = image
            for name in order:
                expected = BLENDS[name](expected, factors[name])
            np.testing.assert_allclose(made(0.4, 0.4, 0.4)[0], expected, atol=2e-2)


def test_jitter_factors_are_uniform_and_independent(image):
    factors = factors_of(image, many(ColorJitter(0.4, 0.3, 0.2), image, 2000))
    for drawn, share in zip(factors, (0.4, 0.3, 0.2), strict=True):
        assert is_uniform(drawn, 1 - share, 1 + share)
    assert are_independent(*factors)


def test_jitter_of_grey_images_leaves_saturation_out(rng):
    image = rng.uniform(0, 255, (9, 7, 1))
    made = ColorJitter()(tf.constant(image, tf.float32), [1, 2], 8).numpy()
    colored = np.repeat(image, 3, axis=2)
    expected = ColorJitter()(tf.constant(colored, tf.float32), [1, 2], 8).numpy()
    np.testing.assert_allclose(np.repeat(made, 3, axis=2), expected, atol=1e-3)
    assert not np.allclose(made, image, atol=1)


def pillow(image, order, factor):
    enhancers = {
        "contrast": PIL.ImageEnhance.Contrast,
        "brightness": PIL.ImageEnhance.Brightness,
        "color": PIL.ImageEnhance.Color,
    }
    picture = PIL.Image.fromarray(image)
    for name in order:
        picture = enhancers[name](picture).enhance(factor)
    return np.asarray(picture, np.float64)


def test_howards_three_changes_are_pillows_in_each_order_alike(rng):
    """Pillow clips and rounds after each; where all factors are equal the orders differ still."""
    image = rng.integers(0, 256, (12, 12, 3), dtype=np.uint8)
    orders = list(itertools.permutations(("contrast", "brightness", "color")))
    expected = np.stack([pillow(image, order, 1.4) for order in orders])
    made = many(HowardDistortion((1.4, 1.4), lighting=None), image, 600)
    distances = np.abs(made[:, None] - expected).max(axis=(2, 3, 4))
    assert (
        np.abs(expected[:, None] - expected).max(axis=(2, 3, 4))[~np.eye(6, dtype=bool)].min() > 8
    )
    assert distances.min(axis=1).max() < 4  # of rounding, three times
    counts = np.bincount(distances.argmin(axis=1), minlength=6)
    assert counts.min() > 63  # mean 100, four deviations 37


def test_howards_factors_are_uniform_and_independent(image):
    """0.5 to 1.5 (papers.md 5b, from memory)."""
    factors = factors_of(image, many(HowardDistortion(lighting=None), image, 2000))
    for drawn in factors:
        assert is_uniform(drawn, 0.5, 1.5)
    assert are_independent(*factors)


def test_howards_distortion_ends_with_lighting(image):
    made = many(HowardDistortion((1.0, 1.0)), image, 20)
    shifts = (made - image).mean(axis=(1, 2))
    np.testing.assert_allclose(made, image + shifts[:, None, None], atol=1e-3)
    assert shifts.std(axis=0).min() > 1


def test_lighting_adds_normal_shares_of_the_components(image, rng):
    """Std 0.1, and the eigenvalues and eigenvectors of papers.md 14, of colours of 0..1."""
    values = (0.2175, 0.0188, 0.0045)
    vectors = np.array(
        [[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]]
    )
    shifts = many(PCALighting(), image, 3000) - image
    np.testing.assert_allclose(shifts, np.broadcast_to(shifts[:, :1, :1], shifts.shape), atol=1e-4)
    shares = np.linalg.solve(vectors, shifts[:, 0, 0].T / 255) / np.reshape(values, (3, 1))
    for drawn in shares:
        assert is_drawn_like(drawn, rng.normal(0, 0.1, 100_000))
    assert are_independent(*shares)


@pytest.mark.parametrize("channels", [1, 3])
def test_components_are_those_of_all_colors_of_the_images(channels, rng):
    mixing = rng.normal(0, 1, (channels, channels))
    images = np.clip(120 + 30 * rng.normal(0, 1, (2500, 4, 3, channels)) @ mixing, 0, 255)
    images = images.astype(np.uint8)
    colors = images.reshape(-1, channels) / 255
    values, vectors = np.linalg.eigh(np.atleast_2d(np.cov(colors.T, bias=True)))
    parts = (part[:, : 1 + i] for i, part in enumerate([images[:5], images[5:]]))
    of_parts = PCALighting.of(parts, std=0.2)
    whole = PCALighting.of(images)
    np.testing.assert_allclose(whole.eigenvalues, values[::-1], rtol=1e-12)
    np.testing.assert_allclose(
        np.abs(whole.eigenvectors), np.abs(vectors[:, ::-1]), rtol=1e-9, atol=1e-12
    )
    assert of_parts.std == 0.2
    some = np.concatenate(
        [images[:5, :1].reshape(-1, channels), images[5:, :2].reshape(-1, channels)]
    )
    rebuilt = np.multiply(of_parts.eigenvectors, of_parts.eigenvalues) @ np.transpose(
        of_parts.eigenvectors
    )
    covariance = np.atleast_2d(np.cov(some.T / 255, bias=True))
    np.testing.assert_allclose(rebuilt, covariance, rtol=1e-10, atol=1e-14)


def test_lighting_of_grey_images_wants_components_of_their_own():
    with pytest.raises(
        InputError, match="components for images of 3 channels.*Received: images of 1"
    ):
        PCALighting()(tf.zeros((4, 4, 1)), [1, 2], 4)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ([], "at least one image"),
        (np.zeros((0, 2, 2, 3)), "at least one image"),
        (np.zeros((2, 2, 3)), r"\(n, height, width, channels\). Received: an array \(2, 2, 3\)"),
        ([np.zeros((1, 2, 2, 3), "U1")], "arrays of numbers"),
    ],
)
def test_components_of_what_is_no_image_are_refused(images, message):
    with pytest.raises(InputError, match=message):
        PCALighting.of(images)


SLIM = ("brightness", "saturation", "hue", "contrast")


@pytest.fixture
def slim_calls(monkeypatch):
    """Records each of slim's changes: its name, limits, seed, and the image before and after."""
    calls = []

    def record(name):
        change = getattr(tf.image, f"stateless_random_{name}")

        def recording(x, *arguments):
            out = change(x, *arguments)
            calls.append(
                (name, arguments[:-1], tuple(arguments[-1].numpy()), x.numpy(), out.numpy())
            )
            return out

        monkeypatch.setattr(tf.image, f"stateless_random_{name}", recording)

    for name in SLIM:
        record(name)
    return calls


def test_slims_four_orders_come_alike_with_its_constants(slim_calls, image):
    """Brightness 32/255, saturation and contrast 0.5-1.5, hue 0.2 (papers.md 14)."""
    count = 400
    x = tf.constant(image, tf.float32)
    made = [SlimDistortion()(x, [3, i], 8).numpy() for i in range(count)]
    limits = {
        "brightness": (32.0,),
        "saturation": (0.5, 1.5),
        "hue": (0.2,),
        "contrast": (0.5, 1.5),
    }
    assert all(arguments == limits[name] for name, arguments, *_ in slim_calls)
    chains = [slim_calls[i : i + 4] for i in range(0, 4 * count, 4)]
    orders = [" ".join(name for name, *_ in chain) for chain in chains]
    names, counts = np.unique(orders, return_counts=True)
    assert set(names) == {
        "brightness saturation hue contrast",
        "saturation brightness contrast hue",
        "contrast hue brightness saturation",
        "hue saturation contrast brightness",
    }
    assert counts.min() > 65  # mean 100, four deviations 35
    assert len({seed for _, _, seed, *_ in slim_calls}) == 4 * count
    for chain, out in zip(chains, made, strict=True):
        np.testing.assert_array_equal(out, chain[-1][-1].clip(0, 255))
    drawn = {
        name: np.array([_slim_draw(*call) for call in slim_calls if call[0] == name])
        for name in SLIM
    }
    assert is_uniform(drawn["brightness"], -32, 32)
    assert is_uniform(drawn["contrast"], 0.5, 1.5)
    assert is_uniform(drawn["saturation"], 0.5, 1.5)
    assert is_uniform(drawn["hue"], -0.2, 0.2)


def _slim_draw(name, _, __, before, after):
    """What was drawn, by the definitions: HSV as matplotlib has it, contrast of a channel."""
    if name == "brightness":
        return (after - before).mean()
    if name == "contrast":
        return after[..., 0].std() / before[..., 0].std()
    # The most colourful pixel whose colours are all above 0, where hue and saturation are defined.
    (h1, s1, _), (h2, s2, _) = (
        matplotlib.colors.rgb_to_hsv(np.clip(x.reshape(-1, 3)[0] / 1024, 0, 1))
        for x in (before, after)
    )
    return s2 / s1 if name == "saturation" else (h2 - h1 + 0.5) % 1 - 0.5


def test_slims_distortion_clips(image):
    bright = np.full((5, 5, 3), 250.0)
    bright[0] = 3
    made = many(SlimDistortion(), bright, 60)
    assert made.min() == 0
    assert made.max() == 255


def test_slims_distortion_of_grey_images_is_that_of_their_rgb(rng):
    """They have neither saturation nor hue."""
    image = rng.uniform(0, 255, (9, 7, 1))
    made = many(SlimDistortion(), image, 40)
    colored = many(SlimDistortion(), np.repeat(image, 3, axis=2), 40)
    np.testing.assert_allclose(np.repeat(made, 3, axis=3), colored, atol=0.01)
