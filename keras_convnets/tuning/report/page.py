"""report.html of a search: one file with its trials and all figures."""

import html
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from keras_convnets.errors import InputError
from keras_convnets.files import read_json, replacing, write_text
from keras_convnets.training.page import document, left_out, table
from keras_convnets.tuning.display import show
from keras_convnets.tuning.report.apart import REPORT
from keras_convnets.tuning.report.figures import amount
from keras_convnets.tuning.report.found import Found, Row, is_own, values_of
from keras_convnets.tuning.report.sections import sections
from keras_convnets.tuning.results import FILE

FIGURES = "figures"
# Trials whose failure is told in the page.
LISTED = 50
_MIB = 2**20


def write_report(folder: str | os.PathLike) -> Path:
    """Writes the report of a search, finished or not: report.html, and its figures as PNG files.

    A figure that the trials don't suffice for is left out, and the page says why.

    Args:
        folder: of the search.

    Returns:
        The path of the page, which needs no other file.

    Raises:
        InputError: if the folder has no trials.json, or that is damaged.
    """
    folder = Path(folder)
    results = read_json(folder / FILE)
    try:
        found = Found(results)
        parts = sections(found)
        body = f"{_head(found)}{''.join(part.html() for part in parts)}{_foot(found)}"
        title = f"{results['net']}: {len(found.trials)} trials"
    except (AttributeError, KeyError, TypeError) as error:
        raise InputError(
            f"The file {str(folder / FILE)!r} is damaged. Received: {error!r}"
        ) from error
    (folder / FIGURES).mkdir(exist_ok=True)
    for part in parts:
        path = folder / FIGURES / f"{part.name}.png"
        if part.drawn is None:
            path.unlink(missing_ok=True)
            continue
        with replacing(path) as temporary:
            temporary.write_bytes(part.drawn.png())
    write_text(folder / REPORT, document(title, body))
    return folder / REPORT


def _head(found: Found) -> str:
    """The best trial, what was searched, and the table of trials."""
    results = found.results
    counts = ", ".join(f"{count} {status}" for status, count in results["counts"].items() if count)
    lines = [
        f"Recipe {results['recipe']}, data {results['data']}. {results['tuner'].title()} search, "
        f"seed {results['seed']}: {counts or 'no trial has ended'}. Validation images chose; no "
        "test image was read."
    ]
    top = ""
    if found.completed:
        best = found.completed[0]
        top = f'<p class="big">{found.objective} {best["objective"]:.2%}</p>\n'
        lines.append(f"Trial {best['id']} is the best: {values_of(best)}.")
        own = [row for row in found.completed[1:] if is_own(row)]
        lines += [f"The recipe's own setting has {row['objective']:.2%}." for row in own]
    text = "".join(f"<p>{html.escape(line)}</p>\n" for line in lines)
    return f"{top}{text}<h2>Trials</h2>\n{_trials(found)}\n{_reasons(found)}"


def _trials(found: Found) -> str:
    names = list(found.results["space"])
    columns = ("parameters", "MACs", "s", "MiB", "")
    has_epochs = any(row["epochs"] is not None for row in found.trials)
    header = ["trial", f"{found.objective}, %", *names, *(["epochs"] * has_epochs), *columns]
    rows = []
    for row in [*found.completed, *found.others]:
        objective = "" if row["objective"] is None else f"{100 * row['objective']:.2f}"
        values = [show(row["values"][name]) for name in names]
        epochs = [_text(row["epochs"])] * has_epochs
        figures_of_it = [
            _text(row["parameters"], amount),
            _text(row["macs"], amount),
            _text(row["seconds"], "{:.0f}".format),
            _text(row["peak_memory"], lambda size: f"{size / _MIB:,.0f}"),
        ]
        rows.append([row["id"], objective, *values, *epochs, *figures_of_it, _end(found, row)])
    return table(header, rows)


def _text(value: Any, write: Callable[[Any], str] = str) -> str:
    return "" if value is None else write(value)


def _end(found: Found, row: Row) -> str:
    """How a trial ended, as the table says it."""
    kinds = []
    if row["objective"] is None:
        kinds.append(f"{row['status']}: {row['cause']}" if row["cause"] else row["status"])
    elif row["id"] == found.results["best"]:
        kinds.append("the best")
    if is_own(row):
        kinds.append("the recipe's own")
    return ", ".join(kinds)


def _reasons(found: Found) -> str:
    if not found.others:
        return ""
    lines = [
        f"Trial {row['id']}, {row['status']}: {row['reason']}" for row in found.others[:LISTED]
    ]
    items = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
    more = left_out(len(found.others), LISTED, "trials")
    return f"<h2>Failed and infeasible trials</h2>\n<ul>{items}</ul>{more}\n"


def _foot(found: Found) -> str:
    """The space, the limits, and what it was done with."""
    space = table(
        ("hyper-parameter", "values"),
        [(name, _domain(domain)) for name, domain in found.results["space"].items()],
    )
    limits = ", ".join(
        f"{name} at most {limit:,}"
        for name, limit in found.results["limits"].items()
        if limit is not None
    )
    versions = ", ".join(f"{name} {text}" for name, text in found.results["versions"].items())
    return (
        f"<h2>Space</h2>\n{space}\n<p>Limits: {html.escape(limits or 'none')}.</p>\n"
        f"<h2>Versions</h2>\n<p>{html.escape(versions)}</p>\n"
    )


def _domain(domain: dict[str, Any]) -> str:
    if "values" in domain:
        return ", ".join(show(value) for value in domain["values"])
    ends = f"{show(domain['low'])} to {show(domain['high'])}"
    step = f", in steps of {domain['step']}" if "step" in domain else ""
    return f"{ends}{step}, on a log scale" if domain["scale"] == "log" else f"{ends}{step}"
