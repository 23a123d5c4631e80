"""Scores of images with several labels, against scikit-learn and plain NumPy."""

import keras
import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score, log_loss

from keras_convnets.data import LabelSets
from keras_convnets.evaluation import evaluate_multi_label, multi_label
from keras_convnets.evaluation.multi_label import MultiLabelScorer
from keras_convnets.evaluation.score_histogram import (
    BINS,
    LEAST_POSITIVES,
    ScoreHistogram,
    bins_of,
    lower_edges,
)


def model_of(table):
    """A model that turns an index into a row of a table."""
    index = keras.Input((1,), dtype="int32")
    layer = keras.layers.Embedding(*table.shape, weights=[table])
    return keras.Model(index, keras.layers.Flatten()(layer(index)))


@pytest.fixture
def example(rng):
    """Scores that know a little of the labels; the last class has none."""
    labels = (rng.random((200, 9)) < np.linspace(0.02, 0.5, 9)).astype("float32")
    labels[:, -1] = 0
    logits = rng.normal(size=labels.shape) * 2 + 2 * labels - 1
    return (1 / (1 + np.exp(-logits))).astype("float32"), labels


def histogram_of(scores, labels):
    histogram = ScoreHistogram(scores.shape[1])
    for rows in (slice(0, 70), slice(70, None)):
        histogram.add(scores[rows], labels[rows] > 0)
    return histogram


def test_average_precision_is_that_of_scikit_learn(example):
    scores, labels = example
    found = histogram_of(scores, labels).average_precisions()
    rounded = bins_of(scores)
    for c in range(8):
        expected = average_precision_score(labels[:, c], rounded[:, c])
        assert found[c] == pytest.approx(expected, abs=1e-12)
        # The rounding costs little.
        exact = average_precision_score(labels[:, c], scores[:, c])
        assert found[c] == pytest.approx(exact, abs=0.02)
    assert np.isnan(found[8])


def best_by_trying(scores, labels):
    """The greatest F1 over every threshold that the rounding knows, one after another."""
    tried = lower_edges(np.arange(BINS))
    return max(
        f1_score(labels.ravel(), scores.ravel() >= threshold, zero_division=0)
        for threshold in np.unique(tried[np.unique(bins_of(scores))])
    )


def test_thresholds_have_the_greatest_f1(example):
    scores, labels = example
    found = histogram_of(scores, labels).choose_thresholds().thresholds
    own = labels.sum(axis=0) >= LEAST_POSITIVES
    assert own.tolist() == [False] + [True] * 7 + [False], labels.sum(axis=0)
    for c in np.flatnonzero(own):
        f1 = f1_score(labels[:, c], scores[:, c] >= found[c])
        assert f1 == pytest.approx(best_by_trying(scores[:, c], labels[:, c]), abs=1e-12)


def test_a_class_of_few_images_shares_the_threshold_of_all(example):
    scores, labels = example
    found = histogram_of(scores, labels).choose_thresholds().thresholds
    assert found[0] == found[-1]
    f1 = f1_score(labels.ravel(), (scores >= found[0]).ravel())
    assert f1 == pytest.approx(best_by_trying(scores, labels), abs=1e-12)


def test_a_threshold_stands_in_the_middle_of_the_gap():
    """In log-odds: half-way from -2 to 1."""
    odds = np.array([-3.0] * 9 + [-2.0 - 1e-3] + [1.0 + 1e-3] * LEAST_POSITIVES)
    scores = 1 / (1 + np.exp(-odds))[:, None]
    [found] = histogram_of(scores, scores > 0.5).choose_thresholds().thresholds
    assert np.log(found / (1 - found)) == pytest.approx(-0.5, abs=1 / 16)


def test_without_labels_the_threshold_is_one_half():
    histogram = histogram_of(np.full((100, 3), 0.2), np.zeros((100, 3)))
    assert histogram.choose_thresholds().thresholds.tolist() == [0.5] * 3


