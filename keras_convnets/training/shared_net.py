"""A net whose replicas share the images of an evaluation."""

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_convnets.data import LabelSets, Preprocessing, Split, Worker, evaluation_batches
from keras_convnets.distribution.replicas import naming_lost_processes, share, total
from keras_convnets.distribution.strategies import Place


class UnreadBatchError(tf.errors.UnknownError):
    """Some process can't read its part of a batch; it is raised in all of them."""

    def __init__(self, reason: str):
        super().__init__(None, None, reason)


class SharedNet:
    """A net, as `evaluation.evaluate` takes one, on all replicas of a place.

    Keras' own `predict_on_batch` gives each replica the whole batch.

    Args:
        model: gives probabilities (n, classes).
        place: where its weights are.
    """

    def __init__(self, model: keras.Model, place: Place):
        self.output_shape = model.output_shape

        def predict(images):
            return model(images, training=False)

        @tf.function(reduce_retracing=True)
        def predict_all(images):
            return place.strategy.gather(place.strategy.run(predict, args=(images,)), axis=0)

        self._place = place
        self._predict_all = predict_all

    def predict_on_batch(self, images: tuple[tf.Tensor, int]) -> np.ndarray:
        """Returns the probabilities of a step's images.

        Args:
            images: those of this process, and how many count of those of all processes.
        """
        own, count = images
        with naming_lost_processes(self._place):
            return self._predict_all(share(self._place, own)).numpy()[:count]


def shared_batches(
    split: Split, preprocessing: Preprocessing, batch_size: int, classes: int, place: Place
) -> Iterator[tuple[Any, np.ndarray]]:
    """Gives the batches for a `SharedNet`: each image once, in order, with its label.

    What fills up the last batch is neither counted nor given a label.

    Args:
        split: the images.
        preprocessing: how an image becomes the input.
        batch_size: of all replicas together, a multiple of their number.
        classes: number of classes.
        place: where the net is.

    Raises:
        UnreadBatchError: in every process, if one can't read an image.
    """
    own = Worker(place.process, place.processes)
    batches = iter(
        evaluation_batches(split, preprocessing, own.share(batch_size), classes=classes, worker=own)
    )
    for begin in range(0, len(split), batch_size):
        (images, *_), _ = next_together(batches, place)
        rows = np.arange(begin, min(begin + batch_size, len(split)))
        if isinstance(split.labels, LabelSets):
            labels = split.labels.to_dense(rows, classes)
        else:
            labels = split.labels[rows]
        yield (_filled(images, own.share(batch_size)), len(rows)), labels


def next_together(batches: Iterator, place: Place, flag: bool = False) -> tuple[Any, bool]:
    """Returns the next batch, if every process can read its own, and whether one has its flag up.

    Raises:
        UnreadBatchError: in every process, if one can't.
    """
    fault, batch = None, None
    try:
        batch = next(batches)
    except tf.errors.OpError as error:
        fault = error
    faults, flags = total(place, [fault is not None, flag])
    if faults:
        raise UnreadBatchError(str(fault or "Another worker can't read its images.")) from fault
    return batch, flags > 0


def _filled(images: tf.Tensor, count: int) -> tf.Tensor:
    """Repeats the last image until there are as many as replicas can divide."""
    missing = count - len(images)
    return tf.concat([images, tf.repeat(images[-1:], missing, axis=0)], axis=0)
