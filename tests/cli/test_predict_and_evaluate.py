"""`predict` and `evaluate`: results, tables, JSON and bad input."""

import json

import numpy as np
import PIL.Image
import pytest

from keras_convnets.errors import InputError


@pytest.fixture
def red(tmp_path):
    path = tmp_path / "red.png"
    PIL.Image.new("RGB", (40, 30), (250, 10, 10)).save(path)
    return path


def test_predictions_are_a_table_with_bars(run, red_or_blue, red):
    code, out, err = run("predict", red_or_blue, red)
    assert (code, err) == (0, "")
    lines = [line.split() for line in out.splitlines()]
    assert "red.png" in out
    best = next(line for line in lines if line and line[0] == "red")
    assert float(best[1].rstrip("%")) > 99
    assert "━" in out


def test_predictions_are_json_on_request(run, red_or_blue, red):
    code, out, _ = run("predict", red_or_blue, red, "--json", "--top", 1)
    [prediction] = json.loads(out)
    assert (code, prediction["file"], prediction["error"]) == (0, str(red), None)
    [[name, probability]] = prediction["classes"]
    assert name == "red"
    assert probability > 0.99


def test_bad_files_are_named_and_the_others_predicted(run, red_or_blue, red, tmp_path):
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.jpg").write_text("text")
    (tmp_path / "cut.png").write_bytes(red.read_bytes()[:50])
    files = [red, *(tmp_path / name for name in ("empty.png", "text.jpg", "cut.png", "none.png"))]
    code, out, err = run("predict", red_or_blue, *files)
    assert code == 3
    assert "red" in out
    for name in ("empty.png' is empty", "text.jpg' is not an image", "cut.png'", "none.png'"):
        assert name in err
    assert len(err.strip().splitlines()) == 4


def test_nothing_but_bad_files_is_bad_input(run, red_or_blue, tmp_path):
    code, _, err = run("predict", red_or_blue, tmp_path / "none.png")
    assert code == 2
    assert "There is no image file" in err


@pytest.mark.parametrize(
    "image",
    [
        PIL.Image.new("L", (1, 1), 9),
        PIL.Image.new("RGBA", (9, 5), (250, 0, 0, 128)),
        PIL.Image.new("CMYK", (9, 5)),
        PIL.Image.fromarray(np.full((5, 9), 40_000, np.uint16)),
        PIL.Image.new("RGB", (20_000, 2), (250, 0, 0)),
    ],
    ids=["1x1 grey", "RGBA", "CMYK", "16 bits", "20,000 wide"],
)
def test_images_of_any_mode_and_size_are_predicted(run, red_or_blue, image, tmp_path):
    path = tmp_path / ("image.tiff" if image.mode == "CMYK" else "image.png")
    image.save(path)
    code, out, err = run("predict", red_or_blue, path, "--json")
    assert (code, err) == (0, "")
    assert sum(p for _, p in json.loads(out)[0]["classes"]) == pytest.approx(1, abs=1e-5)


def test_evaluation_counts_every_image(run, red_or_blue, photo_folder):
    code, out, _ = run("evaluate", red_or_blue, "--data", f"folder:{photo_folder}", "--json")
    figures = json.loads(out)
    assert code == 0
    assert (figures["split"], figures["n"], figures["top1"]) == ("train", 24, 1.0)
    code, out, _ = run("evaluate", red_or_blue, "--data", f"folder:{photo_folder}")
    assert "100.00%" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--data", "fashion_mnist_6k"), "has 2 classes, and the data 'fashion_mnist_6k' has 10"),
        (("--data", "folder:/nowhere"), "no folder of images"),
    ],
)
def test_data_that_does_not_fit_is_refused(run, red_or_blue, arguments, message):
    code, _, err = run("evaluate", red_or_blue, *arguments)
    assert code == 2
    assert message in err


def test_other_classes_and_splits_are_refused(run, red_or_blue, photo_folder):
    data = f"folder:{photo_folder}"
    code, _, err = run("evaluate", red_or_blue, "--data", data, "--split", "test")
    assert (code, "has these splits: train. Received: 'test'" in err) == (2, True)
    (photo_folder / "red").rename(photo_folder / "rouge")
    code, _, err = run("evaluate", red_or_blue, "--data", data)
    assert (code, "have other classes" in err) == (2, True)


def test_models_that_are_not_there_are_named(run, red, red_or_blue, tmp_path):
    for model, message in (
        ("nowhere.keras", "There is no model at"),
        ("Xcepton", "nearest names are Xception"),
        ("LeNet5", "does not serve LeNet5"),
        (tmp_path, "is not a run: it has no recipe.json"),
        (red, "can't be loaded"),
    ):
        code, _, err = run("predict", model, red)
        assert (code, message in err) == (2, True), err
        assert len(err.strip().splitlines()) == 1
    red_or_blue.with_suffix(".json").unlink()
    code, _, err = run("predict", red_or_blue, red)
    assert (code, "red_or_blue.json" in err) == (2, True)
    for content in ('{"builder": "LeNet5"}', '{"classes": "ab"}', "[]"):
        red_or_blue.with_suffix(".json").write_text(content)
        code, _, err = run("predict", red_or_blue, red)
        assert (code, "does not describe a model" in err) == (2, True)


def test_a_download_that_fails_is_one_sentence_beside_the_json(run, red, monkeypatch, tmp_path):
    def download(file, path, quiet=False):
        raise InputError(f"{file.url} can't be downloaded: no route to host")

    monkeypatch.setenv("KERAS_CONVNETS_CACHE", str(tmp_path))
    monkeypatch.setattr("keras_convnets.weights.cache.download", download)
    code, out, err = run("predict", "Xception", red, "--json")
    assert (code, out) == (2, "")
    assert "xception_weights_tf_dim_ordering_tf_kernels.h5 can't be downloaded: no route" in err


def test_a_truncated_file_in_the_data_is_skipped_and_named(run, red_or_blue, photo_folder):
    path = photo_folder / "red" / "3.png"
    path.write_bytes(path.read_bytes()[:300])
    code, out, err = run("evaluate", red_or_blue, "--data", f"folder:{photo_folder}", "--json")
    assert code == 3
    assert json.loads(out)["n"] == 23
    assert "3.png' can't be decoded" in err
