"""What `keras-convnets evaluate` prints."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import rich.console
import rich.markup
import rich.table

# Mistakes that are listed.
MOST_CONFUSED = 20


def show(
    results: list[dict[str, Any]], data: str, as_errors: bool, confusion: bool, calibration: bool
) -> None:
    """Prints tables.

    Args:
        results: of `evaluation.output.to_json`, with `split` and, if known, `real`.
        data: what the user called the data.
        as_errors: whether the table is that of the papers, numbers of models by protocols.
        confusion: whether to print the commonest mistakes of the one result.
        calibration: whether to print its reliability.
    """
    console = rich.console.Console()
    if as_errors:
        title = f"Top-1 / top-5 error in % on {images_of(results[0], data)}"
        console.print(by_count(results, title, _errors))
    else:
        console.print(_scores(results, data))
    if confusion:
        console.print(_mistakes(results[0]))
    if calibration:
        console.print(_reliability(results[0]))


def _scores(results: list[dict[str, Any]], data: str) -> rich.table.Table:
    is_real = "real" in results[0]
    table = rich.table.Table(
        *columns_of_what(),
        "top-1",
        "top-5",
        *(["ReaL top-1"] if is_real else []),
        "loss (nats)",
        "calibration error",
        title=images_of(results[0], data),
        caption="In brackets: the 95 % confidence interval (Wilson). Loss: cross-entropy.",
        show_lines=len(results) > 1,
    )
    for result in results:
        real = result.get("real")
        table.add_row(
            *cells_of(result, results),
            _share(result["top1"], result["top1_interval"]),
            _share(result["top5"], result["top5_interval"]),
            *([_share(real["top1"], real["top1_interval"])] if real else []),
            number(result["loss"], ".4f"),
            number(result["calibration"]["error"], ".2%"),
        )
    return table


def _errors(result: dict[str, Any]) -> str:
    return f"{100 * (1 - result['top1']):.2f} / {100 * (1 - result['top5']):.2f}"


def by_count(
    results: list[dict[str, Any]], title: str, cell: Callable[[dict[str, Any]], str]
) -> rich.table.Table:
    """Returns the table of the papers: numbers of models by protocols.

    Args:
        results: of the first model, the first two, ... under each protocol.
        title: says what the cells are.
        cell: gives that of a result.
    """
    protocols = list(dict.fromkeys(result["protocol"] for result in results))
    largest = max((result["models"] for result in results), key=len)
    table = rich.table.Table(
        "models",
        *protocols,
        title=title,
        caption=rich.markup.escape(
            "The first "
            + ", the next ".join(_short_names(results)[name] for name in largest)
            + ". Probabilities are averaged over models and over what a protocol shows."
        ),
    )
    found = {(len(result["models"]), result["protocol"]): result for result in results}
    for count in range(1, len(largest) + 1):
        table.add_row(str(count), *(cell(found[count, protocol]) for protocol in protocols))
    return table


def _mistakes(result: dict[str, Any]) -> rich.table.Table:
    wrong = [entry for entry in result["confusion"] if entry[0] != entry[1]]
    wrong.sort(key=lambda entry: -entry[2])
    table = rich.table.Table(
        "is", "was called", "images", title=f"The commonest of {len(wrong):,} kinds of mistakes"
    )
    for true, called, count in wrong[:MOST_CONFUSED]:
        table.add_row(rich.markup.escape(true), rich.markup.escape(called), f"{count:,}")
    return table


def _reliability(result: dict[str, Any]) -> rich.table.Table:
    table = rich.table.Table(
        "confidence",
        "images",
        "mean confidence",
        "accuracy",
        title="Reliability; the calibration error is the mean distance of the last two columns",
    )
    for part in result["calibration"]["bins"]:
        table.add_row(
            f"{part['low']:.1%} to {part['high']:.1%}",
            f"{part['n']:,}",
            number(part["confidence"], ".1%"),
            number(part["accuracy"], ".1%"),
        )
    return table


def columns_of_what() -> list[rich.table.Column]:
    """Returns the columns that say what a row of results is of."""
    return [rich.table.Column(title, overflow="fold") for title in ("model", "protocol")]


def cells_of(result: dict[str, Any], results: list[dict[str, Any]]) -> list[str]:
    """Returns the cells of these columns; names are as long as tells them apart."""
    short = _short_names(results)
    models = "\n+ ".join(short[name] for name in result["models"])
    return [rich.markup.escape(models), result["protocol"]]


def images_of(result: dict[str, Any], data: str) -> str:
    """Returns how many images a result is of, and of what."""
    return rich.markup.escape(f"{result['n']:,} {result['split']} images of {data}")


def _short_names(results: list[dict[str, Any]]) -> dict[str, str]:
    """Of each model, as much of the end of its path as tells it from the others."""
    names = {name for result in results for name in result["models"]}
    for depth in range(1, max(len(Path(name).parts) for name in names)):
        short = {name: str(Path(*Path(name).parts[-depth:])) for name in names}
        if len(set(short.values())) == len(names):
            return short
    return {name: name for name in names}


def _share(share: float, interval: list[float]) -> str:
    low, high = interval
    return f"{share:.2%}\n({100 * low:.2f} to {100 * high:.2f})"


def number(value: float | None, form: str) -> str:
    """Returns a number in a form, or none."""
    return "none" if value is None else format(value, form)
