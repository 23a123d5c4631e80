"""Network in Network (Lin, Chen, Yan 2013, arXiv 1312.4400)."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from keras_convnets._builder import Net, activation, dropout, head_dtype, scale_width
from keras_convnets._registry import Paper, Reported, Tap, architecture
from keras_convnets.errors import check_number
from keras_convnets.imagenet_utils import preprocessor
from keras_convnets.layers import BiasedConv2D
from keras_convnets.layers.initializers import initializers

__all__ = ["NIN", "preprocess_input"]

preprocess_input = preprocessor("cifar")


@architecture(
    paper=Paper(
        "Network In Network",
        "Lin, Chen, Yan",
        2013,
        "https://arxiv.org/abs/1312.4400",
    ),
    preprocessing="cifar",
    input_shape=(32, 32, 3),
    taps=(Tap("cccp2_act", 96, 1), Tap("cccp4_act", 192, 2), Tap("cccp5_act", 192, 4)),
    reported=Reported("CIFAR-10", 89.59, "with dropout, without augmentation (table 1)"),
)
def NIN(
    include_top: bool = True,
    weights: str | None = None,
    input_tensor: Any = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 10,
    classifier_activation: Any = "softmax",
    name: str = "nin",
    *,
    dropout_rate: float = 0.0,
    width_multiplier: float = 1.0,
    kernel_initializer: Any = "glorot_uniform",
    include_preprocessing: bool | str = False,
) -> keras.Model:
    """Builds Network in Network for CIFAR: convolutions that are followed by 1x1 convolutions.

    Input: (n, 32, 32, 3), or any other size, scaled as `preprocess_input` does; output:
    (n, classes) float32 probabilities, or the last feature map (n, 8, 8, 192) without the top. The
    last 1x1 convolution has a map for each class and is a part of the top.

    Args:
        {shared_arguments}
        dropout_rate: rate in [0, 1) behind the two pools; 0.5 in the authors' net.
        {width_multiplier}
        {kernel_initializer}
        {include_preprocessing}

    {returns}

    Example:

    >>> model = keras_convnets.NIN()
    >>> model.count_params()
    966986

    Source: Lin et al. 2013, arXiv 1312.4400, section 3; the filters, which the paper does not
    print, are those of the authors' configuration for CIFAR-10.

    Differs from the paper: by default there is no dropout; images are scaled by the mean and
    deviation of each channel, where the paper normalizes contrast and whitens, as the net does with
    `include_preprocessing="gcn_zca"`. Maps of an odd size are pooled to one pixel more than in
    Caffe.
    """
    check_number("`dropout_rate`", dropout_rate, least=0, below=1)
    check_number("`width_multiplier`", width_multiplier, above=0)
    kernels = initializers(kernel_initializer)
    net = Net(
        "NIN", include_top, weights, input_tensor, input_shape, pooling, classes,
        classifier_activation, name, default_size=32, minimum_size=8,
        include_preprocessing=include_preprocessing,
    )  # fmt: skip

    def conv(x, filters, kernel_size, layer_name):
        x = BiasedConv2D(
            filters,
            kernel_size,
            padding="same",
            kernel_initializer=next(kernels),
            name=layer_name,
        )(x)
        return activation(x, f"{layer_name}_act")

    def wide(filters):
        return scale_width(filters, width_multiplier)

    x = conv(net.input, wide(192), 5, "conv1")  # 32 x 32 x 192
    x = conv(x, wide(160), 1, "cccp1")  # 32 x 32 x 160
    x = conv(x, wide(96), 1, "cccp2")  # 32 x 32 x 96
    x = layers.MaxPooling2D(3, strides=2, padding="same", name="pool1")(x)  # 16 x 16 x 96
    x = dropout(x, dropout_rate, "pool1_dropout")
    x = conv(x, wide(192), 5, "conv2")  # 16 x 16 x 192
    x = conv(x, wide(192), 1, "cccp3")
    x = conv(x, wide(192), 1, "cccp4")
    x = layers.AveragePooling2D(3, strides=2, padding="same", name="pool2")(x)  # 8 x 8 x 192
    x = dropout(x, dropout_rate, "pool2_dropout")
    x = conv(x, wide(192), 3, "conv3")  # 8 x 8 x 192
    x = conv(x, wide(192), 1, "cccp5")

    def head(x):
        return conv(x, classes, 1, "cccp6")  # 8 x 8, a map for each class

    average = layers.GlobalAveragePooling2D(dtype=head_dtype(), name="avg_pool")
    return net.build(x, head=head, classifier=average)
