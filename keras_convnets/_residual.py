"""What the residual nets are made of: units, given as the convolutions of their path.

    units.unit(x, bottleneck(64, 256), "conv2_block1")

Its layers have the names of keras.applications: `conv2_block1_1_conv`, `conv2_block1_1_bn`,
`conv2_block1_1_relu`, ..., with `0` for the projection of the shortcut, and `conv2_block1_out` for
what the unit gives.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

from keras import layers

from keras_convnets._builder import (
    activation,
    batch_norm,
    channel_axis,
    concatenate,
    scale_width,
)
from keras_convnets._registry import Tap
from keras_convnets.errors import check_choice, check_number
from keras_convnets.layers import BiasedConv2D, GroupedConv2D, PadChannels, PointwiseConv2D

SHORTCUTS = ("A", "B", "C", None)
FORMS = ("a", "b", "c")

# The convolutions of a path: (filters, kernel size), the last one linear.
Path = Sequence[tuple[int, int]]


def basic(filters: int) -> Path:
    """Two 3x3 convolutions (1512.03385, figure 5, left)."""
    return (filters, 3), (filters, 3)


def bottleneck(width: int, filters: int) -> Path:
    """1x1 to `width` channels, 3x3, 1x1 to `filters` (1512.03385, figure 5, right)."""
    return (width, 1), (width, 3), (filters, 1)


@dataclasses.dataclass(frozen=True)
class Units:
    """Builds the units of residual nets, under the choices that reach into each of them.

    Attributes:
        initializers: an initializer for each kernel to come.
        momentum: momentum of the moving statistics.
        epsilon: what batch normalization adds to the variance.
        bias: which convolutions have biases: "all"; "ends": the first one of the net, the last one
            of each unit and the projections; `None`: no one.
        strided_step: which convolution of a path has the strides, counted from 1.
        shortcut: "A": identity, with channels of zeros where there are more of them; "B":
            projection where the shape changes; "C": projection everywhere; `None`: no shortcut.
        cardinality: how many paths a unit has.
        form: of many paths: "a": each with its own last convolution, summed; "b": concatenated in
            front of one last convolution; "c": one path with a grouped convolution (1611.05431,
            figure 3).
        width_multiplier: scales every number of filters, in multiples of 8 or of the cardinality.
        explicit_padding: whether all 3x3 convolutions are padded by a layer of their own, as in
            keras.applications, rather than only those with strides, where it makes a difference.
        pad_pool: whether the pool of the stem is padded on both sides; else as TensorFlow does,
            so that in maps of even size its windows begin at the first pixel.
    """

    initializers: Iterator[Any]
    momentum: float = 0.99
    epsilon: float = 1e-5
    bias: str | None = None
    strided_step: int = 1
    shortcut: str | None = "B"
    cardinality: int = 1
    form: str = "c"
    width_multiplier: float = 1.0
    explicit_padding: bool = False
    pad_pool: bool = True

    def __post_init__(self):
        check_number("`batch_norm_momentum`", self.momentum, least=0, below=1)
        check_number("`width_multiplier`", self.width_multiplier, above=0)
        check_number("`cardinality`", self.cardinality, least=1, whole=True)
        check_choice("shortcut", self.shortcut, SHORTCUTS)
        check_choice("form", self.form, FORMS)

    def wide(self, filters: int) -> int:
        """Scales a number of filters."""
        return scale_width(filters, self.width_multiplier)

    def stem(self, x, *, small_input: bool, activated: bool = True):
        """The first convolution, and the pool (1512.03385, table 1).

        Args:
            x: the images.
            small_input: whether it is one 3x3 convolution without strides.
            activated: whether it ends in batch normalization and ReLU.
        """
        kernel_size, strides = (3, 1) if small_input else (7, 2)
        x = self.end_conv(x, self.wide(64), kernel_size, "conv1_conv", strides=strides)
        if activated:
            x = self.norm_relu(x, "conv1")
        if small_input:
            return x
        if self.pad_pool:
            # Zeros never win among rectified values; Keras' ResNetV2 pads its raw ones so too.
            x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
        padding = "valid" if self.pad_pool else "same"
        return layers.MaxPooling2D(3, strides=2, padding=padding, name="pool1_pool")(x)

    def unit(self, x, path: Path, name: str, *, strides: int = 1):
        """A residual unit: ReLU after the sum of path and shortcut."""
        filters = self.wide(path[-1][0])
        shortcut = self._shortcut(x, filters, strides, name)
        x = self.aggregate(x, path, name, strides=strides)
        x = self.norm(x, f"{name}_{len(path)}_bn")
        if shortcut is not None:
            x = layers.Add(name=f"{name}_add")([shortcut, x])
        return activation(x, f"{name}_out")

    def stage(self, x, path: Path, count: int, name: str, *, strides: int):
        """Equal units one after the other, the first one with the strides."""
        for i in range(1, count + 1):
            x = self.unit(x, path, f"{name}_block{i}", strides=strides if i == 1 else 1)
        return x

    def preactivation_unit(
        self, x, path: Path, name: str, *, strides: int = 1, activated: bool = False
    ):
        """A residual unit with batch normalization and ReLU in front (1603.05027, figure 4e).

        Args:
            x: a feature map.
            path: the convolutions.
            name: of the unit.
            strides: int.
            activated: whether the map has been normalized and rectified already.
        """
        filters = self.wide(path[-1][0])
        shortcut, inside = x, x
        if not activated:
            inside = self.norm_relu(x, f"{name}_preact")
        if x.shape[channel_axis()] != filters:
            shortcut = self.end_conv(inside, filters, 1, f"{name}_0_conv", strides=strides)
        else:
            shortcut = _subsample(x, strides, name)
        x = self.aggregate(inside, path, name, strides=strides)
        return layers.Add(name=f"{name}_out")([shortcut, x])

    def aggregate(self, x, path: Path, name: str, *, strides: int = 1):
        """The residual function: as many equal paths as the cardinality, their outputs summed.

        Form "c" computes the first convolutions of all paths as one, those that follow as a grouped
        one, and the sum as a convolution: a path of two convolutions thus becomes dense.
        """
        *inner, (last, kernel_size) = path
        filters, last_name = self.wide(last), f"{name}_{len(path)}"
        if self.cardinality == 1 or self.form == "c":
            x = self._chain(x, inner, name, strides, groups=self.cardinality)
            return self.end_conv(x, filters, kernel_size, f"{last_name}_conv")
        names = [f"{name}_path{i}" for i in range(1, self.cardinality + 1)]
        ends = [self._chain(x, inner, path_name, strides) for path_name in names]
        if self.form == "b":
            x = concatenate(ends, f"{name}_concat")
            return self.end_conv(x, filters, kernel_size, f"{last_name}_conv")
        ends = [
            self.end_conv(x, filters, kernel_size, f"{path_name}_{len(path)}_conv")
            for x, path_name in zip(ends, names, strict=True)
        ]
        return layers.Add(name=f"{last_name}_sum")(ends)

    def _chain(self, x, steps: Path, name: str, strides: int, groups: int = 1):
        """Convolutions with batch normalization and ReLU; the filters are those of one path."""
        for i, (filters, kernel_size) in enumerate(steps, start=1):
            x = self.conv(
                x,
                self._inner_width(filters) * groups,
                kernel_size,
                f"{name}_{i}_conv",
                strides=strides if i == self.strided_step else 1,
                groups=groups if i > 1 else 1,
                bias=self.bias == "all",
            )
            x = self.norm_relu(x, f"{name}_{i}")
        return x

    def _inner_width(self, filters: int) -> int:
        """Scales the number of filters of one path, by the paths together."""
        if self.cardinality == 1:
            return self.wide(filters)
        return scale_width(filters, self.width_multiplier, unit=1)

    def conv(
        self,
        x,
        filters: int,
        kernel_size: int,
        name: str,
        *,
        strides: int = 1,
        groups: int = 1,
        bias: bool = False,
    ):
        """A convolution, padded alike on both sides."""
        padding = "same"
        if kernel_size > 1 and (strides > 1 or self.explicit_padding):
            pad_name = f"{name.removesuffix('_conv')}_pad"
            x = layers.ZeroPadding2D(kernel_size // 2, name=pad_name)(x)
            padding = "valid"
        options = {
            "strides": strides,
            "padding": padding,
            "use_bias": bias,
            "kernel_initializer": next(self.initializers),
            "name": name,
        }
        if kernel_size == 1:
            return PointwiseConv2D(filters, **options)(x)
        if groups > 1:
            return GroupedConv2D(filters, kernel_size, groups=groups, **options)(x)
        return (BiasedConv2D if bias else layers.Conv2D)(filters, kernel_size, **options)(x)

    def end_conv(self, x, filters: int, kernel_size: int, name: str, *, strides: int = 1):
        """The first convolution of a net, the last one of a unit, or a projection."""
        bias = self.bias is not None
        return self.conv(x, filters, kernel_size, name, strides=strides, bias=bias)

    def norm(self, x, name: str):
        """Batch normalization."""
        return batch_norm(x, name, self.momentum, self.epsilon)

    def norm_relu(self, x, name: str):
        """Batch normalization and ReLU."""
        return activation(self.norm(x, f"{name}_bn"), f"{name}_relu")

    def _shortcut(self, x, filters: int, strides: int, name: str):
        """The shortcut of a unit without pre-activation, or `None`."""
        if self.shortcut is None:
            return None
        changes = strides > 1 or x.shape[channel_axis()] != filters
        if self.shortcut == "C" or (self.shortcut == "B" and changes):
            x = self.end_conv(x, filters, 1, f"{name}_0_conv", strides=strides)
            return self.norm(x, f"{name}_0_bn")
        x = _subsample(x, strides, name)
        if x.shape[channel_axis()] == filters:
            return x
        return PadChannels(filters, name=f"{name}_0_pad")(x)


def _subsample(x, strides: int, name: str):
    """Every n-th pixel of a map."""
    if strides == 1:
        return x
    return layers.MaxPooling2D(1, strides=strides, name=f"{name}_0_pool")(x)


def stage_taps(counts: Sequence[int], channels: Sequence[int], stride: int = 4) -> list[Tap]:
    """The last units of the stages, which are numbered from 2.

    Args:
        counts: number of units of each stage.
        channels: of each stage.
        stride: input pixels per cell in the first stage; each stage doubles it.
    """
    stages = enumerate(zip(counts, channels, strict=True))
    return [
        Tap(f"conv{2 + i}_block{count}_out", width, stride * 2**i) for i, (count, width) in stages
    ]
