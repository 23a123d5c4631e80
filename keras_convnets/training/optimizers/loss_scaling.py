"""Loss scaling for float16 where replicas share a batch."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="keras_convnets")
class SharedLossScale(keras.optimizers.LossScaleOptimizer):
    """`keras.optimizers.LossScaleOptimizer`, whose replicas skip a step together.

    In Keras 3.15 the first replica of each process decides by its own part of the gradient, before
    parts are summed: what overflows in another one gets into the weights of all, and processes
    whose parts differ wait for each other without end.

    Args:
        *args: as in `keras.optimizers.LossScaleOptimizer`.
        **kwargs: as in `keras.optimizers.LossScaleOptimizer`.
    """

    def check_finite(self, grads):
        """Returns whether the gradients of all replicas are finite, () bool."""
        finite = super().check_finite(grads)
        if tf.distribute.get_strategy().num_replicas_in_sync == 1:
            return finite
        overflows = tf.cast(tf.logical_not(finite), tf.float32)
        context = tf.distribute.get_replica_context()
        return tf.equal(context.all_reduce(tf.distribute.ReduceOp.SUM, overflows), 0)


def scaling_loss(
    optimizer: keras.optimizers.Optimizer, policy: keras.DTypePolicy
) -> keras.optimizers.Optimizer:
    """Returns an optimizer that scales losses if a net with this policy wants it, as in float16."""
    return SharedLossScale(optimizer) if policy.name == "mixed_float16" else optimizer
