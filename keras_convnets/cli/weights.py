"""`keras-convnets weights`: its verbs, and of them `list`."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import rich.box
import rich.console
import rich.measure
import rich.padding
import rich.table
import rich.text
import typer

from keras_convnets.cli import converting, describing, downloading
from keras_convnets.cli.downloading import place
from keras_convnets.cli.quiet import with_quiet_tensorflow
from keras_convnets.errors import InputError

if TYPE_CHECKING:
    from keras_convnets.weights import Entry
    from keras_convnets.weights.catalog import RemoteFile

# The variants that are not named by the option `variant`.
_VARIANTS: dict[tuple[tuple[str, Any], ...], str] = {
    (): "",
    (("batch_norm", True),): "batch_norm",
    (("bottleneck_width", 8),): "32x8d",
    (("cardinality", 64),): "64x4d",
}
_WIDEST = 1000
# Of the columns, the first that a narrow terminal does without.
_SPARE = ("format", "top5", "variant")


def list_weights(
    pattern: Annotated[
        str, typer.Argument(help="Shell pattern, such as '*.timm*', or the name of a builder.")
    ] = "*",
    not_loadable: Annotated[
        bool, typer.Option("--not-loadable", help="Show what can't be loaded, and why.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the public weights, and which of them are in the cache."""
    from keras_convnets.weights.catalog import entries

    console = rich.console.Console()
    if not_loadable:
        _show_not_loadable(console)
        return
    found = entries(pattern) or entries(f"{pattern}.*")
    if not found:
        raise InputError(
            f"No weights have such a name. Received: {pattern!r}; `keras-convnets weights list` "
            "shows all."
        )
    if as_json:
        print(json.dumps([_fields(entry) for entry in found]))
        return
    table, left_out = _fitting_table(found, console)
    console.print(table)
    console.print(
        "\nvariant: of the net, if it is not the default; top1, top5: per cent, one crop of px "
        "pixels; M: million parameters; here: whether the file is in the cache",
        highlight=False,
    )
    if left_out:
        console.print(f"left out at this width: {', '.join(left_out)}", highlight=False)
    if pattern == "*":
        _show_not_loadable(console, in_short=True)
    console.print(
        "\nnext: keras-convnets weights info NAME, keras-convnets weights download NAME",
        highlight=False,
    )


app = typer.Typer(
    help="Public weights and files of weights: list, download, convert, verify.",
    no_args_is_help=True,
)
for verb_name, verb in {
    "list": list_weights,  # this one and `download` need no TensorFlow
    "info": with_quiet_tensorflow(describing.info),
    "download": downloading.download,
    "convert": with_quiet_tensorflow(converting.convert),
    "verify": with_quiet_tensorflow(converting.verify),
}.items():
    app.command(verb_name)(verb)


def _fields(entry: "Entry") -> dict[str, Any]:
    path = place(entry.file)
    fields = dataclasses.asdict(entry)
    return {
        **{key: value for key, value in fields.items() if key != "options"},
        "options": dict(entry.options),
        "variant": _variant(entry.options),
        "format": _format(entry.file),
        "path": str(path),
        "cached": path.is_file(),
    }


def _variant(options: Mapping[str, Any]) -> str | None:
    """The variant that options stand for, "" for the default one and `None` if it has no name.

    The registry knows it too, and takes seconds to load.
    """
    if options.keys() == {"variant"}:
        return options["variant"]
    return _VARIANTS.get(tuple(options.items()))


def _format(file: "RemoteFile") -> str:
    return Path(file.member or file.name).suffix[1:]


def _fitting_table(
    found: Sequence["Entry"], console: rich.console.Console
) -> tuple[rich.table.Table, Sequence[str]]:
    """The entries with as many columns as the terminal has room for, and those left out."""
    rows = [_row(entry) for entry in found]
    unlimited = console.options.update(max_width=_WIDEST)
    for spared in range(len(_SPARE) + 1):
        left_out = _SPARE[:spared]
        table = _table(rows, left_out)
        if rich.measure.Measurement.get(console, unlimited, table).maximum <= console.width:
            break
    return table, left_out


def _row(entry: "Entry") -> dict[str, str]:
    variant = _variant(entry.options)
    return {
        "weights": entry.name,
        "variant": "(options)" if variant is None else variant,
        "top1": _per_cent(entry.top1),
        "top5": _per_cent(entry.top5),
        "px": str(entry.input_size),
        "M": f"{entry.parameters / 1e6:.1f}",
        "licence": entry.licence,
        "format": _format(entry.file),
        "here": "yes" if place(entry.file).is_file() else "",
    }


def _table(rows: list[dict[str, str]], left_out: Sequence[str]) -> rich.table.Table:
    table = rich.table.Table(box=rich.box.SIMPLE_HEAD, padding=0, show_edge=False)
    columns = [column for column in rows[0] if column not in left_out]
    for column in columns:
        is_number = column in ("top1", "top5", "px", "M")
        table.add_column(column, justify="right" if is_number else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(row[column] for column in columns))
    return table


def _per_cent(share: float | None) -> str:
    return "" if share is None else f"{share:.1f}"


def _show_not_loadable(console: rich.console.Console, in_short: bool = False) -> None:
    """Shows what can't be loaded: each in a line as far as that goes, or in full."""
    from keras_convnets.weights.catalog import NOT_LOADABLE

    if in_short:
        console.print("\nnot loadable (reasons in full: --not-loadable):", highlight=False)
        for row in NOT_LOADABLE:
            line = rich.text.Text(f"  {row.what}: {row.why}")
            console.print(line, no_wrap=True, overflow="ellipsis")
        return
    for row in NOT_LOADABLE:
        console.print(rich.text.Text(row.what, style="bold"))
        console.print(f"  {row.where}", highlight=False, markup=False, soft_wrap=True)
        console.print(rich.padding.Padding(rich.text.Text(row.why), (0, 0, 1, 2)))
