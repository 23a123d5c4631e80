"""Images with several labels from the command line: train, evaluate, predict."""

import csv
import dataclasses
import json

import numpy as np
import pytest

from keras_convnets.deployment import ModelCard, save_model
from keras_convnets.training import choice
from keras_convnets.training.model import build_model, model_card, preprocessing_of

CLASSES = ("blue", "red", "round", "square")
THRESHOLDS = (0.5, 0.5, 0.3, 0.9)


@pytest.fixture
def colours(tiny_recipe, tmp_path):
    """A model that knows colours, and gives each shape the probability 0.6; its path."""
    import keras

    image = keras.Input((32, 32, 3))
    means = keras.layers.GlobalAveragePooling2D()(image)
    scores = keras.layers.Dense(4, "sigmoid", name="predictions")
    model = keras.Model(image, scores(means))
    kernel = np.zeros((3, 4))
    kernel[0], kernel[2] = (-9, 9, 0, 0), (9, -9, 0, 0)
    scores.set_weights([kernel, np.array([0, 0, 0.405465, 0.405465])])
    recipe = tiny_recipe.replace(classes=choice(4, "four"))
    recipe = recipe.set("model_options", "{'classifier_activation': 'sigmoid'}")
    assert build_model(recipe, 3).output.shape == model.output.shape
    path = tmp_path / "colours.keras"
    save_model(model, path, model_card(recipe, CLASSES, preprocessing_of(recipe, 3), THRESHOLDS))
    return path


def test_fine_tune_ends_with_the_map(run, tiny_recipe, shapes, tmp_path):
    """From weights of another net of one label an image, with the options of the weights' net."""
    recipe = tiny_recipe.scaled(classes=3)
    card = model_card(recipe, ("a", "b", "c"), preprocessing_of(recipe, 3))
    save_model(build_model(recipe, 3), tmp_path / "trunk.keras", card)
    code, out, err = run(
        "train", "fine_tune", "--data", f"csv:{shapes}", "--weights", tmp_path / "trunk.keras",
        "--out", tmp_path / "run", "--epochs", 2, "--batch-size", 8, "--set", "dropout_rate=0",
    )  # fmt: skip
    assert code == 0, err
    assert "val MAP@100" in out
    written = json.loads((tmp_path / "run" / "evaluation.json").read_text())
    assert f"MAP@100 {written['map_at_100']:.1%}, F1 {written['micro_f1']:.1%}" in out
    assert "on 12 test images" in out
    code, out, err = run("evaluate", tmp_path / "run", "--data", f"csv:{shapes}", "--json")
    assert code == 0, err
    found = json.loads(out)
    assert (written.pop("epoch"), written.pop("weights")) == (2, "raw")
    assert {name: found[name] for name in written} == pytest.approx(written, abs=1e-6)


