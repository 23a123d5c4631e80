"""What Network in Network does to CIFAR images: contrast normalization, then ZCA whitening."""

import dataclasses
import math
import os
import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from keras_convnets.data.covariance import Covariance, batches_of
from keras_convnets.errors import InputError, check_number, reason_of
from keras_convnets.files import replacing
from keras_convnets.layers.contrast_whitening import MOST_VALUES


def global_contrast_normalize(
    images: np.ndarray, scale: float = 55.0, epsilon: float = 1e-8
) -> np.ndarray:
    """Takes the mean from each image and gives it the same contrast.

    As maxout and, after it, Network in Network (arXiv 1312.4400, section 4.2) did on CIFAR.

    Args:
        images: (n, height, width, channels).
        scale: Euclidean norm that each image gets. The default is that of maxout's released code.
        epsilon: images whose norm is below it are plain and stay so.

    Returns:
        An array of the same shape, float32.

    Raises:
        InputError: if the images have another form or a number is out of range.
    """
    check_number("The scale of the contrast", scale, above=0)
    check_number("The epsilon of the contrast", epsilon, above=0)
    out = np.empty(np.shape(images), np.float32)
    start = 0
    for part in batches_of(images):
        rows = part.reshape(len(part), -1).astype(np.float64)
        rows -= rows.mean(axis=1, keepdims=True)
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        rows *= scale / np.where(norms < epsilon, scale, norms)
        out[start : start + len(part)] = rows.reshape(part.shape)
        start += len(part)
    return out


@dataclasses.dataclass(frozen=True, eq=False)
class ZCA:
    """Whitening that changes images as little as can be: values become uncorrelated.

    Attributes:
        mean: (height, width, channels) float64, of the training images.
        matrix: (d, d) float64, symmetric; d is height x width x channels.
    """

    mean: np.ndarray
    matrix: np.ndarray

    @classmethod
    def fit(cls, images: np.ndarray | Iterable[np.ndarray], regularization: float = 0.1) -> "ZCA":
        """Learns from training images, each of which is read once.

        Args:
            images: (n, height, width, channels), or parts of that form and of one size; at most
                64 x 64 x 3.
            regularization: added to the variance in every direction, at least 0; without any there
                must be more images than values in each. The paper gives none: 0.1, for images of
                contrast 55, is that of maxout's released code.

        Raises:
            InputError: if images have another form, or vary in too few directions.
        """
        check_number("The regularization of ZCA", regularization, least=0)
        values = Covariance()
        shape: tuple[int, ...] = ()
        for part in batches_of(images):
            shape = shape or part.shape[1:]
            _check_images(part, shape)
            values.add(part.reshape(len(part), -1))
        variances, directions = np.linalg.eigh(values.covariance)
        variances += regularization
        if variances[0] <= len(variances) * np.finfo(np.float64).eps * variances[-1]:
            raise InputError(
                f"The {values.count} images vary in fewer directions than their {len(variances)} "
                "values: ZCA wants more images or a regularization above 0. "
                f"Received: {regularization}"
            )
        return cls(values.mean.reshape(shape), (directions / np.sqrt(variances)) @ directions.T)

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Whitens images (n, height, width, channels); returns float32.

        Raises:
            InputError: if they have another size than those it learned from.
        """
        out = np.empty(np.shape(images), np.float32)
        start = 0
        for part in batches_of(images):
            _check_images(part, self.mean.shape)
            rows = (part - self.mean).reshape(len(part), -1) @ self.matrix
            out[start : start + len(part)] = rows.reshape(part.shape)
            start += len(part)
        return out

    def save(self, path: str | os.PathLike) -> None:
        """Writes a NumPy file (.npz), whole or not at all."""
        with replacing(path) as temporary, open(temporary, "wb") as file:
            np.savez(file, mean=self.mean, matrix=self.matrix)

    @classmethod
    def load(cls, path: str | os.PathLike) -> "ZCA":
        """Reads what `save` wrote.

        Raises:
            InputError: if there is no such file or it is something else.
        """
        if not Path(path).is_file():
            raise InputError(f"There is no file {str(path)!r}.")
        try:
            with np.load(path, allow_pickle=False) as arrays:
                mean, matrix = arrays["mean"], arrays["matrix"]
        except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
            raise InputError(
                f"The file {str(path)!r} can't be read as ZCA: {reason_of(error)}."
            ) from error
        is_good = (
            mean.ndim == 3
            and matrix.shape == (mean.size, mean.size)
            and {mean.dtype, matrix.dtype} == {np.dtype(np.float64)}
            and np.isfinite(mean).all()
            and np.isfinite(matrix).all()
        )
        if not is_good:
            raise InputError(
                f"The file {str(path)!r} should hold a mean (height, width, channels) and a square "
                f"matrix of as many rows, float64 and finite. Received: {mean.dtype} {mean.shape} "
                f"and {matrix.dtype} {matrix.shape}"
            )
        return cls(mean, matrix)


def _check_images(images: np.ndarray, shape: tuple[int, ...]) -> None:
    if images.shape[1:] != shape:
        raise InputError(
            f"ZCA wants images of one size, here {shape}. Received: {images.shape[1:]}"
        )
    if math.prod(shape) > MOST_VALUES:
        raise InputError(
            f"ZCA is for images of at most {MOST_VALUES:,} values, as 64 x 64 x 3. "
            f"Received: {shape}"
        )
