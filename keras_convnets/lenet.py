"""LeNet-5 (LeCun, Bottou, Bengio, Haffner 1998, Proceedings of the IEEE 86(11))."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from keras_convnets._builder import Net, activation, head_dtype
from keras_convnets._registry import Paper, Reported, Tap, architecture
from keras_convnets.errors import InputError, check_choice
from keras_convnets.imagenet_utils import preprocessor
from keras_convnets.layers import (
    BiasedConv2D,
    ConnectionTableConv2D,
    LeNetUniform,
    RadialBasisOutput,
    TrainableSubsampling,
    scaled_tanh,
)
from keras_convnets.layers.lenet import C3_CONNECTIONS

__all__ = ["LeNet5", "preprocess_input"]

preprocess_input = preprocessor("lenet")


@architecture(
    paper=Paper(
        "Gradient-Based Learning Applied to Document Recognition",
        "LeCun, Bottou, Bengio, Haffner",
        1998,
        "https://doi.org/10.1109/5.726791",
    ),
    preprocessing="lenet",
    input_shape=(32, 32, 1),
    taps=(
        Tap("c1", 6, 1),
        Tap("s2_act", 6, 2),
        Tap("c3", 16, 2),
        Tap("s4_act", 16, 4),
        Tap("c5_act", 120, 4),
    ),
    variants=("paper", "modern"),
    reported=Reported("MNIST", 99.05, "error 0.95 % (figure 9)"),
)
def LeNet5(
    include_top: bool = True,
    weights: str | None = None,
    input_tensor: Any = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 10,
    classifier_activation: Any = "softmax",
    name: str = "lenet5",
    *,
    variant: str = "paper",
    include_preprocessing: bool | str = False,
) -> keras.Model:
    """Builds LeNet-5, with the paper's own layers or in its usual modern form.

    Input: (n, 32, 32, 1) in [-0.1, 1.175], as `preprocess_input` makes it from 0..255; output:
    (n, classes) float32 probabilities, or the map of C5 (n, 1, 1, 120) without the top.

    Args:
        {shared_arguments}
        variant: "paper": trainable subsampling, the connection table of C3, scaled tanh, and RBF
            units with fixed prototypes (10 classes only; the logits are minus the squared
            distances). "modern": full connections, ReLU, max pooling and a dense softmax.
        {include_preprocessing}

    {returns}

    Example:

    >>> model = keras_convnets.LeNet5()
    >>> model.output_shape
    (None, 10)

    Source: LeCun et al. 1998, section II.B, figure 2 and table I.

    Differs from the paper: the 7 x 12 prototype bitmaps are drawn anew, for the paper shows its
    own only as a figure; a softmax acts on the output, where the paper takes the least distance.
    """
    check_choice("variant", variant, ("paper", "modern"))
    if variant == "paper" and include_top and classes != 10:
        raise InputError(
            "The paper's LeNet5 has one prototype for each of the 10 digits; use "
            f"variant='modern' for other classes. Received: classes={classes}"
        )
    net = Net(
        "LeNet5", include_top, weights, input_tensor, input_shape, pooling, classes,
        classifier_activation, name,
        default_size=32, minimum_size=32, default_channels=1, ends_in_global_pooling=False,
        include_preprocessing=include_preprocessing,
    )  # fmt: skip
    return (_paper if variant == "paper" else _modern)(net)


def _paper(net: Net) -> keras.Model:
    init = LeNetUniform
    x = net.input  # 32 x 32
    x = BiasedConv2D(6, 5, kernel_initializer=init(), name="c1")(x)  # 28 x 28 x 6
    x = activation(x, "c1_act", scaled_tanh)
    x = TrainableSubsampling(name="s2")(x)  # 14 x 14 x 6
    x = activation(x, "s2_act", scaled_tanh)
    x = ConnectionTableConv2D(C3_CONNECTIONS, 5, init(), name="c3")(x)  # 10 x 10 x 16
    x = activation(x, "c3_act", scaled_tanh)
    x = TrainableSubsampling(name="s4")(x)  # 5 x 5 x 16
    x = activation(x, "s4_act", scaled_tanh)
    x = BiasedConv2D(120, 5, kernel_initializer=init(), name="c5")(x)  # 1 x 1 x 120
    x = activation(x, "c5_act", scaled_tanh)

    def head(x):
        x = layers.Flatten(name="flatten")(x)
        x = layers.Dense(84, kernel_initializer=init(), name="f6")(x)
        return activation(x, "f6_act", scaled_tanh)

    return net.build(x, head=head, classifier=RadialBasisOutput(dtype=head_dtype(), name="rbf"))


def _modern(net: Net) -> keras.Model:
    x = net.input  # 32 x 32
    x = activation(BiasedConv2D(6, 5, name="c1")(x), "c1_act")  # 28 x 28 x 6
    x = layers.MaxPooling2D(2, name="s2_act")(x)  # 14 x 14 x 6
    x = activation(BiasedConv2D(16, 5, name="c3")(x), "c3_act")  # 10 x 10 x 16
    x = layers.MaxPooling2D(2, name="s4_act")(x)  # 5 x 5 x 16
    x = activation(BiasedConv2D(120, 5, name="c5")(x), "c5_act")  # 1 x 1 x 120

    def head(x):
        x = layers.Flatten(name="flatten")(x)
        return layers.Dense(84, activation="relu", name="f6")(x)

    return net.build(x, head=head)
