"""Batches: order, geometry, scaling."""

import numpy as np
import pytest

from keras_convnets import data
from keras_convnets.data import (
    FlipLeftRight,
    InceptionCrop,
    PadCrop,
    Preprocessing,
    Split,
    evaluation_batches,
    training_batches,
)
from keras_convnets.errors import InputError

PLAIN = Preprocessing(8, 1, "tf")


@pytest.fixture
def numbered():
    """Ten images, each filled with its number."""
    images = np.broadcast_to(np.arange(10, dtype=np.uint8)[:, None, None, None], (10, 8, 8, 1))
    return Split(np.arange(10), images=images.copy())


def numbers(batches):
    return [label for _, labels in batches for label in labels.numpy()]


def batches(split, epoch=0, first_step=0, seed=3, augmentation=(), batch_size=4):
    return training_batches(
        split,
        PLAIN,
        augmentation,
        batch_size,
        classes=10,
        seed=seed,
        epoch=epoch,
        first_step=first_step,
    )


def test_an_epoch_shows_each_image_at_most_once_in_whole_batches(numbered):
    shown = numbers(batches(numbered))
    assert len(shown) == len(set(shown)) == 8


def test_order_is_a_function_of_seed_and_epoch(numbered):
    assert numbers(batches(numbered)) == numbers(batches(numbered))
    assert numbers(batches(numbered)) != numbers(batches(numbered, epoch=1))
    assert numbers(batches(numbered)) != numbers(batches(numbered, seed=4))


def test_an_epoch_goes_on_from_any_step(numbered):
    augmentation = (FlipLeftRight(), PadCrop(2))
    whole = list(batches(numbered, augmentation=augmentation, batch_size=2))
    rest = list(batches(numbered, augmentation=augmentation, batch_size=2, first_step=3))
    for (images, labels), (again, same) in zip(whole[3:], rest, strict=True):
        np.testing.assert_array_equal(images, again)
        np.testing.assert_array_equal(labels, same)


def test_evaluation_shows_each_image_once_in_order(numbered):
    assert numbers(evaluation_batches(numbered, PLAIN, 4)) == list(range(10))


def test_pixels_are_scaled_as_the_net_expects(numbered):
    images = np.concatenate([x for x, _ in evaluation_batches(numbered, PLAIN, 4)])
    np.testing.assert_allclose(images[:, 0, 0, 0], np.arange(10) / 127.5 - 1, atol=1e-6)


def test_batches_larger_than_the_set_are_refused(numbered):
    with pytest.raises(InputError, match="at most the number of training images, 10"):
        batches(numbered, batch_size=11)


def test_centre_crop_keeps_the_aspect():
    """A red square in the middle of a wide image stays square and in the middle."""
    image = np.zeros((40, 80, 3), np.uint8)
    image[10:30, 30:50, 0] = 200
    cropped = Preprocessing(20, 3, "tf").center(image).numpy()
    assert cropped.shape == (20, 20, 3)
    red = cropped[..., 0] > 100
    assert (red.sum(axis=0).max(), red.sum(axis=1).max()) == (10, 10)
    np.testing.assert_array_equal(red, red[::-1, ::-1])


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (299, 300), (301, 7), (20_000, 1)])
@pytest.mark.parametrize("size", [32, 299])
def test_any_size_fits_the_input(shape, size):
    """20,000 x 1 pixels, scaled until the shorter side is 342, would be 28 GB."""
    image = np.full((*shape, 3), 77, np.uint8)
    for crop in (0.875, 1.0):
        out = Preprocessing(size, 3, "tf", crop).center(image).numpy()
        np.testing.assert_array_equal(out, np.full((size, size, 3), 77))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((0, 3, "tf"), "input size should be an integer of at least 1"),
        (("28", 3, "tf"), "input size should be an integer"),
        ((28, 2, "tf"), "1 or 3 channels"),
        ((28, 3, "bgr"), "one of caffe, tf, torch, cifar, lenet"),
        ((28, 3, "tf", 0), "central crop should be a number above 0"),
    ],
)
def test_preprocessing_that_makes_no_sense_is_refused(values, message):
    with pytest.raises(InputError, match=message):
        Preprocessing(*values)


def test_a_crop_above_one_pads_with_black():
    """LeNet-5: 28 pixels centred in 32 (papers.md 1a)."""
    out = Preprocessing(32, 1, "lenet", 32 / 28).center(np.full((28, 28, 1), 255, np.uint8)).numpy()
    assert out[2:30, 2:30].min() == 255
    assert out.sum() == 28 * 28 * 255


def test_colours_become_what_the_net_takes(photo_folder):
    files = data.load(f"folder:{photo_folder}").train
    for channels in (1, 3):
        images, _ = next(iter(evaluation_batches(files, Preprocessing(16, channels, "tf"), 5)))
        assert images.shape == (5, 16, 16, channels)
    grey = Split(np.zeros(1, int), images=np.zeros((1, 16, 16, 1), np.uint8))
    images, _ = next(iter(evaluation_batches(grey, Preprocessing(16, 3, "tf"), 1)))
    assert images.shape == (1, 16, 16, 3)


@pytest.mark.parametrize("change", [FlipLeftRight(), PadCrop(2), InceptionCrop()])
def test_augmentation_is_a_function_of_the_seed(change, rng):
    image = rng.uniform(0, 255, (12, 10, 3)).astype("float32")
    first, again = (change(image, [1, 2], 8).numpy() for _ in range(2))
    np.testing.assert_array_equal(first, again)
    others = [change(image, [1, seed], 8).numpy() for seed in range(12)]
    assert any(not np.array_equal(first, other) for other in others)


def test_half_of_the_images_are_flipped():
    image = np.arange(4.0).reshape(1, 4, 1)
    flipped = [FlipLeftRight()(image, [5, i], 4).numpy()[0, 0, 0] == 3 for i in range(400)]
    assert 160 < sum(flipped) < 240  # four deviations


def test_pad_crop_reaches_every_offset_alike():
    image = np.ones((8, 8, 1), "float32")
    image[4, 4] = 9
    spots = [
        np.unravel_index(PadCrop(2)(image, [5, i], 8).numpy().argmax(), (8, 8)) for i in range(500)
    ]
    counts = np.zeros((8, 8), int)
    np.add.at(counts, tuple(zip(*spots, strict=True)), 1)
    assert set(zip(*np.nonzero(counts), strict=True)) == {
        (r, c) for r in range(2, 7) for c in range(2, 7)
    }
    assert counts.max() < 45  # mean 20


def test_inception_crop_covers_8_to_100_percent():
    """The crop of a ramp shows how much of the width it took."""
    ramp = np.broadcast_to(np.linspace(0, 1, 200, dtype="float32")[None, :, None], (200, 200, 1))
    spans = []
    for i in range(300):
        crop = InceptionCrop()(ramp, [5, i], 50).numpy()
        spans.append(crop.max() - crop.min())
    assert min(spans) < 0.4
    assert max(spans) > 0.9
    assert min(spans) > (0.08 * 3 / 4) ** 0.5 - 0.05  # width at least sqrt(area * ratio)
