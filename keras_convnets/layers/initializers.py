"""One initializer for many kernels, none of which starts like another."""

import itertools
from collections.abc import Iterator
from typing import Any

import keras


def another_initializer(initializer: Any, i: int) -> Any:
    """Returns an initializer of the same distribution and, beyond the first, of other values.

    One object of Keras' classes gives the same values each time that it is called, so that kernels
    of one shape would start, and stay, equal. Names, dictionaries and functions are left as they
    are.

    Args:
        initializer: as layers take it.
        i: how many of its kind came before.
    """
    config = initializer.get_config() if isinstance(initializer, keras.Initializer) else {}
    if i == 0 or "seed" not in config or isinstance(config["seed"], dict):
        return initializer  # without a seed, or with a generator that goes on by itself
    seed = config["seed"]
    return initializer.from_config({**config, "seed": None if seed is None else seed + i})


def initializers(initializer: Any) -> Iterator[Any]:
    """Yields an initializer for each kernel of a net."""
    return (another_initializer(initializer, i) for i in itertools.count())
