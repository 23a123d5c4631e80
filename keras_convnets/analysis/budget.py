"""The net nearest to a budget of parameters or multiply-adds."""

import dataclasses
import functools
import html
import inspect
import math
import numbers
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras

from keras_convnets._registry import WEIGHTS_ALLOW, find_architecture
from keras_convnets.analysis.complexity import Complexity, count_complexity, with_static_input
from keras_convnets.analysis.search import OutOfReachError, Search
from keras_convnets.analysis.stages import StageCost, cost_by_stage
from keras_convnets.analysis.weightless import weightless
from keras_convnets.errors import InputError, check_number, nearest, reason_of

BUDGETS = {"params": "trainable parameters", "macs": "multiply-adds"}

# Numbers among the options that belong to the data and to training.
_FIXED = ("input_shape", "classes", *WEIGHTS_ALLOW)
# A number such as a width has four digits behind the point.
_FRACTIONS = 10_000
# Of the deepest net that is tried; building a deeper one takes minutes.
_MOST_LAYERS = 5_000


@dataclasses.dataclass(frozen=True)
class Solution:
    """The net nearest to a budget.

    Attributes:
        name: name of the builder.
        free: the option that was varied.
        value: its value.
        options: all keyword options by which the builder makes the net.
        kind: what the budget limits, "params" or "macs".
        amount: the budget.
        cost: what the net costs.
        stages: what it costs at each resolution.
        tried: for each value that was tried, what its net takes of the budget.
    """

    name: str
    free: str
    value: Any
    options: Mapping[str, Any]
    kind: str
    amount: float
    cost: Complexity = dataclasses.field(repr=False)
    stages: tuple[StageCost, ...] = dataclasses.field(repr=False)
    tried: Mapping[Any, int]

    @property
    def error(self) -> float:
        """How far the net is above the budget, as a share of it; negative if it is below."""
        return self.tried[self.value] / self.amount - 1

    def __str__(self) -> str:
        return (
            f"{self.name} with {self.free}={self.value!r}: {self.tried[self.value]:,} "
            f"{BUDGETS[self.kind]}, {self.error:+.2%} from {self.amount:,}"
        )

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{stage.name}</td><td>{stage.trainable:,}</td><td>{stage.macs:,}</td></tr>"
            for stage in self.stages
        )
        header = "".join(
            f"<th>{name}</th>" for name in ("stage", "trainable parameters", "multiply-adds")
        )
        return f"<p>{html.escape(str(self))}</p><table><tr>{header}</tr>{rows}</table>"


