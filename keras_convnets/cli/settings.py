"""`--set OPTION=VALUE`: options of a builder as people type them."""

import ast
import inspect
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from keras_convnets.errors import InputError, nearest

if TYPE_CHECKING:
    from keras_convnets._registry import Architecture


def read_options(
    entry: "Architecture", settings: Sequence[str], not_set: Mapping[str, str]
) -> dict[str, Any]:
    """Returns the options that settings give.

    Args:
        entry: whose builder has the options.
        settings: each as `option=value`, where the value is a Python literal or a plain text.
        not_set: options that can't be given so, and why.

    Raises:
        InputError: if the builder has no such option.
    """
    allowed = inspect.signature(entry.builder).parameters
    options = {}
    for setting in settings:
        option, equals, text = (part.strip() for part in setting.partition("="))
        if not equals:
            raise InputError(f"--set wants option=value. Received: {setting!r}")
        if option in not_set:
            raise InputError(f"--set can't give {option!r}; {not_set[option]}.")
        if option not in allowed:
            raise InputError(
                f"{entry.name} has no option {option!r}; "
                f"the nearest are {nearest(option, allowed)}."
            )
        options[option] = _read_value(text)
    return options


def _read_value(text: str) -> Any:
    """A Python literal, or else the text itself: `--set form=a`."""
    try:
        return ast.literal_eval(text)
    except (MemoryError, RecursionError, SyntaxError, TypeError, ValueError):
        return text
