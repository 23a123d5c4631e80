"""Axes of the net: width, depth, and those that the papers themselves vary."""

import functools
import inspect
import json
from typing import Any, ClassVar

from keras_convnets._registry import get_model
from keras_convnets.analysis import count_complexity, solve
from keras_convnets.analysis.weightless import weightless
from keras_convnets.errors import InputError, check_choice, check_number
from keras_convnets.inception_resnet import V2
from keras_convnets.training.literals import decode, encode
from keras_convnets.training.model import builder_options
from keras_convnets.training.recipe import Recipe
from keras_convnets.training.start import architecture_of
from keras_convnets.tuning.axes import Axis, around, builder_takes, needs_option, tuned
from keras_convnets.tuning.domains import Choices, Domain, Range
from keras_convnets.xception import INTERMEDIATE_ACTIVATIONS


def option_of(recipe: Recipe, option: str) -> Any:
    """Returns what a recipe's net has of an option of its builder."""
    entry, variant = architecture_of(recipe)
    default = inspect.signature(entry.builder).parameters[option].default
    return {option: default, **variant.options, **recipe.model_options.value}[option]


def with_option(recipe: Recipe, **options: Any) -> Recipe:
    """Returns a recipe whose net has other options."""
    old = recipe.model_options
    what = ", ".join(f"{name}={value}" for name, value in options.items())
    return recipe.replace(model_options=tuned(old, {**old.value, **options}, what))


def _lack_by_weights(recipe: Recipe) -> str | None:
    weights = recipe.weights.value
    return weights and f"it starts from weights ({weights}), which fit the net as it is"


class _OfBuilder(Axis):
    """An option of builders.

    Attributes:
        option: its name.
    """

    option: ClassVar[str]

    def lack(self, recipe: Recipe) -> str | None:
        """Returns why a recipe has no such hyper-parameter, as a clause; `None` if it has it."""
        return _lack_by_weights(recipe) or needs_option(recipe, self.option)


class Width(_OfBuilder):
    """What every number of filters is multiplied by."""

    name, about = "width", "what all numbers of filters are multiplied by"
    option = "width_multiplier"

    def own(self, recipe: Recipe) -> float:
        """Returns the recipe's own value."""
        return float(option_of(recipe, "width_multiplier"))

    def domain(self, recipe: Recipe) -> Domain:
        """Returns the values to try where the user names none."""
        return around(self.own(recipe), 2, otherwise=1.0)

    def change(self, recipe: Recipe, value: float) -> Recipe:
        """Returns the recipe with another value."""
        check_number("The width", value, above=0)
        return with_option(recipe, width_multiplier=value)


