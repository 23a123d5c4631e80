"""What `keras-convnets evaluate` prints of models that give an image several labels."""

from typing import Any

import rich.console
import rich.markup
import rich.table

from keras_convnets.cli.evaluation_tables import (
    by_count,
    cells_of,
    columns_of_what,
    images_of,
    number,
)

# Classes that are listed.
MOST_LISTED = 20

_FIGURES = {
    "MAP@100": "map_at_100",
    "mean average precision of the classes": "macro_average_precision",
    "F1 at the thresholds, all labels": "micro_f1",
    "F1 at the thresholds, mean of the classes": "macro_f1",
    "best class is a label": "top1",
    "one of the best five is": "top5",
}
_LOSS = "binary cross-entropy (nats an image)"


def show(results: list[dict[str, Any]], data: str, as_counts: bool) -> None:
    """Prints the figures of each result, and of one alone its worst classes.

    Args:
        results: of `evaluation.output.to_json`, with `split`.
        data: what the user called the data.
        as_counts: whether the table is that of the papers, numbers of models by protocols.
    """
    console = rich.console.Console()
    if as_counts:
        title = f"MAP@100 / F1 of all labels in % on {images_of(results[0], data)}"
        console.print(by_count(results, title, _shares))
    elif len(results) > 1:
        console.print(_rows(results, data))
    else:
        console.print(_one(results[0], data))
        console.print(_worst(results[0]))


def _shares(result: dict[str, Any]) -> str:
    return f"{100 * result['map_at_100']:.2f} / {100 * (result['micro_f1'] or 0):.2f}"


def _rows(results: list[dict[str, Any]], data: str) -> rich.table.Table:
    table = rich.table.Table(
        *columns_of_what(),
        *_FIGURES,
        _LOSS,
        title=images_of(results[0], data),
        show_lines=True,
    )
    for result in results:
        table.add_row(*cells_of(result, results), *_cells(result))
    return table


def _one(result: dict[str, Any], data: str) -> rich.table.Table:
    model, protocol = cells_of(result, [result])
    table = rich.table.Table("", "", title=images_of(result, data), show_header=False)
    table.add_row("model", model)
    table.add_row("protocol", protocol, end_section=True)
    for title, cell in zip((*_FIGURES, _LOSS), _cells(result), strict=True):
        table.add_row(title, cell)
    return table


def _cells(result: dict[str, Any]) -> list[str]:
    shares = [number(result[name], ".2%") for name in _FIGURES.values()]
    return [*shares, number(result["loss"], ".4f")]


def _worst(result: dict[str, Any]) -> rich.table.Table:
    there = [row for row in result["classes"] if row["n"]]
    there.sort(key=lambda row: row["f1"] or 0)
    table = rich.table.Table(
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
        table.add_row(
            rich.markup.escape(row["name"]),
            f"{row['n']:,}",
            f"{row['threshold']:.3g}",
            *(number(share, ".1%") for share in shares),
        )
    return table
