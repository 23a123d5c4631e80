"""Images that turn out unreadable within a pipeline: which they are, and why."""

import contextlib
import re
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import tensorflow as tf

from keras_convnets.data.augmentation import Augmentation
from keras_convnets.data.batches import evaluation_examples, training_examples
from keras_convnets.data.decoding import first_fault
from keras_convnets.data.images import check_image
from keras_convnets.data.order import Worker, evaluation_rows, training_rows
from keras_convnets.data.splits import Fault, Split
from keras_convnets.errors import InputError, reason_of
from keras_convnets.preprocessing import Preprocessing


@contextlib.contextmanager
def naming_faults(split: Split | None = None) -> Iterator[None]:
    """Turns what TensorFlow makes of an unreadable image within a pipeline into a sentence.

    Args:
        split: the images, to find the one that TensorFlow does not name.
    """
    try:
        yield
    except tf.errors.OpError as error:
        sentence = _sentence_in(error)
        if sentence is None and split is not None:
            fault = first_fault(split)
            sentence = fault and fault.reason
        if sentence is None:
            raise
        raise InputError(sentence) from error


def training_faults(
    split: Split,
    preprocessing: Preprocessing,
    augmentation: Sequence[Augmentation],
    batch_size: int,
    *,
    seed: int,
    epoch: int,
    step: int,
) -> list[Fault]:
    """Returns the images of one batch of training that can't be decoded.

    Args:
        split: see `training_batches`, as all else.
        preprocessing: geometry and scaling.
        augmentation: random changes.
        batch_size: images in a batch.
        seed: of the order.
        epoch: of the batch, from 0.
        step: of the batch in its epoch, from 0.

    Raises:
        InputError: if the bytes of an image can't be had, which may be the disk's fault.
    """
    rows = training_rows(
        len(split),
        batch_size,
        seed=seed,
        epoch=epoch,
        epochs=1,
        first_step=step,
        worker=Worker(),
    ).take(batch_size)
    return _faults(
        split, rows, lambda rows: training_examples(split, preprocessing, augmentation, rows)
    )


def evaluation_faults(split: Split, preprocessing: Preprocessing) -> list[Fault]:
    """Returns the images that can't be decoded for an evaluation; see `training_faults`."""
    rows = evaluation_rows(len(split), 1, Worker())
    return _faults(split, rows, lambda rows: evaluation_examples(split, preprocessing, rows))


def _faults(
    split: Split,
    rows: tf.data.Dataset,
    examples_of: Callable[[tf.data.Dataset], tf.data.Dataset],
) -> list[Fault]:
    """The images of some rows that can't be read, or whose examples fail; each file once."""
    if split.encoded is None:
        return []
    faults: dict[str, Fault] = {}
    readable = []
    for row in rows.as_numpy_iterator():
        unread = _unread(split, int(row[0]))
        if unread is None:
            readable.append(row)
        else:
            faults[unread.file] = unread
    if not readable:
        return list(faults.values())
    columns = tuple(np.stack(column) for column in zip(*readable, strict=True))
    stream = iter(examples_of(tf.data.Dataset.from_tensor_slices(columns)))
    for index, _ in readable:
        try:
            next(stream)  # the one behind a failure follows it
        except tf.errors.OpError as error:
            fault = _undecoded(split, int(index), error)
            faults[fault.file] = fault
    return list(faults.values())


def _unread(split: Split, index: int) -> Fault | None:
    try:
        split.encoded.read(index)
    except InputError as error:
        if isinstance(error.__cause__, OSError):
            raise  # all others on that disk may seem bad, too
        return Fault(split.encoded.name(index), str(error))
    return None


def _undecoded(split: Split, index: int, error: tf.errors.OpError) -> Fault:
    name = split.encoded.name(index)
    reason = _sentence_in(error)
    if reason is None:
        try:
            check_image(split.encoded.read(index), name)
        except InputError as undecoded:
            reason = str(undecoded)
    if reason is None:
        if not isinstance(error, tf.errors.InvalidArgumentError):
            raise error  # such as a lack of memory
        told = re.sub(r"\{\{.*?\}\} ?| ?\[Op:.*", "", reason_of(error))
        reason = f"The image file {name!r} can't be decoded: {told}."
    return Fault(name, reason)


def _sentence_in(error: tf.errors.OpError) -> str | None:
    """The sentence of an `InputError` that was raised within a graph."""
    found = re.search(r"InputError: (.*)", str(error))
    return found and found.group(1)
