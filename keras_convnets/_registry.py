"""The table of architectures: each builder enters itself with its paper, taps and exact counts."""

import dataclasses
import fnmatch
import functools
import importlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ParamSpec

import keras
import numpy as np

from keras_convnets._docstrings import fill_in
from keras_convnets.errors import InputError, nearest
from keras_convnets.weights.catalog import find, is_name
from keras_convnets.weights.pretrained import Pretrained, find_pretrained, remember_graph


@dataclasses.dataclass(frozen=True)
class Paper:
    """Where an architecture was published."""

    title: str
    authors: str
    year: int
    url: str

    @property
    def short_authors(self) -> str:
        """The first author for all."""
        first, *others = self.authors.split(", ")
        return f"{first} et al." if len(others) > 1 else self.authors


@dataclasses.dataclass(frozen=True)
class Tap:
    """A layer whose output is worth reading: name, channels, and input pixels per cell."""

    name: str
    channels: int
    stride: int


@dataclasses.dataclass(frozen=True)
class Reported:
    """The accuracy that the authors report, of a single net and, where they say so, a single crop.

    Attributes:
        data: name of the data set.
        top1: per cent, or `None` where only other figures were published.
        details: what else belongs to the figure: crop, image size, and where it stands.
        one_crop: whether it is of one crop of the size by default, so that it fits the cost.
    """

    data: str
    top1: float | None
    details: str
    one_crop: bool = True

    def __str__(self) -> str:
        top1 = f"top-1 {self.top1} %" if self.top1 else "top-1 not reported"
        between = " " if self.details.startswith("(") else ", "
        return f"{self.data} {top1}{between}{self.details}"


@dataclasses.dataclass(frozen=True)
class Variant:
    """One net of a builder.

    Attributes:
        name: what stands behind the colon in the name of the net; "" if there is only one.
        options: the options of the builder that the name stands for.
        taps: layers worth reading, first to last.
        preprocessing: the scaling of images that it expects.
        input_shape: (height, width, channels) of its images by default.
        reported: its accuracy.
    """

    name: str
    options: Mapping[str, Any]
    taps: tuple[Tap, ...]
    preprocessing: str
    input_shape: tuple[int, int, int]
    reported: Reported


