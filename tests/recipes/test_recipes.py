"""The values of the recipes against tables of what the papers print (papers.md 1 to 17)."""

import csv
import importlib
import re
from pathlib import Path

import numpy as np
import pytest

from keras_convnets import recipes
from keras_convnets.analysis.weightless import weightless
from keras_convnets.deployment import save_model
from keras_convnets.errors import InputError
from keras_convnets.training import choice, settle
from keras_convnets.training.model import (
    build_model,
    build_training_model,
    model_card,
    preprocessing_of,
)
from keras_convnets.training.recipe import FIELDS
from keras_convnets.training.start import load_start

HERE = Path(__file__).parent
ALL = recipes.names(with_options=True)
NO_PAPER = ["fine_tune"]
NAMES_OF_A = ("block1_conv1", "block2_conv1", "block3_conv1", "block3_conv2", "block4_conv1")
NAMES_OF_A += ("block4_conv2", "block5_conv1", "block5_conv2", "fc1", "fc2", "predictions")

# "section 4.2", "table 3", "figure 5 (e)", or a repository with a path in it.
IN_PAPER = re.compile(r"(sections?|tables?|figures?|appendix) [\dIVXA]")
IN_CODE = re.compile(r"[\w.-]+/[\w.-]+(/[\w.-]+)+")


def table(name):
    """The rows of a table beside this file."""
    with open(HERE / f"{name}.csv", newline="") as file:
        return [tuple(row.values()) for row in csv.DictReader(file)]


def check(row, kind):
    name, field, text, _ = row
    recipe = recipes.get(name)
    stated = getattr(recipe, field)
    assert (stated.value, stated.kind) == (getattr(recipe.set(field, text), field).value, kind)


@pytest.mark.parametrize("row", table("published"), ids=lambda row: "-".join(row[:2]))
def test_printed_values_are_the_papers(row):
    check(row, "paper")


@pytest.mark.parametrize("row", table("public_code"), ids=lambda row: "-".join(row[:2]))
def test_values_of_public_code_are_its(row):
    check(row, "code")


@pytest.mark.parametrize("row", table("unpublished"), ids=lambda row: row[0])
def test_unpublished_values_are_choices(row):
    name, fields, _ = row
    kinds = {field: getattr(recipes.get(name), field).kind for field in fields.split()}
    assert set(kinds.values()) == {"choice"}, kinds


@pytest.mark.parametrize("name", ALL)
def test_every_field_has_a_source_that_can_be_looked_up(name):
    recipe = recipes.get(name)
    assert recipe.name == name
    for field in FIELDS:
        sourced = getattr(recipe, field)
        if sourced.kind == "paper":
            assert IN_PAPER.search(sourced.source), (field, sourced)
        elif sourced.kind == "code":
            assert IN_CODE.search(sourced.source), (field, sourced)
        else:
            assert len(sourced.source) > 10, (field, sourced)


def test_every_recipe_of_a_paper_is_in_the_table():
    assert {row[0].partition(":")[0] for row in table("published")} == {
        name for name in recipes.names() if name not in NO_PAPER
    }


@pytest.mark.parametrize("name", ALL)
def test_every_recipe_builds(name):
    recipe = recipes.get(name).replace(weights=choice(None, "only built"))
    channels = 1 if "mnist" in name else 3

    def classes():
        model = build_training_model(recipe, channels, "raw")
        outputs = model.output if isinstance(model.output, dict) else {"predictions": model.output}
        assert ("aux1" in outputs) == (recipe.aux_weight.value is not None)
        return outputs["predictions"].shape[-1]

    assert weightless(classes) == (recipe.classes.value or 1000)


@pytest.mark.parametrize("name", [name for name in recipes.names() if name not in NO_PAPER])
def test_a_docstring_tells_paper_command_result_cost_and_what_was_not_run(name):
    text = importlib.import_module(f"keras_convnets.recipes.{name}").__doc__
    assert re.search(r"arXiv \d{4}\.\d{4,5}|NIPS|Proceedings", text)
    assert "keras-convnets train" in text
    assert "Expected" in text
    assert name == "xception_fashion_mnist" or re.search("[Nn]ot run here", text)


