"""The blacklist and the reassessed labels of ImageNet's validation images (papers.md 0)."""

import json
from pathlib import Path

import numpy as np
import pytest

from keras_convnets.data import Split
from keras_convnets.data.encoded import Files
from keras_convnets.errors import InputError
from keras_convnets.evaluation import Evaluation
from keras_convnets.evaluation.imagenet import (
    read_blacklist,
    read_real_labels,
    real_scores,
    validation_numbers,
)


def split_of(*names):
    return Split(np.zeros(len(names), int), encoded=Files([Path(name) for name in names]))


def test_official_names_have_the_number_in_them():
    names = ["n02/ILSVRC2012_val_00000012.JPEG", "n01/ILSVRC2012_val_00050000_n01.JPEG"]
    assert validation_numbers(split_of(*names), skipped=3).tolist() == [12, 50_000]


def test_other_names_are_numbered_by_their_order():
    assert validation_numbers(split_of("b/c.png", "a/d.png", "c/a.png")).tolist() == [2, 3, 1]


@pytest.mark.parametrize(
    ("split", "skipped", "message"),
    [
        (split_of("a/ILSVRC2012_val_00000001.JPEG", "a/b.png"), 0, "or none.*Received: 'b.png'"),
        (split_of("a/a.png"), 2, "and 2 files that can't be read"),
        (Split(np.zeros(1, int), images=np.zeros((1, 8, 8, 3))), 0, "this data has no files"),
    ],
)
def test_images_that_can_not_be_numbered_are_refused(split, skipped, message):
    with pytest.raises(InputError, match=message):
        validation_numbers(split, skipped)


def test_the_blacklist_has_a_number_a_line(tmp_path):
    path = tmp_path / "blacklist.txt"
    path.write_text("36\n50\n\n1762\n")
    assert read_blacklist(path) == {36, 50, 1762}
    for text, received in (("36\nn0144\n", "'n0144'"), ("0\n", "'0'"), ("", "'an empty file'")):
        path.write_text(text)
        with pytest.raises(InputError, match=f"from 1, on each line. Received: {received}"):
            read_blacklist(path)


def test_real_labels_go_by_the_number_of_the_image(tmp_path):
    path = tmp_path / "real.json"
    path.write_text(json.dumps([[7], [], [1, 999]]))
    assert read_real_labels(path, np.array([3, 2, 1])) == [{1, 999}, set(), {7}]
    with pytest.raises(InputError, match="those of 3 images. Received: .* number 4"):
        read_real_labels(path, np.array([4]))


@pytest.mark.parametrize(
    "content", ['{"a": [1]}', "[1, 2]", "[[1000]]", "[[-1]]", "[[1.5]]", "[[true]]", '[["1"]]']
)
def test_what_is_no_list_of_lists_of_labels_is_refused(content, tmp_path):
    path = tmp_path / "real.json"
    path.write_text(content)
    with pytest.raises(InputError, match="should be a JSON list of lists of numbers from 0 to 999"):
        read_real_labels(path, np.array([1]))


def evaluation(best, probabilities):
    best = np.array(best)
    return Evaluation(len(best), 0.0, 0.0, 0.0, best[:, 0], best, np.array(probabilities))


def test_any_real_label_is_right_and_an_image_without_is_left_out():
    best = [[1, 2, 3, 4, 5], [1, 2, 3, 4, 5], [1, 2, 3, 4, 5], [1, 2, 3, 4, 5]]
    scores = evaluation(best, np.full((4, 5), 0.2))
    found = real_scores(scores, [{1, 9}, {9, 5}, set(), {8}])
    assert (found.n, found.top1, found.top5) == (3, 1 / 3, 2 / 3)
    assert found.top1_interval[0] < 1 / 3 < found.top1_interval[1]
    with pytest.raises(InputError, match="No image has a real label"):
        real_scores(scores, [set()] * 4)


def test_a_net_that_gives_no_numbers_is_never_right():
    scores = evaluation([[0, 1, 2, 3, 4]], np.full((1, 5), np.nan))
    assert real_scores(scores, [{0}]).top5 == 0
