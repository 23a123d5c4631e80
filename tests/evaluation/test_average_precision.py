"""MAP@k against the formula in plain Python, scikit-learn and Keras-RS (papers.md 9c)."""

import keras
import keras_rs
import numpy as np
import pytest
import tensorflow as tf
from sklearn.metrics import average_precision_score

from keras_convnets.errors import InputError
from keras_convnets.evaluation import MeanAveragePrecision


def reference(labels, scores, k, weights):
    """The implementable form of papers.md 9c, a line for each of its words."""
    found = []
    for truth, row in zip(map(set, labels), scores.tolist(), strict=True):
        ranked = sorted(range(len(row)), key=lambda c: (-row[c], c))[:k]
        hits, gain = 0, 0.0
        for place, name in enumerate(ranked, start=1):
            if name in truth:
                hits += 1
                gain += weights[name] * hits / place
        normalizer = sum(sorted((weights[c] for c in truth), reverse=True)[: min(len(truth), k)])
        if normalizer:
            found.append(gain / normalizer)
    return np.mean(found)


def many_hot(labels, classes):
    dense = np.zeros((len(labels), classes))
    for row, ids in zip(dense, labels, strict=True):
        row[ids] = 1
    return dense


def padded(labels):
    most = max(map(len, labels))
    return np.array([ids + [-1] * (most - len(ids)) for ids in labels])


@pytest.fixture
def problem(rng):
    """Labels and scores of 60 images and 40 classes, with ties and one image without labels."""
    labels = [rng.choice(40, rng.integers(1, 12), replace=False).tolist() for _ in range(60)]
    labels[7] = []
    return labels, rng.integers(0, 15, (60, 40)).astype("float32")


FORMS = {
    "lists": (True, lambda labels: labels),
    "padded": (True, padded),
    "ragged": (True, tf.ragged.constant),
    "dense": (False, lambda labels: many_hot(labels, 40)),
    "bool": (False, lambda labels: many_hot(labels, 40).astype(bool)),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("k", [3, 10, 100])
@pytest.mark.parametrize("is_weighted", [False, True])
def test_the_metric_is_the_formula(problem, rng, form, k, is_weighted):
    labels, scores = problem
    weights = rng.random(40) if is_weighted else np.ones(40)
    sparse, convert = FORMS[form]
    metric = MeanAveragePrecision(k, weights if is_weighted else None, sparse)
    for part in (slice(0, 25), slice(25, 60)):
        metric.update_state(convert(labels[part]), scores[part])
    expected = reference(labels, scores, k, weights)
    assert float(metric.result()) == pytest.approx(expected, rel=1e-14)


def test_over_all_classes_it_is_scikit_learns_average_precision(rng):
    labels = [rng.choice(30, 5, replace=False).tolist() for _ in range(20)]
    scores = rng.random((20, 30)).astype("float32")  # without ties
    dense = many_hot(labels, 30)
    expected = average_precision_score(dense, scores, average="samples")
    metric = MeanAveragePrecision()
    metric.update_state(dense, scores)
    assert float(metric.result()) == pytest.approx(expected, rel=1e-12)


def test_of_equal_scores_the_lower_class_comes_first():
    metric = MeanAveragePrecision(sparse=True)
    metric.update_state([[0]], np.zeros((1, 200), "float32"))
    assert float(metric.result()) == 1.0
    metric.reset_state()
    metric.update_state([[99], [100]], np.zeros((2, 200), "float32"))
    assert float(metric.result()) == pytest.approx((1 / 100 + 0) / 2)


def test_a_perfect_ranking_is_1_whatever_the_weights():
    metric = MeanAveragePrecision(k=2, class_weights=[1, 5, 2, 0], sparse=True)
    metric.update_state([[0, 1, 2]], [[0.1, 0.9, 0.5, 0.0]])
    assert float(metric.result()) == 1.0
    metric.update_state([[3]], [[0.1, 0.9, 0.5, 0.0]])  # weighs nothing: left out
    assert float(metric.result()) == 1.0


def test_a_label_that_is_there_twice_counts_once():
    metric = MeanAveragePrecision(sparse=True)
    metric.update_state([[2, 2, 1]], [[0.1, 0.2, 0.3]])
    assert float(metric.result()) == 1.0


def test_a_score_that_is_not_a_number_is_never_right():
    metric = MeanAveragePrecision(sparse=True)
    metric.update_state([[0, 1]], [[np.nan, np.nan, np.nan]])
    assert float(metric.result()) == 0.0
    metric.reset_state()
    metric.update_state([[0, 1]], [[np.nan, 0.5, 0.1]])
    assert float(metric.result()) == 0.5


def test_images_may_have_weights_and_none_gives_0(problem):
    labels, scores = problem
    metric = MeanAveragePrecision(sparse=True)
    assert float(metric.result()) == 0.0
    metric.update_state(labels, scores, sample_weight=np.arange(60) < 20)
    expected = reference(labels[:20], scores[:20], 100, np.ones(40))
    assert float(metric.result()) == pytest.approx(expected, rel=1e-14)


def test_it_serves_while_a_model_is_evaluated(rng):
    image = keras.Input((4,))
    model = keras.Model(image, keras.layers.Dense(12, activation="sigmoid")(image))
    model.compile(loss="binary_crossentropy", metrics=[MeanAveragePrecision(k=5)])
    images = rng.normal(size=(30, 4)).astype("float32")
    dense = (rng.random((30, 12)) < 0.3).astype("float32")
    found = model.evaluate(images, dense, batch_size=8, verbose=0, return_dict=True)
    labels = [np.flatnonzero(row).tolist() for row in dense]
    expected = reference(labels, model.predict(images, verbose=0), 5, np.ones(12))
    assert found["map_at_5"] == pytest.approx(expected, rel=1e-6)


def test_it_is_made_again_from_its_config(problem):
    labels, scores = problem
    metric = MeanAveragePrecision(7, np.linspace(0, 1, 40), sparse=True, name="map")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(metric))
    assert again.get_config() == metric.get_config()
    for each in (metric, again):
        each.update_state(labels, scores)
    assert float(metric.result()) == float(again.result())


