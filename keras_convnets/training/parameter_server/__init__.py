"""Asynchronous training: workers compute gradients, parameter servers hold what learns.

Keras 3 has no loop for `tf.distribute.ParameterServerStrategy`, so this is the package's own.
"""

from keras_convnets.training.parameter_server.loop import fit
from keras_convnets.training.parameter_server.pipeline import offer_batches
from keras_convnets.training.parameter_server.serving import serve_run
from keras_convnets.training.parameter_server.split_dense import LARGE

__all__ = ["LARGE", "fit", "offer_batches", "serve_run"]
