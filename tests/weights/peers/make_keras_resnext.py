"""Makes the goldens of the ResNeXts of keras-applications.

    python -m tests.weights.peers.make_keras_resnext

from the root of the repository, in an environment with tensorflow==2.15.1 (whose Keras is 2.15) and
keras-applications==1.0.8.
"""

import importlib.metadata

import numpy as np
import tensorflow as tf
from keras_applications import resnext

from .drawing import Golden, draw_image
from .write_keras import draw_weight

SIZE = 224


def make(builder: str) -> Golden:
    """One net, with the weights drawn."""
    keras = tf.keras
    keras.backend.set_floatx("float64")
    model = getattr(resnext, builder)(
        weights=None,
        backend=keras.backend,
        layers=keras.layers,
        models=keras.models,
        utils=keras.utils,
    )
    names = {weight.name.removesuffix(":0"): weight for weight in model.weights}
    for name, weight in names.items():
        weight.assign(draw_weight(name, tuple(weight.shape)))
    model.get_layer("probs").activation = keras.activations.linear
    logits = model(draw_image(SIZE), training=False).numpy()[0]
    shapes = {name: tuple(weight.shape) for name, weight in names.items()}
    versions = (f"{name} {importlib.metadata.version(name)}" for name in PACKAGES)
    return Golden(shapes, SIZE, logits, ", ".join(versions))


PACKAGES = "keras-applications", "keras", "tensorflow"

if __name__ == "__main__":
    for net in ("ResNeXt50", "ResNeXt101"):
        golden = make(net)
        golden.save(f"keras_{net.lower()}")
        print(
            f"{net}: {len(golden.shapes)} tensors, logits up to {np.abs(golden.logits).max():.3g}"
        )
