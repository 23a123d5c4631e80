"""`keras-convnets evaluate` under protocols: tables, JSON, files, and options that don't fit."""

import csv
import json
import shutil
import types

import keras
import numpy as np
import PIL.Image
import pytest

from keras_convnets.cli.evaluating import _load_images
from keras_convnets.data import Preprocessing, load
from keras_convnets.deployment import ModelCard, save_model
from keras_convnets.errors import InputError
from keras_convnets.imagenet_utils import class_names
from keras_convnets.training.preparation import VALIDATION_SHARE


def save_net(path, classes, size=32, seed=0, builder="LeNet5"):
    """Saves a net of one convolution with random weights."""
    keras.utils.set_random_seed(seed)
    image = keras.Input((size, size, 3))
    x = keras.layers.Conv2D(6, 4, strides=4, activation="relu")(image)
    x = keras.layers.GlobalAveragePooling2D()(x)
    model = keras.Model(image, keras.layers.Dense(len(classes), activation="softmax")(x))
    preprocessing = Preprocessing(size, 3, "tf", 0.8)
    save_model(
        model, path, ModelCard(builder, None, {}, tuple(classes), preprocessing, "MIT", None)
    )
    return path


@pytest.fixture
def nets(tmp_path):
    """Two nets for red and blue images, of two input sizes."""
    return [
        save_net(tmp_path / f"net{i}.keras", ["blue", "red"], size, i)
        for i, size in enumerate([32, 24])
    ]


@pytest.fixture
def data(photo_folder):
    return ["--data", f"folder:{photo_folder}"]


@pytest.mark.parametrize(
    "protocol", ["center:0.8", "crops10:0.8", "crops12:0.8", "crops144", "dense", "multiscale:vgg"]
)
def test_each_protocol_finds_what_is_easy(run, red_or_blue, data, protocol):
    if protocol == "multiscale:vgg":
        protocol = "multiscale:32,40"  # the model's crop is the whole image
    code, out, err = run("evaluate", red_or_blue, *data, "--protocol", protocol, "--json")
    fields = json.loads(out)
    assert (code, err) == (0, "")
    assert (fields["protocol"], fields["n"], fields["top1"]) == (protocol, 24, 1.0)


def test_the_table_has_intervals(run, red_or_blue, data):
    code, out, _ = run("evaluate", red_or_blue, *data)
    assert code == 0
    assert "24 train images of folder:" in out
    assert "100.00%" in out
    assert "(86.20 to 100.00)" in out  # Wilson, 24 of 24


def test_models_and_protocols_are_rows_and_an_ensemble_is_one(run, nets, data):
    protocols = ["--protocol", "center", "--protocol", "crops10"]
    code, out, _ = run("evaluate", *nets, *data, *protocols, "--json")
    rows = json.loads(out)["results"]
    names = [[str(net)] for net in nets]
    assert code == 0
    assert [row["models"] for row in rows] == names * 2
    assert [row["protocol"] for row in rows] == ["center"] * 2 + ["crops10"] * 2
    _, out, _ = run("evaluate", "--ensemble", *nets, *data, "--json")
    both = json.loads(out)
    assert both["models"] == [str(net) for net in nets]
    assert both["loss"] not in (rows[0]["loss"], rows[1]["loss"])
    _, out, _ = run("evaluate", *nets, *data)
    assert "net0.keras" in out
    assert "net1.keras" in out


def test_the_papers_table_has_numbers_of_models_by_protocols(run, nets, data):
    options = ["--table", "--protocol", "center", "--protocol", "crops10"]
    code, out, _ = run("evaluate", *nets, *data, *options)
    lines = [line for line in out.splitlines() if "│" in line or "┃" in line]
    assert code == 0
    assert [cell.strip() for cell in lines[0].strip("┃").split("┃")] == [
        "models",
        "center",
        "crops10",
    ]
    assert [line.strip("│ ").split()[0] for line in lines[1:]] == ["1", "2"]
    _, out, _ = run("evaluate", *nets, *data, *options, "--json")
    rows = json.loads(out)["results"]
    assert [len(row["models"]) for row in rows] == [1, 2, 1, 2]
    cell = f"{100 * (1 - rows[3]['top1']):.2f} / {100 * (1 - rows[3]['top5']):.2f}"
    assert cell in lines[2]


def test_mistakes_and_reliability_are_shown_on_request(run, nets, data):
    code, out, _ = run("evaluate", nets[0], *data, "--confusion", "--calibration")
    assert code == 0
    assert "was called" in out
    assert "93.3% to 100.0%" in out


