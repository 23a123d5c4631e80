"""`keras-convnets weights`: its verbs, and of them `list` and `info`."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import rich.box
import rich.console
import rich.markup
import rich.measure
import rich.padding
import rich.table
import rich.text
import typer

from keras_convnets.cli import converting, downloading
from keras_convnets.cli.amounts import megabytes
from keras_convnets.cli.quiet import with_quiet_tensorflow
from keras_convnets.errors import InputError

if TYPE_CHECKING:
    from keras_convnets._registry import Architecture
    from keras_convnets.imagenet_utils import Scaling
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
_FACT_WIDTH = 12
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


def info(
    name: Annotated[str, typer.Argument(help="Name of weights, in any case; see list.")],
) -> None:
    """Show all that is known of weights, and how to use them."""
    from keras_convnets._registry import find_architecture, variant_of
    from keras_convnets.imagenet_utils import SCALINGS
    from keras_convnets.weights.catalog import find

    entry = find(name)
    architecture, _ = find_architecture(entry.builder)
    variant = variant_of(architecture, entry.options)
    net = architecture.name_of(variant)
    rest = {key: value for key, value in entry.options.items() if key not in variant.options}
    facts = rich.table.Table(box=None, show_header=False)
    facts.add_column(style="bold", no_wrap=True, width=_FACT_WIDTH)
    facts.add_column(overflow="fold")
    for fact, value in (
        ("weights", entry.name),
        ("net", net + (f" with {_arguments(rest)}" if rest else "")),
        ("published by", entry.source),
        ("ported from", entry.ported_from),
        ("licence", entry.licence),
        ("accuracy", _accuracy(entry)),
        ("classes", f"{entry.classes:,} (ImageNet)"),
        ("parameters", f"{entry.parameters:,} with statistics"),
        (
            "images",
            f"the shorter side resized to {entry.resize} px ({entry.interpolation}), of which the "
            f"central {entry.input_size} x {entry.input_size} are taken",
        ),
        ("scaling", f"{_formula(SCALINGS[entry.preprocessing])} (mode {entry.preprocessing!r})"),
    ):
        if value:
            facts.add_row(fact, rich.markup.escape(value))
    console = rich.console.Console()
    console.print(facts, highlight=False)
    _show_file(console, "file", entry.file)
    if entry.headless:
        _show_file(console, "without top", entry.headless)
    for line in ("", *_uses(entry, net, rest, architecture)):
        console.print(line, highlight=False, markup=False, soft_wrap=True)


app = typer.Typer(
    help="Public weights and files of weights: list, download, convert, verify.",
    no_args_is_help=True,
)
for verb_name, verb in {
    "list": list_weights,
    "info": info,
    "download": downloading.download,
    "convert": converting.convert,
    "verify": converting.verify,
}.items():
    app.command(verb_name)(with_quiet_tensorflow(verb))


def _fields(entry: "Entry") -> dict[str, Any]:
    path = _place(entry.file)
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


def _place(file: "RemoteFile") -> Path:
    from keras_convnets.weights.cache import cache_folder

    return cache_folder() / file.name


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
        "here": "yes" if _place(entry.file).is_file() else "",
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


def _accuracy(entry: "Entry") -> str:
    if entry.top1 is None:
        return entry.measured
    return f"top-1 {entry.top1} %, top-5 {entry.top5} %, one crop ({entry.measured})"


def _formula(scaling: "Scaling") -> str:
    """What becomes of pixels p, as a person would write it."""
    formula = "p" if scaling.divisor == 1 else f"p / {scaling.divisor:g}"
    if any(scaling.mean):
        formula += f" - {_numbers(scaling.mean)}"
    if any(value != 1 for value in scaling.std):
        formula = f"({formula}) / {_numbers(scaling.std)}"
    channels = "B, G, R" if scaling.bgr else "R, G, B"
    return f"pixels p from 0 to 255 in the order {channels} become {formula}"


def _numbers(values: tuple[float, ...]) -> str:
    texts = [f"{value:g}" for value in values]
    return texts[0] if len(texts) == 1 else f"({', '.join(texts)})"


def _show_file(console: rich.console.Console, what: str, file: "RemoteFile") -> None:
    """Shows where a file is, in lines that can be copied however narrow the terminal is."""
    path = _place(file)
    state = megabytes(path.stat().st_size) if path.is_file() else "not there yet"
    for fact, value in (
        (what, file.url),
        ("hash", file.hash or "none published; that of the first download is kept and checked"),
        ("in the cache", f"{path} ({state})"),
    ):
        line = rich.text.Text.assemble(" ", (f"{fact:<{_FACT_WIDTH}}", "bold"), "  ", value)
        console.print(line, soft_wrap=True)


def _arguments(options: Mapping[str, Any]) -> str:
    return ", ".join(f"{option}={value!r}" for option, value in options.items())


def _uses(
    entry: "Entry", net: str, rest: Mapping[str, Any], architecture: "Architecture"
) -> list[str]:
    """A line of Python and lines of the shell that use weights."""
    variant = next(iter(architecture.variants.values()))
    size, is_default = entry.input_size, entry.input_size == variant.input_shape[0]
    shape = "" if is_default else f", input_shape=({size}, {size}, 3)"
    settings = f' --set "model_options={dict(rest)}"' if rest else ""
    return [
        f'Python: keras_convnets.get_model("{entry.name}"{shape})',
        f"shell:  keras-convnets weights download {entry.name}",
        f"        keras-convnets predict {entry.name} IMAGE...",
        f"        keras-convnets train fine_tune --model {net}{settings} --weights {entry.name} "
        "--data folder:DIR",
    ]
