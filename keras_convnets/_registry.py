"""The table of architectures: each builder enters itself with its paper, taps and exact counts."""

import dataclasses
import fnmatch
import functools
import importlib
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np

from keras_convnets.errors import InputError, nearest


@dataclasses.dataclass(frozen=True)
class Paper:
    """Where an architecture was published."""

    title: str
    authors: str
    year: int
    url: str

    @property
    def citation(self) -> str:
        """Authors and year, short."""
        first, *others = self.authors.split(", ")
        return f"{first} et al. {self.year}" if len(others) > 1 else f"{self.authors} {self.year}"


@dataclasses.dataclass(frozen=True)
class Tap:
    """A layer whose output is worth reading: name, channels, and input pixels per cell."""

    name: str
    channels: int
    stride: int


@dataclasses.dataclass(frozen=True)
class Counts:
    """Exact sizes of the default net: parameters, and multiply-adds of one image."""

    trainable: int
    total: int
    macs: int


@dataclasses.dataclass(frozen=True)
class Variant:
    """One net of a builder: its size, its taps, and the scaling of images that it expects."""

    counts: Counts
    taps: tuple[Tap, ...]
    preprocessing: str


@dataclasses.dataclass(frozen=True)
class Architecture:
    """What the package knows of one builder; the first variant is the builder's default."""

    name: str
    aliases: tuple[str, ...]
    builder: Callable[..., keras.Model]
    paper: Paper
    input_shape: tuple[int, int, int]
    variants: Mapping[str, Variant]
    reported: str

    @property
    def names(self) -> list[str]:
        """The names a user may type: the builder alone for the default, `Builder:variant` else."""
        return [self.name] + [f"{self.name}:{variant}" for variant in list(self.variants)[1:]]

    def variant(self, name: str | None = None) -> Variant:
        """Returns a variant by its name, or the default one."""
        return self.variants[next(iter(self.variants)) if name is None else name]


_ARCHITECTURES: dict[str, Architecture] = {}

# The modules whose builders enter themselves above when they are imported.
FAMILIES = (
    "lenet",
    "googlenet",
    "inception_v2",
    "inception_v3",
    "inception_v4",
    "inception_resnet",
    "xception",
)

# Options that leave the graph of the public weights as it is.
WEIGHTS_ALLOW = ("dropout_rate", "aux_logits", "kernel_initializer", "batch_norm_momentum")

# The arguments that every builder has, described once and put into each builder's docstring.
_SHARED_ARGUMENTS = """include_top: bool, whether to put the classifier on.
        weights: `None` (random), `"imagenet"`, or the path of a .keras, .weights.h5 or .h5 file.
        input_tensor: a Keras tensor to build on instead of a new input.
        input_shape: (height, width, channels), or (channels, height, width) with "channels_first";
            `None` stands for a size that is free.
        pooling: `None`, `"avg"` or `"max"`: what to do with the last feature map without the top.
        classes: int, number of classes.
        classifier_activation: name or callable; `None` returns the logits. The head computes in
            float32 under a mixed-precision policy.
        name: name of the model; layers keep their names."""

_RETURNS = """Returns:
        A `keras.Model`.

    Raises:
        InputError: if an argument can't be used (a `ValueError`)."""

# Options of many builders, each inserted where a docstring has its name in braces.
_SHARED_OPTIONS = {
    "width_multiplier": "scales every number of filters, in multiples of 8.",
    "small_input": """no stride in the stem but its last and no "valid" layer, for 28 to 64 px:
            stride 8 in place of 32.""",
    "kernel_initializer": """initializer of every kernel but the classifiers'; an object is copied
            for each, with a seed of its own.""",
    "batch_norm_momentum": "momentum of the moving statistics.",
}