@dataclasses.dataclass(frozen=True)
class Architecture:
    """What the package knows of one builder; the first variant is the builder's default.

    Attributes:
        name: of the builder.
        aliases: its other names.
        builder: the builder itself.
        paper: where the net was published.
        variants: its nets by what stands behind the colon in their names.
        graph_options: the options that change the graph of public weights, with their defaults.
    """

    name: str
    aliases: tuple[str, ...]
    builder: Callable[..., keras.Model]
    paper: Paper
    variants: Mapping[str, Variant]
    graph_options: Mapping[str, Any]

    @property
    def names(self) -> list[str]:
        """The names a user may type: the builder alone for the default, `Builder:variant` else."""
        return [self.name_of(variant) for variant in self.variants.values()]

    def name_of(self, variant: Variant) -> str:
        """The name of a variant."""
        is_default = variant is next(iter(self.variants.values()))
        return self.name if is_default else f"{self.name}:{variant.name}"

    def changed(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Those of the builder's options that change the graph of public weights."""
        return {
            name: options[name]
            for name, default in self.graph_options.items()
            if name in options and not np.array_equal(options[name], default)
        }


_ARCHITECTURES: dict[str, Architecture] = {}

# The modules whose builders enter themselves above when they are imported.
FAMILIES = (
    "lenet",
    "alexnet",
    "nin",
    "vgg",
    "googlenet",
    "inception_v2",
    "inception_v3",
    "inception_v4",
    "inception_resnet",
    "xception",
    "resnet",
    "resnet_v2",
    "resnext",
)

P = ParamSpec("P")
Builder = Callable[P, keras.Model]

# Options that leave the graph of the public weights as it is.
WEIGHTS_ALLOW = (
    "dropout_rate",
    "aux_logits",
    "kernel_initializer",
    "batch_norm_momentum",
    "include_preprocessing",
)


def architecture(
    *,
    paper: Paper,
    preprocessing: str | Mapping[str, str],
    input_shape: tuple[int, int, int] | Mapping[str, tuple[int, int, int]],
    taps: tuple[Tap, ...] | Mapping[str, tuple[Tap, ...]],
    reported: Reported | Mapping[str, Reported],
    variants: Sequence[str] | Mapping[str, Mapping[str, Any]] = ("",),
    aliases: tuple[str, ...] = (),
    weights_allow: tuple[str, ...] = WEIGHTS_ALLOW,
    name: str | None = None,
    texts: Mapping[str, str] | None = None,
) -> Callable[[Builder], Builder]:
    """Enters a builder into the table, fills its docstring, and guards its public weights.

    Args:
        paper: where the net was published.
        preprocessing: mode of `imagenet_utils.preprocess_input` that the net expects; a mapping
            if variants differ.
        input_shape: (height, width, channels) by default; a mapping if variants differ.
        taps: layers worth reading, first to last; a mapping if variants differ.
        reported: the accuracy that the authors report; a mapping if variants differ.
        variants: names of the variants, the default one first, with the options that each stands
            for if that is not `variant=NAME`.
        aliases: other names of the builder.
        weights_allow: options that leave the graph of the public weights as it is.
        name: of the builder, if it is not that of the function: for families whose members are
            made by one function.
        texts: what stands in braces in the docstring, beside the shared texts.
    """

    def decorate(builder: Builder) -> Builder:
        builder.__name__ = builder.__qualname__ = name or builder.__name__
        signature = inspect.signature(builder)
        options = {
            name: parameter.default
            for name, parameter in signature.parameters.items()
            if parameter.kind is inspect.Parameter.KEYWORD_ONLY and name not in weights_allow
        }

        @functools.wraps(builder)
        def build(*args: P.args, **kwargs: P.kwargs) -> keras.Model:
            try:
                given = signature.bind(*args, **kwargs)
            except TypeError as error:
                raise TypeError(f"{builder.__name__}() {error}") from None
            given.apply_defaults()
            entry = _ARCHITECTURES[builder.__name__]
            _resolve(entry, given.arguments)
            model = builder(*given.args, **given.kwargs)
            remember_graph(model, entry.name, entry.changed(given.arguments))
            return model

        build.__doc__ = fill_in(builder.__doc__ or "", texts or {})
        rows = {
            key: Variant(
                key,
                variants[key] if isinstance(variants, Mapping) else {"variant": key} if key else {},
                _of_variant(taps, key),
                _of_variant(preprocessing, key),
                _of_variant(input_shape, key),
                _of_variant(reported, key),
            )
            for key in variants
        }
        _ARCHITECTURES[builder.__name__] = Architecture(
            builder.__name__, aliases, build, paper, rows, options
        )
        return build

    return decorate


def _resolve(entry: Architecture, arguments: dict[str, Any]) -> None:
    """Puts what the name of weights means, and the scaling that they expect, into arguments."""
    weights = find_pretrained(entry.name, arguments["weights"], entry.changed(arguments))
    arguments["weights"] = weights
    if arguments["include_preprocessing"] is True:
        variant = variant_of(entry, arguments) or next(iter(entry.variants.values()))
        expecting = weights.entry if isinstance(weights, Pretrained) else variant
        arguments["include_preprocessing"] = expecting.preprocessing


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
    return sorted(name for name in names if fits(name, pattern))


def fits(name: str, pattern: str) -> bool:
    """Whether a net has a name, or another name of its builder, that fits a pattern in any case."""
    builder, colon, variant = name.partition(":")
    names = (builder, *architectures()[builder].aliases)
    return any(
        fnmatch.fnmatch(f"{known}{colon}{variant}".lower(), pattern.lower()) for known in names
    )


def find_architecture(name: str) -> tuple[Architecture, Variant]:
    """Returns the architecture and the variant that `name` means.

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
    variants = {row.name.lower(): row for row in entry.variants.values()}
    if not variant:
        return entry, next(iter(variants.values()))
    if variant.lower() not in variants:
        allowed = ", ".join(filter(None, entry.variants)) or "none, so name it without a colon"
        raise InputError(f"{entry.name} has these variants: {allowed}. Received: {name!r}")
    return entry, variants[variant.lower()]


def variant_of(entry: Architecture, options: Mapping[str, Any]) -> Variant | None:
    """Returns the variant that a builder makes with these options, `None` if it has no name."""
    parameters = inspect.signature(entry.builder).parameters
    fitting = [
        variant
        for variant in entry.variants.values()
        if all(
            options.get(option, parameters[option].default) == value
            for option, value in variant.options.items()
        )
    ]
    return max(fitting, key=lambda variant: len(variant.options), default=None)


def get_model(name: str, /, **options: Any) -> keras.Model:
    """Builds a net by its name.

    Args:
        name: `Builder` or `Builder:variant`, in any case (see `list_models()`), or the name of
            weights (see `weights.entries()`), which come with the graph that they belong to.
        **options: arguments of the builder.

    Returns:
        A `keras.Model`.

    Raises:
        InputError: if there is no such net or it has no such option.

    Example:

    >>> keras_convnets.get_model("lenet5:modern", weights=None).count_params()
    61706
    """
    if is_name(name):
        pretrained = find(name)
        entry, _ = find_architecture(pretrained.builder)
        options = {**pretrained.options, "weights": pretrained.name, **options}
    else:
        entry, variant = find_architecture(name)
        options = {**variant.options, **options}
    allowed = inspect.signature(entry.builder).parameters
    unknown = [option for option in options if option not in allowed]
    if unknown:
        raise InputError(
            f"{entry.name} has no option {unknown[0]!r}; "
            f"the nearest are {nearest(unknown[0], allowed)}."
        )
    return entry.builder(**options)
