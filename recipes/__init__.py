"""The training recipe of each paper; a recipe is named by its module or by the path of a file."""

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


def names() -> list[str]:
    """Returns the names of the recipes that ship with the package."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def get(name_or_path: str | os.PathLike) -> Recipe:
    """Returns a recipe by its name, or from a Python file with a function `recipe()`.

    A file is executed like any Python module: run only files that you trust.

    Args:
        name_or_path: name of a recipe, or a path that ends in `.py`.

    Raises:
        InputError: if there is no such recipe; the message names the nearest ones.

    Example:

    >>> keras_convnets.recipes.get("xception_imagenet").optimizer.value
    SGD(momentum=0.9, nesterov=False)
    """
    text = os.fspath(name_or_path)
    module = _from_file(Path(text)) if text.endswith(".py") else _from_package(text)
    if not hasattr(module, "recipe"):
        raise InputError(f"The recipe file {text!r} has no function recipe().")
    recipe = _guarded(module.recipe, text)
    if not isinstance(recipe, Recipe):
        raise InputError(f"recipe() of {text!r} should return a Recipe. Received: {recipe!r}")
    about = (module.__doc__ or "").strip().partition("\n")[0]
    return dataclasses.replace(recipe, name=Path(text).stem, about=about)


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
