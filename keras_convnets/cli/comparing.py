"""`keras-convnets compare`."""

from pathlib import Path
from typing import Annotated

import rich.box
import rich.console
import rich.markup
import rich.table
import typer

from keras_convnets.errors import InputError

SUFFIXES = (".html", ".png")


def compare(
    runs: Annotated[list[Path], typer.Argument(help="Run directories, finished or not.")],
    accuracy: Annotated[
        float | None,
        typer.Option(
            help="Share of the validation images to time, 0.9 for instance. "
            "Default: the greatest whole per cent that all reach."
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="File to write, .html or .png.")] = Path(
        "comparison.html"
    ),
) -> None:
    """Draw runs side by side; those of one recipe form a band over their seeds."""
    from keras_convnets.claims.comparison import FINALS, TIMES, Comparison
    from keras_convnets.files import check_writable, replacing, write_text

    if out.suffix.lower() not in SUFFIXES:
        raise InputError(f"--out should end in .html or .png. Received: {str(out)!r}")
    if out.is_dir():
        raise InputError(f"--out should be a file, not a folder. Received: {str(out)!r}")
    comparison = Comparison(runs, accuracy)
    check_writable(out.parent)
    out.parent.mkdir(parents=True, exist_ok=True)
    if out.suffix.lower() == ".html":
        write_text(out, comparison.page())
    else:
        with replacing(out) as temporary:
            temporary.write_bytes(comparison.draw().png())
    console = rich.console.Console()
    differences = comparison.differences()
    if differences:
        labels = [group.label for group in comparison.groups]
        _show(console, "What differs in the recipes", ["field", *labels], differences)
    times = f"To {comparison.accuracy:.1%} of the validation images"
    _show(console, times, TIMES, comparison.times())
    _show(console, "Results", FINALS, comparison.finals())
    console.print(f"wrote {out}", highlight=False, markup=False, soft_wrap=True)


def _show(
    console: rich.console.Console,
    title: str,
    header: list[str] | tuple[str, ...],
    rows: list[list[str]],
) -> None:
    table = rich.table.Table(
        title=title, title_justify="left", box=rich.box.SIMPLE_HEAD, padding=(0, 1)
    )
    for column in header:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*map(rich.markup.escape, row))
    console.print(table)
