"""Steps in float16, one of which overflows in a single replica: for scripts with several."""

import keras
import numpy as np
import tensorflow as tf

from keras_convnets.distribution.replicas import share
from keras_convnets.distribution.strategies import Place
from keras_convnets.training.losses import SmoothedCrossentropy
from keras_convnets.training.optimizers import SGD, build_optimizer, scaling_loss

# A part of each batch that is so large that its gradients, times the first scale of 2^15, are
# more than float16 holds.
LARGE = 3000.0


def take_steps(place: Place) -> list[dict]:
    """Takes a step in which the last replica overflows, and two in which none does.

    Returns:
        For each step the scale, the number of updates and the sum of the weights, of each copy that
        this process has.
    """
    before = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("mixed_float16")
    with place.scope():
        model = _net()
        optimizer = scaling_loss(build_optimizer(SGD(0.9), 0.01), model.dtype_policy)
        model.compile(optimizer, SmoothedCrossentropy(0.0))
        model.optimizer.build(model.trainable_variables)
    rng, count = np.random.default_rng(0), place.replicas
    images, labels = rng.normal(size=(count, 8, 6, 6, 3)), rng.integers(0, 4, (count, 8))
    large = images.copy()
    large[-1] *= LARGE
    train = tf.function(lambda data: place.strategy.run(model.train_step, args=(data,)))
    told = []
    for batch in (large, images, images):
        own = np.array_split(np.arange(count), place.processes)[place.process]
        train(share(place, tuple(tf.constant(np.concatenate(a[own])) for a in (batch, labels))))
        told.append(
            {
                "scales": _copies(model.optimizer.dynamic_scale),
                "updates": _copies(model.optimizer.iterations),
                "sums": np.sum([_copies(v) for v in model.trainable_variables], axis=0).tolist(),
            }
        )
    keras.config.set_floatx(before[0])
    keras.config.set_dtype_policy(before[1])
    return told


def _net() -> keras.Model:
    keras.utils.set_random_seed(3)
    image = keras.Input((6, 6, 3))
    x = keras.layers.Flatten()(keras.layers.Conv2D(3, 3)(image))
    return keras.Model(image, keras.layers.Dense(4, activation="softmax", dtype="float32")(x))


def _copies(variable: keras.Variable) -> list[float]:
    """The sum of each replica's copy of a variable."""
    return [float(np.sum(copy.numpy())) for copy in variable.value.values]
