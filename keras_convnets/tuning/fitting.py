"""How a hyper-model trains: by Keras' `fit`, on arrays or tf.data, with what the recipe says."""

import inspect
import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras.metrics import MeanMetricWrapper, categorical_accuracy, sparse_categorical_accuracy

from keras_convnets.data.augmentation import Augmentation
from keras_convnets.data.augmentation.base import fold
from keras_convnets.errors import InputError
from keras_convnets.recursion import deep_graphs
from keras_convnets.training.losses import best_is_label
from keras_convnets.training.model import loss_weights
from keras_convnets.training.multi_label import is_multi_label
from keras_convnets.training.phases import Phases
from keras_convnets.training.recipe import Recipe
from keras_convnets.training.schedules import Epochs
from keras_convnets.training.transfer import head_begin
from keras_convnets.tuning.callbacks import Averages, Names, Watch

_ARRAYS = (np.ndarray, tf.Tensor, list, tuple)


def compile_by(
    model: keras.Model, recipe: Recipe, steps_per_epoch: int, labels: np.ndarray | None = None
) -> Phases:
    """Compiles a net with the recipe's loss and optimizer, and a metric named "accuracy".

    Args:
        model: the net.
        recipe: of one phase.
        steps_per_epoch: which the schedule depends on.
        labels: of the training images, (n,) integers, or `None` if they are not known yet.
    """
    labels = np.arange(recipe.classes.value) if labels is None else labels
    phases = Phases(model, recipe, head_begin(model), labels, steps_per_epoch)
    metrics = [MeanMetricWrapper(_accuracy_of(recipe), name="accuracy")]
    has_heads = isinstance(model.output, dict)
    model.compile(
        model.optimizer,
        model.loss,
        loss_weights=loss_weights(model, recipe) if has_heads else None,
        metrics={"predictions": metrics} if has_heads else metrics,
    )
    return phases


def fit(model: keras.Model, recipe: Recipe, *args: Any, **kwargs: Any) -> keras.callbacks.History:
    """Trains a net as `model.fit` does, by its recipe.

    Where nothing else is given, batch size and epochs are the recipe's. Images are raw, 0..255, and
    get the recipe's augmentation; every head learns the same labels; validation is by the average
    of the weights if the recipe keeps one. The schedule takes the length of an epoch from the data,
    and is for the recipe's length, or for the epochs given if they are more.

    Args:
        model: compiled by `compile_by`.
        recipe: of one phase.
        *args: those of `keras.Model.fit`: arrays of images (n, height, width, channels) and labels,
            (n,) integers or (n, classes), or a tf.data set of batches of both.
        **kwargs: the same.

    Raises:
        InputError: if the data have another form.
    """
    given = dict(inspect.signature(model.fit).bind(*args, **kwargs).arguments)
    labels = _class_labels(given, recipe)
    data = _training_data(given, recipe)
    _check_watched(given, recipe)
    steps = given.get("steps_per_epoch") or count_batches(data)
    given["x"] = data.map(_finisher(model, recipe, recipe.augmentation.value), tf.data.AUTOTUNE)
    if given.get("validation_data") is not None:
        batches = _batches(given["validation_data"], recipe, given.get("validation_batch_size"))
        given["validation_data"] = batches.map(_finisher(model, recipe, ()), tf.data.AUTOTUNE)
    length = recipe.length.value.steps(steps, recipe.batch_size.value)
    given.setdefault("epochs", math.ceil(length / steps))
    if given["epochs"] * steps > length:
        recipe = recipe.scaled(length=Epochs(given["epochs"]))
    old = model.optimizer.variables
    with model.distribute_strategy.scope():
        phases = compile_by(model, recipe, steps, labels)
        # A trial that goes on has momenta and a step of its own.
        for new, value in zip(model.optimizer.variables, old, strict=True):
            new.assign(value)
    own = [Names(), Averages(), Watch(phases, recipe, steps)]
    given["shuffle"] = False  # that is done
    given["callbacks"] = [*own, *(given.get("callbacks") or ())]
    with deep_graphs():
        return model.fit(**given)


def count_batches(data: tf.data.Dataset) -> int:
    """Returns how many batches a data set has; one that does not say it is read once.

    Raises:
        InputError: if it has no end.
    """
    count = int(data.cardinality())
    if count == tf.data.INFINITE_CARDINALITY:
        raise InputError("A data set without end wants `steps_per_epoch`. Received: None")
    if count == tf.data.UNKNOWN_CARDINALITY:
        count = int(data.reduce(np.int64(0), lambda total, *_: total + 1))
    return count