@pytest.mark.parametrize(
    ("score", "index"), [(0.0, 0), (1e-30, 0), (0.5, BINS // 2), (1.0, BINS - 1), (np.nan, 0)]
)
def test_every_score_has_a_bin(score, index):
    assert bins_of(np.array([[score]])).item() == index


def test_figures_equal_the_reference(example):
    scores, labels = example
    thresholds = np.linspace(0.3, 0.7, 9)
    batches = [(np.arange(200)[s, None], labels[s]) for s in (slice(0, 150), slice(150, 200))]
    found = evaluate_multi_label(model_of(scores), batches, thresholds)
    order = np.argsort(-scores, axis=1, kind="stable")
    hits = np.take_along_axis(labels, order, axis=1) > 0
    assert found.n == 200
    assert found.top1 == pytest.approx(hits[:, 0].mean())
    assert found.top5 == pytest.approx(hits[:, :5].any(axis=1).mean())
    expected = sum(log_loss(labels[:, c], scores[:, c], labels=[0, 1]) for c in range(9))
    assert found.loss == pytest.approx(expected, rel=1e-5)
    has_labels = labels.any(axis=1)
    ranks = np.cumsum(hits, axis=1) / np.arange(1, 10)
    precisions = (ranks * hits).sum(axis=1)[has_labels] / labels.sum(axis=1)[has_labels]
    assert found.map_at_100 == pytest.approx(precisions.mean())
    called = scores >= thresholds
    assert found.micro_f1 == pytest.approx(f1_score(labels, called, average="micro"))
    of_classes = f1_score(labels, called, average=None, zero_division=0)[:8]  # the last has none
    assert found.macro_f1 == pytest.approx(of_classes.mean())
    assert found.macro_average_precision == pytest.approx(np.mean(found.average_precisions[:8]))
    for c, row in enumerate(found.by_class[:8]):
        assert (row.n, row.threshold) == (labels[:, c].sum(), thresholds[c])
        assert row.f1 == pytest.approx(of_classes[c])
        assert row.recall == pytest.approx((called & (labels > 0))[:, c].sum() / row.n)
    assert found.by_class[8].average_precision is None
    assert found.by_class[8].recall is None


def test_without_thresholds_they_are_the_best_on_these_images(example):
    scores, labels = example
    free = MultiLabelScorer(9)
    free.add(scores, labels)
    found = free.result()
    np.testing.assert_array_equal(found.thresholds, found.best_thresholds)
    fixed = MultiLabelScorer(9, found.best_thresholds)
    fixed.add(scores, labels)
    expected = fixed.result()
    np.testing.assert_array_equal(found.called, expected.called)
    np.testing.assert_array_equal(found.right, expected.right)
    assert found.figures == expected.figures
    assert found.micro_f1 > 0.4


def test_labels_may_be_sets_and_rows_few_at_once(example, monkeypatch):
    scores, labels = example
    whole, parts = (MultiLabelScorer(9, np.full(9, 0.5), keep_best=True) for _ in range(2))
    whole.add(scores, labels)
    monkeypatch.setattr(multi_label, "_AT_ONCE", 7 * 9 + 3)
    parts.add(scores, LabelSets.of([np.flatnonzero(row) for row in labels]))
    expected, found = whole.result(), parts.result()
    assert found.figures == pytest.approx(expected.figures)
    np.testing.assert_array_equal(found.best, expected.best)
    np.testing.assert_array_equal(found.called, expected.called)


def test_scores_that_are_no_numbers_are_never_right():
    scorer = MultiLabelScorer(3, [0.5] * 3)
    scorer.add(np.full((2, 3), np.nan, "float32"), np.ones((2, 3)))
    found = scorer.result()
    assert (found.top1, found.top5, found.micro_f1) == (0, 0, 0)
    assert np.isnan(found.loss)


def test_thousands_of_classes_are_those_of_their_parts(rng):
    """Tables of (classes, bins) are made of some classes at a time."""
    scores, is_label = rng.random((40, 2500), "float32"), rng.random((40, 2500)) < 0.3
    whole = histogram_of(scores, is_label)
    for part in (slice(0, 10), slice(1020, 1030), slice(2490, 2500)):
        alone = histogram_of(scores[:, part], is_label[:, part])
        found = (whole.average_precisions(), *whole.choose_thresholds())
        expected = (alone.average_precisions(), *alone.choose_thresholds())
        for pair in zip((column[part] for column in found), expected, strict=True):
            np.testing.assert_array_equal(*pair)


def test_of_fewer_than_five_classes_all_are_the_best_five():
    scorer = MultiLabelScorer(3)
    scorer.add(
        np.array([[0.9, 0.5, 0.1]] * 4), np.array([[1, 0, 0], [0, 0, 1], [0, 1, 1], [0] * 3])
    )
    assert (scorer.result().top1, scorer.result().top5) == (0.25, 0.75)
