"""Each protocol, end to end, against a loop over views in NumPy; ensembles; restricted classes."""

import dataclasses

import keras
import numpy as np
import PIL.Image
import pytest

import keras_convnets
from keras_convnets.data import LabelSets, load
from keras_convnets.errors import InputError
from keras_convnets.evaluation import (
    CenterCrop,
    DenseEvaluation,
    Evaluator,
    GoogLeNetCrops,
    Member,
    MultiScale,
    TenCrops,
    TwelveCrops,
    evaluate,
    prediction,
)
from keras_convnets.evaluation.multi_label import MultiLabelScorer
from keras_convnets.imagenet_utils import preprocess_input
from keras_convnets.preprocessing import Preprocessing

PREPROCESSING = Preprocessing(71, 3, "tf", 0.875)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Four images of two classes and several shapes."""
    rng = np.random.default_rng(3)
    folder = tmp_path_factory.mktemp("photos")
    for i, (height, width) in enumerate([(90, 120), (130, 80), (71, 71), (60, 200)]):
        pixels = rng.integers(0, 256, (height // 8, width // 8, 3), dtype=np.uint8)
        path = folder / "ab"[i % 2] / f"{i}.png"
        path.parent.mkdir(exist_ok=True)
        PIL.Image.fromarray(pixels).resize((width, height), PIL.Image.Resampling.BICUBIC).save(path)
    return load(f"folder:{folder}").train


OPTIONS = {"weights": None, "width_multiplier": 0.1, "middle_repeats": 0, "classes": 2}


@pytest.fixture
def xception(randomize):
    """A thin Xception of 71 pixels."""
    model = keras_convnets.Xception(input_shape=(71, 71, 3), **OPTIONS)
    return Member("thin", randomize(model), PREPROCESSING)


def small_member(name, preprocessing, rng):
    """A net of one convolution, which is fast."""
    size = preprocessing.size
    image = keras.Input((size, size, 3))
    x = keras.layers.Conv2D(6, 8, strides=8, activation="relu", padding="same")(image)
    x = keras.layers.GlobalAveragePooling2D()(x)
    model = keras.Model(image, keras.layers.Dense(2, activation="softmax")(x))
    model.set_weights([rng.normal(0, 0.3, weight.shape) for weight in model.get_weights()])
    return Member(name, model, preprocessing)


@pytest.fixture
def member(rng):
    return small_member("tiny", PREPROCESSING, rng)


def resized(image, shorter):
    return PREPROCESSING.resize(image, shorter).numpy()


def corners(square, size):
    room = len(square) - size
    for y, x in ((0, 0), (0, room), (room, 0), (room, room), (room // 2, room // 2)):
        yield square[y : y + size, x : x + size]


def squares(whole):
    short, long = sorted(whole.shape[:2])
    for start in (0, (long - short) // 2, long - short):
        is_wide = whole.shape[1] == long
        yield whole[:, start : start + short] if is_wide else whole[start : start + short]


def six(square):
    yield from corners(square, 71)
    yield resized(square, 71)


def ten(image):
    yield from corners([*squares(resized(image, 81))][1], 71)


def twelve(image):
    yield from six([*squares(resized(image, 81))][1])


def hundred(image):
    for scale in (256, 288, 320, 352):
        for square in squares(resized(image, round(scale * 71 / 224))):
            yield from six(square)


def whole(*sides):
    return lambda image: (resized(image, side) for side in sides)


LOOPS = {
    TenCrops(): (ten, 10),
    TwelveCrops(): (twelve, 12),
    GoogLeNetCrops(): (hundred, 144),
    DenseEvaluation(): (whole(81), 2),
    DenseEvaluation(100): (whole(100), 2),
    MultiScale((71, 90)): (whole(71, 90), 4),
}


def mean_over_views(net, views):
    """The mean of what a net says of each view and its mirror image, one after another."""
    shown = [shape for view in views for shape in (view, view[:, ::-1])]
    inputs = [preprocess_input(np.float32(view), "channels_last", "tf") for view in shown]
    batches = [
        np.stack([image for image in inputs if image.shape == shape])
        for shape in {image.shape for image in inputs}
    ]
    found = np.concatenate([net.predict_on_batch(batch) for batch in batches])
    return found.mean(axis=0), len(found)


@pytest.mark.parametrize("protocol", LOOPS, ids=lambda protocol: protocol.name)
def test_a_protocol_is_the_mean_of_what_it_shows(protocol, photos, xception):
    views, count = LOOPS[protocol]
    free = keras_convnets.Xception(input_shape=(None, None, 3), **OPTIONS)
    free.set_weights(xception.model.get_weights())
    expected = []
    for i in range(len(photos)):
        mean, seen = mean_over_views(free, views(photos.image(i)))
        assert seen == count
        expected.append(mean)
    counted = []
    run = prediction._Run(xception, protocol)
    for batch_size in (16, 40):  # one image or several, or parts of one
        found = run.predict(photos, batch_size, counted.append)
        np.testing.assert_allclose(found, expected, atol=2e-6)
    assert sum(counted) == 2 * len(photos)


def test_the_central_crop_is_what_evaluate_sees(photos, member):
    batches = keras_convnets.data.evaluation_batches(photos, PREPROCESSING, 3)
    expected = evaluate(member.model, batches)
    [own, given] = Evaluator([member], [CenterCrop(None), CenterCrop(0.875)]).score(photos)
    for result in (own, given):
        np.testing.assert_allclose(result.scores.probabilities, expected.probabilities, atol=1e-6)
        assert result.scores.figures == pytest.approx(expected.figures)
    assert own.members == ("tiny",)


def test_an_ensemble_is_the_mean_of_its_nets_each_with_its_own_preprocessing(
    photos, member, rng, monkeypatch
):
    other_preprocessing = Preprocessing(75, 3, "torch", 0.9, "bicubic")
    other = small_member("other", other_preprocessing, rng)
    calls = []
    predict = prediction._Run.predict
    monkeypatch.setattr(
        prediction._Run, "predict", lambda self, *args: calls.append(self) or predict(self, *args)
    )
    evaluator = Evaluator([member, other], [CenterCrop(None), TenCrops()])
    results = evaluator.score(photos, [(0,), (1,), (0, 1)])
    assert len(calls) == 4, "each net sees each protocol once"
    assert [(r.members, r.protocol.name) for r in results] == [
        (members, protocol)
        for protocol in ("center", "crops10")
        for members in (("tiny",), ("other",), ("tiny", "other"))
    ]
    for first, second, both in (results[:3], results[3:]):
        alone = [
            np.take_along_axis(r.scores.probabilities, np.argsort(r.scores.best, axis=1), axis=1)
            for r in (first, second, both)
        ]
        np.testing.assert_allclose(alone[2], (alone[0] + alone[1]) / 2, atol=1e-7)
    means = [
        other.model.predict_on_batch(np.stack([other_preprocessing(photos.image(i))]))[0]
        for i in range(4)
    ]
    best = np.max(means, axis=1)
    np.testing.assert_allclose(results[1].scores.confidence, best, atol=1e-6)


def test_of_several_labels_the_mean_of_probabilities_is_scored(photos, member, rng, monkeypatch):
    members = [
        dataclasses.replace(each, thresholds=np.array(thresholds))
        for each, thresholds in (
            (member, (0.2, 0.6)),
            (small_member("other", PREPROCESSING, rng), (0.4, 0.3)),
        )
    ]
    labels = LabelSets.of([[0, 1], [], [1], [0]])
    runs = [prediction._Run(each, TenCrops()) for each in members]
    mean = np.mean([run.predict(photos, 16, lambda count: None) for run in runs], axis=0)
    scorer = MultiLabelScorer(2, [0.3, 0.45])
    scorer.add(mean, labels.to_dense(range(4), 2))
    expected = scorer.result()
    several = dataclasses.replace(photos, labels=labels)
    for limit in (prediction.MEMORY_LIMIT, 3 * 2 * 8 * 2):
        monkeypatch.setattr(prediction, "MEMORY_LIMIT", limit)
        evaluator = Evaluator(members, [CenterCrop(None), TenCrops()])
        _, _, center, alone, _, both = evaluator.score(several, [(0,), (1,), (0, 1)])
        assert both.scores.figures == pytest.approx(expected.figures)
        np.testing.assert_allclose(both.scores.thresholds, [0.3, 0.45])
        np.testing.assert_array_equal(alone.scores.thresholds, [0.2, 0.6])
        assert center.scores.figures != expected.figures
        assert both.scores.best is None


def test_memory_is_bounded_by_parts(photos, member, monkeypatch):
    evaluator = Evaluator([member], [TenCrops(), CenterCrop(None)])
    whole = evaluator.score(photos)
    monkeypatch.setattr(prediction, "MEMORY_LIMIT", 2 * 2 * 8)
    for expected, found in zip(whole, evaluator.score(photos), strict=True):
        np.testing.assert_allclose(
            found.scores.probabilities, expected.scores.probabilities, atol=1e-6
        )
        assert found.scores.figures == pytest.approx(expected.scores.figures)


def test_restricted_classes_are_a_softmax_over_their_logits_alone(rng):
    """papers.md 12c: the 1K-way test of a 5K net."""
    logits = rng.normal(0, 3, (20, 50))
    chosen = np.array([7, 3, 49])
    softmax = keras.ops.convert_to_numpy(keras.ops.softmax(logits))
    alone = keras.ops.convert_to_numpy(keras.ops.softmax(logits[:, chosen]))
    np.testing.assert_allclose(prediction.restrict(softmax, chosen), alone, rtol=1e-12)


def test_another_order_of_all_classes_changes_no_probability(rng):
    table = rng.random((4, 3))
    np.testing.assert_array_equal(
        prediction.restrict(table, np.array([2, 0, 1])), table[:, [2, 0, 1]]
    )


def test_where_nothing_is_left_of_the_restricted_classes_they_are_equal():
    found = prediction.restrict(np.array([[1.0, 0, 0], [0.5, 0.25, 0.25]]), np.array([1, 2]))
    np.testing.assert_array_equal(found, np.full((2, 2), 0.5))


def test_what_does_not_serve_a_net_is_refused_before_any_work(member):
    whole_image = Member("whole", member.model, Preprocessing(71, 3, "tf"))
    for protocol in (TenCrops(), TwelveCrops(), DenseEvaluation(70)):
        with pytest.raises(InputError):
            Evaluator([member, whole_image], [CenterCrop(None), protocol])
    lenet = Member("lenet", keras_convnets.LeNet5(), Preprocessing(32, 1, "lenet", 0.875))
    with pytest.raises(InputError, match="can't be applied densely"):
        Evaluator([lenet], [DenseEvaluation()])
