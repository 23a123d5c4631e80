"""What bounds the speed of a run: its input, or its net."""

import dataclasses
import itertools
import os
import time
from collections.abc import Callable, Iterable
from typing import Any

import keras
import tensorflow as tf

from keras_convnets.data import Split
from keras_convnets.data.batches import untuned
from keras_convnets.data.encoded import with_contents
from keras_convnets.data.windows import decode_window, whole

# What is measured takes as many seconds each, after a warm-up.
SECONDS = 10.0
_WARM_UP = 2  # batches; the first step traces the net
_NEVER_SHRUNK = 2**20  # pixels


@dataclasses.dataclass(frozen=True)
class Profile:
    """Rates of a run, in images a second.

    Attributes:
        input: batches alone, with nothing that takes them.
        compute: steps on one batch that is there.
        decoding: reading and decoding whole images and nothing else; `None` if they are arrays.
        cores: of this machine.
    """

    input: float
    compute: float
    decoding: float | None
    cores: int

    @property
    def is_bound_by_input(self) -> bool:
        """Whether the net waits for images."""
        return self.input < self.compute

    @property
    def decoding_share(self) -> float | None:
        """How much of the input's time is what decoding whole images would take."""
        return None if self.decoding is None else min(1.0, self.input / self.decoding)


def measure(
    model: keras.Model, batches: tf.data.Dataset, split: Split, seconds: float | None = None
) -> Profile:
    """Measures the parts of a run one by one.

    Args:
        model: compiled; it is trained on the way.
        batches: of training, without an end.
        split: the images that they are made of.
        seconds: how long each measurement takes; 10 if `None`.
    """
    seconds = SECONDS if seconds is None else seconds
    fixed = next(iter(batches))
    size = len(fixed[0])

    def step(batch: tuple) -> int:
        model.train_on_batch(*batch)
        return size

    return Profile(
        input=_rate(batches, lambda batch: size, seconds),
        compute=_rate(itertools.repeat(fixed), step, seconds),
        decoding=None if split.encoded is None else _decoding_rate(split, seconds),
        cores=os.cpu_count() or 1,
    )


def _decoding_rate(split: Split, seconds: float) -> float:
    def decode(content, index):
        image = decode_window(content, index, split.encoded, whole, _NEVER_SHRUNK, channels=3)
        return tf.shape(image)

    decode = tf.autograph.experimental.do_not_convert(decode)
    contents = with_contents(split.encoded, tf.data.Dataset.range(len(split)).repeat())
    images = contents.map(decode, tf.data.AUTOTUNE, deterministic=False)
    parts = untuned(images.batch(32).prefetch(1))
    return _rate(iter(parts), len, seconds)


def _rate(parts: Iterable, use: Callable[[Any], int], seconds: float) -> float:
    """Returns how many images a second are used, once it runs."""
    parts = iter(parts)
    for part in itertools.islice(parts, _WARM_UP):
        use(part)
    begin, count = time.perf_counter(), 0
    while time.perf_counter() - begin < seconds:
        count += use(next(parts))
    return count / (time.perf_counter() - begin)
