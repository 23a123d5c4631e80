"""What the nets of the Inception line are made of: modules, given as the steps of their branches.

A module is written as the papers draw it, a list of steps for each branch:

    blocks.module(x, "mixed_5b",
        [Conv(64, 1)],
        [Conv(48, 1), Conv(64, 5)],
        [AveragePool(3), Conv(32, 1)],
    )

Its layers are named by branch and step: `mixed_5b_branch2_conv1`, `mixed_5b_branch2_conv2`.
"""

import dataclasses
import string
from collections.abc import Iterator, Sequence
from typing import Any

import keras
from keras import layers

from keras_convnets._builder import (
    Net,
    activation,
    batch_norm,
    concatenate,
    dropout,
    map_size,
    scale_width,
)
from keras_convnets.errors import InputError, check_choice, check_number
from keras_convnets.layers import BiasedConv2D, BiasedSeparableConv2D


@dataclasses.dataclass(frozen=True)
class Conv:
    """A convolution, batch normalization if the net has it, and ReLU.

    Attributes:
        filters: number of filters, before the net's width multiplier.
        kernel_size: int, or (height, width).
        strides: int.
        padding: "same" or "valid".
        opens_pair: whether it is the first of two that a larger convolution was factored into.
    """

    filters: int
    kernel_size: int | tuple[int, int]
    strides: int = 1
    padding: str = "same"
    opens_pair: bool = False


@dataclasses.dataclass(frozen=True)
class SeparableConv:
    """A depthwise and a 1x1 convolution with one bias and ReLU, never batch-normalized."""

    filters: int
    kernel_size: int
    strides: int
    depth_multiplier: int


@dataclasses.dataclass(frozen=True)
class MaxPool:
    """Max pooling."""

    size: int = 3
    strides: int = 1
    padding: str = "same"


@dataclasses.dataclass(frozen=True)
class AveragePool:
    """Average pooling without strides; `average_pool_padding` says what the borders divide by."""

    size: int = 3


@dataclasses.dataclass(frozen=True)
class Fork:
    """Convolutions side by side at the end of a branch.

    Attributes:
        convs: the convolutions.
        name: name of their concatenation; by default that of the branch with "_concat".
    """

    convs: tuple[Conv, ...]
    name: str | None = None


