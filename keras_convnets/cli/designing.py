"""`keras-convnets design`."""

from typing import TYPE_CHECKING, Annotated

import rich.box
import rich.console
import rich.table
import typer

from keras_convnets.cli.amounts import mebibytes, parse_amount
from keras_convnets.cli.settings import read_options
from keras_convnets.errors import InputError

if TYPE_CHECKING:
    from keras_convnets._registry import Architecture
    from keras_convnets.analysis import Solution

# What --set does not give, and why.
_NOT_SET = {
    "input_tensor": "it takes what can be written",
    "input_shape": "use --input-size",
    "weights": "nets are counted without weights",
}


def design(
    builder: Annotated[str, typer.Option(help="Net[:variant], in any case; see list.")],
    macs: Annotated[
        str | None, typer.Option(help="Multiply-adds of one image: 300M, 4.1G, ...")
    ] = None,
    params: Annotated[
        str | None, typer.Option(help="Trainable parameters, in place of --macs: 70k, 25.5M, ...")
    ] = None,
    free: Annotated[
        str | None, typer.Option(help="The option that varies. Default: width_multiplier.")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="OPTION=VALUE", help="Any other option; repeatable."),
    ] = None,
    input_size: Annotated[
        int | None, typer.Option(help="Height and width of an image in pixels.", min=1)
    ] = None,
) -> None:
    """Find the net nearest to a budget of multiply-adds or parameters."""
    from keras_convnets._registry import find_architecture
    from keras_convnets.analysis import solve

    entry, variant = find_architecture(builder)
    options = read_options(entry, set_ or [], _NOT_SET)
    if input_size is not None:
        options["input_shape"] = _input_shape(input_size, variant.input_shape[-1])
    solution = solve(
        builder,
        params=parse_amount("--params", params),
        macs=parse_amount("--macs", macs),
        free=free or _default_free(entry),
        **options,
    )
    _tell(solution)


def _input_shape(size: int, channels: int) -> tuple[int, int, int]:
    from keras_convnets._builder import channels_last

    return (size, size, channels) if channels_last() else (channels, size, size)


def _default_free(entry: "Architecture") -> str:
    from keras_convnets.analysis.budget import free_options

    allowed = free_options(entry.name)
    if allowed and "width_multiplier" not in allowed:
        raise InputError(
            f"{entry.name} has no width_multiplier; --free should be one of {', '.join(allowed)}."
        )
    return "width_multiplier"


def _tell(solution: "Solution") -> None:
    console = rich.console.Console()
    cost = solution.cost
    budget = f" ({solution.error:+.2%} from {solution.amount:,})"
    facts = rich.table.Table(box=None, show_header=False)
    facts.add_column(style="bold", no_wrap=True)
    facts.add_column(overflow="fold")
    for fact, value in (
        ("net", solution.name),
        (solution.free, f"{solution.value} (of {len(solution.tried)} nets that were counted)"),
        *(
            (option, str(value))
            for option, value in solution.options.items()
            if option not in (solution.free, "weights")
        ),
        ("input", " x ".join(map(str, cost.layers[0].output_shape))),
        ("parameters", f"{cost.trainable:,}{budget if solution.kind == 'params' else ''}"),
        ("multiply-adds", f"{cost.macs:,}{budget if solution.kind == 'macs' else ''}"),
        ("activations", f"{mebibytes(cost.peak_activation_bytes)} MiB at the peak, an image"),
    ):
        facts.add_row(fact, value)
    console.print(facts)
    stages = rich.table.Table(
        title="Stages", title_justify="left", box=rich.box.SIMPLE_HEAD, padding=0
    )
    stages.add_column("stage", no_wrap=True)
    for column in ("map", "layers", "parameters", "multiply-adds", "share"):
        stages.add_column(column, justify="right", no_wrap=True)
    for stage in solution.stages:
        if not (stage.trainable or stage.macs):
            continue
        stages.add_row(
            stage.name,
            "" if stage.size is None else " x ".join(map(str, stage.size)),
            str(len(stage.layers)),
            f"{stage.trainable:,}",
            f"{stage.macs:,}",
            f"{stage.macs / cost.macs:.1%}",
        )
    console.print(stages)
    options = ", ".join(f"{option}={value!r}" for option, value in solution.options.items())
    line = f'keras_convnets.get_model("{solution.name}", {options})'
    console.print(line, highlight=False, markup=False, soft_wrap=True)
