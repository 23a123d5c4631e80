"""Makes the goldens of the nets that are in tf_slim.nets.

    python -m tests.weights.peers.make_slim [names]

from the root of the repository, in an environment with tensorflow==2.15.1, tf_keras==2.15.1 and
tf_slim==1.1.0: later versions of TensorFlow have not all that tf_slim calls.
"""

import importlib.metadata
import sys
from collections.abc import Callable

import numpy as np
import tensorflow as tf
import tf_slim
from tf_keras.src import legacy_tf_layers
from tf_keras.src.legacy_tf_layers import normalization
from tf_slim.nets import inception_v1, inception_v2, inception_v3, resnet_v1, resnet_v2, vgg

from .drawing import Golden, draw_image
from .write_slim import draw_variable

# TensorFlow looks for it where tf_keras does not have it.
sys.modules["tf_keras.legacy_tf_layers"] = legacy_tf_layers
sys.modules["tf_keras.legacy_tf_layers.normalization"] = normalization

# Beside the variables of the net, the checkpoints of these hold the mean that images are less by.
_WITH_MEAN = "vgg_16", "vgg_19", "resnet_v1_50"
_NETS = {  # sizes and classes
    "inception_v1": (224, 1001),
    "inception_v2": (224, 1001),
    "inception_v3": (299, 1001),
    "resnet_v1_50": (224, 1000),
    "resnet_v2_50": (299, 1001),
    "resnet_v2_101": (299, 1001),
    "resnet_v2_152": (299, 1001),
    "vgg_16": (224, 1000),
    "vgg_19": (224, 1000),
}


def make(name: str) -> dict[str, Golden]:
    """A net of tf_slim, and its auxiliary head if it has one."""
    net, scope = _net_and_scope(name)
    size, classes = _NETS[name]
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        image = tf.constant(draw_image(size))  # all variables become float64 like it
        with tf_slim.arg_scope(scope()):
            logits, points = net(image, num_classes=classes, is_training=False)
        variables = tf.compat.v1.global_variables()
        shapes = {variable.op.name: tuple(variable.shape) for variable in variables}
        for variable in variables:
            drawn = draw_variable(variable.op.name, tuple(variable.shape))
            variable.load(drawn.astype("float64"), session)
        outputs = {"": logits}
        if "AuxLogits" in points:
            outputs["_aux1"] = points["AuxLogits"]
        found = session.run(outputs)
    if name in _WITH_MEAN:
        shapes[f"{name}/mean_rgb"] = (3,)
    made_with = ", ".join(
        f"{package} {importlib.metadata.version(package)}" for package in ("tensorflow", "tf-slim")
    )
    return {
        f"slim_{name}{end}": Golden(shapes, size, values.reshape(-1), made_with)
        for end, values in found.items()
    }


def _net_and_scope(name: str) -> tuple[Callable, Callable]:
    """A net of tf_slim and its scope of arguments."""
    module = next(
        module
        for module in (inception_v1, inception_v2, inception_v3, resnet_v1, resnet_v2, vgg)
        if name.startswith(module.__name__.rpartition(".")[2])
    )
    scope = {"resnet": "resnet_arg_scope", "vgg": "vgg_arg_scope"}.get(
        name.partition("_")[0], f"{name}_arg_scope"
    )
    return getattr(module, name), getattr(module, scope)


if __name__ == "__main__":
    for net in sys.argv[1:] or _NETS:
        for peer, golden in make(net).items():
            golden.save(peer)
            spread = np.abs(golden.logits).max()
            print(f"{peer}: {len(golden.shapes)} tensors, logits up to {spread:.3g}")