def architecture(
    *,
    paper: Paper,
    preprocessing: str | Mapping[str, str],
    input_shape: tuple[int, int, int],
    taps: tuple[Tap, ...] | Mapping[str, tuple[Tap, ...]],
    variants: Mapping[str, Counts],
    reported: str = "",
    aliases: tuple[str, ...] = (),
    weights_allow: tuple[str, ...] = WEIGHTS_ALLOW,
) -> Callable:
    """Enters a builder into the table, fills its docstring, and guards its public weights.

    Args:
        paper: where the net was published.
        preprocessing: mode of `imagenet_utils.preprocess_input` that the net expects; a mapping
            if variants differ.
        input_shape: (height, width, channels) of the default net.
        taps: layers worth reading, first to last; a mapping if variants differ.
        variants: exact counts of each variant; the first is the default, "" if there is only one.
        reported: the accuracy that the paper reports, as a phrase.
        aliases: other names of the builder.
        weights_allow: options that leave the graph of the public weights as it is.
    """

    def decorate(builder: Callable[..., keras.Model]) -> Callable[..., keras.Model]:
        signature = inspect.signature(builder)
        options = {
            name: parameter.default
            for name, parameter in signature.parameters.items()
            if parameter.kind is inspect.Parameter.KEYWORD_ONLY and name not in weights_allow
        }

        @functools.wraps(builder)
        def build(*args: Any, **kwargs: Any) -> keras.Model:
            given = signature.bind(*args, **kwargs)
            given.apply_defaults()
            changed = [
                f"{name}={given.arguments[name]!r}"
                for name, default in options.items()
                if not np.array_equal(given.arguments[name], default)
            ]
            if given.arguments["weights"] == "imagenet" and changed:
                raise InputError(
                    f"The ImageNet weights belong to the default {builder.__name__}; use "
                    f"`weights=None` with these options. Received: {', '.join(changed)}"
                )
            return builder(*args, **kwargs)

        build.__doc__ = _fill_in(builder.__doc__ or "")
        rows = {
            key: Variant(counts, _of_variant(taps, key), _of_variant(preprocessing, key))
            for key, counts in variants.items()
        }
        _ARCHITECTURES[builder.__name__] = Architecture(
            builder.__name__, aliases, build, paper, input_shape, rows, reported
        )
        return build

    return decorate


def _fill_in(docstring: str) -> str:
    docstring = docstring.replace("{shared_arguments}", _SHARED_ARGUMENTS)
    docstring = docstring.replace("{returns}", _RETURNS)
    for option, text in _SHARED_OPTIONS.items():
        docstring = docstring.replace(f"{{{option}}}", f"{option}: {text}")
    return docstring


def _of_variant(value: Any, variant: str) -> Any:
    return value[variant] if isinstance(value, Mapping) else value


def architectures() -> dict[str, Architecture]:
    """Returns every architecture by the name of its builder, all families loaded."""
    for family in FAMILIES:
        importlib.import_module(f"keras_convnets.{family}")
    return dict(_ARCHITECTURES)


def list_models(pattern: str = "*") -> list[str]:
    """Returns the names of the nets, `Builder` or `Builder:variant`, that fit a shell pattern.

    Args:
        pattern: shell-style pattern, in any case, for instance `"x*"`.

    Example:

    >>> keras_convnets.list_models("lenet*")
    ['LeNet5', 'LeNet5:modern']
    """
    names = [name for entry in architectures().values() for name in entry.names]
    return sorted(name for name in names if fnmatch.fnmatch(name.lower(), pattern.lower()))


def find_architecture(name: str) -> tuple[Architecture, dict[str, Any]]:
    """Returns the architecture that `name` means, and the builder options that `name` implies.

    Args:
        name: `Builder` or `Builder:variant`, in any case.

    Raises:
        InputError: if there is no such net; the message names the nearest ones.
    """
    builder, _, variant = name.partition(":")
    by_lower = {
        known.lower(): entry
        for entry in architectures().values()
        for known in (entry.name, *entry.aliases)
    }
    entry = by_lower.get(builder.lower())
    if entry is None:
        raise InputError(
            f"There is no model named {name!r}; "
            f"the nearest names are {nearest(name, list_models())}."
        )
    if not variant:
        return entry, {}
    variants = {key.lower(): key for key in entry.variants if key}
    if variant.lower() not in variants:
        allowed = ", ".join(variants.values()) or "none, so name it without a colon"
        raise InputError(f"{entry.name} has these variants: {allowed}. Received: {name!r}")
    return entry, {"variant": variants[variant.lower()]}


def get_model(name: str, /, **options: Any) -> keras.Model:
    """Builds a net by its name.

    Args:
        name: `Builder` or `Builder:variant`, in any case; see `list_models()`.
        **options: arguments of the builder.

    Returns:
        A `keras.Model`.

    Raises:
        InputError: if there is no such net or it has no such option.

    Example:

    >>> keras_convnets.get_model("lenet5:modern", weights=None).count_params()
    61706
    """
    entry, implied = find_architecture(name)
    options = {**implied, **options}
    allowed = inspect.signature(entry.builder).parameters
    unknown = [option for option in options if option not in allowed]
    if unknown:
        raise InputError(
            f"{entry.name} has no option {unknown[0]!r}; "
            f"the nearest are {nearest(unknown[0], allowed)}."
        )
    return entry.builder(**options)
