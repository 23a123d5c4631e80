"""Writes the tables of public weights into docs/weights.md, from the catalog.

    python scripts/list_weights.py

The tests hold the page against the catalog.
"""

import re
from pathlib import Path

from keras_convnets._registry import architectures, variant_of
from keras_convnets.files import write_text
from keras_convnets.weights import Entry
from keras_convnets.weights.catalog import NOT_LOADABLE, entries, imagenet_entry

PAGE = Path(__file__).parents[1] / "docs" / "weights.md"


def loadable() -> str:
    """The table of all entries, in the order of the catalog."""
    lines = [
        "| weights | net | top-1 | top-5 | px | parameters | licence | published by | file |",
        "|---|---|--:|--:|--:|--:|---|---|---|",
    ]
    for entry in entries():
        is_default = imagenet_entry(entry.builder, entry.options) is entry
        star = " *" if is_default else ""
        origin = f" (from {entry.ported_from})" if entry.ported_from else ""
        file = f"[{_format(entry)}]({entry.file.url})"
        lines.append(
            f"| `{entry.name}`{star} | {_net(entry)} | {_figure(entry.top1)} "
            f"| {_figure(entry.top5)} | {entry.input_size} | {entry.parameters:,} "
            f"| {entry.licence} | {entry.source}{origin} | {file}, {_hash(entry)} |"
        )
    return "\n".join(lines)


def measured() -> str:
    """Where the figures of each publisher stand."""
    found: dict[str, list[str]] = {}
    for entry in entries():
        if entry.top1 is not None:
            publishers = found.setdefault(entry.measured, [])
            if entry.source not in publishers:
                publishers.append(entry.source)
    return "\n".join(f"- {'; '.join(names)}: {place}" for place, names in found.items())


def not_loadable() -> str:
    """The table of what can't be loaded."""
    lines = ["| weights | why they don't load |", "|---|---|"]
    lines += [f"| {row.what}<br>`{row.where}` | {row.why} |" for row in NOT_LOADABLE]
    return "\n".join(lines)


def _net(entry: Entry) -> str:
    architecture = architectures()[entry.builder]
    variant = variant_of(architecture, entry.options)
    rest = {key: value for key, value in entry.options.items() if key not in variant.options}
    options = ", ".join(f"{key}={value!r}" for key, value in rest.items())
    return f"`{architecture.name_of(variant)}`" + (f" with `{options}`" if rest else "")


def _figure(share: float | None) -> str:
    return "" if share is None else f"{share}"


def _format(entry: Entry) -> str:
    suffix = Path(entry.file.name).suffix
    return f"{Path(entry.file.member).suffix} in .tar.gz" if entry.file.member else suffix


def _hash(entry: Entry) -> str:
    if entry.file.hash is None:
        return "no hash"
    kind, digits = entry.file.hash.split(":")
    return f"{kind} {digits}"


TABLES = {"weights": loadable, "measured": measured, "not loadable": not_loadable}


def rendered(text: str) -> str:
    """The text of a page with its tables made anew."""
    for mark, render in TABLES.items():
        marked = re.compile(rf"(?<=<!-- {mark} -->\n\n).*?(?=\n\n<!-- /{mark} -->)", re.DOTALL)
        if not marked.search(text):
            raise SystemExit(f"{PAGE} has no place for the table {mark!r}.")
        text = marked.sub(lambda _, render=render: render(), text)
    return text


if __name__ == "__main__":
    write_text(PAGE, rendered(PAGE.read_text(encoding="utf-8")))
