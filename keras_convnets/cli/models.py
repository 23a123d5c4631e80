"""`keras-convnets list` and `keras-convnets info`."""

import enum
from typing import Annotated

import rich.box
import rich.console
import rich.table
import typer

from keras_convnets.cli.amounts import mebibytes, parse_amount, readable
from keras_convnets.errors import InputError, check_choice


class Order(enum.StrEnum):
    """What the nets can be sorted by."""

    YEAR = "year"
    NAME = "name"
    PARAMETERS = "parameters"
    MACS = "macs"
    MEMORY = "memory"
    TOP1 = "top1"


def list_models(
    pattern: Annotated[str, typer.Argument(help="Shell pattern, such as 'x*'.")] = "*",
    sort: Annotated[Order, typer.Option(help="What to sort the nets by.")] = Order.YEAR,
    max_params: Annotated[
        str | None, typer.Option(help="Only nets of at most as many parameters, such as 30M.")
    ] = None,
    max_macs: Annotated[
        str | None, typer.Option(help="Only nets of at most as many multiply-adds, such as 5G.")
    ] = None,
    data: Annotated[
        str | None, typer.Option(help="Only nets for a data set: ImageNet, CIFAR-10, MNIST.")
    ] = None,
) -> None:
    """List the nets."""
    from keras_convnets import _zoo
    from keras_convnets._registry import fits

    table = _zoo.rows()
    if data is not None:
        check_choice("--data", data.lower(), sorted({row.data.lower() for row in table}))
    limits = {
        "trainable": parse_amount("--max-params", max_params),
        "macs": parse_amount("--max-macs", max_macs),
    }
    rows = [
        row
        for row in table
        if fits(row.name, pattern)
        and all(limit is None or getattr(row, field) <= limit for field, limit in limits.items())
        and (data is None or row.data.lower() == data.lower())
    ]
    if not rows:
        raise InputError(
            f"No net fits. Received: {pattern!r}, with the limits and the data set given; "
            "`keras-convnets list` shows all."
        )
    console = rich.console.Console()
    console.print(_table(sorted(rows, key=lambda row: _key(row, sort))))
    console.print(
        "memory: MiB of activations an image; top-1: reported, per cent, on ImageNet by one\n"
        "crop of this size, or otherwise (*), or in brackets on CIFAR-10 or MNIST\n",
        highlight=False,
    )
    console.print("next: keras-convnets info NET, keras-convnets recipes list")


def info(
    name: Annotated[str, typer.Argument(help="Net[:variant], in any case; see list.")],
    layers: Annotated[bool, typer.Option("--layers", help="Show the cost of each layer.")] = False,
) -> None:
    """Show what a net is and costs."""
    from keras_convnets._registry import find_architecture
    from keras_convnets.analysis import count_complexity
    from keras_convnets.analysis.weightless import weightless

    entry, variant = find_architecture(name)

    def measure():
        model = entry.builder(weights=None, **variant.options)
        return count_complexity(model), model.input.shape[1:], model.output.shape[1:]

    cost, input_shape, output_shape = weightless(measure)
    console = rich.console.Console()
    facts = rich.table.Table(box=None, show_header=False)
    facts.add_column(style="bold", no_wrap=True)
    facts.add_column(overflow="fold")
    for fact, value in (
        ("net", ":".join(filter(None, [entry.name, variant.name]))),
        ("paper", f"{entry.paper.title} ({entry.paper.authors} {entry.paper.year})"),
        ("", entry.paper.url),
        ("reported", str(variant.reported)),
        (
            "input",
            f"{' x '.join(map(str, input_shape))}, scaled as {variant.preprocessing!r}",
        ),
        ("output", " x ".join(map(str, output_shape))),
        ("parameters", f"{cost.trainable:,} ({cost.total:,} with statistics)"),
        ("multiply-adds", f"{cost.macs:,} an image"),
        ("activations", f"{mebibytes(cost.peak_activation_bytes)} MiB at the peak, an image"),
        ("variants", ", ".join(filter(None, entry.variants)) or "none"),
    ):
        facts.add_row(fact, value)
    console.print(facts)
    taps = rich.table.Table("tap", "channels", "stride", title="Taps", title_justify="left")
    for tap in variant.taps:
        taps.add_row(tap.name, str(tap.channels), str(tap.stride))
    console.print(taps)
    if layers:
        table = rich.table.Table("layer", "kind", "output", "trainable", "multiply-adds")
        for row in cost.layers:
            shape = " x ".join(map(str, row.output_shape))
            table.add_row(row.name, row.kind, shape, f"{row.trainable:,}", f"{row.macs:,}")
        console.print(table)


def _key(row, order: Order):
    """The smallest and the most accurate nets come first."""
    return {
        Order.YEAR: row.year,
        Order.NAME: row.name.lower(),
        Order.PARAMETERS: row.trainable,
        Order.MACS: row.macs,
        Order.MEMORY: row.activation_bytes,
        Order.TOP1: (row.top1 is None, row.data != "ImageNet", not row.one_crop, -(row.top1 or 0)),
    }[order]


def _table(rows) -> rich.table.Table:
    """The nets, in 80 columns."""
    table = rich.table.Table(title="Nets", box=rich.box.SIMPLE_HEAD, padding=0)
    for column in ("net", "params", "MACs", "memory", "input", "top-1", "paper"):
        justify = "left" if column in ("net", "paper") else "right"
        table.add_column(column, justify=justify, no_wrap=True)
    for row in rows:
        table.add_row(
            row.name,
            readable(row.trainable),
            readable(row.macs),
            mebibytes(row.activation_bytes),
            str(row.input[0]),
            _top1(row),
            f"{row.authors.split()[0].rstrip(',')} {row.year}",
        )
    return table


def _top1(row) -> str:
    if row.top1 is None:
        return ""
    if row.data != "ImageNet":
        return f"({row.top1:.2f})"
    return f"{row.top1:.1f}" + ("" if row.one_crop else "*")
