"""Reports of many classes."""

import numpy as np
import pytest

from keras_convnets.data import LabelSets, Split
from keras_convnets.evaluation.multi_label import MultiLabelScorer
from keras_convnets.evaluation.scores import Evaluation, Scorer
from keras_convnets.training import report_multi_label, report_single_label


@pytest.fixture
def split(rng):
    """A label for each of 300 images."""
    images = rng.integers(0, 256, (300, 4, 4, 3), dtype=np.uint8)
    return Split(rng.integers(0, 1000, 300), images)


def test_of_many_classes_the_commonest_mistakes_stand_in_place_of_the_matrix(
    split, rng, monkeypatch
):
    """17,000 classes would make a matrix of 2 GB."""
    monkeypatch.setattr(Evaluation, "confusion", None)
    scorer = Scorer()
    scorer.add(rng.random((300, 1000)), split.labels)
    names = [f"class {i}" for i in range(1000)]
    page = report_single_label.sections(scorer.result(), names, split, "test", np.arange(4))
    assert "Confusion matrix" not in page
    assert "<h2>Commonest mistakes (test images)</h2>" in page
    there = len(set(split.labels.tolist()))
    assert f"{there - 200:,} other classes are left out" in page
    assert page.count("<tr>") == 2 * (1 + 200)


def test_the_worst_of_many_classes_are_listed(split, rng):
    labels = LabelSets.of([[label] for label in split.labels])
    split = Split(labels, split.images)
    scorer = MultiLabelScorer(1000, np.full(1000, 0.5))
    dense = labels.to_dense(np.arange(300), 1000)
    best = int(split.labels[0][0])
    scores = rng.random((300, 1000)) * 0.6
    scores[:, best] = dense[:, best]
    scorer.add(scores, dense)
    names = [f"class {i}" for i in range(1000)]
    page = report_multi_label.sections(
        scorer.result(), names, split, "test", np.arange(4), scores[:4]
    )
    there = len(set(labels.values.tolist()))
    assert f"{there - 200:,} other classes are left out. Classes that none" in page
    assert f"Classes that none of these images has: {1000 - there:,}." in page
    assert page.count("<tr>") == 1 + 200
    assert f"<td>class {best}</td>" not in page  # the best one
    assert "the validation images, for there are no others" not in page
