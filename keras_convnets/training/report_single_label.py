"""What a report says of images with one label each."""

from collections.abc import Sequence

import numpy as np

from keras_convnets.analysis import plots
from keras_convnets.data import Split
from keras_convnets.evaluation import Evaluation
from keras_convnets.evaluation.output import MOST_CLASSES_DRAWN
from keras_convnets.training.page import left_out, picture, share, table

SHOWN = 32  # images in a grid
LISTED = 200  # rows of a table


def headline(scores: Evaluation, split_name: str) -> str:
    """Returns the figures in one large line and a small one."""
    return (
        f'<p class="big">top-1 {scores.top1:.1%} on {scores.n:,} {split_name} images</p>\n'
        f"<p>top-5 {scores.top5:.1%}, cross-entropy {scores.loss:.4f} nats.</p>"
    )


def sections(
    scores: Evaluation,
    classes: Sequence[str],
    split: Split,
    split_name: str,
    chosen: np.ndarray,
) -> str:
    """Returns what was predicted, as HTML.

    Args:
        scores: of the evaluated images.
        classes: names of the classes.
        split: the images.
        split_name: its name.
        chosen: numbers of images to show.
    """
    grid = picture(
        _grid(chosen, classes, split, scores), f"{split_name} images with predicted and true class"
    )
    return f"""{_confusion(scores, classes, split_name)}
<h2>Classes ({split_name} images)</h2>
{_by_class(scores, classes)}
<h2>Worst mistakes</h2>
{_mistakes(classes, split, scores)}
<h2>Some {split_name} images</h2>
{grid}
<p>Drawn at random: what is predicted, how sure the model is, and in pink what it is instead.</p>"""


def _confusion(scores: Evaluation, classes: Sequence[str], split_name: str) -> str:
    """A picture; of more classes than it could show, the commonest mistakes."""
    if len(classes) <= MOST_CLASSES_DRAWN:
        matrix = plots.confusion_matrix(scores.confusion(len(classes)), classes)
        shown = picture(matrix, "confusion matrix")
        return f"<h2>Confusion matrix ({split_name} images)</h2>\n{shown}"
    entries = scores.confusions(len(classes))
    wrong = entries[entries[:, 0] != entries[:, 1]]
    commonest = wrong[np.argsort(-wrong[:, 2], kind="stable")][:LISTED]
    rows = [[classes[true], classes[called], f"{n:,}"] for true, called, n in commonest.tolist()]
    return (
        f"<h2>Commonest mistakes ({split_name} images)</h2>\n"
        + table(["is", "was called", "images"], rows)
        + f"<p>The commonest first.{left_out(len(wrong), len(rows), 'kinds of mistakes')}</p>"
    )


def _by_class(scores: Evaluation, classes: Sequence[str]) -> str:
    rows = [
        (score.recall or 0, [name, f"{score.n:,}", *map(share, (score.precision, score.recall))])
        for name, score in zip(classes, scores.by_class(len(classes)), strict=True)
        if score.n
    ]
    worst = [cells for _, cells in sorted(rows, key=lambda row: row[0])[:LISTED]]
    return table(["class", "images", "precision", "recall"], worst) + (
        "<p>The worst first. Precision: how many of those that were called so are; recall: how "
        f"many of those that are were called so.{left_out(len(rows), len(worst), 'classes')}</p>"
    )


def _mistakes(classes: Sequence[str], split: Split, scores: Evaluation) -> str:
    worst = scores.worst_mistakes(SHOWN)
    if not len(worst):
        return "<p>None: every image was called what it is.</p>"
    return picture(_grid(worst, classes, split, scores), "wrong predictions") + (
        "<p>Wrong, the most confident first. Look for wrong labels here, too.</p>"
    )


def _grid(
    chosen: np.ndarray, classes: Sequence[str], split: Split, scores: Evaluation
) -> plots.Picture:
    return plots.prediction_grid(
        [split.image(i) for i in chosen],
        [classes[i] for i in scores.labels[chosen]],
        [classes[i] for i in scores.predicted[chosen]],
        scores.confidence[chosen],
    )
