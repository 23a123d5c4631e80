"""Runs that give the same bits again."""

import contextlib
from collections.abc import Iterator

import keras
import tensorflow as tf


def set_reproducible(seed: int, *, deterministic_kernels: bool = True) -> None:
    """Seeds Python, NumPy and TensorFlow, and has TensorFlow use deterministic kernels.

    Two runs of the same program on the same CPU then end with equal bits. The switch to
    deterministic kernels holds for the rest of the process; a kernel that has no deterministic
    form raises an error when it is used.

    Args:
        seed: int from 0 to 2^32 - 1.
        deterministic_kernels: `False` leaves the switch as it is.
    """
    keras.utils.set_random_seed(seed)
    if deterministic_kernels:
        tf.config.experimental.enable_op_determinism()


@contextlib.contextmanager
def precision(name: str | None) -> Iterator[None]:
    """Builds nets in mixed precision: "float16", "bfloat16" or `None`."""
    before = keras.config.dtype_policy()
    if name:
        keras.config.set_dtype_policy(f"mixed_{name}")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
