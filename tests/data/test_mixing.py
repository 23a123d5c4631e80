"""Augmentation by layers of Keras: pure functions of a seed, and labels that fit the images."""

import numpy as np
import pytest
import tensorflow as tf

from keras_convnets.data import (
    CutMix,
    FlipLeftRight,
    MixUp,
    Preprocessing,
    RandAugment,
    Split,
    training_batches,
)

PLAIN = Preprocessing(8, 3, "cifar")
MIXES = [MixUp(1.0), CutMix()]


@pytest.fixture
def numbered():
    """Twelve images of three classes, each filled with its number."""
    images = np.broadcast_to(np.arange(12, dtype=np.uint8)[:, None, None, None], (12, 8, 8, 3))
    return Split(np.arange(12) % 3, images=images.copy())


def batches(split, augmentation, epoch=0, first_step=0, seed=3):
    return list(
        training_batches(
            split, PLAIN, augmentation, 4, classes=3, seed=seed, epoch=epoch, first_step=first_step
        )
    )


@pytest.mark.parametrize("mix", MIXES, ids=lambda mix: type(mix).__name__)
def test_an_epoch_of_mixed_batches_goes_on_from_any_step(numbered, mix):
    augmentation = (FlipLeftRight(), RandAugment(1), mix)
    whole = batches(numbered, augmentation)
    rest = batches(numbered, augmentation, first_step=1)
    assert len(rest) == 2
    for pair, again in zip(whole[1:], rest, strict=True):
        for a, b in zip(pair, again, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("mix", MIXES, ids=lambda mix: type(mix).__name__)
def test_mixing_is_a_function_of_seed_epoch_and_step(numbered, mix):
    drawn = [
        images.numpy().tobytes()
        for options in ({}, {"seed": 4}, {"epoch": 1})
        for images, _ in batches(numbered, (mix,), **options)
    ]
    assert len(set(drawn)) == 9
    assert drawn[:3] == [images.numpy().tobytes() for images, _ in batches(numbered, (mix,))]


def mix_of_two(mix, seed, size=16):
    """What becomes of a black image of class 0 and a white one of class 1."""
    images = np.stack([np.zeros((size, size, 3)), np.ones((size, size, 3))]).astype("float32")
    mixed, labels = mix(tf.constant(images), tf.eye(2), tf.constant([9, seed]))
    return mixed.numpy(), labels.numpy()


def test_mixup_blends_labels_as_it_blends_images():
    shares = []
    for seed in range(40):
        images, labels = mix_of_two(MixUp(1.0), seed)
        assert np.ptp(images, axis=(1, 2, 3)).max() == 0
        np.testing.assert_allclose(images[:, 0, 0, 0], labels[:, 1], atol=1e-6)
        np.testing.assert_allclose(labels.sum(axis=1), 1, atol=1e-6)
        shares += list(labels[np.arange(2), np.arange(2)])
    assert min(shares) < 0.2  # Beta(1, 1) gives every share
    assert max(shares) > 0.8


def test_cutmix_mixes_labels_by_the_area_of_one_patch():
    mixed = 0
    for seed in range(40):
        images, labels = mix_of_two(CutMix(), seed, size=64)
        np.testing.assert_allclose(labels.sum(axis=1), 1, atol=1e-6)
        # The border of a patch falls between pixels: up to a row and a column.
        np.testing.assert_allclose(images.mean(axis=(1, 2, 3)), labels[:, 1], atol=0.04)
        patch = np.argwhere(images[0, ..., 0] == 1)
        if 0 < len(patch) < 64 * 64:
            height, width = np.ptp(patch, axis=0) + 1
            assert len(patch) == height * width
            mixed += 1
    assert mixed > 10


def test_rand_augment_is_a_function_of_the_seed(rng):
    image = rng.uniform(0, 255, (12, 10, 3)).astype("float32")
    change = RandAugment(1)
    first, again, other = (change(image, [1, seed], 8).numpy() for seed in (2, 2, 3))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert first.shape == image.shape
    assert first.min() >= 0
    assert first.max() <= 255


def test_rand_augment_changes_grey_images_of_any_size(rng):
    images = rng.integers(0, 255, (4, 9, 13, 1)).astype(np.uint8)
    split = Split(np.zeros(4, int), images=images)
    (x, _), *_ = training_batches(
        split, Preprocessing(9, 1, "tf"), (RandAugment(1),), 4, classes=2, seed=0, epoch=0
    )
    assert x.shape == (4, 9, 9, 1)


def test_unmixed_batches_keep_integer_labels(numbered):
    (_, labels), *_ = batches(numbered, (FlipLeftRight(),))
    assert labels.dtype == tf.int64
