"""Pictures hold what they were given."""

import numpy as np

from keras_convnets.analysis import plots


def test_curves_show_training_and_validation():
    row = {"loss": 1.0, "val_loss": 2.0, "top1": 0.5, "val_top1": 0.25}
    figure = plots.curves([{"epoch": 1, **row}, {"epoch": 2, **row, "loss": 0.5}])
    loss, top1 = figure.axes
    assert [line.get_label() for line in loss.lines] == ["training", "validation"]
    assert list(loss.lines[0].get_ydata()) == [1.0, 0.5]
    assert list(top1.lines[1].get_ydata()) == [0.25, 0.25]


def test_curves_of_several_labels_show_map_and_f1():
    row = {"loss": 1.0, "val_loss": 2.0, "top1": 0.5, "val_top1": 0.25, "val_map_at_100": 0.75}
    _, top1, ranked = plots.curves([{"epoch": 1, **row, "val_micro_f1": 0.625}]).axes
    assert top1.get_ylabel() == "best class is a label"
    found = {line.get_label(): list(line.get_ydata()) for line in ranked.lines}
    assert found == {"MAP@100": [0.75], "F1, all labels": [0.625]}
    *_, older = plots.curves([{"epoch": 1, **row}]).axes  # of a version without F1
    assert [line.get_label() for line in older.lines] == ["MAP@100"]


def test_confusion_matrix_writes_each_count_once():
    figure = plots.confusion_matrix(np.array([[3, 1], [0, 4]]), ["cat", "dog"])
    assert sorted(text.get_text() for text in figure.axes[0].texts) == ["1", "3", "4"]


def test_wrong_predictions_name_the_truth():
    images = [np.zeros((4, 4, 1), np.uint8)] * 2
    figure = plots.prediction_grid(images, ["cat", "dog"], ["cat", "cat"], [0.9, 0.6], columns=2)
    right, wrong = (axes.title for axes in figure.axes)
    assert (right.get_text(), wrong.get_text()) == ("cat 90%", "cat 60%\nis dog")
    assert right.get_color() != wrong.get_color()
