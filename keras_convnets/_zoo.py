"""The nets and what they cost, as `scripts/count_nets.py` wrote it down; the tests hold it."""

import dataclasses
import importlib.resources
import json


@dataclasses.dataclass(frozen=True)
class Row:
    """One net in its default size.

    Attributes:
        name: `Builder` or `Builder:variant`.
        trainable: parameters that training changes.
        total: these and the others, such as moving statistics.
        macs: multiply-adds of one image.
        activation_bytes: the most that must be held at once between layers, for one image.
        input: (height, width, channels) of the image.
        top1: reported accuracy in per cent, or `None`.
        data: the data set that it is reported on.
        one_crop: whether it is of one crop of this size.
        year: of the paper.
        authors: of the paper, short.
    """

    name: str
    trainable: int
    total: int
    macs: int
    activation_bytes: int
    input: tuple[int, int, int]
    top1: float | None
    data: str
    one_crop: bool
    year: int
    authors: str


def file():
    """Where the table stands."""
    return importlib.resources.files("keras_convnets") / "nets.json"


def rows() -> list[Row]:
    """Returns the row of every net, in the order of their papers."""
    table = json.loads(file().read_text(encoding="utf-8"))
    return [Row(**{**row, "input": tuple(row["input"])}) for row in table]
