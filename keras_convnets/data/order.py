"""The order of images: a pure function of (seed, epoch), so that an epoch goes on from any step.

Nothing is read to get to a position, and the workers of a cluster see the parts of the very batches
that one alone would see.
"""

import dataclasses
import itertools
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

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
    """Gives the numbers from 0 to `length` in the order of an epoch, in parts.

    Args:
        length: how many images there are.
        seed: with `epoch`, fixes the order.
        epoch: from 0.
    """
    if length <= BLOCK:
        yield np.random.default_rng([seed, epoch]).permutation(length)
        return
    blocks = np.random.default_rng([seed, epoch]).permutation(-(-length // BLOCK))
    for block in blocks.tolist():
        first = block * BLOCK
        size = min(BLOCK, length - first)
        yield first + np.random.default_rng([seed, epoch, block]).permutation(size)


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
    worker.share(batch_size)

    def parts() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        numbers = itertools.count(epoch) if epochs is None else range(epoch, epoch + epochs)
        for number in numbers:
            begin = first_step * batch_size if number == epoch else 0
            for order, places in _parts(length, seed, number):
                is_wanted = (begin <= places) & (places < length // batch_size * batch_size)
                owner = places % batch_size // (batch_size // worker.count)
                indices = order[is_wanted & (owner == worker.index)]
                seeds = [np.full_like(indices, seed), number * length + indices]
                yield indices, np.stack(seeds, axis=1)

    signature = (
        tf.TensorSpec([None], tf.int64),
        tf.TensorSpec([None, 2], tf.int64),
    )
    return tf.data.Dataset.from_generator(parts, output_signature=signature).unbatch()


def _parts(length: int, seed: int, epoch: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Gives numbers in the order of an epoch, with their places in it, some at a time."""
    position = 0
    for order in shuffled(length, seed, epoch):
        for begin in range(0, len(order), _ROWS):
            part = order[begin : begin + _ROWS]
            yield part, position + begin + np.arange(len(part))
        position += len(order)


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
