"""Whole runs on images that have several labels."""

import csv
import json

import keras
import numpy as np
import pytest

from keras_convnets import data, recipes
from keras_convnets.deployment import ModelCard, Predictor
from keras_convnets.errors import InputError
from keras_convnets.evaluation import evaluate_multi_label
from keras_convnets.training import Epochs, choice, resume, train
from keras_convnets.training.losses import BinaryCrossentropy, best_is_label
from keras_convnets.training.model import build_training_model, compile_model
from keras_convnets.training.multi_label import fit_head_to_labels, start_from_frequencies
from keras_convnets.training.optimizers import SGD, build_optimizer
from keras_convnets.training.recipe import GIVEN
from keras_convnets.training.run import COLUMNS
from keras_convnets.training.schedules import Constant
from keras_convnets.training.start import load_start, settle

CLASSES = ["blue", "red", "round", "square"]


@pytest.fixture
def go(tiny_recipe, shapes, tmp_path):
    """A function that trains on the coloured shapes."""

    def apply(name="run", recipe=None, **options):
        return train(
            recipe or tiny_recipe.replace(classes=choice(4, "fast")),
            data=f"csv:{shapes}",
            out=tmp_path / name,
            quiet=True,
            **options,
        )

    return apply


@pytest.fixture(scope="module")
def trained(shapes, tmp_path_factory):
    """A run that is long enough to learn colours and shapes."""
    values = {
        "batch_size": 4, "input_size": 32, "classes": None, "dropout_rate": 0.0,
        "batch_norm": None, "initializer": None, "length": Epochs(40), "schedule": Constant(0.01),
    }  # fmt: skip
    recipe = recipes.get(recipes.DEFAULT).with_model("LeNet5:modern")
    recipe = recipe.replace(**{name: choice(value, "enough") for name, value in values.items()})
    out = tmp_path_factory.mktemp("trained") / "run"
    return train(recipe, data=f"csv:{shapes}", out=out, quiet=True)


def test_it_learns_both_labels(trained):
    """Chance ranks two of four classes with a MAP of 0.68."""
    found = trained.evaluation
    assert list(found) == [
        "split", "epoch", "n", "top1", "top5", "loss", "map_at_100", "macro_average_precision",
        "micro_f1", "macro_f1", "weights",
    ]  # fmt: skip
    assert (found["split"], found["n"]) == ("test", 12)
    assert found["map_at_100"] > 0.9
    assert found["micro_f1"] > 0.85
    assert trained.history[-1]["val_map_at_100"] > 0.9
    assert trained.history[-1]["val_micro_f1"] > 0.85
    assert trained.history[-1]["top1"] > 0.9
    assert trained.recipe.model_options.value == {"classifier_activation": "sigmoid"}
    assert "several labels" in trained.recipe.model_options.source


def test_card_and_report_hold_the_thresholds_of_the_validation_images(trained, shapes):
    card = ModelCard.read(trained.path / "model.keras")
    assert card.multi_label
    images = data.load(f"csv:{shapes}")
    model, preprocessing = trained.load_model(), card.preprocessing

    def scores(split, thresholds=None):
        batches = data.evaluation_batches(split, preprocessing, 8, classes=4)
        return evaluate_multi_label(model, batches, thresholds)

    of_validation = scores(images.validation).best_thresholds
    np.testing.assert_allclose(card.thresholds, of_validation, atol=1e-6)
    assert not np.allclose(card.thresholds, scores(images.test).best_thresholds, atol=1e-6)
    found = scores(images.test, card.thresholds)
    assert trained.evaluation["micro_f1"] == pytest.approx(found.micro_f1)
    assert trained.evaluation["map_at_100"] == pytest.approx(found.map_at_100)
    page = trained.report.read_text()
    for name, threshold in zip(CLASSES, card.thresholds, strict=True):
        row = page.split(f"<td>{name}</td>")[1].split("</tr>")[0]
        assert f"<td>{threshold:.3g}</td>" in row
    assert f"MAP@100 {found.map_at_100:.1%} on 12 test images" in page
    assert page.count("data:image/png;base64,") == 2  # curves and images
    assert "onfusion" not in page


