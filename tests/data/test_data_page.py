"""docs/data.md and docs/evaluation.md tell all that the code has."""

import dataclasses
import inspect
import re
from pathlib import Path

import pytest

from keras_convnets.data import SPECS, augmentation
from keras_convnets.data.augmentation import Augmentation, Crop
from keras_convnets.evaluation import protocols

DOCS = Path(__file__).parents[2] / "docs"

# What all crops have, the text below the table tells once.
OF_ALL_CROPS = {field.name for field in dataclasses.fields(Crop)}
CHANGES = [
    change
    for name in augmentation.__all__
    if (change := getattr(augmentation, name)) not in (Augmentation, Crop)
]


def rows(page, section):
    """The cells of the first table below a heading, by the code in the first cell."""
    text = (DOCS / page).read_text(encoding="utf-8")
    _, _, below = text.partition(f"\n## {section}\n")
    lines = re.search(r"(?:^\|.*\n)+", below, re.MULTILINE)[0].splitlines()[2:]
    cells = [re.split(r"(?<!\\)\|", line.strip("|")) for line in lines]
    return {first.strip().strip("`").replace("\\", ""): rest for first, *rest in cells}


def test_every_source_is_on_the_page_of_data():
    assert list(rows("data.md", "Sources")) == list(SPECS)


def test_every_augmentation_is_on_the_page_of_data():
    assert set(rows("data.md", "Augmentation")) == {change.__name__ for change in CHANGES}


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_options_and_constants_of_an_augmentation_are_on_the_page(change):
    options, _ = rows("data.md", "Augmentation")[change.__name__]
    own = inspect.get_annotations(change).keys() - OF_ALL_CROPS
    for field in dataclasses.fields(change):
        if field.name in own:
            assert f"`{field.name}" in options
        if field.name in own and isinstance(field.default, int | float):
            assert f"`{field.name}={field.default!r}`" in options


def test_every_option_that_all_crops_have_is_below_the_table():
    text = (DOCS / "data.md").read_text(encoding="utf-8")
    below = text.partition("Crops have two more options:")[2].partition("\n\n")[0]
    assert set(re.findall(r"`(\w+)`", below)) == OF_ALL_CROPS


def test_every_protocol_is_on_the_page_of_evaluation():
    assert list(rows("evaluation.md", "Protocols")) == list(protocols.FORMS)


def test_the_scales_on_the_page_are_those_of_the_code():
    table = rows("evaluation.md", "Protocols")
    for form, sides in (
        ("crops144", protocols.GOOGLENET_SCALES),
        ("multiscale[:resnet|vgg|SIDE,SIDE...]", protocols.RESNET_SCALES),
    ):
        numbers = [int(number) for number in re.findall(r"\b\d{3}\b", table[form][0])]
        assert numbers[: len(sides)] == list(sides)
