"""A recipe as a Python module, as people write them and `train` takes them."""

import ast
import json
from typing import Any

from keras_convnets import data, evaluation, training
from keras_convnets.training.recipe import FIELDS, Recipe
from keras_convnets.training.sourced import Sourced

_ROOMS = (data, evaluation, training)
_MAKERS = {"paper": "P", "code": "C", "choice": "choice"}
_INDENT = " " * 8


def recipe_module(recipe: Recipe, about: str) -> str:
    """Returns the source of a module whose `recipe()` returns a recipe, but for its defaults.

    Args:
        recipe: the recipe.
        about: the docstring; its first line says what the recipe is.
    """
    told = {field: getattr(recipe, field) for field in FIELDS}
    defaults = {field: getattr(Recipe, field, None) for field in FIELDS}
    calls = [f"{f}={_call(told[f])}," for f in FIELDS if told[f] != defaults[f]]
    body = "".join(f"{_INDENT}{call}\n" for call in calls)
    doc = about.replace("\\", "\\\\").replace('"""', "'''").strip()
    return (
        f'"""{doc}\n"""\n\n{_imports(calls)}\n\n\ndef recipe() -> Recipe:\n'
        f'    """Returns the recipe."""\n    return Recipe(\n{body}    )\n'
    )


def _call(sourced: Sourced[Any]) -> str:
    value = sourced.value
    text = _quoted(value) if isinstance(value, str) else repr(value)
    return f"{_MAKERS[sourced.kind]}({text}, {_quoted(sourced.source)})"


def _quoted(text: str) -> str:
    """A text as a literal, in the quotes that the package's recipes have."""
    return json.dumps(text, ensure_ascii=False)


def _imports(calls: list[str]) -> str:
    """The lines that import what calls use, as ruff sorts them."""
    tree = ast.parse(f"Recipe({''.join(calls)})")
    used = {
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    lines = []
    for room in _ROOMS:
        names = sorted((name for name in used if hasattr(room, name)), key=_order)
        if names:
            lines.append(f"from {room.__name__} import {', '.join(names)}")
    return "\n".join(lines)


def _order(name: str) -> tuple[int, str]:
    """Constants, classes, functions, as isort tells them by their letters."""
    is_constant = name.isupper() and len(name) > 1
    return (0 if is_constant else 1 if name[0].isupper() else 2, name)
