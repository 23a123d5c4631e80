"""Sets of labels in two arrays."""

import numpy as np
import pytest

from keras_convnets.data import LabelSets
from keras_convnets.errors import InputError

LISTS = [[3, 1], [], [0], [2, 0, 3], []]


@pytest.fixture
def labels():
    return LabelSets.of(LISTS)


def test_each_image_has_its_labels(labels):
    assert len(labels) == 5
    assert [list(each) for each in labels] == LISTS
    assert list(labels[-2]) == [2, 0, 3]
    assert list(labels.sizes) == [2, 0, 1, 3, 0]
    with pytest.raises(IndexError):
        labels[5]


def test_counts_make_the_same_sets(labels):
    again = LabelSets.of_counts(labels.values.astype(np.int32), labels.sizes.astype(np.int32))
    assert [list(each) for each in again] == LISTS


@pytest.mark.parametrize("indices", [[3, 0, 0, 1], [], [-1, -2], np.array([1, 0, 0, 1, 1], bool)])
def test_taking_keeps_order_and_repetitions(labels, indices):
    taken = labels.take(indices)
    expected = np.arange(5)[np.asarray(indices, bool if len(indices) == 5 else int)]
    assert [list(each) for each in taken] == [LISTS[i] for i in expected]
    assert taken.values.dtype == taken.offsets.dtype == np.int64


def test_classes_are_counted(labels):
    assert list(labels.counts(6)) == [2, 1, 1, 2, 0, 0]


def test_padding_is_minus_one_up_to_the_longest(labels):
    np.testing.assert_array_equal(labels.padded([3, 1, 0]), [[2, 0, 3], [-1, -1, -1], [3, 1, -1]])
    assert labels.padded([1, 4]).shape == (2, 0)
    assert labels.padded([]).shape == (0, 0)


def test_dense_labels_are_zeros_and_ones(labels):
    dense = labels.to_dense([3, 1, 0], 5)
    assert dense.dtype == np.float32
    np.testing.assert_array_equal(dense, [[1, 0, 1, 1, 0], [0, 0, 0, 0, 0], [0, 1, 0, 1, 0]])


@pytest.mark.parametrize("offsets", [[], [0, 2], [1, 3], [0, 2, 1, 3]])
def test_offsets_that_do_not_fit_are_refused(offsets):
    with pytest.raises(InputError, match="should rise from 0 to the number of values"):
        LabelSets(np.arange(3), np.array(offsets, np.int64))
