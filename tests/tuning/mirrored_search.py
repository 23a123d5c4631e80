"""Searches on two logical CPUs, by `distribution_strategy=`; prints a JSON object.

A script, for a process has as many devices as it began with.
"""

import json
import tempfile

import keras_tuner
import numpy as np
import tensorflow as tf

from keras_convnets import recipes
from keras_convnets.training import Epochs
from keras_convnets.tuning import HyperLeNet5

[CPU] = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(CPU, [tf.config.LogicalDeviceConfiguration()] * 2)
STRATEGY = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


def main():
    rng = np.random.default_rng(7)
    images, labels = rng.integers(0, 256, (32, 32, 32, 1), np.uint8), rng.integers(0, 10, 32)
    recipe = recipes.get("lenet5_mnist").scaled(batch_size=8, length=Epochs(1))
    hyper_model = HyperLeNet5(
        recipe.set("ema", "0.5"), "rate,l2", input_shape=(32, 32, 1), classes=10
    )
    tuner = keras_tuner.RandomSearch(
        hyper_model,
        "val_accuracy",
        max_trials=2,
        distribution_strategy=STRATEGY,
        directory=tempfile.mkdtemp(),
    )
    tuner.search(images, labels, validation_data=(images, labels), verbose=0)
    [best] = tuner.get_best_models()
    trials = tuner.oracle.trials.values()
    print(
        json.dumps(
            {
                "status": [trial.status for trial in trials],
                "rate": next(iter(trials)).hyperparameters.get("rate"),
                "replicas": best.distribute_strategy.num_replicas_in_sync,
                "copies": len(best.trainable_variables[0].value.values),
                "steps": int(best.optimizer.iterations.numpy()),
                "score": max(trial.score for trial in trials),
                "again": best.evaluate(images, labels, verbose=0)[1],
            }
        )
    )


main()
