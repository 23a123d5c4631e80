"""Tensors that are still in their file, by the layers and variables that they are meant for."""

import dataclasses
from collections.abc import Callable

import numpy as np


@dataclasses.dataclass(frozen=True)
class Stored:
    """A tensor in a file: what it is like, and how to get it.

    Attributes:
        shape: of the array.
        read: gives the array; called at most once, after every shape has been checked.
        channels_first: whether the rows of a dense kernel run over (channels, height, width) of the
            map that was flattened before it, as in Torch and Caffe.
    """

    shape: tuple[int, ...]
    read: Callable[[], np.ndarray]
    channels_first: bool = False

    @classmethod
    def of(cls, array: np.ndarray) -> "Stored":
        """An array that is in memory already."""
        return cls(array.shape, lambda: array)

    def then(self, shape: tuple[int, ...], change: Callable[[np.ndarray], np.ndarray]) -> "Stored":
        """The tensor after a change that gives it another shape."""
        return dataclasses.replace(self, shape=shape, read=lambda: change(self.read()))

    def transposed(self, *axes: int) -> "Stored":
        """The tensor with its axes in another order."""
        return self.then(tuple(self.shape[axis] for axis in axes), lambda a: a.transpose(axes))

    def reshaped(self, *shape: int) -> "Stored":
        """The tensor in another shape."""
        return self.then(shape, lambda a: a.reshape(shape))


def without_background(tensor: Stored) -> Stored:
    """A classifier's kernel or bias without class 0 of 1,001, which TF-slim keeps for none."""
    *rest, classes = tensor.shape
    return tensor if classes != 1001 else tensor.then((*rest, 1000), lambda a: a[..., 1:])


# Names of our layers, and of the variables in each as Keras calls them ("kernel", "bias", "gamma",
# "beta", "moving_mean", "moving_variance", "depthwise_kernel", "pointwise_kernel"), to tensors in
# Keras' layout.
Tensors = dict[str, dict[str, Stored]]
