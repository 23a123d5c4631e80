"""What Network in Network does to images, against NumPy."""

import numpy as np
import pytest

from keras_convnets.data import ZCA, global_contrast_normalize
from keras_convnets.errors import InputError


@pytest.fixture
def images(rng):
    """Correlated images, 2100 of 3 x 4 x 2."""
    values = rng.normal(0, 1, (2100, 24)) @ rng.normal(0, 20, (24, 24)) + rng.uniform(0, 255, 24)
    return values.reshape(-1, 3, 4, 2)


def test_contrast_is_the_same_in_every_image(images):
    out = global_contrast_normalize(images)
    assert out.dtype == np.float32
    assert out.shape == images.shape
    rows = images.reshape(len(images), -1)
    rows = rows - rows.mean(axis=1, keepdims=True)
    expected = 55 * rows / np.sqrt((rows**2).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(out.reshape(rows.shape), expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(
        np.linalg.norm(global_contrast_normalize(images, 3.0).reshape(rows.shape), axis=1), 3, 1e-5
    )


def test_plain_images_become_black_not_infinite():
    out = global_contrast_normalize(np.full((2, 4, 4, 3), 9, np.uint8))
    np.testing.assert_array_equal(out, np.zeros((2, 4, 4, 3)))
    nearly = np.full((1, 1, 2, 1), 9.0)
    nearly[0, 0, 0, 0] += 1e-3
    assert np.linalg.norm(global_contrast_normalize(nearly)) == pytest.approx(55)
    assert np.linalg.norm(global_contrast_normalize(nearly, epsilon=0.1)) < 1e-3


def test_whitened_images_have_the_identity_as_covariance(images):
    zca = ZCA.fit(images, regularization=0)
    white = zca(images).reshape(len(images), -1)
    np.testing.assert_allclose(np.cov(white.T, bias=True), np.eye(24), atol=1e-4)
    np.testing.assert_allclose(white.mean(axis=0), 0, atol=1e-4)


def test_whitening_is_the_inverse_root_of_the_regularized_covariance(images):
    zca = ZCA.fit(images, regularization=5.0)
    rows = images.reshape(len(images), -1)
    covariance = np.cov(rows.T, bias=True) + 5.0 * np.eye(24)
    np.testing.assert_allclose(zca.matrix @ covariance @ zca.matrix, np.eye(24), atol=1e-10)
    np.testing.assert_allclose(zca.matrix, zca.matrix.T, atol=1e-15)
    assert np.linalg.eigvalsh(zca.matrix).min() > 0
    expected = (rows - rows.mean(axis=0)) @ zca.matrix
    out = zca(images)
    assert (out.dtype, out.shape) == (np.float32, images.shape)
    np.testing.assert_allclose(out.reshape(rows.shape), expected, rtol=1e-5, atol=1e-5)
    assert ZCA.fit(images).matrix == pytest.approx(ZCA.fit(images, 0.1).matrix)


def test_images_may_come_in_parts_of_any_size(images):
    whole, parts = ZCA.fit(images), ZCA.fit(iter([images[:1], images[1:8], images[8:]]))
    np.testing.assert_allclose(parts.mean, whole.mean, rtol=1e-12)
    np.testing.assert_allclose(parts.matrix, whole.matrix, rtol=1e-8, atol=1e-12)


def test_a_large_mean_costs_no_digits(images):
    near = ZCA.fit(images, regularization=0)
    far = ZCA.fit(images + 1e7, regularization=0)
    np.testing.assert_allclose(far.matrix, near.matrix, rtol=1e-4, atol=1e-6)


def test_what_is_saved_whitens_alike(images, tmp_path):
    zca = ZCA.fit(images)
    zca.save(tmp_path / "zca.npz")
    loaded = ZCA.load(tmp_path / "zca.npz")
    np.testing.assert_array_equal(loaded(images), zca(images))
    assert [file.name for file in tmp_path.iterdir()] == ["zca.npz"]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"mean": np.zeros((2, 2, 1))}, "can't be read as ZCA"),
        ({"mean": np.zeros((2, 2, 1)), "matrix": np.eye(3)}, r"Received: float64 \(2, 2, 1\) and"),
        ({"mean": np.zeros(4), "matrix": np.eye(4)}, "should hold a mean"),
        ({"mean": np.zeros((2, 2, 1)), "matrix": np.eye(4) * np.nan}, "finite"),
        ({"mean": np.zeros((2, 2, 1)), "matrix": np.eye(4, dtype="float32")}, "float64"),
        ({"mean": np.array([None]), "matrix": np.eye(4)}, "can't be read as ZCA"),
    ],
)
def test_files_of_something_else_are_refused(arrays, message, tmp_path):
    np.savez(tmp_path / "zca.npz", **arrays)
    with pytest.raises(InputError, match=message):
        ZCA.load(tmp_path / "zca.npz")


def test_damaged_files_are_refused(images, tmp_path):
    path = tmp_path / "zca.npz"
    with pytest.raises(InputError, match="There is no file"):
        ZCA.load(path)
    ZCA.fit(images).save(path)
    whole = path.read_bytes()
    array = tmp_path / "array.npy"
    np.save(array, images[0])
    for content in (b"", b"PK", whole[:2000], whole[:800] + b"x" + whole[801:], array.read_bytes()):
        path.write_bytes(content)
        with pytest.raises(InputError, match="can't be read as ZCA"):
            ZCA.load(path)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: ZCA.fit(x, -1), "regularization of ZCA .* of at least 0"),
        (lambda x: ZCA.fit(x[:20], 0), "The 20 images vary in fewer directions than their 24"),
        (lambda x: ZCA.fit([x[:1], x[:1, :2]]), r"images of one size, here \(3, 4, 2\)"),
        (lambda x: ZCA.fit(np.zeros((1, 65, 64, 3))), "at most 12,288 values"),
        (lambda x: ZCA.fit([]), "at least one image"),
        (lambda x: ZCA.fit(x)(x[:, :2]), r"images of one size, here \(3, 4, 2\)"),
        (lambda x: ZCA.fit(x)(x[0]), r"\(n, height, width, channels\)"),
        (lambda x: global_contrast_normalize(x[0]), r"\(n, height, width, channels\)"),
        (lambda x: global_contrast_normalize(x, 0), "scale of the contrast .* above 0"),
        (lambda x: global_contrast_normalize(x, epsilon=0), "epsilon of the contrast .* above 0"),
    ],
)
def test_what_makes_no_sense_is_refused(call, message, images):
    with pytest.raises(InputError, match=message):
        call(images)
