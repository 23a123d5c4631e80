"""Scores against a plain NumPy reference."""

import keras
import numpy as np
import pytest
from scipy.stats import binomtest

from keras_convnets.evaluation import ClassScore, Evaluation, evaluate


def model_of(table):
    """A model that turns an index into a row of a table."""
    index = keras.Input((1,), dtype="int32")
    layer = keras.layers.Embedding(*table.shape, weights=[table])
    return keras.Model(index, keras.layers.Flatten()(layer(index)))


def test_scores_equal_the_reference(rng):
    table = rng.dirichlet(np.ones(20), 57).astype("float32")
    labels = rng.integers(0, 20, 57)
    batches = [(np.arange(57)[s, None], labels[s]) for s in (slice(0, 32), slice(32, 57))]
    scores = evaluate(model_of(table), batches)
    order = np.argsort(-table, axis=1, kind="stable")
    assert scores.n == 57
    assert scores.top1 == np.mean(order[:, 0] == labels)
    assert scores.top5 == np.mean(
        [label in row[:5] for label, row in zip(labels, order, strict=True)]
    )
    np.testing.assert_allclose(scores.loss, -np.log(table[np.arange(57), labels]).mean(), rtol=1e-6)
    np.testing.assert_array_equal(scores.best, order[:, :5])
    np.testing.assert_allclose(
        scores.probabilities, np.take_along_axis(table, order[:, :5], axis=1)
    )
    np.testing.assert_array_equal(scores.predicted, order[:, 0])
    confusion = scores.confusion(20)
    assert confusion.sum() == 57
    assert np.trace(confusion) == round(scores.top1 * 57)


def test_ties_go_to_the_first_class():
    """A net that says nothing is right for the first class alone, and for the first five."""
    table = np.full((1, 10), 0.1, "float32")
    batches = [(np.zeros((10, 1), int), np.arange(10))]
    scores = evaluate(model_of(table), batches)
    assert (scores.top1, scores.top5) == (0.1, 0.5)
    assert scores.best.tolist() == [[0, 1, 2, 3, 4]] * 10


def test_a_net_that_gives_no_numbers_is_never_right():
    table = np.full((1, 10), np.nan, "float32")
    scores = evaluate(model_of(table), [(np.zeros((10, 1), int), np.arange(10))])
    assert (scores.top1, scores.top5) == (0.0, 0.0)
    assert np.isnan(scores.loss)


def test_a_sure_mistake_has_a_finite_loss():
    table = np.array([[1.0, 0.0]], "float32")
    scores = evaluate(model_of(table), [(np.zeros((1, 1), int), np.array([1]))])
    assert np.isfinite(scores.loss)


def evaluation(labels, predicted, confidence):
    labels, predicted, confidence = map(np.array, (labels, predicted, confidence))
    return Evaluation(len(labels), 0.0, 0.0, 0.0, labels, predicted[:, None], confidence[:, None])


def test_each_class_has_its_precision_and_recall():
    scores = evaluation([0, 0, 0, 0, 1, 1, 2], [0, 0, 1, 3, 1, 0, 1], np.ones(7))
    assert scores.by_class(4) == [
        ClassScore(4, 2 / 3, 1 / 2),
        ClassScore(2, 1 / 3, 1 / 2),
        ClassScore(1, None, 0.0),  # nothing was called so
        ClassScore(0, 0.0, None),  # nothing is so
    ]


def test_the_worst_mistakes_are_the_most_confident():
    scores = evaluation([0, 1, 0, 1, 0], [0, 0, 1, 0, 1], [0.99, 0.6, 0.9, 0.7, 0.6])
    assert list(scores.worst_mistakes(9)) == [2, 3, 1, 4]
    assert list(scores.worst_mistakes(1)) == [2]


def test_confusions_are_the_entries_of_the_matrix_above_0(rng):
    labels, predicted = rng.integers(0, 6, (2, 40))
    scores = evaluation(labels, predicted, np.ones(40))
    matrix = np.zeros((6, 6), int)
    for row, column, count in scores.confusions(6):
        assert count > 0
        matrix[row, column] = count
    np.testing.assert_array_equal(matrix, scores.confusion(6))


def test_shares_have_a_confidence_interval():
    scores = Evaluation(50, 0.72, 1.0, 0.0, *[np.zeros(50)] * 3)
    expected = binomtest(36, 50).proportion_ci(0.95, "wilson")
    assert scores.top1_interval == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert scores.top5_interval[1] == 1.0