class Depth(Axis):
    """The depth that the builder has an option for.

    It is the number of middle modules of Xception, the number of layers of `ResNetCIFAR`, and
    elsewhere the number of blocks in all stages, which keep their proportions.
    """

    name, about = "depth", "number of blocks"

    def lack(self, recipe: Recipe) -> str | None:
        """Returns why a recipe has no such hyper-parameter, as a clause; `None` if it has it."""
        if self._option(recipe) is None:
            return f"{architecture_of(recipe)[0].name} has no option for its depth"
        return _lack_by_weights(recipe)

    def own(self, recipe: Recipe) -> int:
        """Returns the recipe's own value."""
        option = self._option(recipe)
        return sum(_repeats(recipe)) if option == "repeats" else int(option_of(recipe, option))

    def domain(self, recipe: Recipe) -> Domain:
        """Returns the values to try where the user names none."""
        own = self.own(recipe)
        match self._option(recipe):
            case "depth":  # 6 n + 2
                return Range(max(8, own - 12), own + 12, step=6)
            case "repeats":
                return Range(max(len(_repeats(recipe)), own // 2), own + own // 2, step=1)
        return Range(own // 2, 2 * own + 1, step=1)

    def change(self, recipe: Recipe, value: int) -> Recipe:
        """Returns the recipe with another value."""
        match option := self._option(recipe):
            case "depth":
                if value < 8 or (value - 2) % 6:
                    raise InputError(
                        "The depth of a ResNet for CIFAR should be 6 n + 2: 8, 14, 20, ... "
                        f"Received: {value!r}"
                    )
            case "repeats":
                repeats = _repeats(recipe)
                check_number("The number of blocks", value, least=len(repeats), whole=True)
                return with_option(recipe, repeats=shared_out(value, repeats))
            case _:
                check_number("The number of middle modules", value, least=0, whole=True)
        return with_option(recipe, **{option: value})

    def _option(self, recipe: Recipe) -> str | None:
        options = ("middle_repeats", "repeats", "depth")
        return next((option for option in options if builder_takes(recipe, option)), None)


def shared_out(total: int, proportions: tuple[int, ...]) -> tuple[int, ...]:
    """Shares a number of blocks out among stages, at least one each, as they stand to each other.

    Each further block goes to the stage that lacks most of its share.
    """
    shares = [1] * len(proportions)
    whole = sum(proportions)
    while sum(shares) < total:
        lacking = [total * p / whole - s for p, s in zip(proportions, shares, strict=True)]
        shares[lacking.index(max(lacking))] += 1
    return tuple(shares)


def _repeats(recipe: Recipe) -> tuple[int, ...]:
    repeats = option_of(recipe, "repeats")
    # Those of Inception-ResNet-v2 depend on its variant.
    return tuple(V2[option_of(recipe, "variant")].repeats if repeats is None else repeats)


class Cardinality(_OfBuilder):
    """The number of paths of ResNeXt, at equal multiply-adds: the width of a path follows.

    As in Xie et al. 2017, arXiv 1611.05431, tables 2 and 3: 1 x 64d to 32 x 4d cost alike.
    """

    name, about = "cardinality", "number of paths, at equal multiply-adds"
    option = "cardinality"

    def own(self, recipe: Recipe) -> int:
        """Returns the recipe's own value."""
        return int(option_of(recipe, "cardinality"))

    def domain(self, recipe: Recipe) -> Domain:
        """Returns the values to try where the user names none."""
        return Choices(tuple(sorted({1, 2, 4, 8, 16, 32, self.own(recipe)})))

    def check(self, recipe: Recipe, value: int) -> None:
        """Makes sure that a value is allowed, as far as that is known without counting nets."""
        check_number("The cardinality", value, least=1, whole=True)

    def change(self, recipe: Recipe, value: int) -> Recipe:
        """Returns the recipe with another value."""
        entry, variant = architecture_of(recipe)
        # The channels of the images are not known here, and cost each net as much.
        options = builder_options(recipe, variant.input_shape[-1])
        options |= {name: option_of(recipe, name) for name in ("cardinality", "bottleneck_width")}
        width = _equal_width(entry.name, value, json.dumps(encode(options), sort_keys=True))
        return with_option(recipe, cardinality=value, bottleneck_width=width)


@functools.lru_cache(maxsize=256)
def _equal_width(name: str, cardinality: int, text: str) -> int:
    """The width of a path at which another cardinality costs what the options in `text` cost."""
    options = decode(json.loads(text))
    budget = weightless(lambda: count_complexity(get_model(name, **options)).macs)
    options["cardinality"] = cardinality
    return solve(name, macs=budget, free="bottleneck_width", **options).value


class Segments(_OfBuilder):
    """How many segments the channels of Xception's spatial convolutions are cut into.

    From 1, where they mix all channels as Inception's do, to one for each channel (Chollet 2017,
    arXiv 1610.02357, section 1.2).
    """

    name, about = "segments", "segments of the channels, from Inception to Xception"
    option = "segments"
    each = "channels"

    def own(self, recipe: Recipe) -> str:
        """Returns the recipe's own value."""
        segments = option_of(recipe, "segments")
        return self.each if segments is None else str(segments)

    def domain(self, recipe: Recipe) -> Domain:
        """Returns the values to try where the user names none."""
        counts = {1, 4, 16, 64, int(option_of(recipe, "segments") or 1)}
        return Choices((*map(str, sorted(counts)), self.each))

    def change(self, recipe: Recipe, value: str) -> Recipe:
        """Returns the recipe with another value."""
        if value != self.each and not (value.isdecimal() and int(value)):
            raise InputError(
                f"The segments should be a positive integer, or {self.each!r} for one each. "
                f"Received: {value!r}"
            )
        return with_option(recipe, segments=None if value == self.each else int(value))


class Activation(_OfBuilder):
    """What stands between the two steps of Xception's separable convolutions (figure 10)."""

    name, about = "activation", "activation between the steps of separable convolutions"
    option = "intermediate_activation"

    def own(self, recipe: Recipe) -> str:
        """Returns the recipe's own value."""
        return str(option_of(recipe, self.option) or "none")

    def domain(self, recipe: Recipe) -> Domain:
        """Returns the values to try where the user names none."""
        return Choices(tuple(value or "none" for value in INTERMEDIATE_ACTIVATIONS))

    def change(self, recipe: Recipe, value: str) -> Recipe:
        """Returns the recipe with another value."""
        activation = None if value == "none" else value
        check_choice(self.option, activation, INTERMEDIATE_ACTIVATIONS)
        return with_option(recipe, **{self.option: activation})


class ResidualScale(_OfBuilder):
    """What the residues of Inception-ResNet are scaled by; the greatest of three, if there are.

    The paper scales by 0.1 to 0.3 where training dies otherwise (Szegedy et al. 2016, arXiv
    1602.07261, section 3.3).
    """

    name, about = "residual_scale", "what residues are scaled by"
    option = "residual_scale"

    def own(self, recipe: Recipe) -> float:
        """Returns the recipe's own value."""
        return max(_scales(recipe))

    def domain(self, recipe: Recipe) -> Domain:
        """Returns the values to try where the user names none."""
        return Range(0.05, 1.0, "log")

    def change(self, recipe: Recipe, value: float) -> Recipe:
        """Returns the recipe with another value."""
        check_number("The residual scale", value, above=0)
        scales = _scales(recipe)
        return with_option(
            recipe, residual_scale=tuple(value * (scale / max(scales)) for scale in scales)
        )


def _scales(recipe: Recipe) -> tuple[float, ...]:
    scales = option_of(recipe, "residual_scale")
    return tuple(scales) if isinstance(scales, tuple | list) else (float(scales),) * 3
