"""What the replicas of a place do together: share batches, and agree on numbers and variables.

All processes of a place call these in the same order; each call waits for all of them.
"""

import contextlib
import functools
import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_convnets.distribution.strategies import Place
from keras_convnets.errors import StoppedError, reason_of

# What is raised where a process waits for one that is gone, or one that saw that before.
_OF_LOST_PROCESSES = (
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.UnavailableError,
)


def share(place: Place, batch: Any) -> Any:
    """Gives each replica of this process its part of a batch.

    Args:
        place: where they are; its replicas in one process divide the batch.
        batch: a structure of tensors (n, ...) of this process.

    Returns:
        What `place.strategy.run` takes as an argument.
    """
    count = _count_here(place)
    parts = [tf.split(tensor, count) for tensor in tf.nest.flatten(batch)]

    def of_replica(context):
        here = context.replica_id_in_sync_group % count
        return tf.nest.pack_sequence_as(batch, [part[here] for part in parts])

    return place.strategy.experimental_distribute_values_from_function(of_replica)


def total(place: Place, numbers: Sequence[float]) -> np.ndarray:
    """Returns the sums, over all processes, of as many numbers of each.

    Raises:
        StoppedError: if a process is gone.
    """
    numbers = np.asarray(numbers, np.float64)
    if place.processes == 1:
        return numbers
    with naming_lost_processes(place):
        return _adder(place)(tf.constant(numbers)).numpy()


@functools.lru_cache(2)  # that of the place where a process is
def _adder(place: Place) -> Callable[[tf.Tensor], tf.Tensor]:
    count = _count_here(place)

    def add(numbers):
        context = tf.distribute.get_replica_context()
        is_first = context.replica_id_in_sync_group % count == 0
        own = tf.where(is_first, numbers, tf.zeros_like(numbers))
        return context.all_reduce(tf.distribute.ReduceOp.SUM, own)

    @tf.function
    def add_all(numbers):
        sums = place.strategy.run(add, args=(numbers,))
        return place.strategy.experimental_local_results(sums)[0]

    return add_all


def wait(place: Place) -> None:
    """Waits until all processes are here.

    Raises:
        StoppedError: if a process is gone.
    """
    total(place, [0.0])


def in_each_process(place: Place, number: float) -> np.ndarray:
    """Returns the number of every process, in their order.

    Raises:
        StoppedError: if a process is gone.
    """
    numbers = np.zeros(place.processes)
    numbers[place.process] = number
    return total(place, numbers)


def first_that_differs(place: Place, text: str) -> int | None:
    """Returns the first process that gave another text than process 0; `None` if all gave one.

    Raises:
        StoppedError: if a process is gone.
    """
    digest = int(hashlib.sha256(text.encode()).hexdigest()[:12], 16)  # exact as a float
    digests = in_each_process(place, digest)
    others = np.flatnonzero(digests != digests[0])
    return int(others[0]) if len(others) else None


def of_first(place: Place, numbers: Sequence[float]) -> list[float]:
    """Returns the numbers of process 0 in every process.

    Raises:
        StoppedError: if a process is gone.
    """
    return total(place, list(numbers) if place.process == 0 else [0.0] * len(numbers)).tolist()


def uniter(place: Place, variables: Sequence[keras.Variable]) -> Callable[[], None]:
    """Returns a function that replaces each replica's copy of some variables by their mean.

    The moving statistics of batch normalization need it before they are used: each replica moves
    its own towards those of its part of a batch. The mean of the copies is the same however often
    they were replaced by it.
    """
    if place.replicas == 1 or not variables:
        return lambda: None

    def replace():
        context = tf.distribute.get_replica_context()
        copies = [tf.identity(variable) for variable in variables]
        means = context.all_reduce(tf.distribute.ReduceOp.MEAN, copies)
        for variable, mean in zip(variables, means, strict=True):
            variable.assign(mean)

    @tf.function
    def replace_all():
        place.strategy.run(replace)

    def unite():
        with naming_lost_processes(place):
            replace_all()

    return unite


def spread_seeds(place: Place, model: keras.Model) -> None:
    """Lets the random numbers of each replica be others: what is dropped differs between images.

    The copies of the first replica stay, and they are what checkpoints hold.

    Args:
        place: where the net is.
        model: a net, the states of whose random generators are the same in each replica.
    """
    states = [v for v in model.variables if v.name == "seed_generator_state"]
    if place.replicas == 1 or not states:
        return

    def shift():
        number = tf.distribute.get_replica_context().replica_id_in_sync_group
        for state in states:
            seed, count = tf.unstack(tf.convert_to_tensor(state))
            state.assign(tf.stack([seed + tf.cast(number, seed.dtype), count]))

    tf.function(lambda: place.strategy.run(shift))()


@contextlib.contextmanager
def naming_lost_processes(place: Place) -> Iterator[None]:
    """Turns what TensorFlow makes of a process that is gone into a sentence.

    Args:
        place: where others may be.

    Raises:
        StoppedError: if one is gone.
    """
    try:
        yield
    except _OF_LOST_PROCESSES as error:
        if place.processes == 1:
            raise
        raise StoppedError(
            "Another worker is gone, and none can go on without it; start all of them again with "
            f"`keras-convnets train --resume RUN` ({reason_of(error)})"
        ) from error


def _count_here(place: Place) -> int:
    """How many replicas this process has."""
    return len(place.strategy.extended.worker_devices)
