"""What replicas do together, tried out on two logical CPUs; prints a JSON object.

A script, for a process has as many devices as it began with.
"""

import json
import sys
import tempfile
from pathlib import Path

import keras
import numpy as np
import overflow
import small_runs
import tensorflow as tf

from keras_convnets.data import Preprocessing, Split, evaluation_batches
from keras_convnets.distribution.replicas import spread_seeds, uniter
from keras_convnets.distribution.strategies import find_place
from keras_convnets.evaluation import evaluate
from keras_convnets.training.accumulation import accumulating
from keras_convnets.training.losses import SmoothedCrossentropy, add_l2
from keras_convnets.training.optimizers import build_optimizer
from keras_convnets.training.optimizers.rules import SGD
from keras_convnets.training.shared_net import SharedNet, shared_batches

[CPU] = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(CPU, [tf.config.LogicalDeviceConfiguration()] * 2)
keras.config.set_floatx("float64")
PLACE = find_place("auto", None, is_async=False)
RNG = np.random.default_rng(7)


def net(norm=False):
    keras.utils.set_random_seed(3)
    image = keras.Input((6, 6, 3))
    x = keras.layers.Conv2D(3, 3)(image)
    if norm:
        x = keras.layers.BatchNormalization(momentum=0.5, name="norm")(x)
        x = keras.layers.Dropout(0.5)(x)
    x = keras.layers.Flatten()(x)
    return keras.Model(image, keras.layers.Dense(4, activation="softmax")(x))


def compiled(model, clip_norm=None):
    add_l2(model, 0.01, "all")
    optimizer = build_optimizer(SGD(0.9), 0.5, clip_norm=clip_norm)
    model.compile(optimizer, SmoothedCrossentropy(0.1))
    return model


def copies(variable):
    return [copy.numpy() for copy in variable.value.values]


def fit(model, images, labels, batch_size):
    batches = tf.data.Dataset.from_tensor_slices((images, labels)).batch(batch_size, True)
    return model.fit(batches, verbose=0).history["loss"]


def accumulation_differs_by():
    """From the whole batch on one device, in losses and weights."""
    images, labels = RNG.normal(size=(16, 6, 6, 3)), RNG.integers(0, 4, 16)
    plain = compiled(net(), clip_norm=0.3)
    with PLACE.scope():
        parts = compiled(accumulating(net(), 2), clip_norm=0.3)
    losses = [fit(model, images, labels, 8) for model in (plain, parts)]
    pairs = zip(plain.get_weights(), parts.get_weights(), strict=True)
    return max(float(np.max(np.abs(np.subtract(a, b)))) for a, b in [losses, *pairs])


def statistics():
    """Copies of a moving mean before they are united and after, and what is dropped."""
    with PLACE.scope():
        model = compiled(net(norm=True))
    spread_seeds(PLACE, model)
    seeds = [copies(v) for v in model.variables if v.name == "seed_generator_state"]
    fit(model, RNG.normal(size=(8, 6, 6, 3)), np.zeros(8), 8)
    mean = model.get_layer("norm").moving_mean
    before = copies(mean)
    uniter(PLACE, [mean])()
    return {
        "seeds": [seed[0].item() for seed in seeds[0]],
        "before": [copy.tolist() for copy in before],
        "after": [copy.tolist() for copy in copies(mean)],
    }


def evaluation():
    """Of 13 images, in batches of 4: by all replicas, and by a net on one device."""
    split = Split(RNG.integers(0, 4, 13), images=RNG.integers(0, 255, (13, 6, 6, 3), np.uint8))
    preprocessing = Preprocessing(6, 3, "raw")
    with PLACE.scope():
        model = net()
    alone = net()
    found = evaluate(SharedNet(model, PLACE), shared_batches(split, preprocessing, 4, 4, PLACE))
    expected = evaluate(alone, evaluation_batches(split, preprocessing, 4))
    return {
        "n": found.n,
        "loss": found.loss,
        "expected_loss": expected.loss,
        "same_order": bool(np.array_equal(found.best, expected.best)),
    }


def watching():
    """The rows of a run whose rate falls, and which ends, by what was reached."""
    with tempfile.TemporaryDirectory() as folder:
        return small_runs.train_watching(Path(folder, "run")).history


json.dump(
    {
        "place": PLACE.name,
        "again": find_place("auto", None, is_async=False).strategy is PLACE.strategy,
        "accumulation": accumulation_differs_by(),
        "statistics": statistics(),
        "evaluation": evaluation(),
        "watching": watching(),
        "overflow": overflow.take_steps(PLACE),
    },
    sys.stdout,
)
