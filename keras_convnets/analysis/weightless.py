"""Nets that are only counted: built without weights, in a fraction of the time and memory."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import keras

T = TypeVar("T")


def weightless(work: Callable[[], T]) -> T:
    """Returns what `work` returns; the nets that it builds have shapes, but no values.

    Args:
        work: builds nets and counts them. What it returns should hold no net, for none can run.

    Example:

    >>> from keras_convnets.analysis.weightless import weightless
    >>> weightless(lambda: keras_convnets.Xception(weights=None).count_params())
    22910480
    """
    policy = keras.config.dtype_policy()

    def run() -> T:
        keras.config.set_dtype_policy(policy)
        with keras.StatelessScope(initialize_variables=False):
            return work()

    # Initializers without a seed draw one from Python's generator, which is the process's.
    state = random.getstate()
    # Keras lists variables without values in the state of the thread, and would give them values
    # later; with a thread of their own the list is gone.
    try:
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(run).result()
    finally:
        random.setstate(state)
