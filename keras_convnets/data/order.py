"""The order of images: a pure function of (seed, epoch), so that an epoch goes on from any step.

Nothing is read to get to a position, and the workers of a cluster see the parts of the very batches
that one alone would see.
"""

import dataclasses
import functools
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from keras_convnets.data.calls import call
from keras_convnets.errors import InputError, check_number

# Rows that are made at once; a set of many more images is not held as a list of numbers.
_ROWS = 2**14
# Larger sets are shuffled in blocks of as many neighbours, and the blocks among themselves.
BLOCK = 2**24


@dataclasses.dataclass(frozen=True)
class Worker:
    """One of several workers that share every batch.

    Attributes:
        index: which one, from 0.
        count: how many there are.
    """

    index: int = 0
    count: int = 1

    def __post_init__(self):
        check_number("The number of workers", self.count, least=1, whole=True)
        check_number("The worker", self.index, least=0, below=self.count, whole=True)

    def share(self, batch_size: int) -> int:
        """Returns how many images of a batch are this worker's.

        Raises:
            InputError: if the workers can't share it alike.
        """
        if batch_size % self.count:
            raise InputError(
                f"The batch size should be a multiple of the {self.count} workers. "
                f"Received: {batch_size}"
            )
        return batch_size // self.count


def shuffled(length: int, seed: int, epoch: int) -> Iterator[np.ndarray]:
    """Gives the numbers from 0 to `length` in the order of an epoch, in blocks.

    Args:
        length: how many images there are.
        seed: with `epoch`, fixes the order.
        epoch: from 0.
    """
    for place in range(_count_blocks(length)):
        yield _block(length, seed, epoch, place, BLOCK)


@functools.lru_cache(2)  # its parts are asked for one after the other
def _block(length: int, seed: int, epoch: int, place: int, most: int) -> np.ndarray:
    """Returns the block of at most so many images that comes at a place in an epoch."""
    if length <= most:
        return np.random.default_rng([seed, epoch]).permutation(length)
    block = int(_order_of_blocks(length, seed, epoch)[place])
    first = block * most
    size = min(most, length - first)
    return first + np.random.default_rng([seed, epoch, block]).permutation(size)


def _order_of_blocks(length: int, seed: int, epoch: int) -> np.ndarray:
    return np.random.default_rng([seed, epoch]).permutation(_count_blocks(length))


def _count_blocks(length: int) -> int:
    return -(-length // BLOCK)


def training_rows(
    length: int,
    batch_size: int,
    *,
    seed: int,
    epoch: int,
    epochs: int | None,
    first_step: int,
    worker: Worker,
) -> tf.data.Dataset:
    """Returns the images of some epochs for one worker, from a step on.

    Args:
        length: how many images there are.
        batch_size: of all workers together; what does not fill a batch is left out.
        seed: fixes the order and, with the number of an image, the changes to it.
        epoch: the first, from 0.
        epochs: how many; `None` for no end.
        first_step: batches to leave out at the start.
        worker: whose share it is.

    Returns:
        A data set of (index () int64, seed (2,) int64).
    """
    share = worker.share(batch_size)
    parts_of_block = -(-min(BLOCK, length) // _ROWS)
    parts = _count_blocks(length) * parts_of_block  # of an epoch

    def read_part(number: np.ndarray) -> np.ndarray:
        number, part = divmod(int(number), parts)
        order, places = _part(length, seed, number, *divmod(part, parts_of_block))
        begin = first_step * batch_size if number == epoch else 0
        is_wanted = (begin <= places) & (places < length // batch_size * batch_size)
        indices = order[is_wanted & (places % batch_size // share == worker.index)]
        # An image has a seed of its own in each epoch.
        return np.stack([indices, np.full_like(indices, seed), number * length + indices], axis=1)

    def split_columns(number):
        rows = tf.ensure_shape(call(read_part, [number], tf.int64), (None, 3))
        return rows[:, 0], rows[:, 1:]

    last = np.iinfo(np.int64).max if epochs is None else (epoch + epochs) * parts
    numbers = tf.data.Dataset.range(epoch * parts, last)
    return numbers.map(tf.autograph.experimental.do_not_convert(split_columns)).unbatch()


def _part(
    length: int, seed: int, epoch: int, block: int, number: int
) -> tuple[np.ndarray, np.ndarray]:
    """Returns some numbers in the order of an epoch, with their places in it."""
    begin = number * _ROWS
    order = _block(length, seed, epoch, block, BLOCK)[begin : begin + _ROWS]
    position = block * BLOCK + begin
    if length > BLOCK:
        before = _order_of_blocks(length, seed, epoch)[:block]
        if _count_blocks(length) - 1 in before:  # the last block of the set has fewer images
            position -= _count_blocks(length) * BLOCK - length
    return order, position + np.arange(len(order))


def evaluation_rows(length: int, batch_size: int, worker: Worker) -> tf.data.Dataset:
    """Returns each image once, in order; several workers get as many rows each.

    The batches of a step, put behind each other in the order of the workers, are in order, too.

    Args:
        length: how many images there are.
        batch_size: of one worker.
        worker: whose share it is.

    Returns:
        A data set of (index () int64, is_real () bool); what is not real only fills up.
    """
    steps = -(-length // (batch_size * worker.count))
    rows = steps * batch_size if worker.count > 1 else length

    def find(row):
        step, place = row // batch_size, row % batch_size
        number = (step * worker.count + worker.index) * batch_size + place
        return tf.minimum(number, length - 1), number < length

    return tf.data.Dataset.range(rows).map(find)
