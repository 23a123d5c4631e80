"""`keras-convnets recipes`: what the recipes are, what one says, and how two differ."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import rich.box
import rich.console
import rich.markup
import rich.table
import typer

from keras_convnets.cli.quiet import with_quiet_tensorflow

if TYPE_CHECKING:
    from keras_convnets.training import Recipe

_Name = Annotated[str, typer.Argument(help="Name of a recipe, NAME:OPTION, or a .py file.")]


def list_recipes() -> None:
    """List the recipes, their options, and what the papers report."""
    from keras_convnets import recipes

    table = _table("recipe", "option", "top-1", whole=("option", "top-1"))
    for name in recipes.names():
        options = recipes.options(name)
        each = [recipes.get(f"{name}:{option}") for option in options] or [recipes.get(name)]
        table.add_row(
            f"[bold]{name}[/bold]\n{_about(each)}",
            "\n".join(options),
            "\n".join(map(_expected, each)),
        )
    console = rich.console.Console()
    console.print(table)
    console.print(
        "top-1: per cent, as reported, or MAP@100 (*); the first option is the default\n"
        "next: keras-convnets recipes show NAME:OPTION, keras-convnets train NAME --smoke",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )


def _about(each: Sequence["Recipe"]) -> str:
    """Nets, data and cost of the options of a recipe, in lines."""
    lines = [
        ", ".join(dict.fromkeys(recipe.net for recipe in each)),
        ", ".join(dict.fromkeys(recipe.data.value for recipe in each)),
        each[0].hardware.value,
    ]
    return "\n".join(f"[dim]{rich.markup.escape(line)}[/dim]" for line in lines)


def show(name: _Name) -> None:
    """Show every value of a recipe, and where it comes from."""
    from keras_convnets import recipes

    recipe = recipes.get(name)
    table = _table("field", "value", "kind", "source", whole=("field",))
    for row in recipe.rows():
        table.add_row(*map(rich.markup.escape, row))
    console = rich.console.Console()
    console.print(f"{recipe.name}: {recipe.about}", style="bold", markup=False, highlight=False)
    console.print(table)
    options = recipes.options(name)
    if options:
        console.print(f"options: {', '.join(options)}", markup=False, highlight=False)


def diff(
    a: _Name, b: Annotated[str, typer.Argument(help="The other one, named likewise.")]
) -> None:
    """Show the values in which two recipes differ, and where these come from."""
    from keras_convnets import recipes

    first, second = recipes.get(a), recipes.get(b)
    print_differences(first, second)


def print_differences(first: "Recipe", second: "Recipe") -> None:
    """Prints a table of the fields whose values differ, each with its source below."""
    table = _table("field", first.name, second.name, whole=("field",))
    pairs = zip(first.rows(), second.rows(), strict=True)
    for (field, *mine), (_, *theirs) in pairs:
        if mine[0] != theirs[0]:
            table.add_row(field, *(_cell(*cell) for cell in (mine, theirs)))
    console = rich.console.Console()
    if table.row_count:
        console.print(table)
    else:
        console.print("The two recipes have the same values.")


def _cell(value: str, kind: str, source: str) -> str:
    return f"{rich.markup.escape(value)}\n[dim]{kind}: {rich.markup.escape(source)}[/dim]"


def _table(*columns: str, whole: Sequence[str]) -> rich.table.Table:
    """An empty table, some of whose columns are never folded."""
    table = rich.table.Table(box=rich.box.SIMPLE_HEAD, padding=(0, 1))
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column in whole)
    return table


def _expected(recipe: "Recipe") -> str:
    results = recipe.results.value
    if "top1" in results:
        return f"{results['top1']:.2%}".removesuffix("%")
    return f"{results['map_at_100']:.2f}*" if "map_at_100" in results else ""


app = typer.Typer(help="List, show and compare the recipes.", no_args_is_help=True)
for verb_name, verb in {"list": list_recipes, "show": show, "diff": diff}.items():
    app.command(verb_name)(with_quiet_tensorflow(verb))