def test_prediction_gives_the_labels_that_reach_their_thresholds(trained, shapes):
    predictor = Predictor(trained.path)
    files = sorted((shapes.parent / "test").iterdir())
    for given, ranked in zip(
        predictor.predict(files), predictor.predict(files, top=4), strict=True
    ):
        thresholds = dict(zip(CLASSES, predictor.card.thresholds, strict=True))
        expected = [name for name, share in ranked.classes if share >= thresholds[name]]
        assert [name for name, _ in given.classes] == expected
    names = [{name for name, _ in each.classes} for each in predictor.predict(files)]
    right = [set(file.stem.split("_")[1:]) for file in files]
    assert np.mean([a == b for a, b in zip(names, right, strict=True)]) > 0.7


@pytest.mark.parametrize(("step", "kind"), [(3, "tiny_recipe"), (13, "tiny_xception")])
def test_a_killed_and_resumed_run_ends_with_the_same_bits(
    go, kill, assert_alike, step, kind, tmp_path, request
):
    recipe = request.getfixturevalue(kind).replace(classes=choice(4, "fast"))
    unbroken = go("unbroken", recipe, checkpoint_every=2)
    kill(step, lambda: go("broken", recipe, checkpoint_every=2))
    resumed = resume(tmp_path / "broken", quiet=True)
    assert_alike(resumed, unbroken)
    cards = [json.loads((run.path / "model.json").read_text()) for run in (resumed, unbroken)]
    assert cards[0] == cards[1]


def test_the_history_has_two_more_columns(go):
    run = go()
    with (run.path / "history.csv").open() as file:
        assert next(csv.reader(file)) == [*COLUMNS, "val_map_at_100", "val_micro_f1"]
    assert list(run.history[0]) == [*COLUMNS, "val_map_at_100", "val_micro_f1"]
    last = run.history[-1]
    older = {name: value for name, value in last.items() if name != "val_micro_f1"}
    run.write_history([older, last])  # resumed from a version without F1
    assert run.history == [older, older]


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("model_options", "{'classifier_activation': 'softmax'}", "should be 'sigmoid'"),
        ("class_weights", "balanced", "`class_weights` should be None"),
        ("model", "NIN", "have one sign, and images with several labels need scores of both"),
    ],
)
def test_what_several_labels_cannot_have_is_refused(
    go, tiny_recipe, tmp_path, field, value, message
):
    recipe = tiny_recipe.replace(classes=choice(4, "fast"), variant=choice(None, "any"))
    with pytest.raises(InputError, match=message):
        go(recipe=recipe.set(field, value))
    assert not (tmp_path / "run").exists()


def test_xception_jft_is_refused_for_its_asynchronous_training_alone(shapes, tmp_path):
    """Its sigmoid is what images with several labels need, and no others can have."""
    recipe = recipes.get("xception_jft")
    with pytest.raises(InputError, match="is asynchronous"):
        train(recipe, data=f"csv:{shapes}", out=tmp_path / "run", quiet=True)
    images = data.load(f"csv:{shapes}")
    assert fit_head_to_labels(recipe, images) == recipe
    with pytest.raises(InputError, match="one label an image.*Received: 'sigmoid'"):
        fit_head_to_labels(recipe, data.load("fashion_mnist_6k"))


def test_what_the_user_gave_stays_his(shapes):
    """Or else the net of the weights would take its place when the run is resumed."""
    recipe = recipes.get("fine_tune").set("model_options", "{'middle_repeats': 1}")
    options = fit_head_to_labels(recipe, data.load(f"csv:{shapes}")).model_options
    assert options.source == GIVEN
    assert options.value == {"middle_repeats": 1, "classifier_activation": "sigmoid"}


