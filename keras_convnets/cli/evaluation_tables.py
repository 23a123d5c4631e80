"""What `keras-convnets evaluate` prints."""

from pathlib import Path
from typing import Any

import rich.console
import rich.markup
import rich.table

# Mistakes that are listed.
MOST_CONFUSED = 20

# Classes that are listed.
MOST_LISTED = 20


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
    console.print(_errors(results, data) if as_errors else _scores(results, data))
    if confusion:
        console.print(_mistakes(results[0]))
    if calibration:
        console.print(_reliability(results[0]))


def show_multi_label(result: dict[str, Any], data: str) -> None:
    """Prints the figures of a model that gives an image several labels, and its worst classes.

    Args:
        result: of `evaluating_multi_label.score`, with `split`.
        data: what the user called the data.
    """
    figures = {
        "MAP@100": "map_at_100",
        "mean average precision of the classes": "macro_average_precision",
        "F1 at the thresholds, all labels": "micro_f1",
        "F1 at the thresholds, mean of the classes": "macro_f1",
        "best class is a label": "top1",
        "one of the best five is": "top5",
    }
    table = rich.table.Table("", "", title=_images(result, data), show_header=False)
    for title, name in figures.items():
        table.add_row(title, _number(result[name], ".2%"))
    table.add_row("binary cross-entropy (nats an image)", _number(result["loss"], ".4f"))
    console = rich.console.Console()
    console.print(table)
    there = [row for row in result["classes"] if row["n"]]
    there.sort(key=lambda row: row["f1"] or 0)
    worst = rich.table.Table(
        rich.table.Column("class", overflow="fold"),
        "images",
        "threshold",
        "precision",
        "recall",
        "F1",
        "average precision",
        title=f"The worst of {len(there):,} classes" if len(there) > MOST_LISTED else None,
    )
    for row in there[:MOST_LISTED]:
        shares = (row[name] for name in ("precision", "recall", "f1", "average_precision"))
        worst.add_row(
            rich.markup.escape(row["name"]),
            f"{row['n']:,}",
            f"{row['threshold']:.3g}",
            *(_number(share, ".1%") for share in shares),
        )
    console.print(worst)


def _scores(results: list[dict[str, Any]], data: str) -> rich.table.Table:
    is_real = "real" in results[0]
    short = _short_names(results)
    table = rich.table.Table(
        rich.table.Column("model", overflow="fold"),
        rich.table.Column("protocol", overflow="fold"),
        "top-1",
        "top-5",
        *(["ReaL top-1"] if is_real else []),
        "loss (nats)",
        "calibration error",
        title=_images(results[0], data),
        caption="In brackets: the 95 % confidence interval (Wilson). Loss: cross-entropy.",
        show_lines=len(results) > 1,
    )
    for result in results:
        real = result.get("real")
        table.add_row(
            rich.markup.escape("\n+ ".join(short[name] for name in result["models"])),
            result["protocol"],
            _share(result["top1"], result["top1_interval"]),
            _share(result["top5"], result["top5_interval"]),
            *([_share(real["top1"], real["top1_interval"])] if real else []),
            _number(result["loss"], ".4f"),
            _number(result["calibration"]["error"], ".2%"),
        )
    return table


def _errors(results: list[dict[str, Any]], data: str) -> rich.table.Table:
    protocols = list(dict.fromkeys(result["protocol"] for result in results))
    largest = max((result["models"] for result in results), key=len)
    table = rich.table.Table(
        "models",
        *protocols,
        title=f"Top-1 / top-5 error in % on {_images(results[0], data)}",
        caption=rich.markup.escape(
            "The first "
            + ", the next ".join(_short_names(results)[name] for name in largest)
            + ". Probabilities are averaged over models and over what a protocol shows."
        ),
    )
    cells = {(len(result["models"]), result["protocol"]): result for result in results}
    for count in range(1, len(largest) + 1):
        row = [cells[count, protocol] for protocol in protocols]
        table.add_row(
            str(count),
            *(f"{100 * (1 - r['top1']):.2f} / {100 * (1 - r['top5']):.2f}" for r in row),
        )
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
            _number(part["confidence"], ".1%"),
            _number(part["accuracy"], ".1%"),
        )
    return table


def _images(result: dict[str, Any], data: str) -> str:
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


def _number(value: float | None, form: str) -> str:
    return "none" if value is None else format(value, form)
