"""docs/weights.md tells what the catalog has."""

import importlib.util
import re
from pathlib import Path

import pytest

from keras_convnets.weights import catalog
from keras_convnets.weights.readers import READERS

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def script():
    path = ROOT / "scripts" / "list_weights.py"
    spec = importlib.util.spec_from_file_location("list_weights", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def page():
    return (ROOT / "docs" / "weights.md").read_text(encoding="utf-8")


def test_tables_are_made_from_the_catalog(script, page):
    assert script.PAGE == ROOT / "docs" / "weights.md"
    assert script.rendered(page) == page  # python scripts/list_weights.py
    found = re.findall(r"^\| `(\w+\.\w+)`( \*)? \|", page, re.MULTILINE)
    assert [name for name, _ in found] == [entry.name for entry in catalog.entries()]
    stars = [name for name, star in found if star]
    assert {"VGG16.keras", "ResNet50.torchvision_v1", "InceptionV2.cadene"} <= set(stars)
    assert "ResNet50.torchvision_v2" not in stars


def test_a_change_of_the_catalog_changes_the_page(script, page, monkeypatch):
    monkeypatch.setattr(script, "entries", lambda: catalog.entries("vgg16.*"))
    monkeypatch.setattr(script, "NOT_LOADABLE", catalog.NOT_LOADABLE[:1])
    changed = script.rendered(page)
    assert "`VGG16.keras` * | `VGG16` | 71.268 | 90.05 | 224 | 138,357,544 | CC BY 4.0" in changed
    assert "`VGG19.keras`" not in changed
    assert catalog.NOT_LOADABLE[0].what in changed
    assert catalog.NOT_LOADABLE[1].what not in changed


def test_a_page_without_a_place_for_a_table_is_told(script):
    with pytest.raises(SystemExit, match="no place for the table 'weights'"):
        script.rendered("# Weights\n")


def test_every_ending_that_is_read_is_on_the_page(page):
    [table] = re.findall(r"\| ends in .*?\n\n", page, re.DOTALL)
    for suffix in READERS:
        assert f"`{suffix}`" in table or suffix == ".tgz"  # the short form of .tar.gz