def test_evaluation_is_at_the_thresholds_of_the_card(run, colours, shapes):
    """Colours are all right; round is always given, square never."""
    code, out, err = run("evaluate", colours, "--data", f"csv:{shapes}", "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert (found["split"], found["n"], found["protocol"]) == ("test", 12, "center")
    rows = {row["name"]: row for row in found["classes"]}
    assert [rows[name]["threshold"] for name in CLASSES] == list(THRESHOLDS)
    assert [rows[name]["f1"] for name in CLASSES] == pytest.approx([1, 1, 2 / 3, 0])
    assert rows["square"]["precision"] is None
    # 6 blue, 6 red, 6 of 12 round: 18 right of 24 given, of 24 true.
    assert found["micro_f1"] == pytest.approx(18 / 24)
    assert found["macro_f1"] == pytest.approx((1 + 1 + 2 / 3 + 0) / 4)
    # The colour comes first, round before square, for they are equal: AP 1 or (1 + 2/3) / 2.
    assert found["map_at_100"] == pytest.approx((1 + 5 / 6) / 2)
    assert found["top1"] == 1


def test_evaluation_is_a_table(run, colours, shapes):
    code, out, _ = run("evaluate", colours, "--data", f"csv:{shapes}", "--protocol", "center:0.9")
    assert code == 0
    lines = [line.split("│") for line in out.splitlines()]
    cells = {line[1].strip(): [cell.strip() for cell in line[2:-1]] for line in lines if line[2:]}
    assert cells["MAP@100"] == ["91.67%"]
    assert cells["F1 at the thresholds, all labels"] == ["75.00%"]
    assert cells["round"] == ["6", "0.3", "50.0%", "100.0%", "66.7%", "50.0%"]
    assert out.index("square") < out.index("round") < out.index("blue")


def test_classes_are_brought_in_line_by_name(run, colours, shapes, tmp_path):
    """The data has fewer classes than the model."""
    lines = [line for line in shapes.read_text().splitlines() if "test/" in line]
    lines = [
        line.replace(";square", "").replace("test,", "").removesuffix(",test") for line in lines
    ]
    (shapes.parent / "fewer.csv").write_text("\n".join(lines))
    code, out, err = run(
        "evaluate", colours, "--data", f"csv:{shapes.parent / 'fewer.csv'}", "--json"
    )
    assert code == 0, err
    rows = {row["name"]: row for row in json.loads(out)["classes"]}
    assert [rows[name]["n"] for name in CLASSES] == [6, 6, 6, 0]
    assert rows["red"]["f1"] == 1


def test_predict_names_the_labels_that_reach_their_thresholds(run, colours, shapes):
    image = next(shapes.parent.glob("test/*_red_square.png"))
    code, out, err = run("predict", colours, image, "--json")
    assert (code, err) == (0, "")
    [prediction] = json.loads(out)
    assert [name for name, _ in prediction["classes"]] == ["red", "round"]
    _, out, _ = run("predict", colours, image, "--json", "--top", 3)
    [prediction] = json.loads(out)
    assert [name for name, _ in prediction["classes"]] == ["red", "round", "square"]


def test_predict_says_when_no_label_reaches_its_threshold(run, colours, shapes):
    card = ModelCard.read(colours)
    fields = json.loads(colours.with_suffix(".json").read_text())
    colours.with_suffix(".json").write_text(json.dumps(fields | {"thresholds": [1, 1, 1, 1]}))
    assert card.thresholds == THRESHOLDS
    code, out, _ = run("predict", colours, next(shapes.parent.glob("test/*_red_*.png")))
    assert code == 0
    assert "no label reaches its threshold" in out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--confusion"], "Received: --confusion"),
        (["--calibration"], "may have several. Received: --calibration"),
        (["--real-labels", "real.json"], "Received: --real-labels"),
        (["--blacklist", "numbers.txt"], "Received: --blacklist"),
        (["--restrict-classes", "classes.txt"], "Received: --restrict-classes"),
    ],
)
def test_what_is_for_one_label_is_refused(run, colours, shapes, options, message):
    code, _, err = run("evaluate", colours, "--data", f"csv:{shapes}", *options)
    assert code == 2
    assert message in err
    assert "are for images with one label each" in err
    assert len(err.strip().splitlines()) == 1


PROTOCOLS = ("crops10:0.8", "crops12:0.8", "crops144", "dense:40", "multiscale:32,40")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_each_protocol_finds_what_is_easy(run, colours, shapes, protocol):
    """What the model knows no crop hides: the figures are those of the whole image."""
    command = ["evaluate", colours, "--data", f"csv:{shapes}", "--json"]
    code, out, err = run(*command, "--protocol", protocol)
    assert (code, err) == (0, "")
    found, expected = json.loads(out), json.loads(run(*command)[1])
    assert (found["protocol"], found["models"]) == (protocol, [str(colours)])
    assert found["loss"] != expected["loss"]
    assert found["classes"][2] == expected["classes"][2]
    for name in ("n", "top1", "top5", "map_at_100", "micro_f1", "macro_f1"):
        assert found[name] == pytest.approx(expected[name]), name


