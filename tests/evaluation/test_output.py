"""JSON, saved predictions and pictures."""

import csv
import io
import json

import numpy as np
import PIL.Image
import pytest

from keras_convnets.data import LabelSets
from keras_convnets.errors import InputError
from keras_convnets.evaluation import CenterCrop, Result
from keras_convnets.evaluation.multi_label import MultiLabelScorer
from keras_convnets.evaluation.output import (
    check_predictions,
    reliability_diagram,
    to_json,
    write_predictions,
)
from keras_convnets.evaluation.scores import Scorer

CLASSES = ("a", "b,c", "d")


@pytest.fixture
def scores():
    scorer = Scorer()
    scorer.add(np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [0.5, 0.25, 0.25]]), np.array([0, 1, 1]))
    return scorer.result()


def test_json_has_all(scores):
    fields = to_json(Result(("m", "o"), CenterCrop(None), scores), CLASSES)
    assert json.loads(json.dumps(fields, allow_nan=False)) == fields
    assert (fields["n"], fields["top1"], fields["top5"]) == (3, 1 / 3, 1.0)
    assert (fields["models"], fields["protocol"]) == (["m", "o"], "center")
    assert fields["top1_interval"] == pytest.approx([0.0615, 0.7923], abs=1e-4)
    assert fields["classes"][1] == {"name": "b,c", "n": 2, "precision": None, "recall": 0.0}
    assert fields["confusion"] == [["a", "a", 1], ["b,c", "a", 1], ["b,c", "d", 1]]
    assert len(fields["calibration"]["bins"]) == 15


def test_json_has_no_word_for_what_is_not_a_number():
    scorer = Scorer()
    scorer.add(np.full((2, 3), np.nan), np.array([0, 1]))
    fields = to_json(Result(("m",), CenterCrop(), scorer.result()), CLASSES)
    assert json.dumps(fields, allow_nan=False)
    assert (fields["loss"], fields["calibration"]["error"]) == (None, None)


def test_predictions_are_rows_of_names_and_probabilities(scores, tmp_path):
    path = tmp_path / "new" / "predictions.csv"
    check_predictions(path)
    write_predictions(path, scores, scores.labels, CLASSES, ["x.png", "y.png", "z.png"])
    with path.open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["image", "true"] + [
        f"{what}{i}" for i in (1, 2, 3) for what in ("class", "probability")
    ]
    assert rows[2] == ["y.png", "b,c", "d", "0.6", "b,c", "0.3", "a", "0.1"]
    assert [entry.name for entry in path.parent.iterdir()] == ["predictions.csv"]


def test_predictions_are_arrays_in_npz(scores, tmp_path):
    path = tmp_path / "predictions.npz"
    write_predictions(path, scores, scores.labels, CLASSES, ["x.png", "y.png", "z.png"])
    with np.load(path, allow_pickle=False) as arrays:
        assert arrays["images"].tolist() == ["x.png", "y.png", "z.png"]
        assert arrays["classes"].tolist() == list(CLASSES)
        np.testing.assert_array_equal(arrays["labels"], [0, 1, 1])
        np.testing.assert_array_equal(arrays["best"], [[0, 1, 2], [2, 1, 0], [0, 1, 2]])
        np.testing.assert_array_equal(arrays["probabilities"], scores.probabilities)


def test_the_best_hundred_are_kept_where_images_may_have_several_labels(rng, tmp_path):
    probabilities = rng.random((30, 150))
    labels = LabelSets.of([rng.choice(150, i % 4, replace=False) for i in range(30)])
    scorer = MultiLabelScorer(150, np.full(150, 0.9), keep_best=True)
    for part in (np.arange(20), np.arange(20, 30)):
        scorer.add(probabilities[part], labels.take(part))
    scores, path = scorer.result(), tmp_path / "predictions.npz"
    names = [f"class {i}" for i in range(150)]
    write_predictions(path, scores, labels, names, [str(i) for i in range(30)])
    with np.load(path, allow_pickle=False) as arrays:
        assert arrays["best"].dtype == np.int32
        assert arrays["probabilities"].dtype == np.float32
        order = np.argsort(-probabilities, axis=1)[:, :100]
        np.testing.assert_array_equal(arrays["best"], order)
        expected = np.take_along_axis(probabilities, order, axis=1)
        np.testing.assert_allclose(arrays["probabilities"], expected, atol=1e-7)
        again = LabelSets(arrays["labels"], arrays["offsets"])
        assert [list(found) for found in again] == [list(known) for known in labels]
        assert arrays["thresholds"].tolist() == [0.9] * 150
    write_predictions(tmp_path / "p.csv", scores, labels, names, [str(i) for i in range(30)])
    with (tmp_path / "p.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row, known, shares in zip(rows, labels, probabilities, strict=True):
        assert row["true"] == ";".join(names[i] for i in known)
        given = [i for i in np.argsort(-shares) if shares[i] >= 0.9]
        assert row["given"] == ";".join(names[i] for i in given)
    assert len(rows[0]) == 3 + 2 * 100


def test_places_for_predictions_are_checked_before_work(tmp_path):
    (tmp_path / "a.csv").mkdir()
    (tmp_path / "file").touch()
    for path, message in (
        ("a.txt", "ends in one of .csv, .npz"),
        ("a.csv", "Received: the folder"),
        ("file/a.csv", "can't be written to"),
    ):
        with pytest.raises(InputError, match=message):
            check_predictions(tmp_path / path)


def test_the_reliability_diagram_is_a_picture(scores):
    png = reliability_diagram(scores.calibration).png()
    assert PIL.Image.open(io.BytesIO(png)).size[0] > 300
