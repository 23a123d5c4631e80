"""Nets that take images of any size: dense layers as convolutions (Simonyan and Zisserman 2014).

The class scores before the last activation are averaged over the map, not the probabilities: the
VGG paper averages the class score map over space, and probabilities over mirror images only. For a
net that ends in a global average and one dense layer this is the net itself, for the mean of the
scores is the score of the mean; averaged probabilities would be another net than the trained one.
"""

from collections.abc import Callable

import keras
import tensorflow as tf
from keras import layers

from keras_convnets.errors import InputError, reason_of
from keras_convnets.recursion import deep_graphs

# Layers of a head that act on each place of a map alone.
_POINTWISE = (layers.Dense, layers.Dropout, layers.Activation, layers.ReLU, layers.Softmax)


def dense_net(model: keras.Model) -> Callable[[tf.Tensor], tf.Tensor]:
    """Returns a net on the same weights that takes images of any size.

    Args:
        model: a classifier whose last feature map is averaged or flattened.

    Returns:
        A function of images (n, height, width, channels) float32 that gives (n, classes). For
        images of the model's own size it gives what the model gives.

    Raises:
        InputError: if the model has another head, or layers that need its own image size.
    """
    head = _head(model)
    if not isinstance(head[0], layers.Flatten):
        whole = _with_free_size(model, model.output)
        return _as_function(model, lambda images: whole(images, training=False))
    first, *others = head[1:]
    trunk = _with_free_size(model, head[0].input)
    height, width = head[0].input.shape[1:3]

    def apply(images: tf.Tensor) -> tf.Tensor:
        scores = _convolve(trunk(images, training=False), first, height, width)
        activation = first.activation
        for layer in others:
            scores, activation = _scores(layer, activation(scores))
        return activation(tf.reduce_mean(scores, axis=(1, 2)))

    return _as_function(model, apply)


def _head(model: keras.Model) -> list[keras.Layer]:
    """The layers from the one that averages or flattens the last map on.

    Raises:
        InputError: if there is no such layer, or one behind it that a map can't go through.
    """
    head: list[keras.Layer] = []
    layer = model.output._keras_history.operation
    while not isinstance(layer, layers.Flatten | layers.GlobalAveragePooling2D):
        parents = layer._inbound_nodes[0].parent_nodes
        if len(parents) != 1 or not isinstance(layer, _POINTWISE):
            raise InputError(
                f"{model.name!r} can't be applied densely: behind its last feature map are "
                f"dense layers only, or a global average. Received: the layer {layer.name!r}, "
                f"{type(layer).__name__}"
            )
        head.insert(0, layer)
        layer = parents[0].operation
    is_flat = isinstance(layer, layers.Flatten)
    if is_flat and not (head and isinstance(head[0], layers.Dense) and len(layer.input.shape) == 4):
        raise InputError(
            f"{model.name!r} can't be applied densely: the layer behind {layer.name!r} is no "
            f"dense one, so that it is no convolution over the last feature map."
        )
    return [layer, *head]


def _with_free_size(model: keras.Model, output) -> keras.Model:
    """The layers up to a tensor, applied to images of any size."""
    height, width, channels = model.input_shape[1:]
    part = keras.Model(model.input, output)

    def apply(*shape: int | None) -> keras.Model:
        return keras.models.clone_model(
            part,
            input_tensors=keras.Input((*shape, channels), dtype=model.input.dtype),
            clone_function=lambda layer: layer,  # the same layers: no weight is copied
        )

    try:
        with deep_graphs():
            if height and width:
                apply(2 * height, 2 * width)  # with a free size Keras can't see what does not fit
            return apply(None, None)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{model.name!r} can't be applied densely, for it needs images of its own size: "
            f"{reason_of(error)}"
        ) from error


def _convolve(maps: tf.Tensor, layer: layers.Dense, height: int, width: int) -> tf.Tensor:
    """A dense layer on a flattened map of height x width, at each place of a larger one."""
    dtype = layer.compute_dtype
    kernel = tf.reshape(layer.kernel, (height, width, maps.shape[-1], layer.units))
    scores = keras.ops.conv(keras.ops.cast(maps, dtype), keras.ops.cast(kernel, dtype))
    return scores if layer.bias is None else scores + keras.ops.cast(layer.bias, dtype)


def _scores(layer: keras.Layer, maps: tf.Tensor) -> tuple[tf.Tensor, Callable]:
    """What goes into the activation of a layer, and that activation."""
    if not isinstance(layer, layers.Dense):
        return maps, layer
    return _convolve(maps, layer, 1, 1), layer.activation


def _as_function(model: keras.Model, apply: Callable) -> Callable[[tf.Tensor], tf.Tensor]:
    """Compiles a net once for images of all sizes."""
    images = tf.TensorSpec((None, None, None, model.input_shape[-1]), model.input.dtype)
    return tf.function(apply, input_signature=[images], autograph=False)
