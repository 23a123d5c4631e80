"""Keras optimizers with what the papers' own code does and Keras' does not."""

from collections.abc import Sequence

import keras
import tensorflow as tf
from keras import ops

from keras_convnets.distribution.transfer import (
    bring_to_servers,
    computed_beside,
    is_on_server,
)
from keras_convnets.training.averaging import Share


class _Extended:
    """Keeps an average of the weights beside them, and gives biases a rate of their own.

    Where replicas share a batch the norm that is clipped is that of their sum, the gradient of the
    batch; Keras 3.15 clips that of each part.

    Args:
        *args: of the Keras optimizer.
        share: how much the newest weights count in their average; `None` for no average.
        statistics: variables that are averaged along: those of batch normalization.
        bias_rate: what the rate of biases is multiplied by.
        **kwargs: of the Keras optimizer.
    """

    def __init__(
        self,
        *args,
        share: Share | None = None,
        statistics: Sequence[keras.Variable] = (),
        bias_rate: float = 1.0,
        **kwargs,
    ):
        super().__init__(*args, **kwargs)
        self._share = share
        self.bias_rate = bias_rate
        self._statistics = tuple(statistics)

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self._are_biases = tuple(variable.name == "bias" for variable in variables)
        if self._share is not None:
            self._averaged = (*variables, *self._statistics)
            self._averages = self.add_optimizer_variables(self._averaged, "average")

    def apply(self, grads, trainable_variables=None):
        if self._share is None:
            super().apply(grads, trainable_variables)
            return
        if not self.built:
            self.build(list(trainable_variables))
        share = self._share(self.iterations)
        # What it starts from is known now only: weights may have been loaded since `build`.
        ops.cond(ops.equal(self.iterations, 0), self._start_average, lambda: None)
        super().apply(grads, trainable_variables)
        for average, variable in self.averages():
            with computed_beside(variable):
                part = ops.cast(share, average.dtype)
                average.assign(average + part * (variable - average))

    def _get_current_learning_rate(self):
        with computed_beside(self.iterations):
            return super()._get_current_learning_rate()

    def _clip_gradients(self, grads):
        return grads if _count_replicas() > 1 else super()._clip_gradients(grads)

    def _all_reduce_sum_gradients(self, grads_and_vars):
        reduced = super()._all_reduce_sum_gradients(grads_and_vars)
        grads, variables = zip(*reduced, strict=True)
        if is_on_server(variables[0]):
            return list(zip(bring_to_servers(grads, variables), variables, strict=True))
        if _count_replicas() == 1:
            return reduced
        return list(zip(super()._clip_gradients(list(grads)), variables, strict=True))

    def averages(self) -> Sequence[tuple[keras.Variable, keras.Variable]]:
        """Returns the average of each variable that has one, and the variable."""
        if self._share is None:
            return ()
        return tuple(zip(self._averages, self._averaged, strict=True))

    def _start_average(self):
        for average, variable in self.averages():
            average.assign(variable)

    def update_step(self, gradient, variable, learning_rate):
        if self.bias_rate != 1 and self._are_biases[self._get_variable_index(variable)]:
            learning_rate = learning_rate * self.bias_rate
        super().update_step(gradient, variable, learning_rate)


def _count_replicas() -> int:
    return tf.distribute.get_strategy().num_replicas_in_sync


@keras.saving.register_keras_serializable(package="keras_convnets")
class MomentumSGD(_Extended, keras.optimizers.SGD):
    """`keras.optimizers.SGD`, whose buffer may hold gradients in place of steps.

    Args:
        *args: as in `keras.optimizers.SGD`.
        rate_inside: `False` for v <- momentum * v + g; w <- w - rate * v, as in Torch.
        **kwargs: as in `keras.optimizers.SGD`.
    """

    def __init__(self, *args, rate_inside: bool = True, **kwargs):
        super().__init__(*args, **kwargs)
        self.rate_inside = rate_inside

    def update_step(self, gradient, variable, learning_rate):
        if self.rate_inside or not self.momentum:
            super().update_step(gradient, variable, learning_rate)
            return
        buffer = self.momentums[self._get_variable_index(variable)]
        gradient = ops.cast(gradient, variable.dtype)
        kept = ops.cast(self.momentum, variable.dtype)
        self.assign(buffer, kept * buffer + gradient)
        step = gradient + kept * buffer if self.nesterov else buffer
        self.assign_sub(variable, ops.cast(learning_rate, variable.dtype) * step)

    def get_config(self):
        return {**super().get_config(), "rate_inside": self.rate_inside}


@keras.saving.register_keras_serializable(package="keras_convnets")
class TensorFlowRMSprop(_Extended, keras.optimizers.RMSprop):
    """`keras.optimizers.RMSprop`, whose mean square may start at 1 as in TensorFlow 1.

    Args:
        *args: as in `keras.optimizers.RMSprop`.
        initial_accumulator: what it starts at.
        **kwargs: as in `keras.optimizers.RMSprop`.
    """

    def __init__(self, *args, initial_accumulator: float = 0.0, **kwargs):
        super().__init__(*args, **kwargs)
        self.initial_accumulator = initial_accumulator

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        for velocity in self._velocities:
            velocity.assign(ops.full_like(velocity, self.initial_accumulator))

    def get_config(self):
        return {**super().get_config(), "initial_accumulator": self.initial_accumulator}
