"""The optimizers of the papers, as a recipe says them."""

import dataclasses
from collections.abc import Sequence

import keras

from keras_convnets.errors import check_number
from keras_convnets.training.averaging import Share
from keras_convnets.training.optimizers.updates import MomentumSGD, TensorFlowRMSprop


@dataclasses.dataclass(frozen=True)
class SGD:
    """Stochastic gradient descent with momentum.

    With the rate inside the buffer, v <- momentum * v - rate * g; w <- w + v, as in the AlexNet
    paper, Caffe, TensorFlow and Keras. With the rate outside, v <- momentum * v + g;
    w <- w - rate * v, as in Torch. They differ behind each change of the rate: inside, what v holds
    keeps the rate that it was gathered with.

    Attributes:
        momentum: what is kept of v, in [0, 1).
        nesterov: whether the step is what v will be with the same gradient once more: with the rate
            inside w <- w + momentum * v - rate * g, outside w <- w - rate * (g + momentum * v).
        rate_inside: see above.
    """

    momentum: float = 0.9
    nesterov: bool = False
    rate_inside: bool = True

    def __post_init__(self):
        check_number("The momentum of SGD", self.momentum, least=0, below=1)

    def build(self, rate, **options) -> keras.optimizers.Optimizer:
        """Returns the Keras optimizer; `options` are those that all of them share."""
        return MomentumSGD(
            rate,
            momentum=float(self.momentum),
            nesterov=self.nesterov,
            rate_inside=self.rate_inside,
            **options,
        )


@dataclasses.dataclass(frozen=True)
class RMSprop:
    """Steps by the gradient over its root mean square, ms.

    ms <- rho * ms + (1 - rho) * g^2; v <- momentum * v + rate * g / sqrt(ms + epsilon);
    w <- w - v. Epsilon stands inside the root, and the rate inside v, as in TensorFlow and Keras.

    Attributes:
        rho: what is kept of ms, in [0, 1).
        momentum: what is kept of v, in [0, 1).
        epsilon: above 0.
        initial_accumulator: what ms starts at: 0 as in Keras, or 1 as in the TensorFlow that the
            papers used (tensorflow/python/training/rmsprop.py), whose first steps are shorter.
    """

    rho: float = 0.9
    momentum: float = 0.9
    epsilon: float = 1.0
    initial_accumulator: float = 0.0

    def __post_init__(self):
        check_number("The rho of RMSprop", self.rho, least=0, below=1)
        check_number("The momentum of RMSprop", self.momentum, least=0, below=1)
        check_number("The epsilon of RMSprop", self.epsilon, above=0)
        check_number("The initial accumulator of RMSprop", self.initial_accumulator, least=0)

    def build(self, rate, **options) -> keras.optimizers.Optimizer:
        """Returns the Keras optimizer; `options` are those that all of them share."""
        return TensorFlowRMSprop(
            rate,
            rho=self.rho,
            momentum=self.momentum,
            epsilon=self.epsilon,
            initial_accumulator=self.initial_accumulator,
            **options,
        )


Optimizer = SGD | RMSprop


def build_optimizer(
    optimizer: Optimizer,
    rate,
    *,
    clip_norm: float | None = None,
    share: Share | None = None,
    statistics: Sequence[keras.Variable] = (),
    bias_rate: float = 1.0,
) -> keras.optimizers.Optimizer:
    """Builds a Keras optimizer.

    Args:
        optimizer: the update rule.
        rate: learning rate or Keras schedule.
        clip_norm: greatest norm of all gradients together, or `None`.
        share: how much the newest weights count in the average that it keeps; `None` for none.
        statistics: variables that are averaged with those that learn: those of batch normalization.
        bias_rate: what the rate of biases is multiplied by.
    """
    return optimizer.build(
        rate,
        global_clipnorm=clip_norm,
        share=share,
        statistics=statistics,
        bias_rate=bias_rate,
    )
