"""The optimizers of the papers, and the moving average of the weights."""

import contextlib
import dataclasses
from collections.abc import Iterator

import keras

from keras_convnets.errors import check_number


@dataclasses.dataclass(frozen=True)
class SGD:
    """v <- momentum * v - rate * gradient; w <- w + v: the rate stands inside the buffer."""

    momentum: float = 0.9
    nesterov: bool = False

    def __post_init__(self):
        check_number("The momentum of SGD", self.momentum, least=0, below=1)

    def build(self, rate, **options) -> keras.optimizers.Optimizer:
        """Returns the Keras optimizer; `options` are those that all of them share."""
        return keras.optimizers.SGD(rate, momentum=self.momentum, nesterov=self.nesterov, **options)


@dataclasses.dataclass(frozen=True)
class RMSprop:
    """Steps by the gradient over its root mean square, ms.

    ms <- rho * ms + (1 - rho) * g^2; v <- momentum * v + rate * g / sqrt(ms + epsilon);
    w <- w - v. Epsilon stands inside the root, as in TensorFlow and Keras.
    """

    rho: float = 0.9
    momentum: float = 0.9
    epsilon: float = 1.0

    def __post_init__(self):
        check_number("The rho of RMSprop", self.rho, least=0, below=1)
        check_number("The momentum of RMSprop", self.momentum, least=0, below=1)
        check_number("The epsilon of RMSprop", self.epsilon, above=0)

    def build(self, rate, **options) -> keras.optimizers.Optimizer:
        """Returns the Keras optimizer; `options` are those that all of them share."""
        return keras.optimizers.RMSprop(
            rate, rho=self.rho, momentum=self.momentum, epsilon=self.epsilon, **options
        )


Optimizer = SGD | RMSprop


def build_optimizer(
    optimizer: Optimizer, rate, *, clip_norm: float | None, ema: float | None
) -> keras.optimizers.Optimizer:
    """Builds a Keras optimizer that keeps the raw weights and their average apart.

    Args:
        optimizer: the update rule.
        rate: learning rate or Keras schedule.
        clip_norm: greatest norm of all gradients together, or `None`.
        ema: decay of the moving average of the weights, in (0, 1), or `None`.
    """
    built = optimizer.build(
        rate,
        global_clipnorm=clip_norm,
        use_ema=ema is not None,
        ema_momentum=ema if ema is not None else 0.99,
    )
    # Keras would put the average into the model at the end of every `fit`; `averaged` does it
    # when the weights are to be used, and training goes on with the raw ones.
    built.finalize_variable_values = lambda variables: None
    return built


@contextlib.contextmanager
def averaged(model: keras.Model) -> Iterator[None]:
    """Puts the moving average of the weights into a compiled model, if it has one, for a while."""
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    if not optimizer.use_ema:
        yield
        return
    raw = [keras.ops.convert_to_numpy(variable) for variable in model.trainable_variables]
    type(optimizer).finalize_variable_values(optimizer, model.trainable_variables)
    try:
        yield
    finally:
        for variable, value in zip(model.trainable_variables, raw, strict=True):
            variable.assign(value)
