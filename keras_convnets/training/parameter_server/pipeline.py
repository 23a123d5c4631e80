"""The images of workers: each reads its own files, in an order of its own."""

import dataclasses
import secrets

import numpy as np
import tensorflow as tf

from keras_convnets.data import ImageSet, training_batches
from keras_convnets.data.calls import call, shared
from keras_convnets.errors import InputError
from keras_convnets.training.recipe import Recipe
from keras_convnets.training.run import Settings

_NAME = "training"
_plain = tf.autograph.experimental.do_not_convert


def batches_of_workers(recipe: Recipe, images: ImageSet, settings: Settings) -> tf.data.Dataset:
    """Returns the data set that the chief sends to its workers.

    Its graph calls Python functions by name: each worker has its own, by `offer_batches`.

    Args:
        recipe: of the run.
        images: as the chief sees them.
        settings: of the run.

    Returns:
        An endless data set of (images, labels, worker () int64).
    """
    return _batches(recipe, images, settings, settings.seed, None)


def offer_batches(recipe: Recipe, images: ImageSet, settings: Settings, worker: int) -> None:
    """Makes this process ready to read what a chief asks for.

    Each start of a worker begins an order of its own, for what the others have seen is not known.

    Args:
        recipe: of the run.
        images: as this worker sees them.
        settings: of the run, as this process would make them.
        worker: its number.
    """
    entropy = [settings.seed, worker, secrets.randbits(32)]
    seed = int(np.random.SeedSequence(entropy).generate_state(1)[0])
    _batches(recipe, images, settings, seed, worker)


def _batches(
    recipe: Recipe, images: ImageSet, settings: Settings, seed: int, worker: int | None
) -> tf.data.Dataset:
    fingerprint = settings.fingerprint.encode()

    def tell_worker(expected: bytes) -> np.int64:
        if expected != fingerprint:
            raise InputError(
                f"The data {recipe.data.value!r} has other classes, labels or files here than at "
                "the chief; all machines should see the same."
            )
        return np.int64(worker)

    with shared(_NAME, None if worker is None else f"worker {worker}"):
        batches = training_batches(
            images.train,
            dataclasses.replace(settings.preprocessing, mode="raw"),
            recipe.augmentation.value,
            recipe.batch_size.value,
            classes=len(images.classes),
            seed=seed,
            epoch=0,
            epochs=None,
        )

        def ask_worker(expected: tf.Tensor) -> tf.Tensor:
            return tf.ensure_shape(call(tell_worker, [expected], tf.int64), ())

        def beside(batch: tuple[tf.Tensor, tf.Tensor], worker: tf.Tensor) -> tuple[tf.Tensor, ...]:
            return (*batch, worker)

        told = tf.data.Dataset.from_tensors(fingerprint).map(_plain(ask_worker))
        # It is asked once: calls of Python take time that steps of small nets have not.
        return tf.data.Dataset.zip(batches, told.cache().repeat()).map(_plain(beside))
