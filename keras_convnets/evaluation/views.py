"""From images to what a protocol shows of them, read in threads and a few images ahead."""

import collections
import concurrent.futures
import functools
import os
from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf

from keras_convnets.data import Split
from keras_convnets.evaluation.protocols import Crops, Protocol
from keras_convnets.preprocessing import Preprocessing

# Images that are read before they are needed, for each thread.
AHEAD = 2


def cut(image: np.ndarray, protocol: Protocol, preprocessing: Preprocessing) -> list[np.ndarray]:
    """Returns what a protocol of crops or whole images shows of an image.

    Args:
        image: (height, width, channels) uint8.
        protocol: any but the central crop.
        preprocessing: gives size, channels and interpolation.

    Returns:
        Views of equal shape in one array, (views, height, width, channels) uint8: one array of all
        crops, or one of the whole image for each scale. The second half of each array is the
        mirror image of the first.
    """
    resized = [_resize(image, scale, preprocessing) for scale in protocol.scales(preprocessing)]
    if not isinstance(protocol, Crops):
        return [_with_mirror(whole[None]) for whole in resized]
    size = preprocessing.size
    views = []
    for whole in resized:
        for y, x, side in protocol.boxes(*whole.shape[:2], size):
            view = whole[y : y + side, x : x + side]
            views.append(view if side == size else _resize(view, size, preprocessing))
    return [_with_mirror(np.stack(views))]


def read_ahead(
    split: Split, protocol: Protocol, preprocessing: Preprocessing
) -> Iterator[list[np.ndarray]]:
    """Gives what `cut` returns for each image of a split, in order.

    Raises:
        InputError: if an image can't be read.
    """
    return _in_threads(
        lambda index: cut(split.image(index, preprocessing.channels), protocol, preprocessing),
        len(split),
    )


def _resize(image: np.ndarray, scale: int, preprocessing: Preprocessing) -> np.ndarray:
    return _resizer(preprocessing, image.shape[-1])(image, scale).numpy()


@functools.lru_cache(maxsize=32)
def _resizer(preprocessing: Preprocessing, channels: int) -> Callable[..., tf.Tensor]:
    """Compiles the resize: its many small steps take longer than the work, one by one."""

    @tf.function(
        input_signature=[
            tf.TensorSpec((None, None, channels), tf.uint8),
            tf.TensorSpec((), tf.int32),
        ],
        autograph=False,
    )
    def resize(image: tf.Tensor, scale: tf.Tensor) -> tf.Tensor:
        return tf.cast(preprocessing.resize(image, scale), tf.uint8)

    return resize


def _with_mirror(views: np.ndarray) -> np.ndarray:
    return np.concatenate([views, views[:, :, ::-1]])


def _in_threads(function: Callable, count: int) -> Iterator:
    """Gives the results for 0, 1, 2, ... in order, of which few wait at any time."""
    threads = os.cpu_count() or 1
    pool = concurrent.futures.ThreadPoolExecutor(threads)
    waiting = collections.deque()
    try:
        for index in range(count):
            waiting.append(pool.submit(function, index))
            if len(waiting) > AHEAD * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