def _training_data(given: dict[str, Any], recipe: Recipe) -> tf.data.Dataset:
    """The training images in batches; what they are made of is taken out of the arguments."""
    x, y = given.pop("x", None), given.pop("y", None)
    weights, size = given.pop("sample_weight", None), given.pop("batch_size", None)
    split, shuffle = given.pop("validation_split", 0.0), given.pop("shuffle", True)
    if isinstance(x, tf.data.Dataset):
        return x
    arrays = _arrays(x, y, weights)
    count = len(arrays[0])
    if split and given.get("validation_data") is None:
        count = math.ceil(count * (1 - split))  # the last ones, as in Keras
        given["validation_data"] = tuple(part[count:] for part in arrays)
    data = tf.data.Dataset.from_tensor_slices(tuple(part[:count] for part in arrays))
    size = size or recipe.batch_size.value
    data = data.shuffle(count) if shuffle else data
    return data.batch(size, drop_remainder=count >= size)


def _batches(data: Any, recipe: Recipe, size: int | None) -> tf.data.Dataset:
    if isinstance(data, tf.data.Dataset):
        return data
    arrays = _arrays(*data)
    return tf.data.Dataset.from_tensor_slices(arrays).batch(size or recipe.batch_size.value)


def _arrays(x: Any, y: Any = None, weights: Any = None) -> tuple[np.ndarray, ...]:
    if not isinstance(x, _ARRAYS) or y is None:
        raise InputError(
            "The data should be arrays of images and labels, or a tf.data.Dataset of batches of "
            f"both. Received: {type(x).__name__} and {type(y).__name__}"
        )
    return tuple(np.asarray(part) for part in (x, y, weights) if part is not None)


def _check_watched(given: dict[str, Any], recipe: Recipe) -> None:
    """Makes sure that there is what the schedule or the early stop watches."""
    watched = getattr(recipe.schedule.value, "watch", "")
    needs = watched.startswith("val_") or recipe.early_stop.value is not None
    if needs and given.get("validation_data") is None:
        raise InputError(
            f"The recipe {recipe.name!r} watches how validation goes, so it wants "
            "`validation_data`. Received: None"
        )


def _class_labels(given: dict[str, Any], recipe: Recipe) -> np.ndarray | None:
    """The classes of the training images, where the loss weighs them."""
    if recipe.class_weights.value is None:
        return None
    labels = given.get("y")
    if labels is None:
        raise InputError(
            "Classes can be balanced where images and labels are arrays; a tf.data.Dataset wants "
            f"`class_weights` to be None. Received: {recipe.class_weights.value!r}"
        )
    labels = np.asarray(labels)
    return labels.argmax(-1) if labels.ndim == 2 and labels.shape[1] > 1 else labels.reshape(-1)


def _finisher(model: keras.Model, recipe: Recipe, changes: Sequence[Augmentation]) -> Callable:
    """Returns what makes of a batch what a net is trained with."""
    heads, shape, classes = model.output, model.input_shape[1:], recipe.classes.value
    single = [change for change in changes if not change.mixes_batches]
    mixes = [change for change in changes if change.mixes_batches]
    for change in changes:
        change.prepare()
    is_dense = bool(mixes) or is_multi_label(recipe)

    def change_one(pair):
        image, seed = pair
        for i, change in enumerate(single):
            image = change(image, fold(seed, i), shape[0])
        return tf.ensure_shape(image, shape)

    def finish(images, labels, *weights):
        if single or mixes:
            images = tf.cast(images, tf.float32)
            # Drawn anew for each batch; `fold` wants them below 2^32.
            seeds = tf.random.uniform((tf.shape(images)[0] + 1, 2), 0, 2**31 - 1, tf.int32)
        if single:
            images = tf.map_fn(
                change_one,
                (images, seeds[1:]),
                fn_output_signature=tf.TensorSpec(shape, tf.float32),
            )
        labels = _plain(labels, classes, is_dense)
        for i, change in enumerate(mixes):
            images, labels = change(images, labels, fold(seeds[0], i))
        return images, dict.fromkeys(heads, labels) if isinstance(heads, dict) else labels, *weights

    return tf.autograph.experimental.do_not_convert(finish)


def _plain(labels: tf.Tensor, classes: int, is_dense: bool) -> tf.Tensor:
    """Labels as (n,), or as (n, classes) where they came so, or must be."""
    if len(labels.shape) == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if len(labels.shape) == 1 and is_dense:
        return tf.one_hot(tf.cast(labels, tf.int32), classes)
    return labels


def _accuracy_of(recipe: Recipe) -> Callable[[Any, Any], Any]:
    """The function from labels of either form, and outputs, to whether each image is right."""
    if is_multi_label(recipe):
        return best_is_label

    def accuracy(y_true, y_pred):
        is_sparse = len(y_true.shape) < len(y_pred.shape)
        return (sparse_categorical_accuracy if is_sparse else categorical_accuracy)(y_true, y_pred)

    return accuracy
