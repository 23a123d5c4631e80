"""Whether the training step of a recipe can be compiled as a TPU wants it.

A TPU runs what XLA compiles, with all shapes known, here in bfloat16. No TPU is asked; XLA for the
CPU is, which knows most operations that XLA for TPUs knows.
"""

import dataclasses
import time

import keras
import numpy as np
import tensorflow as tf

from keras_convnets.errors import reason_of
from keras_convnets.recursion import deep_graphs
from keras_convnets.training.model import build_training_model, preprocessing_of
from keras_convnets.training.multi_label import is_multi_label
from keras_convnets.training.phases import Phases
from keras_convnets.training.preparation import check_trainable, load_data
from keras_convnets.training.recipe import Recipe
from keras_convnets.training.transfer import head_begin

BATCH_SIZE = 2  # any that is known will do


@dataclasses.dataclass(frozen=True)
class Compilation:
    """What became of compiling a training step.

    Attributes:
        fault: what XLA says against it, or `None`.
        seconds: that it took.
    """

    fault: str | None
    seconds: float


def compile_recipe(recipe: Recipe, data: str | None = None) -> Compilation:
    """Compiles the whole training step of a recipe, as for a TPU.

    Args:
        recipe: what would be trained.
        data: see `training.train`.

    Raises:
        InputError: if the recipe or the data can't be used.
    """
    check_trainable(recipe, accumulate=1)
    recipe, images = load_data(recipe, data, seed=0)
    mode = preprocessing_of(recipe, images.channels).mode
    return compile_step(recipe, images.channels, mode)


def compile_step(
    recipe: Recipe, channels: int, mode: str, *, lower_only: bool = False
) -> Compilation:
    """Compiles the whole training step of a net: loss, gradient, optimizer, averages and metrics.

    Args:
        recipe: with its classes and input size; what it starts from does not matter.
        channels: of the images.
        mode: how the net scales them; see `imagenet_utils.preprocess_input`.
        lower_only: whether to leave it at XLA's own form of the step, where operations that can't
            be compiled and shapes that are not known show, and make no machine code of it.
    """
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = build_training_model(recipe, channels, mode)
        labels = tf.zeros((BATCH_SIZE,), tf.int64)
        classes = recipe.classes.value
        mixes = any(change.mixes_batches for change in recipe.augmentation.value)
        if mixes or is_multi_label(recipe):
            labels = tf.one_hot(labels, classes)
        # One step an epoch: schedules are as long as they are, and none is reached.
        Phases(model, recipe, head_begin(model, ()), np.arange(classes), 1).enter_last()
        return _compile(model, labels, lower_only)
    finally:
        keras.config.set_dtype_policy(policy)


def _compile(model: keras.Model, labels: tf.Tensor, lower_only: bool) -> Compilation:
    images = tf.zeros((BATCH_SIZE, *model.input_shape[1:]), tf.uint8)
    if isinstance(model.output, dict):
        labels = dict.fromkeys(model.output, labels)
    step = tf.function(model.train_step, jit_compile=True, autograph=False)
    begin = time.perf_counter()
    fault = None
    try:
        with deep_graphs():
            model._symbolic_build(data_batch=(images, labels))  # the variables of metrics
            step.experimental_get_compiler_ir((images, labels))(
                stage="hlo" if lower_only else "optimized_hlo"
            )
    except (tf.errors.OpError, ValueError, NotImplementedError) as error:
        fault = reason_of(error)
    return Compilation(fault, time.perf_counter() - begin)