@dataclasses.dataclass(frozen=True)
class Blocks:
    """Builds steps and modules, under the choices that reach into each of them.

    Attributes:
        initializers: an initializer for each kernel to come.
        momentum: momentum of the moving statistics.
        epsilon: what batch normalization adds to the variance.
        batch_norm: whether convolutions are batch-normalized; those that are not have biases.
        scale: whether batch normalization has a scale (gamma).
        bias: whether batch-normalized convolutions have biases too.
        width_multiplier: scales every number of filters, in multiples of 8.
        average_pool_padding: "exclude" or "include": what the borders' averages divide by.
        factored_activation: "relu" or "linear", between the two convolutions of a factored pair.
        symmetric: whether strided layers pad as Caffe and Torch do, both sides alike and pools at
            the far end only, rather than as TensorFlow does, where the size decides.
        small_input: whether no layer is "valid", so that small maps keep their borders.
    """

    initializers: Iterator[Any]
    momentum: float = 0.99
    epsilon: float = 1e-3
    batch_norm: bool = True
    scale: bool = False
    bias: bool = False
    width_multiplier: float = 1.0
    average_pool_padding: str = "exclude"
    factored_activation: str = "relu"
    symmetric: bool = False
    small_input: bool = False

    def __post_init__(self):
        check_number("`batch_norm_momentum`", self.momentum, least=0, below=1)
        check_number("`width_multiplier`", self.width_multiplier, above=0)
        check_choice("average_pool_padding", self.average_pool_padding, ("exclude", "include"))
        check_choice("factored_activation", self.factored_activation, ("relu", "linear"))
        if self.scale and not self.batch_norm:
            raise InputError(
                "`batch_norm_scale=True` needs batch normalization, which this net does not have; "
                "use a variant with it, or `batch_norm_scale=None`."
            )

    def wide(self, filters: int) -> int:
        """Scales a number of filters."""
        return scale_width(filters, self.width_multiplier)

    def chain(self, x, name: str, steps):
        """Applies steps one after the other; those of a kind are counted if there are several."""
        convs = sum(len(s.convs) if isinstance(s, Fork) else isinstance(s, Conv) for s in steps)
        count = 0
        for step in steps:
            if isinstance(step, Fork):
                ends = []
                for conv in step.convs:
                    count += 1
                    ends.append(self.conv(x, conv, f"{name}_conv{count}"))
                x = concatenate(ends, step.name or f"{name}_concat")
            elif isinstance(step, Conv):
                count += 1
                x = self.conv(x, step, f"{name}_conv{count}" if convs > 1 else f"{name}_conv")
            elif isinstance(step, MaxPool):
                # Never in ceil mode: what it gives must fit what convolutions beside it give.
                x = layers.MaxPooling2D(
                    step.size, step.strides, self._padding(step.padding), name=f"{name}_pool"
                )(x)
            else:
                x = self.average_pool(x, step, f"{name}_pool")
        return x

    def module(self, x, name: str, *branches):
        """Applies chains of steps side by side, and concatenates what they give."""
        ends = [self.chain(x, f"{name}_branch{i}", b) for i, b in enumerate(branches, start=1)]
        return concatenate(ends, name)

    def conv(self, x, step: Conv | SeparableConv, name: str, activation_name: str | None = None):
        """Applies a convolution and what follows it; its ReLU is named with "_act" by default."""
        if isinstance(step, SeparableConv):
            return self._separable(x, step, name)
        x, padding = self._pad(x, step.kernel_size, step.strides, step.padding, name)
        biased = self.bias or not self.batch_norm
        x = (BiasedConv2D if biased else layers.Conv2D)(
            self.wide(step.filters),
            step.kernel_size,
            strides=step.strides,
            padding=padding,
            use_bias=biased,
            kernel_initializer=next(self.initializers),
            name=name,
        )(x)
        if self.batch_norm:
            x = batch_norm(x, f"{name}_bn", self.momentum, self.epsilon, self.scale)
        linear = step.opens_pair and self.factored_activation == "linear"
        return x if linear else activation(x, activation_name or f"{name}_act")

    def _separable(self, x, step: SeparableConv, name: str):
        x, padding = self._pad(x, step.kernel_size, step.strides, "same", name)
        x = BiasedSeparableConv2D(
            self.wide(step.filters),
            step.kernel_size,
            strides=step.strides,
            padding=padding,
            depth_multiplier=step.depth_multiplier,
            depthwise_initializer=next(self.initializers),
            pointwise_initializer=next(self.initializers),
            name=name,
        )(x)
        return activation(x, f"{name}_act")

    def max_pool(self, x, step: MaxPool, name: str):
        """Applies max pooling between modules."""
        padding = self._padding(step.padding)
        if self.symmetric and step.strides > 1 and padding == "same":
            # Ceil mode. What is pooled has been rectified, so that zeros never win.
            x = layers.ZeroPadding2D(((0, 1), (0, 1)), name=f"{name}_pad")(x)
            padding = "valid"
        return layers.MaxPooling2D(step.size, strides=step.strides, padding=padding, name=name)(x)

    def average_pool(self, x, step: AveragePool, name: str):
        """Applies average pooling without strides."""
        padding = "same"
        if self.average_pool_padding == "include":
            x = layers.ZeroPadding2D(step.size // 2, name=f"{name}_pad")(x)
            padding = "valid"
        return layers.AveragePooling2D(step.size, strides=1, padding=padding, name=name)(x)

    def _pad(self, x, size, strides: int, padding: str, name: str):
        """Pads both sides alike where Keras' "same" would not; returns what is left to pad."""
        padding = self._padding(padding)
        if not (self.symmetric and strides > 1 and padding == "same"):
            return x, padding
        return layers.ZeroPadding2D(size // 2, name=f"{name}_pad")(x), "valid"

    def _padding(self, padding: str) -> str:
        return "same" if self.small_input else padding


def add_auxiliary_head(net: Net, blocks: Blocks, x) -> None:
    """The side head of Inception-v3, -v4 and Inception-ResNet, off the last 17 x 17 map.

    Raises:
        InputError: if the map is too small for its pool.
    """
    check_map_size(x, least=5)
    x = layers.AveragePooling2D(5, strides=3, padding="valid", name="aux1_pool")(x)  # 5 x 5
    x = blocks.conv(x, Conv(128, 1), "aux1_conv1")
    # The convolution spans the map of the paper's image size; smaller maps shrink it.
    size = min(5, *map_size(x))
    valid = dataclasses.replace(blocks, small_input=False)
    x = valid.conv(x, Conv(768, size, padding="valid"), "aux1_conv2")  # 1 x 1 x 768
    x = layers.GlobalAveragePooling2D(name="aux1_avg_pool")(x)
    net.add_auxiliary(x, "aux1")


def add_dense_auxiliary_head(net: Net, blocks: Blocks, x, name: str, pool: str = "valid") -> None:
    """The side head of GoogLeNet, with a dense layer on the whole map (1409.4842, section 5).

    Args:
        net: the net under construction.
        blocks: builds its convolution.
        x: the map that the head stands on.
        name: of the head.
        pool: "valid", 5x5 with stride 3; or "adaptive", to 4 x 4.

    Raises:
        InputError: if the map is too small for its pool.
    """
    if pool == "adaptive":
        x = layers.AdaptiveAveragePooling2D(4, name=f"{name}_pool")(x)  # 4 x 4
    else:
        check_map_size(x, least=5)
        x = layers.AveragePooling2D(5, strides=3, name=f"{name}_pool")(x)  # 4 x 4
    x = blocks.conv(x, Conv(128, 1), f"{name}_conv")
    x = layers.Flatten(name=f"{name}_flatten")(x)
    x = layers.Dense(1024, kernel_initializer=next(blocks.initializers), name=f"{name}_fc")(x)
    x = activation(x, f"{name}_fc_act")
    net.add_auxiliary(dropout(x, 0.7, f"{name}_dropout"), name)


def check_map_size(x: keras.KerasTensor, least: int) -> None:
    """Makes sure that an auxiliary head has a map to pool.

    Raises:
        InputError: if it has not.
    """
    size = map_size(x)
    if min(size) < least:
        raise InputError(
            "Auxiliary heads (`aux_logits`, a recipe's `aux_weight`) need an image large enough "
            f"for a map of {least} x {least} where they stand. "
            f"Received: an image with a map of {size[0]} x {size[1]} there"
        )


def check_auxiliary_stage(repeats: Sequence[int], least: int) -> None:
    """Makes sure that stage 4 has the modules behind which the dense auxiliary heads stand.

    Raises:
        InputError: if it has not.
    """
    if repeats[1] < least:
        raise InputError(
            f"`aux_logits=True` needs at least {least} modules in stage 4, the second number of "
            f"`repeats`. Received: repeats={tuple(repeats)}"
        )


def letter(index: int) -> str:
    """The letters by which the papers count blocks: a, b, ..., z, aa, ab, ..."""
    before, last = divmod(index, 26)
    return (letter(before - 1) if before else "") + string.ascii_lowercase[last]


def rows(table, count: int) -> list:
    """The first `count` rows of a table, whose last row is repeated when they don't suffice."""
    table = list(table)
    return table[:count] + table[-1:] * (count - len(table))
