"""`keras-convnets weights info`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import rich.console
import rich.markup
import rich.table
import rich.text
import typer

from keras_convnets.cli.amounts import megabytes
from keras_convnets.cli.downloading import place

if TYPE_CHECKING:
    from keras_convnets.imagenet_utils import Scaling
    from keras_convnets.weights import Entry
    from keras_convnets.weights.catalog import RemoteFile

_FACT_WIDTH = 12


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
    for line in ("", *_uses(entry, net, rest, variant.input_shape[0])):
        console.print(line, highlight=False, markup=False, soft_wrap=True)


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
    path = place(file)
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


def _uses(entry: "Entry", net: str, rest: Mapping[str, Any], default_size: int) -> list[str]:
    """A line of Python and lines of the shell that use weights."""
    size = entry.input_size
    shape = "" if size == default_size else f", input_shape=({size}, {size}, 3)"
    # Weights bring their net with them; it is named where a name says all of it.
    model = "" if rest else f" --model {net}"
    return [
        f'Python: keras_convnets.get_model("{entry.name}"{shape})',
        f"shell:  keras-convnets weights download {entry.name}",
        f"        keras-convnets predict {entry.name} IMAGE...",
        f"        keras-convnets train fine_tune{model} --weights {entry.name} --data folder:DIR",
    ]
