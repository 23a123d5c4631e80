"""Updates from the mean gradient of several micro-batches, for devices that hold no whole batch."""

import keras
import tensorflow as tf

from keras_convnets.recursion import deep_graphs


class _Accumulating(keras.Model):
    """A net that computes the gradient of a batch in equal parts, one after the other.

    A step is one update: schedules, averages, clipping and checkpoints know nothing of the parts.
    Keras' `gradient_accumulation_steps` makes a step of each part: in Keras 3.15 schedules then
    count parts, and moving averages take the same weights in several times.
    """

    parts = 1

    def train_step(self, data):
        data = keras.utils.unpack_x_y_sample_weight(data)
        batch = [None if part is None else tf.nest.map_structure(self._cut, part) for part in data]
        variables = self.trainable_variables
        replicas = tf.distribute.get_strategy().num_replicas_in_sync

        def add_part(index, sums):
            images, labels, weights = (
                None if part is None else tf.nest.map_structure(lambda tensor: tensor[index], part)
                for part in batch
            )
            with tf.GradientTape() as tape:
                outputs = self(images, training=True)
                loss = self.compute_loss(images, labels, outputs, weights, training=True)
                scaled = self.optimizer.scale_loss(loss)
            for metric in self.metrics:
                if metric.name == "loss":  # `compute_metrics` leaves it out
                    # A replica's loss is its part of the mean over all of them.
                    metric.update_state(loss * replicas)
            self.compute_metrics(images, labels, outputs, weights)
            gradients = tape.gradient(
                scaled, variables, unconnected_gradients=tf.UnconnectedGradients.ZERO
            )
            return index + 1, [total + g for total, g in zip(sums, gradients, strict=True)]

        _, sums = tf.while_loop(
            lambda index, _: index < self.parts,
            add_part,
            (0, [tf.zeros(variable.shape, variable.dtype) for variable in variables]),
            parallel_iterations=1,  # or memory would hold several
        )
        # Each part's loss is a mean over its images, with all of L2.
        gradients = [total / self.parts for total in sums]
        self.optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return self.get_metrics_result()

    def _cut(self, tensor):
        return tf.reshape(tensor, (self.parts, -1, *tensor.shape[1:]))


def accumulating(model: keras.Model, parts: int) -> keras.Model:
    """Returns a net on the same weights that computes the gradient of a batch in parts.

    Batch normalization takes its statistics of each part; all else that is not random is that of
    the whole batch.

    Args:
        model: a net.
        parts: how many; batches must be divisible by it.
    """
    if parts == 1:
        return model
    with deep_graphs():
        net = _Accumulating(model.input, model.output, name=model.name)
    net.parts = parts
    return net