@pytest.fixture
def swapped(colours, tmp_path):
    """The same net with its classes in another order, and other thresholds of the shapes."""
    import keras

    model = keras.saving.load_model(colours)
    kernel, bias = model.get_layer("predictions").get_weights()
    model.get_layer("predictions").set_weights([kernel[:, ::-1], bias[::-1]])
    card = ModelCard.read(colours)
    card = dataclasses.replace(card, classes=CLASSES[::-1], thresholds=(0.05, 0.8, 0.5, 0.5))
    save_model(model, tmp_path / "swapped.keras", card)
    return tmp_path / "swapped.keras"


def test_an_ensemble_gives_labels_at_the_means_of_its_thresholds(run, colours, swapped, shapes):
    """Of round it is (0.3 + 0.8) / 2, of square (0.9 + 0.05) / 2; each has the probability 0.6."""
    command = ["evaluate", colours, swapped, "--data", f"csv:{shapes}"]
    code, out, err = run(*command, "--ensemble", "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert found["models"] == [str(colours), str(swapped)]
    thresholds = {row["name"]: row["threshold"] for row in found["classes"]}
    assert [thresholds[name] for name in CLASSES] == pytest.approx([0.5, 0.5, 0.55, 0.475])
    # 12 colours, 6 of 12 round, 6 of 12 square: 24 right of 36 given, of 24 true.
    assert found["micro_f1"] == pytest.approx(2 * 24 / (36 + 24))
    _, out, _ = run(*command)
    rows = [line for line in out.splitlines() if ".keras" in line]
    assert [row.split("│")[1].strip() for row in rows] == ["colours.keras", "swapped.keras"]


def test_the_papers_table_has_numbers_of_models_by_protocols(run, colours, swapped, shapes):
    code, out, err = run(
        *("evaluate", colours, swapped, "--data", f"csv:{shapes}", "--table"),
        *("--protocol", "center", "--protocol", "crops10:0.8"),
    )
    assert (code, err) == (0, "")
    assert "MAP@100 / F1 of all labels in % on 12 test images" in " ".join(out.split())
    lines = [line.strip("│┃ ") for line in out.splitlines() if "│" in line or "┃" in line]
    assert [" ".join(line.split()) for line in lines] == [
        "models ┃ center ┃ crops10:0.8",
        "1 │ 91.67 / 75.00 │ 91.67 / 75.00",
        "2 │ 91.67 / 80.00 │ 91.67 / 80.00",
    ]


def test_results_and_predictions_are_written(run, colours, swapped, shapes, tmp_path):
    places = ["--out", tmp_path / "out", "--save-predictions", tmp_path / "p.csv"]
    command = ["evaluate", colours, swapped, "--ensemble", "--data", f"csv:{shapes}", "--json"]
    code, out, err = run(*command, "--protocol", "crops10:0.8", *places)
    assert (code, err) == (0, "")
    written = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert written == json.loads(out)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["evaluation.json"]
    with (tmp_path / "p.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 12
    for row in rows:
        colour, shape = row["true"].split(";")
        assert row["image"].endswith(f"_{colour}_{shape}.png")
        assert row["given"] == f"{colour};round;square"
        assert [row[f"class{i}"] for i in (1, 2, 3)] == [colour, "round", "square"]
        assert float(row["probability3"]) == pytest.approx(0.6, abs=1e-5)


def test_images_may_happen_to_have_one_label_each(run, colours, photo_folder):
    code, out, err = run("evaluate", colours, "--data", f"folder:{photo_folder}", "--json")
    assert (code, err) == (0, "")
    assert 0 < json.loads(out)["map_at_100"] <= 1


def test_models_and_data_of_other_labels_are_refused(run, colours, red_or_blue, shapes):
    code, _, err = run("evaluate", colours, red_or_blue, "--ensemble", "--data", f"csv:{shapes}")
    assert code == 2
    assert "gives an image one label, and images of" in err
    code, _, err = run("evaluate", red_or_blue, "--data", f"csv:{shapes}")
    assert code == 2
    assert "gives an image one label, and images of" in err
