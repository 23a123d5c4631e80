"""Public weights and files of weights: what there is, where it is, and how it is loaded."""

import importlib
from typing import TYPE_CHECKING, Any

from keras_convnets.weights.catalog import Entry, entries, find
from keras_convnets.weights.report import LoadReport

if TYPE_CHECKING:
    from keras_convnets.weights.inputs import preprocessing
    from keras_convnets.weights.loading import load
    from keras_convnets.weights.sources import entry_of

__all__ = ["Entry", "LoadReport", "entries", "entry_of", "find", "load", "preprocessing"]

# What needs Keras, which takes seconds to load; the catalog and the cache do without.
_HOMES = {"entry_of": "sources", "load": "loading", "preprocessing": "inputs"}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
