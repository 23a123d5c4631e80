"""`recipes list`, `recipes show`, `recipes diff`, and `train --smoke`."""

import json

import pytest

from keras_convnets import recipes
from keras_convnets.training.recipe import FIELDS


def rows(out):
    """The lines of a table, without those that only go on."""
    return [line.split() for line in out.splitlines() if line.strip()]


def test_list_shows_net_data_options_results_and_cost(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    code, out, _ = run("recipes", "list")
    assert code == 0
    table = rows(out)
    assert {line[0] for line in table} > set(recipes.names())
    start = next(i for i, line in enumerate(table) if line[0] == "inception_v2_imagenet")
    assert table[start : start + 4] == [
        ["inception_v2_imagenet", "baseline", "72.70"],
        ["InceptionV2:slim", "x5", "73.00"],
        ["tfds:imagenet2012", "x30", "74.80"],
        ["unknown"],
    ]
    assert max(map(len, out.splitlines())) <= 80
    assert "6.78*" in out


def test_show_has_value_kind_and_source_of_every_field(run):
    code, out, _ = run("recipes", "show", "inception_v2_imagenet:x30")
    assert code == 0
    assert {line[0] for line in rows(out)} > set(FIELDS)
    assert "Exponential(initial=0.045" in out
    assert "our choice" in out
    assert "section 4.2.1: none" in out
    assert "options: baseline, x5, x30" in out


def test_diff_has_the_fields_that_differ_and_no_others(run):
    code, out, _ = run(
        "recipes", "diff", "xception_imagenet", "inception_v3_imagenet_as_in_xception"
    )
    assert code == 0
    assert {line[0] for line in rows(out)} & set(FIELDS) == {"model", "l2", "results"}
    assert "4e-05" in out
    assert "paper: section 4.3" in out
    _, out, _ = run("recipes", "diff", "xception_imagenet", "xception_imagenet")
    assert "same values" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["recipes", "show", "resnet_cifar"],
            "the nearest names are resnext_cifar, resnet_cifar10",
        ),
        (["recipes", "show", "resnet_cifar10:21"], "has the options 20, 32, 44, 56, 110"),
        (["recipes", "diff", "xception_imagenet", "lenet"], "nearest names are lenet5_mnist"),
        (["train", "vgg_imagenet:F"], "has the options A, B, C, C-384"),
        (["train", "--smoke", "--data", "mnist"], "leave --data out. Received: 'mnist'"),
        (["train", "--smoke", "--resume", "run"], "give it alone"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(run, arguments, message):
    code, _, err = run(*arguments)
    assert code == 2
    assert message in err


def test_smoke_writes_a_run_and_says_what_it_scaled(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = run("train", "resnet_cifar10:20", "--smoke", "--epochs", 1)
    assert code == 0, err
    scaled = {line[0] for line in rows(out)} & set(FIELDS)
    assert scaled >= {"batch_size", "data", "length", "schedule", "model_options"}
    assert "optimizer" not in scaled
    (path,) = (tmp_path / "runs").iterdir()
    assert path.name.startswith("resnet_cifar10-20-smoke-")
    assert (path / "report.html").is_file()
    fields = json.loads((path / "recipe.json").read_text())
    assert fields["augmentation"]["kind"] == "paper"
    assert fields["batch_size"]["source"].startswith("smoke: ")
