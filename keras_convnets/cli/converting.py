"""`keras-convnets weights convert` and `verify`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import rich.box
import rich.console
import rich.table
import typer

from keras_convnets.cli.amounts import megabytes
from keras_convnets.cli.downloading import fetch, place
from keras_convnets.cli.settings import read_options
from keras_convnets.errors import InputError
from keras_convnets.exit_codes import FAILED

if TYPE_CHECKING:
    import keras

    from keras_convnets.deployment.sources import Source
    from keras_convnets.weights import Entry

# What --set does not give, and why.
_NOT_SET = {
    "input_tensor": "it takes what can be written",
    "weights": "they are those of SOURCE",
}
_SOURCE_HELP = "Name of weights, run directory, or file of weights."
_MODEL_HELP = "Net[:variant] that a file is for; see `keras-convnets list`."
_SET_HELP = "Option of that net; repeatable."


def convert(
    source: Annotated[str, typer.Argument(help=_SOURCE_HELP)],
    out: Annotated[Path, typer.Argument(help="File ending in .keras, .weights.h5, .safetensors.")],
    model: Annotated[str | None, typer.Option(help=_MODEL_HELP)] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="OPTION=VALUE", help=_SET_HELP)
    ] = None,
    preprocessing: Annotated[
        str | None,
        typer.Option(
            help="Scaling of images that a file is for. Default: that of the entry that it is, or "
            "of the net."
        ),
    ] = None,
) -> None:
    """Write weights in another format, whole or not at all."""
    from keras_convnets.deployment import conversion

    found = _find(source, model, set_ or [], preprocessing)
    report, card = conversion.convert(found, out)
    lines = [str(report), f"wrote {out} ({megabytes(out.stat().st_size)})"]
    if card is None:
        lines.append(f"next: keras_convnets.weights.load(model, {str(out)!r})")
    else:
        scaling = card.preprocessing
        lines += [
            f"wrote {out.with_suffix('.json')}: {len(card.classes):,} classes, from "
            f"{card.classes[0]!r} to {card.classes[-1]!r}; images of {scaling.size} px, scaled as "
            f"{scaling.mode!r}",
            f"next: keras-convnets predict {out} IMAGE...",
        ]
    _print(lines)


def verify(
    source: Annotated[str, typer.Argument(help=_SOURCE_HELP)],
    model: Annotated[str | None, typer.Option(help=_MODEL_HELP)] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="OPTION=VALUE", help=_SET_HELP)
    ] = None,
    layers: Annotated[bool, typer.Option("--layers", help="Show each layer.")] = False,
) -> None:
    """Check that weights are whole, fit their net and are finite; exit code 1 if not."""
    found = _find(source, model, set_ or [])
    if found.entry is not None:
        _check_cached(found.entry)
    try:
        net, facts = _examine(found)
    except InputError as error:
        rich.console.Console(stderr=True).print(
            f"not sound: {error}", style="red", markup=False, highlight=False, soft_wrap=True
        )
        raise typer.Exit(FAILED) from error
    if layers:
        rich.console.Console().print(_layers(net), highlight=False, markup=False)
    _print(["sound", *(f"  {fact}" for fact in facts)])


def _find(
    source: str, model: str | None, settings: list[str], preprocessing: str | None = None
) -> "Source":
    from keras_convnets._registry import find_architecture
    from keras_convnets.deployment.sources import find_source

    if settings and model is None:
        raise InputError("--set gives an option of the net that --model names; give both.")
    options = read_options(find_architecture(model)[0], settings, _NOT_SET) if model else {}
    return find_source(source, model, options, preprocessing)


def _check_cached(entry: "Entry") -> None:
    path = place(entry.file)
    if not path.is_file():
        raise InputError(
            f"{entry.name} is not in the cache, as {str(path)!r}; "
            f"`keras-convnets weights download {entry.name}` brings it."
        )


def _examine(found: "Source") -> tuple["keras.Model", list[str]]:
    """Loads weights; returns the net, and what was found in words.

    Raises:
        InputError: if anything is wrong with them.
    """
    facts = []
    if found.entry is not None:
        path, checked = fetch(found.entry.file)
        facts += [str(path), checked]
    net, report = found.load()
    count = net.count_params()
    if found.entry is not None and count != found.entry.parameters:
        raise InputError(
            f"{found.entry.name} has {count:,} parameters, where {found.entry.parameters:,} are "
            "declared."
        )
    return net, [*facts, str(report), f"{count:,} parameters, all of them finite"]


def _layers(net: "keras.Model") -> rich.table.Table:
    table = rich.table.Table(box=rich.box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for column in ("layer", "variables"):
        table.add_column(column)
    for column in ("parameters", "least", "greatest"):
        table.add_column(column, justify="right")
    for layer in net.layers:
        if not layer.weights:
            continue
        arrays = [(variable.name, variable.numpy()) for variable in layer.weights]
        table.add_row(
            layer.name,
            ", ".join(f"{name} {'x'.join(map(str, array.shape))}" for name, array in arrays),
            f"{layer.count_params():,}",
            f"{min(array.min() for _, array in arrays):.3g}",
            f"{max(array.max() for _, array in arrays):.3g}",
        )
    return table


def _print(lines: list[str]) -> None:
    console = rich.console.Console()
    for line in lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)