def solve(
    builder: str | Callable[..., keras.Model],
    *,
    params: float | None = None,
    macs: float | None = None,
    free: str,
    input_shape: Sequence[int] | None = None,
    **options: Any,
) -> Solution:
    """Finds the net nearest to a budget by varying one option of its builder.

    The cost should rise with the option, or fall with it. Integers are found exactly; numbers such
    as a width to where the net changes, with no more digits than that needs; tuples such as
    `repeats` in proportion to the default or the one given, each number at least 1. Values that
    the builder refuses are passed over.

    Args:
        builder: `Builder` or `Builder:variant`, or a callable that returns a functional model.
        params: number of trainable parameters. Give this or `macs`.
        macs: multiply-adds of one image.
        free: name of the option that varies. The search starts at its default, or at the value
            given among `options`.
        input_shape: shape of one image without the batch, for the builder, or for a model whose
            input size is free.
        **options: further options of the builder.

    Returns:
        A `Solution`; of two nets equally near the cheaper one.

    Raises:
        InputError: if an option is unknown or can't vary, or if no value of it reaches the budget.

    Example:

    >>> from keras_convnets.resnext import template_block
    >>> solution = keras_convnets.analysis.solve(
    ...     template_block, params=69_632, free="bottleneck_width", cardinality=8
    ... )
    >>> print(solution)
    template_block with bottleneck_width=14: 71,456 trainable parameters, +2.62% from 69,632

    Source: of the rule that nets are compared at equal cost, Xie et al. 2017, arXiv 1611.05431,
    section 3.3.
    """
    kind, amount = _check_budget(params, macs)
    chosen, options = _find(builder, options)
    chosen.check(free, options)
    ladder = _ladder(chosen.start(free, options))
    if input_shape is not None and chosen.takes("input_shape"):
        options, input_shape = {**options, "input_shape": input_shape}, None
    if "weights" in chosen.parameters:
        options = {**options, "weights": None}
    nets = _Nets(chosen, free, options, input_shape, kind)
    try:
        nets.spent(ladder.value(ladder.start))
    except InputError:
        raise
    except (TypeError, ValueError) as error:  # Keras has both for other options
        raise InputError(
            f"{chosen.name} can't be built with {options}: {reason_of(error)}"
        ) from error

    def evaluate(index: int) -> int | None:
        try:
            spent = nets.spent(ladder.value(index))
        except ValueError:
            return None
        layers = len(nets.counted[ladder.value(index)][0].layers)
        if layers > _MOST_LAYERS and spent < amount:
            raise InputError(
                f"{chosen.name} with {free}={ladder.value(index)!r} has {layers:,} layers and only "
                f"{spent:,} {BUDGETS[kind]}; deeper nets are not tried. "
                f"Received: {kind}={amount:,}"
            )
        return spent

    search = Search(evaluate, amount)
    try:
        value = ladder.value(_shorten(search, ladder, search.nearest(ladder.start)))
    except OutOfReachError as error:
        end = error.end
        # Below the ladder some options may be 0, such as a number of repeats.
        is_below = ladder.value is int and end == 1 and search.cost(1) > amount
        zero = evaluate(0) if is_below else None
        if zero is None or zero > amount:
            end = end if zero is None else 0
            raise InputError(_out_of_reach(end, ladder, nets, amount)) from None
        value = min((0, 1), key=lambda index: (abs(nets.spent(index) - amount), index))
    cost, stages = nets.counted[value]
    return Solution(
        name=chosen.name,
        free=free,
        value=value,
        options=nets.options_with(value),
        kind=kind,
        amount=amount,
        cost=cost,
        stages=stages,
        tried={tried: nets.spent(tried) for tried in sorted(nets.counted)},
    )


def free_options(builder: str | Callable[..., keras.Model]) -> tuple[str, ...]:
    """Returns the options of a builder that may be free, by their defaults.

    Example:

    >>> keras_convnets.analysis.budget.free_options("Xception")
    ('segments', 'middle_repeats', 'width_multiplier')
    """
    return _find(builder, {})[0].free_options


@dataclasses.dataclass(frozen=True)
class _Builder:
    """A builder, and what is known of its options."""

    name: str
    build: Callable[..., keras.Model]

    @functools.cached_property
    def parameters(self) -> Mapping[str, inspect.Parameter]:
        """What the builder takes by name."""
        return inspect.signature(self.build).parameters

    @functools.cached_property
    def free_options(self) -> tuple[str, ...]:
        """The options that may be free, by their defaults."""
        return tuple(
            option
            for option in self.parameters
            if option not in _FIXED and _ladder(self.start(option, {})) is not None
        )

    def takes(self, option: str) -> bool:
        """Whether the builder has an option, or hands all of them on."""
        kinds = [parameter.kind for parameter in self.parameters.values()]
        return option in self.parameters or inspect.Parameter.VAR_KEYWORD in kinds

    def start(self, option: str, options: Mapping[str, Any]) -> Any:
        """The value of an option to start from, of the kind that the builder takes."""
        if option not in self.parameters:
            return options.get(option)
        parameter = self.parameters[option]
        start = options.get(option, parameter.default)
        if start is None and int in typing.get_args(parameter.annotation):
            return 1
        return float(start) if isinstance(parameter.default, float) and _is_count(start) else start

    def check(self, free: str, options: Mapping[str, Any]) -> None:
        """Makes sure that the builder has the options, and that the free one can vary."""
        unknown = [option for option in options if not self.takes(option)]
        if unknown:
            raise InputError(
                f"{self.name} has no option {unknown[0]!r}; "
                f"the nearest are {nearest(unknown[0], self.parameters)}."
            )
        if free not in _FIXED and _ladder(self.start(free, options)) is not None:
            return
        if not self.free_options:
            raise InputError(f"{self.name} has no option that a budget could determine.")
        if not self.takes(free):
            raise InputError(
                f"{self.name} has no option {free!r}; of those that can be free the nearest are "
                f"{nearest(free, self.free_options)}."
            )
        raise InputError(
            f"The option {free!r} of {self.name} can't be free, for it is no number or tuple of "
            f"numbers that makes the net larger; those that can are {', '.join(self.free_options)}."
        )


