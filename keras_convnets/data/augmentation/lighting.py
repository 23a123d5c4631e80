"""The lighting noise of AlexNet."""

import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np
import tensorflow as tf

from keras_convnets.data.augmentation.base import Augmentation
from keras_convnets.data.covariance import Covariance, batches_of
from keras_convnets.errors import InputError, check_number


@dataclasses.dataclass(frozen=True)
class PCALighting(Augmentation):
    """Adds random shares of the principal components of colour (AlexNet, NIPS 2012, section 4.1).

    Every pixel gets the same sum, over the components, of eigenvector x eigenvalue x a number from
    N(0, std^2). The eigenvalues belong to colours of 0..1; the defaults are fb.resnet.torch's, of
    ImageNet. Other numbers of channels, as of grey images, need components of their own: `of`.

    Attributes:
        std: standard deviation of the numbers.
        eigenvalues: variances along the components, of colours of 0..1.
        eigenvectors: a row for each channel, a column for each component.
    """

    std: float = 0.1
    eigenvalues: tuple[float, ...] = (0.2175, 0.0188, 0.0045)
    eigenvectors: tuple[tuple[float, ...], ...] = (
        (-0.5675, 0.7192, 0.4009),
        (-0.5808, -0.0045, -0.8140),
        (-0.5836, -0.6948, 0.4203),
    )

    def __post_init__(self):
        check_number("The std of PCALighting", self.std, least=0)
        if not isinstance(self.eigenvalues, tuple) or not self.eigenvalues:
            raise InputError(
                "PCALighting wants a tuple of eigenvalues, one for each channel. "
                f"Received: {self.eigenvalues!r}"
            )
        for value in self.eigenvalues:
            check_number("An eigenvalue of PCALighting", value, least=0)
        count = len(self.eigenvalues)
        if not _is_matrix(self.eigenvectors, count):
            raise InputError(
                f"PCALighting wants {count} rows of {count} numbers as eigenvectors, for there are "
                f"{count} eigenvalues. Received: {self.eigenvectors!r}"
            )

    @classmethod
    def of(cls, images: np.ndarray | Iterable[np.ndarray], std: float = 0.1) -> "PCALighting":
        """Computes the components of the colours of training images, which are read once.

        Args:
            images: (n, height, width, channels) of 0..255, or parts of that form; the sizes of the
                parts may differ.
            std: standard deviation of the numbers.

        Raises:
            InputError: if there are no images or they have another form.
        """
        colors = Covariance()
        for part in batches_of(images):
            colors.add(part.reshape(-1, part.shape[-1]) / 255.0)
        values, vectors = np.linalg.eigh(colors.covariance)  # the least first
        # The sign of a component means nothing: its largest entry shall be positive.
        largest = np.take_along_axis(vectors, np.abs(vectors).argmax(axis=0)[None], axis=0)
        vectors = vectors * np.sign(largest)
        return cls(
            std,
            tuple(np.maximum(values[::-1], 0).tolist()),
            tuple(map(tuple, vectors[:, ::-1].tolist())),
        )

    def __call__(self, image: tf.Tensor, seed: tf.Tensor, size: int) -> tf.Tensor:
        count = len(self.eigenvalues)
        if image.shape[-1] != count:
            raise InputError(
                f"PCALighting has components for images of {count} channels; for others "
                f"PCALighting.of computes them. Received: images of {image.shape[-1]}"
            )
        components = 255 * np.multiply(self.eigenvectors, self.eigenvalues)
        drawn = tf.random.stateless_normal((count,), seed, stddev=self.std)
        color = tf.linalg.matvec(tf.constant(components, tf.float32), drawn)
        # Whole rows at a time: to add three numbers to each pixel takes twice as long.
        shape = tf.shape(image)
        rows = tf.reshape(image, (shape[0], shape[1] * count)) + tf.tile(color, shape[1:2])
        return tf.reshape(rows, shape)


def _is_matrix(rows: Sequence[Sequence[float]], count: int) -> bool:
    try:
        matrix = np.asarray(rows, np.float64)
    except (TypeError, ValueError):
        return False
    return isinstance(rows, tuple) and matrix.shape == (count, count) and np.isfinite(matrix).all()