def test_arguments_that_can_not_be_used_are_refused():
    with pytest.raises(InputError, match="The k of MeanAveragePrecision"):
        MeanAveragePrecision(0)
    for weights in ([1, -1], [1, np.nan], [[1, 2]]):
        with pytest.raises(InputError, match="finite numbers of at least 0"):
            MeanAveragePrecision(class_weights=weights)
    with pytest.raises(InputError, match="has 2 class weights, and the scores are those of 3"):
        MeanAveragePrecision(class_weights=[1, 2]).update_state([[1, 0, 0]], [[0.1, 0.2, 0.3]])


def test_it_is_keras_rs_metric_where_labels_are_at_most_k(problem, rng):
    """Keras-RS divides by the weights of all labels, and never by those of the heaviest k alone."""
    labels, _ = problem
    labels = [
        row or [0] for row in labels
    ]  # without one an image is wrong there, and left out here
    scores = rng.permutation(60 * 40).reshape(60, 40).astype("float32")  # ties have no order there
    dense = many_hot(labels, 40).astype("float32")
    for k in (11, 20, 100):
        assert k >= max(map(len, labels))
        ours, theirs = MeanAveragePrecision(k), keras_rs.metrics.MeanAveragePrecision(k)
        ours.update_state(dense, scores)
        theirs.update_state(dense, scores)
        assert float(ours.result()) == pytest.approx(float(theirs.result()), rel=1e-6)
    weights = rng.random(40).astype("float32")
    for row, ranks in zip(dense[:20, None], scores[:, None], strict=False):
        # One image at a time: it means images with the mean weights of their labels.
        ours, theirs = MeanAveragePrecision(12, weights), keras_rs.metrics.MeanAveragePrecision(12)
        ours.update_state(row, ranks)
        theirs.update_state(row, ranks, sample_weight=weights[None])
        assert float(ours.result()) == pytest.approx(float(theirs.result()), rel=1e-6)
