"""First weights as the papers and their public code draw them."""

import dataclasses
import fnmatch
import math
from collections.abc import Mapping

import keras

from keras_convnets.errors import InputError, check_choice, check_number


@dataclasses.dataclass(frozen=True)
class Normal:
    """A normal distribution around 0, as of AlexNet (0.01) and VGG (0.1, a variance of 0.01).

    Attributes:
        stddev: its standard deviation.
    """

    stddev: float

    def __post_init__(self):
        check_number("The stddev of Normal", self.stddev, above=0)

    def build(self, fan_in: int, fan_out: int) -> keras.Initializer:
        """Returns the Keras initializer of a kernel."""
        return keras.initializers.RandomNormal(0.0, self.stddev)


@dataclasses.dataclass(frozen=True)
class TruncatedNormal:
    """A normal distribution around 0 without what is beyond two standard deviations.

    As in TensorFlow `stddev` is that of the whole distribution; what is left has 0.88 times it.

    Attributes:
        stddev: the standard deviation before the cut.
    """

    stddev: float

    def __post_init__(self):
        check_number("The stddev of TruncatedNormal", self.stddev, above=0)

    def build(self, fan_in: int, fan_out: int) -> keras.Initializer:
        """Returns the Keras initializer of a kernel."""
        return keras.initializers.TruncatedNormal(0.0, self.stddev)


@dataclasses.dataclass(frozen=True)
class HeNormal:
    """A normal distribution around 0 of variance 2 / n (He et al., arXiv 1502.01852, section 2.2).

    Keras' "he_normal" has the same variance and nothing beyond two standard deviations.

    Attributes:
        mode: what n is: "fan_in", the weights of an output, as in the paper; "fan_out", the weights
            of an input, as in facebook/fb.resnet.torch models/resnet.lua.
    """

    mode: str = "fan_in"

    def __post_init__(self):
        check_choice("mode", self.mode, ("fan_in", "fan_out"))

    def build(self, fan_in: int, fan_out: int) -> keras.Initializer:
        """Returns the Keras initializer of a kernel."""
        fan = fan_in if self.mode == "fan_in" else fan_out
        return keras.initializers.RandomNormal(0.0, math.sqrt(2 / fan))


@dataclasses.dataclass(frozen=True)
class Uniform:
    """A uniform distribution of variance `scale` / n around 0: up to sqrt(3 * scale / n).

    Attributes:
        scale: 1 for Caffe's "xavier"; 1/3 for Torch's layers, whose bound is 1 / sqrt(n).
        mode: what n is: "fan_in", the weights of an output; "fan_out", those of an input;
            "fan_avg", their mean, as in Keras' "glorot_uniform".
    """

    scale: float = 1.0
    mode: str = "fan_in"

    def __post_init__(self):
        check_number("The scale of Uniform", self.scale, above=0)
        check_choice("mode", self.mode, ("fan_in", "fan_out", "fan_avg"))

    def build(self, fan_in: int, fan_out: int) -> keras.Initializer:
        """Returns the Keras initializer of a kernel."""
        fans = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}
        bound = math.sqrt(3 * self.scale / fans[self.mode])
        return keras.initializers.RandomUniform(-bound, bound)


Distribution = Normal | TruncatedNormal | HeNormal | Uniform


@dataclasses.dataclass(frozen=True)
class Layerwise:
    """First weights by layer: a rule for most kernels, and those of some layers.

    Layers are named as in the net, or by patterns such as "aux*_fc"; the last that fits counts.

    Attributes:
        default: of every other kernel; `None` for the builder's.
        kernels: distributions by layer.
        biases: first value of all biases of a layer, by layer; 0 for other layers.

    Example:

    >>> from keras_convnets.training import Layerwise, Normal
    >>> alexnet = Layerwise(Normal(0.01), biases={"conv[245]": 1, "fc*": 1})
    """

    default: Distribution | None = None
    kernels: Mapping[str, Distribution] = dataclasses.field(default_factory=dict)
    biases: Mapping[str, float] = dataclasses.field(default_factory=dict)

    def __post_init__(self):
        for value in (*([self.default] if self.default else []), *self.kernels.values()):
            if not isinstance(value, Distribution):
                allowed = ", ".join(kind.__name__ for kind in Distribution.__args__)
                raise InputError(
                    f"First weights of Layerwise should be one of {allowed}. Received: {value!r}"
                )
        for value in self.biases.values():
            check_number("A first bias", value)


Initializer = Distribution | Layerwise


def draw_weights(model: keras.Model, initializer: Initializer) -> None:
    """Draws the first weights of a built net.

    Args:
        model: the net.
        initializer: for every kernel, those of classifiers and auxiliary heads among them.

    Raises:
        InputError: if it names a layer that is not there.
    """
    rules = initializer if isinstance(initializer, Layerwise) else Layerwise(initializer)
    for pattern in (*rules.kernels, *rules.biases):
        if not any(fnmatch.fnmatchcase(layer.name, pattern) for layer in model.layers):
            raise InputError(
                f"{model.name!r} has no layer {pattern!r}, whose first weights the recipe's "
                "`initializer` gives."
            )
    for layer in model.layers:
        kernel = _last_match(rules.kernels, layer.name, rules.default)
        bias = _last_match(rules.biases, layer.name, None)
        for variable in layer.trainable_variables:
            if kernel is not None and "kernel" in variable.name:
                variable.assign(kernel.build(*_fans(variable))(variable.shape, variable.dtype))
            elif bias is not None and variable.name == "bias":
                variable.assign(keras.ops.full(variable.shape, bias, variable.dtype))


def _last_match(rules: Mapping, name: str, default):
    found = [value for pattern, value in rules.items() if fnmatch.fnmatchcase(name, pattern)]
    return found[-1] if found else default


def _fans(kernel: keras.Variable) -> tuple[int, int]:
    """How many weights an output of a kernel has, and how many an input."""
    *window, inputs, outputs = kernel.shape
    field = math.prod(window)
    if "depthwise" in kernel.name:  # an output sees one channel
        return field, field * outputs
    return field * inputs, field * outputs
