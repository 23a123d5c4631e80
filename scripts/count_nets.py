"""Counts parameters, multiply-adds and memory of the nets, and of options that change them.

    python scripts/count_nets.py [--write]

`--write` writes keras_convnets/nets.json, and the tables of README.md and docs/nets.md that are
made from it. The tests hold the file against the nets and against the figures of the papers.
"""

import dataclasses
import json
import re
import sys
from pathlib import Path

import rich.box
import rich.console
import rich.table

from keras_convnets import count_complexity, get_model
from keras_convnets._registry import Architecture, Variant, architectures
from keras_convnets._zoo import Row, rows
from keras_convnets.analysis.weightless import weightless
from keras_convnets.cli.amounts import mebibytes, readable
from keras_convnets.files import write_text

ROOT = Path(__file__).parents[1]

OPTIONS = (
    ("GoogLeNet", {"aux_logits": True}),
    ("GoogLeNet", {"separable_stem": True}),
    ("GoogLeNet", {"batch_norm": True, "batch_norm_scale": True}),
    ("GoogLeNet:torchvision", {"aux_logits": True}),
    ("GoogLeNet:slim", {"include_top": False}),
    ("InceptionV2", {"include_top": False}),
    ("InceptionV2:caffe", {"conv_bias": True}),
    ("InceptionV3", {"include_top": False}),
    ("InceptionV3", {"batch_norm_scale": True}),
    ("InceptionV3", {"batch_norm_scale": True, "aux_logits": True}),
    ("InceptionV4", {"batch_norm_scale": True}),
    ("InceptionV4", {"batch_norm_scale": True, "aux_logits": True}),
    ("InceptionResNetV1", {"batch_norm_scale": True}),
    ("InceptionResNetV2", {"batch_norm_scale": True}),
    ("InceptionResNetV2:paper", {"batch_norm_scale": True}),
    *(("Xception", {"segments": segments}) for segments in (1, 2, 4, 8, 32, 128, 2048)),
    ("VGG16", {"include_top": False}),
    ("VGG19", {"include_top": False}),
    ("ResNet18", {"small_input": True, "classes": 10}),
    *(("ResNet34", {"shortcut": shortcut}) for shortcut in ("A", "C", None)),
    *(
        ("ResNeXt50", {"cardinality": cardinality, "bottleneck_width": width})
        for cardinality, width in ((1, 64), (2, 40), (4, 24), (8, 14))
    ),
    *(
        ("ResNeXt101", {"cardinality": cardinality, "bottleneck_width": width})
        for cardinality, width in ((1, 64), (2, 40), (4, 24), (8, 14), (1, 100), (2, 64))
    ),
    *(
        ("ResNeXt29", {"cardinality": cardinality, "bottleneck_width": 64})
        for cardinality in (1, 2, 4)
    ),
)


def count(name: str, shape: tuple[int, int, int], **options):
    """What a net costs for one image of a shape; no weight gets a value."""
    return weightless(
        lambda: count_complexity(get_model(name, weights=None, input_shape=shape, **options))
    )


def row_of(name: str, entry: Architecture, variant: Variant) -> Row:
    """Counts a net."""
    cost = count(name, variant.input_shape)
    return Row(
        name=name,
        trainable=cost.trainable,
        total=cost.total,
        macs=cost.macs,
        activation_bytes=cost.peak_activation_bytes,
        input=variant.input_shape,
        top1=variant.reported.top1,
        data=variant.reported.data,
        one_crop=variant.reported.one_crop,
        year=entry.paper.year,
        authors=entry.paper.short_authors,
    )


def nets() -> dict[str, tuple[Architecture, Variant]]:
    """Every net by its name, the oldest paper first."""
    entries = sorted(architectures().values(), key=lambda entry: entry.paper.year)
    return {
        name: (entry, variant)
        for entry in entries
        for name, variant in zip(entry.names, entry.variants.values(), strict=True)
    }


def in_brief(table: list[Row]) -> str:
    """The table of the README: each builder's default net, in readable units."""
    lines = [
        "| net | parameters | multiply-adds | activations | input | reported top-1 | paper |",
        "|---|--:|--:|--:|--:|--:|---|",
    ]
    for row in table:
        if ":" not in row.name:
            is_imagenet = row.data == "ImageNet"
            top1 = f"{row.top1:.{1 if is_imagenet else 2}f} %" if row.top1 else ""
            data = "" if is_imagenet else f" ({row.data})"
            data += "" if row.one_crop else " *"
            lines.append(
                f"| `{row.name}` | {readable(row.trainable)} | {readable(row.macs)} "
                f"| {mebibytes(row.activation_bytes)} MiB | {row.input[0]} "
                f"| {top1}{data} | {row.authors} {row.year} |"
            )
    return "\n".join(lines)


def in_full(table: list[Row]) -> str:
    """The table of docs/nets.md: every net, every digit."""
    lines = [
        "| net | trainable | with statistics | multiply-adds | activations, bytes |",
        "|---|--:|--:|--:|--:|",
    ]
    lines += [
        f"| `{row.name}` | {row.trainable:,} | {row.total:,} | {row.macs:,} "
        f"| {row.activation_bytes:,} |"
        for row in table
    ]
    return "\n".join(lines)


TABLES = {ROOT / "README.md": in_brief, ROOT / "docs" / "nets.md": in_full}
MARKED = re.compile(r"(?<=<!-- nets -->\n\n).*?(?=\n\n<!-- /nets -->)", re.DOTALL)


def write(table: list[Row]) -> None:
    """Writes the file, and the tables that are made from it."""
    content = ",\n".join(json.dumps(dataclasses.asdict(row)) for row in table)
    write_text(ROOT / "keras_convnets" / "nets.json", f"[\n{content}\n]\n")
    for path, render in TABLES.items():
        write_text(path, MARKED.sub(lambda _, render=render: render(rows()), path.read_text()))


def main() -> None:
    """Counts, prints, and writes if asked to."""
    counted = {name: row_of(name, *net) for name, net in nets().items()}
    table = rich.table.Table(box=rich.box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("net")
    for column in ("trainable", "with statistics", "multiply-adds", "activations, bytes"):
        table.add_column(column, justify="right", no_wrap=True)
    costs = [
        (row.name, row.trainable, row.total, row.macs, row.activation_bytes)
        for row in counted.values()
    ]
    for name, options in OPTIONS:
        cost = count(name, counted[name].input, **options)
        label = " ".join([name, *(f"{option}={value}" for option, value in options.items())])
        costs.append((label, cost.trainable, cost.total, cost.macs, cost.peak_activation_bytes))
    for label, *numbers in costs:
        table.add_row(label, *(f"{number:,}" for number in numbers))
    rich.console.Console(width=120).print(table)
    if "--write" in sys.argv[1:]:
        write(list(counted.values()))


if __name__ == "__main__":
    main()
