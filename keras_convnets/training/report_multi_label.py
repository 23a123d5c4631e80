"""What a report says of images that may have several labels."""

import textwrap
from collections.abc import Sequence

import numpy as np

from keras_convnets.analysis import plots
from keras_convnets.data import Split
from keras_convnets.evaluation import MultiLabelEvaluation
from keras_convnets.evaluation.score_histogram import LEAST_POSITIVES
from keras_convnets.training.page import left_out, picture, share, table

ABOUT_CURVES = """ Both are sums over classes. The F1 of an epoch is that at the thresholds which
were the best on its validation images."""
LISTED = 200  # rows of a table
# What the title of a picture has room for: labels, and characters in a line.
NAMED = 3
TITLE_WIDTH = 22


def headline(scores: MultiLabelEvaluation, split_name: str) -> str:
    """Returns the figures in one large line and a small one."""
    return (
        f'<p class="big">MAP@100 {scores.map_at_100:.1%} on {scores.n:,} {split_name} images</p>\n'
        f"<p>Mean average precision of the classes {share(scores.macro_average_precision)}; at the "
        f"thresholds F1 {share(scores.micro_f1)} over all labels and {share(scores.macro_f1)} in "
        f"the mean of the classes. The best class of {scores.top1:.1%} of the images is among "
        f"their labels. Binary cross-entropy {scores.loss:.4f} nats an image.</p>"
    )


def sections(
    scores: MultiLabelEvaluation,
    classes: Sequence[str],
    split: Split,
    split_name: str,
    chosen: np.ndarray,
    probabilities: np.ndarray,
) -> str:
    """Returns what was predicted, as HTML.

    Args:
        scores: of the evaluated images, at thresholds.
        classes: names of the classes.
        split: the images.
        split_name: its name.
        chosen: numbers of images to show.
        probabilities: (chosen, classes) of these images.
    """
    grid = picture(
        _grid(scores, classes, split, chosen, probabilities),
        f"{split_name} images with predicted and true labels",
    )
    caution = (
        " The images of this report are the validation images, for there are no others; new images "
        "will score a little less."
        if split_name == "validation"
        else ""
    )
    return f"""<h2>Classes ({split_name} images)</h2>
{_by_class(scores, classes)}
<p>An image is given a label if its probability is at least the threshold of the class. Thresholds
were chosen on the validation images, for the greatest F1, from probabilities whose log-odds were
rounded to 1/16; classes that fewer than {LEAST_POSITIVES} of these images have share the one that
is best for all labels together.{caution}</p>
<h2>Some {split_name} images</h2>
{grid}
<p>Drawn at random: the labels that are given, the most probable first; in pink where those of the
image are others.</p>"""


def _by_class(scores: MultiLabelEvaluation, classes: Sequence[str]) -> str:
    rows = [
        (
            score.f1 or 0,
            [
                name,
                f"{score.n:,}",
                f"{score.threshold:.3g}",
                *map(share, (score.precision, score.recall, score.f1, score.average_precision)),
            ],
        )
        for name, score in zip(classes, scores.by_class, strict=True)
        if score.n
    ]
    worst = [cells for _, cells in sorted(rows, key=lambda row: row[0])[:LISTED]]
    missing = len(classes) - len(rows)
    absent = f" Classes that none of these images has: {missing:,}." if missing else ""
    header = ["class", "images", "threshold", "precision", "recall", "F1", "average precision"]
    return table(header, worst) + (
        "<p>The worst F1 first. Precision: how many of those that were given the label have it; "
        "recall: how many of those that have it were given it; average precision: over all "
        f"thresholds.{left_out(len(rows), len(worst), 'classes')}{absent}</p>"
    )


def _grid(
    scores: MultiLabelEvaluation,
    classes: Sequence[str],
    split: Split,
    chosen: np.ndarray,
    probabilities: np.ndarray,
) -> plots.Picture:
    titles, are_right = [], []
    for i, row in zip(chosen, probabilities, strict=True):
        order = np.argsort(-row, kind="stable")
        given = order[row[order] >= scores.thresholds[order]]
        true = split.labels[i]
        is_right = set(given.tolist()) == set(true.tolist())
        title = _named(given, classes)
        titles.append(title if is_right else f"{title}\nis {_named(true, classes)}")
        are_right.append(is_right)
    return plots.image_grid([split.image(i) for i in chosen], titles, are_right)


def _named(labels: np.ndarray, classes: Sequence[str]) -> str:
    names = [classes[i] for i in labels[:NAMED]]
    more = [f"+{len(labels) - NAMED}"] if len(labels) > NAMED else []
    return textwrap.fill(", ".join([*names, *more]) or "no label", TITLE_WIDTH)
