"""The values that a hyper-parameter may take, and how users write them."""

import dataclasses
from typing import TYPE_CHECKING, Any

from keras_convnets.errors import InputError

if TYPE_CHECKING:
    import keras_tuner

Value = float | int | str


@dataclasses.dataclass(frozen=True)
class Range:
    """All numbers between two, or those of them at equal steps.

    Attributes:
        low: the least.
        high: the greatest.
        scale: "linear" or "log": what is drawn uniformly, the number or its logarithm.
        step: between whole numbers; `None` for real ones.
    """

    low: float
    high: float
    scale: str = "linear"
    step: int | None = None

    def declare(self, hp: "keras_tuner.HyperParameters", name: str, own: Value) -> Value:
        """Declares a hyper-parameter whose default is `own`, and returns its value."""
        if self.step is not None:
            return hp.Int(name, self.low, self.high, step=self.step, default=own)
        return hp.Float(name, self.low, self.high, sampling=self.scale, default=own)

    def ends(self) -> tuple[Value, ...]:
        """Values that stand for all: what they allow, the others do."""
        return (self.low, self.high)

    def describe(self) -> dict[str, Any]:
        """Returns the range as JSON."""
        step = {} if self.step is None else {"step": self.step}
        return {"low": self.low, "high": self.high, "scale": self.scale, **step}


@dataclasses.dataclass(frozen=True)
class Choices:
    """Some values of one kind, the least or the simplest first."""

    values: tuple[Value, ...]

    def declare(self, hp: "keras_tuner.HyperParameters", name: str, own: Value) -> Value:
        """Declares a hyper-parameter whose default is `own`, and returns its value."""
        return hp.Choice(name, list(self.values), default=own)

    def ends(self) -> tuple[Value, ...]:
        """Values that stand for all: what they allow, the others do."""
        return self.values

    def describe(self) -> dict[str, Any]:
        """Returns the values as JSON."""
        return {"values": list(self.values)}


Domain = Range | Choices


def parse_domain(name: str, text: str, own: Value, domain: Domain) -> Domain:
    """Reads limits such as "1e-6..1e-3" or "0.5|0.75|1".

    A recipe's own value belongs to every choice, for it is what a search starts from.

    Args:
        name: of the hyper-parameter.
        text: the limits.
        own: the recipe's own value, of the kind that all are of.
        domain: the limits without these, whose step and scale stay.

    Raises:
        InputError: if the text is something else, or leaves nothing to choose.
    """
    if ".." not in text:
        values = {_read(name, part, own) for part in text.split("|")} | {own}
        if len(values) == 1:
            raise _empty(name, text, f"is the recipe's own {own!r} alone")
        if isinstance(own, str):
            # In the order of the texts, which may go from little to much.
            parts = dict.fromkeys(part.strip() for part in text.split("|"))
            return Choices(tuple(parts) if own in parts else (own, *parts))
        return Choices(tuple(sorted(values)))
    if isinstance(own, str):
        raise InputError(
            f"{name!r} has no range, but choices, such as {name}={'|'.join(domain.ends())}. "
            f"Received: {text!r}"
        )
    low, high = (_read(name, part, own) for part in text.split("..", 1))
    if low >= high:
        raise _empty(name, text, "has no number between its limits")
    old = domain if isinstance(domain, Range) else Range(low, high, step=1 if _whole(own) else None)
    return dataclasses.replace(old, low=low, high=high, scale=scale_for(old.scale, low, own))


def scale_for(scale: str, low: float, own: float) -> str:
    """Returns "log" if that is the scale and all values have a logarithm, the own one, too."""
    return "log" if scale == "log" and low > 0 and own > 0 else "linear"


def _read(name: str, part: str, own: Value) -> Value:
    kind = type(own)
    try:
        value = kind(part.strip())
    except ValueError:
        value = None
    if value is None or value == "" or value != value or value in (float("inf"), float("-inf")):
        what = {int: "whole numbers", float: "numbers", str: "words"}[kind]
        raise InputError(
            f"The values of {name!r} should be {what}: a range such as {name}=LOW..HIGH, or "
            f"choices such as {name}=A|B|C. Received: {part!r}"
        )
    return value


def _whole(value: Value) -> bool:
    return isinstance(value, int)


def _empty(name: str, text: str, why: str) -> InputError:
    return InputError(
        f"The space leaves nothing to choose for {name!r}, for it {why}. Received: {text!r}"
    )
