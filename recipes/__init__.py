"""The training recipe of each paper, named by its module or by the path of a file.

A module may have several: `OPTIONS` are their names, and `recipe(option)` returns one. Users write
`module:option`; without an option it is the first.
"""

import dataclasses
import importlib
import importlib.util
import os
import pkgutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from keras_convnets.errors import InputError, nearest
from keras_convnets.training import Recipe

DEFAULT = "xception_fashion_mnist"


def names(*, with_options: bool = False) -> list[str]:
    """Returns the names of the recipes that ship with the package.

    Args:
        with_options: whether a recipe that has options comes once with each, as `name:option`.
    """
    found = (module.name for module in pkgutil.iter_modules(__path__))
    modules = sorted(name for name in found if not name.startswith("_"))
    if not with_options:
        return modules
    return [
        f"{name}:{option}" if option else name
        for name in modules
        for option in options(name) or ("",)
    ]


def options(name_or_path: str | os.PathLike) -> tuple[str, ...]:
    """Returns the options of a recipe, the default one first; most have none.

    Args:
        name_or_path: name or path as `get` takes it, with or without an option.

    Raises:
        InputError: if there is no such recipe.

    Example:

    >>> keras_convnets.recipes.options("inception_v2_imagenet")
    ('baseline', 'x5', 'x30')
    """
    return tuple(getattr(_module(_split(name_or_path)[0]), "OPTIONS", ()))


def get(name_or_path: str | os.PathLike) -> Recipe:
    """Returns a recipe by its name, or from a Python file with a function `recipe()`.

    A file is executed like any Python module: run only files that you trust.

    Args:
        name_or_path: name of a recipe, or a path that ends in `.py`; `:option` may follow.

    Raises:
        InputError: if there is no such recipe or option; the message names those there are.

    Example:

    >>> keras_convnets.recipes.get("inception_v2_imagenet:x5").schedule.value.initial
    0.0075
    """
    name, option = _split(name_or_path)
    module = _module(name)
    if not hasattr(module, "recipe"):
        raise InputError(f"The recipe file {name!r} has no function recipe().")
    allowed = getattr(module, "OPTIONS", ())
    if option and option not in allowed:
        phrase = f"has the options {', '.join(allowed)}" if allowed else "has no options"
        raise InputError(f"The recipe {name!r} {phrase}. Received: {option!r}")
    recipe = _guarded(lambda: module.recipe(option) if option else module.recipe(), name)
    if not isinstance(recipe, Recipe):
        raise InputError(f"recipe() of {name!r} should return a Recipe. Received: {recipe!r}")
    about = (module.__doc__ or "").strip().partition("\n")[0]
    stem = Path(name).stem
    return dataclasses.replace(recipe, name=f"{stem}:{option}" if option else stem, about=about)


def _split(name_or_path: str | os.PathLike) -> tuple[str, str]:
    """The name or the path, and the option or "". A path may have colons of its own."""
    text = os.fspath(name_or_path)
    head, _, option = text.rpartition(":")
    has_option = head and not text.endswith(".py")
    return (head, option) if has_option else (text, "")


def _module(name: str) -> ModuleType:
    return _from_file(Path(name)) if name.endswith(".py") else _from_package(name)


def _from_package(name: str) -> ModuleType:
    if name not in names():
        raise InputError(
            f"There is no recipe named {name!r}; the nearest names are {nearest(name, names())}."
        )
    return importlib.import_module(f"{__name__}.{name}")


def _from_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise InputError(f"There is no recipe file at {str(path)!r}.")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise InputError(f"The recipe file {str(path)!r} can't be loaded as Python.")
    module = importlib.util.module_from_spec(spec)
    loader = spec.loader
    _guarded(lambda: loader.exec_module(module), str(path))
    return module


def _guarded(call: Callable[[], Any], path: str) -> Any:
    try:
        return call()
    except (Exception, SystemExit) as error:  # the file is the user's: it may raise anything
        raise InputError(f"The recipe file {path!r} fails: {error!r}.") from error