def test_auxiliary_heads_and_mixed_images_learn_several_labels(go, tiny_googlenet):
    recipe = tiny_googlenet.replace(classes=choice(4, "fast"))
    run = go(recipe=recipe.set("augmentation", "(FlipLeftRight(), MixUp(), CutMix())"))
    assert isinstance(run.load_model().output, keras.KerasTensor)
    assert 0 <= run.history[-1]["top1"] <= 1


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_binary_cross_entropy_is_summed_over_classes(rng, smoothing):
    shares, labels = rng.random((6, 5)), rng.random((6, 5)) < 0.4
    target = (1 - smoothing) * labels + smoothing / 2
    each = -(target * np.log(shares) + (1 - target) * np.log(1 - shares))
    loss = BinaryCrossentropy(smoothing, dtype="float64")
    assert float(loss(labels, shares)) == pytest.approx(each.sum(axis=1).mean(), rel=1e-6)
    again = BinaryCrossentropy.from_config(loss.get_config())
    assert again.label_smoothing == smoothing


def test_the_gradient_of_a_certain_mistake_does_not_vanish(tiny_recipe):
    """A logit of -200, whose probability is 0 in float32, of a label: the bias moves by the rate.

    It does so however many other classes there are.
    """
    recipe = tiny_recipe.set("model_options", "{'classifier_activation': 'sigmoid'}")
    recipe = recipe.replace(classes=choice(1000, "many"), l2=choice(0.0, "none"))
    model = build_training_model(recipe, channels=3, mode="raw")
    model.get_layer("predictions").kernel.assign(np.zeros((84, 1000)))
    model.get_layer("predictions").bias.assign(np.full(1000, -200.0))
    compile_model(model, recipe, build_optimizer(SGD(0.0), 0.1))
    labels = np.zeros((2, 1000), "float32")
    labels[:, 7] = 1
    model.fit(np.zeros((2, 32, 32, 3), "uint8"), labels, verbose=0)
    moved = model.get_layer("predictions").bias.numpy() + 200
    assert moved[7] == pytest.approx(0.1, abs=1e-4)
    assert not np.delete(moved, 7).any()


def test_the_untrained_head_gives_the_frequency_of_each_label(tiny_recipe, rng):
    recipe = tiny_recipe.set("model_options", "{'classifier_activation': 'sigmoid'}")
    model = build_training_model(recipe, channels=3, mode="raw")
    labels = data.LabelSets.of([[0]] * 30 + [[0, 1]] * 2 + [[]] * 68)
    images = rng.integers(0, 256, (100, 32, 32, 3), dtype=np.uint8)
    start_from_frequencies(model, data.Split(labels, images))
    model.get_layer("predictions").kernel.assign(np.zeros((84, 2)))
    found = model.predict_on_batch(images[:1])
    np.testing.assert_allclose(found, [[32.5 / 101, 2.5 / 101]], rtol=1e-5)


def test_best_is_label_follows_the_greatest_output():
    scores = np.array([[0.1, 0.9, 0.2], [0.1, 0.9, 0.2], [0.8, 0.1, 0.1], [0.2, 0.1, 0.4]])
    labels = np.array([[1, 1, 0], [1, 0, 1], [0.5, 0, 0.5], [0.6, 0, 0.4]])
    np.testing.assert_array_equal(best_is_label(labels, scores), [1, 0, 1, 0])


def test_a_head_is_kept_for_the_same_classes_and_labels_alone(trained):
    """A sigmoid's scores mean something else than a softmax's; the net is the same."""
    recipe = settle(recipes.get("fine_tune").set("weights", str(trained.path)))
    assert recipe.net == "LeNet5:modern"
    assert recipe.model_options.value == {}
    recipe = recipe.replace(classes=choice(4, "theirs"), dropout_rate=choice(0.0, "none"))
    for options, is_kept in (({"classifier_activation": "sigmoid"}, True), ({}, False)):
        own = recipe.replace(model_options=choice(options, "either"))
        report = load_start(build_training_model(own, 3, "raw"), own, CLASSES)
        assert ("predictions" in report.matched) == is_kept
        assert ("predictions" in report.reinitialized) != is_kept