def test_a_recipe_may_be_a_file(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        '"""My own."""\n'
        "from keras_convnets import recipes\n"
        "def recipe():\n"
        "    return recipes.get('lenet5_mnist').scaled(batch_size=10)\n"
    )
    recipe = recipes.get(path)
    assert (recipe.name, recipe.about, recipe.batch_size.value) == ("mine", "My own.", 10)


def test_a_file_may_have_options_and_its_path_a_colon(tmp_path):
    path = tmp_path / "a:b.py"
    path.write_text(
        "from keras_convnets import recipes\n"
        "OPTIONS = ('one', 'ten')\n"
        "def recipe(option='one'):\n"
        "    size = 10 if option == 'ten' else 1\n"
        "    return recipes.get('lenet5_mnist').scaled(batch_size=size)\n"
    )
    assert recipes.options(path) == ("one", "ten")
    assert [recipes.get(f"{path}{o}").batch_size.value for o in ("", ":one", ":ten")] == [1, 1, 10]
    with pytest.raises(InputError, match="has the options one, ten. Received: 'two'"):
        recipes.get(f"{path}:two")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("xception_imgnet", None, "nearest names are xception_imagenet"),
        ("xception_imgnet:x5", None, "nearest names are xception_imagenet"),
        ("inception_v2_imagenet:x6", None, "has the options baseline, x5, x30. Received: 'x6'"),
        ("xception_imagenet:x5", None, "has no options. Received: 'x5'"),
        ("nowhere.py", None, "no recipe file at"),
        ("empty.py", "", r"has no function recipe\(\)"),
        ("broken.py", "1 / 0", "fails: ZeroDivisionError"),
        ("late.py", "def recipe(): return 1 / 0", "fails: ZeroDivisionError"),
        ("exits.py", "raise SystemExit(0)", "fails: SystemExit"),
        ("five.py", "def recipe(): return 5", "should return a Recipe. Received: 5"),
    ],
)
def test_recipes_that_are_not_there_are_named(name, content, message, tmp_path):
    if content is not None:
        (tmp_path / name).write_text(content)
    where = tmp_path / name if name.endswith(".py") else name
    with pytest.raises(InputError, match=message):
        recipes.get(where)


def test_a_deeper_vgg_starts_from_some_layers_of_net_a(tmp_path):
    """papers.md 4b: the first four convolutions and the three dense layers."""
    small = choice({"width_multiplier": 0.125, "head_units": (8, 8)}, "for a test")
    tiny = {"model_options": small, "input_size": choice(32, "for a test")}
    net_a = recipes.get("vgg_imagenet:A").replace(**tiny).scaled(classes=3)
    trained = build_model(net_a, 3)
    card = model_card(net_a, ("a", "b", "c"), preprocessing_of(net_a, 3))
    save_model(trained, tmp_path / "a.keras", card)
    net_d = recipes.get("vgg_imagenet:D").replace(**tiny).scaled(classes=3)
    net_d = settle(net_d.set("weights", str(tmp_path / "a.keras")))
    assert net_d.net == "VGG16"
    deeper = build_model(net_d, 3)
    report = load_start(deeper, net_d, ("a", "b", "c"))
    assert set(report.matched) == set(net_d.start_layers.value)
    for layer in filter(lambda layer: layer.weights, deeper.layers):
        name = layer.name
        twin = trained.get_layer(name).get_weights() if name in NAMES_OF_A else None
        is_equal = twin is not None and all(
            np.array_equal(a, b) for a, b in zip(layer.get_weights(), twin, strict=True)
        )
        assert is_equal == (name in net_d.start_layers.value), name


def test_a_start_that_is_not_there_is_named():
    with pytest.raises(InputError, match="no weights file at .*runs/vgg_imagenet-A"):
        load_start(None, recipes.get("vgg_imagenet:D"), ())