def test_predictions_and_pictures_are_written(run, nets, data, tmp_path):
    places = ["--save-predictions", tmp_path / "p.csv", "--out", tmp_path / "out"]
    code, out, _ = run("evaluate", nets[0], *data, *places, "--protocol", "crops10", "--json")
    assert code == 0
    assert json.loads((tmp_path / "out" / "evaluation.json").read_text()) == json.loads(out)
    for name in ("confusion.png", "calibration.png"):
        assert PIL.Image.open(tmp_path / "out" / name).size[0] > 300
    with (tmp_path / "p.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 24
    assert all(row["true"] in row["image"] for row in rows)
    right = sum(row["true"] == row["class1"] for row in rows)
    assert right / 24 == json.loads(out)["top1"]


def test_predictions_on_arrays_have_places(run, tmp_path):
    net = save_net(tmp_path / "net.keras", load("fashion_mnist_6k").classes, 8)
    code, _, _ = run(
        *("evaluate", net, "--data", "fashion_mnist_6k", "--protocol", "crops10"),
        *("--save-predictions", tmp_path / "p.npz"),
    )
    assert code == 0
    with np.load(tmp_path / "p.npz") as arrays:
        assert arrays["images"].tolist() == [str(i) for i in range(1000)]


@pytest.mark.parametrize("protocol", ["center", "crops10:0.8"])
def test_a_damaged_file_is_skipped_under_each_protocol(
    run, red_or_blue, data, photo_folder, protocol, tmp_path
):
    path = photo_folder / "red" / "3.png"
    path.write_bytes(path.read_bytes()[:300])
    places = ["--protocol", protocol, "--save-predictions", tmp_path / "p.csv", "--json"]
    code, out, err = run("evaluate", red_or_blue, *data, *places)
    assert (code, json.loads(out)["n"]) == (3, 23)
    assert "3.png' can't be decoded" in err
    with (tmp_path / "p.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 23
    assert all(row["class1"] == row["true"] and row["true"] in row["image"] for row in rows)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--ensemble", "--table"], "--table averages models by itself"),
        (["--protocol", "center", "--protocol", "center"], "should be another"),
        (["--protocol", "crop"], "There is no protocol 'crop'"),
        (["--out", "out"], "--out is for one model or --ensemble, and one --protocol"),
        (["--table", "--confusion"], "--confusion is for one model"),
        (["--ensemble", "--save-predictions", "p.txt"], "ends in one of .csv, .npz"),
        (["--ensemble", "--protocol", "dense:20"], "at least the 32 pixels"),
        (["--restrict-classes", "none.txt"], "none.txt' can't be read"),
        (["--blacklist", "none.txt"], "none.txt' can't be read"),
        (["--real-labels", "none.json"], "for models with all the 1,000 classes of ImageNet"),
    ],
)
def test_options_that_do_not_fit_are_refused(run, nets, data, options, message):
    code, out, err = run("evaluate", *nets, *data, *options)
    assert (code, out) == (2, "")
    assert message in err
    assert len(err.strip().splitlines()) == 1


def test_one_model_is_no_ensemble(run, nets, data):
    code, _, err = run("evaluate", nets[0], *data, "--ensemble")
    assert (code, "two models or more" in err) == (2, True)


def test_classes_are_restricted_to_those_of_a_file(run, tmp_path, data):
    """papers.md 12c: a net of more classes than the data, 5K-way and 1K-way."""
    net = save_net(tmp_path / "net.keras", ["green", "red", "black", "blue"])
    file = tmp_path / "classes.txt"
    file.write_text("blue\nred\n")
    _, out, _ = run("evaluate", net, *data, "--json")
    all_classes = json.loads(out)
    code, out, _ = run("evaluate", net, *data, "--restrict-classes", file, "--json")
    two = json.loads(out)
    assert code == 0
    assert [row["name"] for row in all_classes["classes"]] == ["green", "red", "black", "blue"]
    assert [row["name"] for row in two["classes"]] == ["blue", "red"]
    assert two["top1"] >= all_classes["top1"]
    assert two["loss"] < all_classes["loss"]
    file.write_text("blue\ngreen\n")
    code, _, err = run("evaluate", net, *data, "--restrict-classes", file)
    assert (code, "leaves out classes of the data" in err) == (2, True)


@pytest.fixture
def validation(photo_folder):
    """Images named as ImageNet's for validation, in folders of WordNet ids."""
    ids = [wordnet_id for wordnet_id, _ in class_names()[:2]]
    for old, new in zip(("blue", "red"), ids, strict=True):
        (photo_folder / old).rename(photo_folder / new)
    for number, path in enumerate(sorted(photo_folder.rglob("*.png")), start=1):
        shutil.move(path, path.with_name(f"ILSVRC2012_val_{number:08d}.png"))
    return ["--data", f"folder:{photo_folder}"]


