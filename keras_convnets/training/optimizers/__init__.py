"""The update rules of the papers, as values of a recipe and as Keras optimizers."""

from keras_convnets.training.optimizers.loss_scaling import scaling_loss
from keras_convnets.training.optimizers.rules import SGD, Optimizer, RMSprop, build_optimizer

__all__ = ["SGD", "Optimizer", "RMSprop", "build_optimizer", "scaling_loss"]
