"""What a worker does when the chief asks: some steps, each a gradient and an update."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from keras_convnets.distribution.transfer import (
    bring_to_servers,
    computed_beside,
    read_from_servers,
)
from keras_convnets.training.model import accuracy_of, loss_of, loss_weights
from keras_convnets.training.parameter_server.twin import Twin
from keras_convnets.training.recipe import Recipe


class Done(NamedTuple):
    """What a worker says of some steps.

    Attributes:
        worker: () int64, its number.
        loss: () float32, the sum of the losses.
        top1: () float32, the sum of the shares of images that were right.
        staleness: (steps,) int64, for each step the updates by others between its first look at
            the weights and its own update.
    """

    worker: Any
    loss: Any
    top1: Any
    staleness: Any


def make_steps(
    twin: Twin, recipe: Recipe, strategy: tf.distribute.Strategy
) -> Callable[..., tf.Tensor]:
    """Returns the function (iterator, count () int32) -> `Done` that workers run.

    Args:
        twin: the net on the servers.
        recipe: of the run.
        strategy: whose workers.
    """
    gradient_step = _make_gradient_step(twin.model, recipe)
    counter = twin.iterations.value

    @tf.function
    def steps(iterator, count):
        staleness = tf.TensorArray(tf.int64, count)
        loss, top1, worker = tf.zeros([]), tf.zeros([]), tf.zeros([], tf.int64)
        for i in tf.range(count):
            images, labels, worker = next(iterator)
            with tf.device(counter.device):
                before = tf.identity(counter)
            own_loss, own_top1 = strategy.run(gradient_step, (images, labels, before))
            with tf.device(counter.device):
                # One of the updates is its own.
                others = tf.maximum(tf.cast(counter - before, tf.int64) - 1, 0)
            staleness = staleness.write(i, others)
            loss, top1 = loss + own_loss, top1 + own_top1
        return Done(worker, loss, top1, staleness.stack())

    return steps


def _make_gradient_step(model: keras.Model, recipe: Recipe) -> Callable:
    loss_of_output, is_right = loss_of(recipe), accuracy_of(recipe)
    weights = loss_weights(model, recipe) if isinstance(model.output, dict) else None
    learning = len(model.trainable_variables)

    def step(images, labels, before):
        # `before` counts the updates that the weights have had at least.
        read = read_from_servers(
            [*model.trainable_variables, *model.non_trainable_variables], behind=[before]
        )
        values, state = read[:learning], read[learning:]
        with tf.GradientTape() as tape:
            tape.watch(values)
            outputs, new_state, losses = model.stateless_call(
                values, state, images, training=True, return_losses=True
            )
            if weights is None:
                main, loss = outputs, loss_of_output(labels, outputs)
            else:
                main = outputs["predictions"]
                loss = sum(w * loss_of_output(labels, outputs[name]) for name, w in weights.items())
            loss = tf.add_n([loss, *losses])
            scaled = model.optimizer.scale_loss(loss)
        gradients = tape.gradient(scaled, values)
        # Before the optimizer, which averages statistics, too.
        _keep(model.non_trainable_variables, state, new_state)
        model.optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        top1 = tf.reduce_mean(tf.cast(is_right(labels, main), tf.float32))
        return tf.cast(loss, tf.float32), top1

    return step


def _keep(variables: Sequence[keras.Variable], old: Sequence, new: Sequence) -> None:
    """Gives the servers what a step has changed beside the weights: statistics, seeds of dropout.

    Those of batch normalization are averages over the batches of all workers.
    """
    changed = [i for i in range(len(variables)) if new[i] is not old[i]]
    values = bring_to_servers([new[i] for i in changed], [variables[i] for i in changed])
    for i, value in zip(changed, values, strict=True):
        with computed_beside(variables[i]):
            variables[i].assign(value)