def test_imagenet_has_a_blacklist_and_real_labels(run, validation, tmp_path):
    net = save_net(tmp_path / "net.keras", [name for _, name in class_names()])
    blacklist, real = tmp_path / "blacklist.txt", tmp_path / "real.json"
    blacklist.write_text("1\n24\n")
    labels = [[] if i % 3 else [0, 1, 2, i] for i in range(24)]
    real.write_text(json.dumps(labels))
    predictions = ["--save-predictions", tmp_path / "p.npz"]
    files = ["--blacklist", blacklist, "--real-labels", real]
    code, out, _ = run("evaluate", net, *validation, *files, *predictions, "--json")
    fields = json.loads(out)
    assert code == 0
    assert (fields["n"], fields["real"]["n"]) == (22, 7)  # 0, 3 ... 21 without the first
    with np.load(tmp_path / "p.npz") as arrays:
        numbers = [int(name[-12:-4]) for name in arrays["images"]]
        best = arrays["best"][:, 0]
        labels_of_folders = arrays["labels"].tolist()
    assert numbers == list(range(2, 24))
    assert labels_of_folders == [0] * 11 + [1] * 11  # 12 of each without the first and the last
    hits = [b in labels[n - 1] for n, b in zip(numbers, best, strict=True) if labels[n - 1]]
    assert fields["real"]["top1"] == pytest.approx(np.mean(hits))
    _, out, _ = run("evaluate", net, *validation, *files)
    assert "ReaL top-1" in out


@pytest.mark.parametrize(
    ("option", "content", "message"),
    [
        ("--blacklist", "\n".join(map(str, range(1, 25))), "leaves no image"),
        ("--real-labels", json.dumps([[]] * 24), "has no label for any of the images"),
        ("--real-labels", json.dumps([[1]] * 23), "those of 23 images"),
    ],
)
def test_files_of_imagenet_that_do_not_fit_are_refused(
    run, validation, tmp_path, option, content, message
):
    net = save_net(tmp_path / "net.keras", [name for _, name in class_names()])
    (tmp_path / "file").write_text(content)
    code, _, err = run("evaluate", net, *validation, option, tmp_path / "file")
    assert (code, message in err) == (2, True), err


def test_lenet_is_not_evaluated_densely(run, tmp_path):
    import keras_convnets

    model = keras_convnets.LeNet5()
    card = ModelCard(
        *("LeNet5", None, {}, load("fashion_mnist_6k").classes),
        *(Preprocessing(32, 1, "lenet"), "MIT", None),
    )
    save_model(model, tmp_path / "lenet.keras", card)
    options = ["--data", "fashion_mnist_6k", "--protocol", "dense"]
    code, _, err = run("evaluate", tmp_path / "lenet.keras", *options)
    assert (code, "'rbf', RadialBasisOutput" in err) == (2, True), err
    assert len(err.strip().splitlines()) == 1


@pytest.fixture
def runs(tmp_path, monkeypatch, photo_folder):
    """A function that makes two runs of given seeds, which held out images of the photos."""
    images = load(f"folder:{photo_folder}")

    def make(*seeds):
        settings = {}
        for seed in seeds:
            path = tmp_path / f"run{seed}"
            path.mkdir()
            (path / "recipe.json").touch()
            fingerprint = images.hold_out(VALIDATION_SHARE, seed).fingerprint()
            settings[str(path)] = types.SimpleNamespace(hold_out_seed=seed, fingerprint=fingerprint)

        def run(path):
            spec = types.SimpleNamespace(value=f"folder:{photo_folder}")
            recipe = types.SimpleNamespace(data=spec)
            return types.SimpleNamespace(settings=settings[path], recipe=recipe)

        monkeypatch.setattr("keras_convnets.training.Run", run)
        return list(settings)

    return make


def test_runs_of_one_seed_share_the_images_that_they_held_out(runs, photo_folder):
    [path] = runs(3)
    images = _load_images([path, path], f"folder:{photo_folder}", None)
    assert images.held_back[0] == "validation"
    assert images.fingerprint() == images.hold_out(VALIDATION_SHARE, 3).fingerprint()


def test_images_of_a_run_whose_data_changed_are_not_taken_for_new_ones(runs, photo_folder):
    """All of them, those of training too, are evaluated only where that is asked for."""
    [path] = runs(3)
    (photo_folder / "red" / "3.png").unlink()
    spec = f"folder:{photo_folder}"
    with pytest.raises(InputError, match="changed since the run .* began.*`--split train`"):
        _load_images([path], spec, None)
    assert len(_load_images([path], spec, "train").train) == 23
    elsewhere = photo_folder.rename(photo_folder.parent / "others")
    assert len(_load_images([path], f"folder:{elsewhere}", None).train) == 23


def test_runs_that_held_out_other_images_are_not_compared_on_them(runs, photo_folder):
    paths = runs(3, 4)
    for split in (None, "validation", "train"):
        with pytest.raises(InputError, match="held out different images.*seeds 3, 4"):
            _load_images(paths, f"folder:{photo_folder}", split)
    for part in ("train", "test"):
        shutil.copytree(photo_folder, photo_folder.parent / "parts" / part)
    images = _load_images(paths, f"folder:{photo_folder.parent / 'parts'}", None)
    assert images.held_back[0] == "test"