@dataclasses.dataclass
class _Nets:
    """The nets of a builder with one option free, each built and counted once."""

    builder: _Builder
    free: str
    options: Mapping[str, Any]
    input_shape: Sequence[int] | None
    kind: str
    counted: dict[Any, tuple[Complexity, tuple[StageCost, ...]]] = dataclasses.field(
        default_factory=dict
    )

    def spent(self, value: Any) -> int:
        """What the net takes of the budget."""
        if value not in self.counted:
            self.counted[value] = weightless(lambda: self._count(value))
        cost, _ = self.counted[value]
        return cost.trainable if self.kind == "params" else cost.macs

    def options_with(self, value: Any) -> dict[str, Any]:
        """All options that make the net."""
        return {self.free: value, **{k: v for k, v in self.options.items() if k != self.free}}

    def _count(self, value: Any) -> tuple[Complexity, tuple[StageCost, ...]]:
        model = self.builder.build(**self.options_with(value))
        model = with_static_input(model, self.input_shape, "solve")
        return count_complexity(model), cost_by_stage(model)


@dataclasses.dataclass(frozen=True)
class _Ladder:
    """The values that an option may take, by an index from 1, and the index to start from."""

    start: int
    value: Callable[[int], Any]


def _ladder(start: Any) -> _Ladder | None:
    """The values of the kind that `start` has; `None` if it has no kind that can vary."""
    if _is_count(start):
        return _Ladder(int(start), int)
    if isinstance(start, numbers.Real) and not isinstance(start, numbers.Integral):
        if not 0 < start < math.inf:
            return None
        return _Ladder(max(1, round(start * _FRACTIONS)), lambda index: index / _FRACTIONS)
    if isinstance(start, tuple | list) and start and all(map(_is_count, start)):
        # No two numbers of the tuple grow at an index between these.
        unit = 2 * math.lcm(*start)
        return _Ladder(
            unit,
            lambda index: tuple(max(1, (2 * n * index + unit) // (2 * unit)) for n in start),
        )
    return None


def _is_count(value: Any) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool) and value >= 1


def _shorten(search: Search, ladder: _Ladder, index: int) -> int:
    """The index of a value with fewer digits, if it gives a net of the same cost."""
    if not isinstance(ladder.value(index), float):
        return index
    units = (_FRACTIONS // 10**digits for digits in range(4))
    shorter = (search.rounder(index, unit) for unit in units)
    return next((found for found in shorter if found is not None), index)


def _find(
    builder: str | Callable[..., keras.Model], options: Mapping[str, Any]
) -> tuple[_Builder, dict[str, Any]]:
    """The builder, and the options with those that its name implies."""
    if not isinstance(builder, str):
        return _Builder(getattr(builder, "__name__", repr(builder)), builder), dict(options)
    entry, variant = find_architecture(builder)
    found = _Builder(entry.name, entry.builder)
    implied = {k: v for k, v in variant.options.items() if v != found.parameters[k].default}
    return found, {**implied, **options}


def _check_budget(params: float | None, macs: float | None) -> tuple[str, float]:
    given = {k: v for k, v in {"params": params, "macs": macs}.items() if v is not None}
    if len(given) != 1:
        raise InputError(
            f"One budget should be given, `params` or `macs`. Received: params={params}, "
            f"macs={macs}"
        )
    [(kind, amount)] = given.items()
    check_number(f"`{kind}`", amount, least=1)
    return kind, int(amount) if amount == int(amount) else amount


def _out_of_reach(end: int | None, ladder: _Ladder, nets: _Nets, amount: float) -> str:
    name, free, what = nets.builder.name, nets.free, BUDGETS[nets.kind]
    if end is None:
        return (
            f"No value of `{free}` but {ladder.value(ladder.start)!r} was found that changes the "
            f"number of {what} of {name}."
        )
    value = ladder.value(end)
    spent = nets.spent(value)
    return (
        f"No value of `{free}` brings {name} to {amount:,} {what}; the "
        f"{'most' if spent < amount else 'least'} is {spent:,}, with {free}={value!r}."
    )
