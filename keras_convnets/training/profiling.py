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
from keras_convnets.distribution.strategies import find_place
from keras_convnets.training.fit import training_input
from keras_convnets.training.preparation import (
    check_trainable,
    decode,
    load_data,
    make_model,
    make_phases,
    make_settings,
)
from keras_convnets.training.recipe import Recipe
from keras_convnets.training.reproducibility import precision
from keras_convnets.training.transfer import head_begin

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


def profile(
    recipe: Recipe,
    *,
    data: str | None = None,
    seed: int = 0,
    mixed_precision: str | None = None,
    accumulate: int = 1,
    seconds: float | None = None,
    quiet: bool = False,
) -> Profile:
    """Measures what bounds the speed of a run: its input, or its net; nothing is written.

    Args:
        recipe: what would be trained; from random weights, which take as long as any others.
        data: see `train`.
        seed: see `train`.
        mixed_precision: see `train`.
        accumulate: see `train`.
        seconds: how long each of the parts is measured; 10 if `None`.
        quiet: whether to show nothing.

    Raises:
        InputError: if something can't work.
    """
    check_trainable(recipe, accumulate)
    find_place("single", None, is_async=recipe.parallelism.value == "async")
    recipe, images = load_data(recipe, data, seed)
    settings = dataclasses.replace(
        make_settings(recipe, images, seed, mixed_precision, None), accumulate=accumulate
    )
    with precision(mixed_precision):
        model = make_model(recipe, images, settings)
        images = decode(recipe, images, settings, quiet)
        settings = dataclasses.replace(settings, head=head_begin(model, ()))
        make_phases(recipe, images.train, model, settings).enter_last()
        batches = training_input(model, recipe, images, settings, epoch=0, epochs=None)
        return measure(model, batches, images.train, seconds)


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
