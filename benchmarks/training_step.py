"""A training step of Xception on a CPU against keras.applications: at least 1.15 times as fast.

python benchmarks/training_step.py [mixed_bfloat16]
"""

import sys

import keras
import numpy as np
from compare import compare

import keras_convnets

BATCH, SIZE = 8, 299


def stepper(builder):
    """Returns a call that trains a net of `builder` on one batch, already traced."""
    model = builder(weights=None)
    model.compile(keras.optimizers.SGD(0.01), "sparse_categorical_crossentropy")
    rng = np.random.default_rng(0)
    images = rng.uniform(-1, 1, (BATCH, SIZE, SIZE, 3)).astype("float32")
    labels = rng.integers(0, 1000, BATCH)
    return lambda: model.train_on_batch(images, labels)


if __name__ == "__main__":
    policy = sys.argv[1] if len(sys.argv) > 1 else "float32"
    keras.config.set_dtype_policy(policy)
    compare(
        f"training_step_xception_{policy}",
        stepper(keras_convnets.Xception),
        stepper(keras.applications.Xception),
        rival_name="keras.applications.Xception",
        rounds=9,
        wanted="speed_ratio at least 1.15",
    )
