"""Models on disk, with their cards."""

import dataclasses
import json

import numpy as np
import PIL.Image
import pytest

from keras_convnets import LeNet5
from keras_convnets.data import Preprocessing
from keras_convnets.deployment import ModelCard, Predictor, find_model, save_model
from keras_convnets.errors import InputError

CARD = ModelCard(
    builder="LeNet5",
    variant="modern",
    options={"variant": "modern", "classes": 3},
    classes=("a", "b", "c"),
    preprocessing=Preprocessing(32, 1, "lenet", 32 / 28),
    licence="Apache-2.0",
    recipe=None,
)


@pytest.fixture
def path(tmp_path):
    save_model(LeNet5(classes=3, variant="modern"), tmp_path / "net.keras", CARD)
    return tmp_path / "net.keras"


def test_model_and_card_come_back(path, rng):
    model, card = find_model(path)
    assert card == CARD
    assert model.output.shape == (None, 3)
    assert {file.name for file in path.parent.iterdir()} == {"net.keras", "net.json"}


def test_predictor_preprocesses_as_training_did(path, tmp_path, rng):
    """28 pixels, padded to 32 and scaled to [-0.1, 1.175], by hand."""
    pixels = rng.integers(0, 256, (28, 28), dtype=np.uint8)
    PIL.Image.fromarray(pixels).save(tmp_path / "a.png")
    predictor = Predictor(path)
    [prediction] = predictor.predict([tmp_path / "a.png"], top=3)
    by_hand = np.pad(pixels, 2).astype("float32") / 255 * 1.275 - 0.1
    scores = predictor.model.predict_on_batch(by_hand[None, ..., None])[0]
    order = np.argsort(-scores)
    assert [name for name, _ in prediction.classes] == ["abc"[i] for i in order]
    np.testing.assert_allclose([p for _, p in prediction.classes], scores[order], atol=1e-6)


def test_predictions_keep_the_order_of_the_files(path, tmp_path, rng):
    files = []
    for i in range(5):
        files.append(str(tmp_path / f"{i}.png"))
        PIL.Image.fromarray(rng.integers(0, 256, (28, 28), dtype=np.uint8)).save(files[-1])
    files.insert(2, str(tmp_path / "none.png"))
    predictor = Predictor(path)
    together = predictor.predict([*files, files[0]], batch_size=3)
    assert [prediction.file for prediction in together] == [*files, files[0]]
    assert [bool(prediction.error) for prediction in together] == [False] * 2 + [True] + [False] * 4
    [alone] = predictor.predict([files[4]])
    for (name, p), (other, q) in zip(alone.classes, together[4].classes, strict=True):
        assert name == other
        assert p == pytest.approx(q, abs=1e-6)


def test_a_card_must_fit_the_model(path):
    dataclasses.replace(CARD, preprocessing=Preprocessing(28, 1, "lenet")).write(path)
    with pytest.raises(InputError, match="takes images of 32 x 32 x 1, and its card says 28 x 28"):
        Predictor(path)
    dataclasses.replace(CARD, classes=("a", "b")).write(path)
    with pytest.raises(InputError, match="has 3 outputs, and its card names 2 classes"):
        Predictor(path)


def test_thresholds_are_in_the_cards_of_several_labels_alone(path):
    """A card that was written before there were any is read."""
    fields = json.loads(path.with_suffix(".json").read_text())
    assert not {"thresholds", "multi_label"} & set(fields)
    card = dataclasses.replace(CARD, multi_label=True, thresholds=(0.5, 0.25, 1.0))
    card.write(path)
    fields = json.loads(path.with_suffix(".json").read_text())
    assert (fields["multi_label"], fields["thresholds"]) == (True, [0.5, 0.25, 1.0])
    assert ModelCard.read(path) == card


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"multi_label": True}, "several labels an image has thresholds"),
        ({"multi_label": False, "thresholds": [0.5] * 3}, "and no other has"),
        ({"multi_label": True, "thresholds": [0.5] * 2}, "a threshold for each. Received: 2"),
        ({"multi_label": True, "thresholds": [0.5, 2.0, 0.5]}, "of at least 0 and of at most 1"),
        ({"multi_label": True, "thresholds": 0.5}, "not iterable"),
    ],
)
def test_bad_thresholds_are_refused(path, fields, message):
    file = path.with_suffix(".json")
    file.write_text(json.dumps(json.loads(file.read_text()) | fields))
    with pytest.raises(InputError, match=message):
        ModelCard.read(path)
