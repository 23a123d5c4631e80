"""Results as JSON, predictions as a file, and pictures."""

import csv
import dataclasses
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_convnets.analysis.plots import Picture, confusion_matrix
from keras_convnets.data import LabelSets
from keras_convnets.errors import InputError
from keras_convnets.evaluation.calibration import Calibration
from keras_convnets.evaluation.imagenet import real_scores
from keras_convnets.evaluation.multi_label import MultiLabelEvaluation
from keras_convnets.evaluation.prediction import Result
from keras_convnets.evaluation.scores import Evaluation
from keras_convnets.files import check_writable, replacing, write_json

SUFFIXES = (".csv", ".npz")

# A picture of more classes shows nothing.
MOST_CLASSES_DRAWN = 200


def to_json(
    result: Result,
    classes: Sequence[str],
    truths: Sequence[frozenset[int]] | None = None,
) -> dict[str, Any]:
    """Returns all that is known of a result, for JSON.

    Args:
        result: from an evaluation.
        classes: names of the classes.
        truths: the real labels of each image, or `None`.

    Returns:
        A dictionary; what is not a number is `None`, and the confusion matrix is a list of
        [true class, predicted class, images] of its entries above 0. Where images may have several
        labels there is neither this nor calibration.
    """
    scores = result.scores
    fields = {
        **scores.figures,
        "models": list(result.members),
        "protocol": result.protocol.name,
    }
    is_multi_label = isinstance(scores, MultiLabelEvaluation)
    by_class = scores.by_class if is_multi_label else scores.by_class(len(classes))
    fields["classes"] = [
        {"name": name, **dataclasses.asdict(score)}
        for name, score in zip(classes, by_class, strict=True)
    ]
    if is_multi_label:
        return _finite(fields)
    fields |= {
        "top1_interval": list(scores.top1_interval),
        "top5_interval": list(scores.top5_interval),
        "calibration": dataclasses.asdict(scores.calibration),
        "confusion": [
            [classes[true], classes[called], count]
            for true, called, count in scores.confusions(len(classes)).tolist()
        ],
    }
    if truths is not None:
        real = real_scores(scores, truths)
        interval = {"top1_interval": list(real.top1_interval)}
        fields["real"] = dataclasses.asdict(real) | interval
    return _finite(fields)


def check_predictions(path: str | os.PathLike) -> None:
    """Makes sure that predictions can be written to a file, before there is work to lose.

    Raises:
        InputError: if they can't.
    """
    path = Path(path)
    if path.suffix not in SUFFIXES:
        raise InputError(
            f"Predictions are written to a file that ends in one of {', '.join(SUFFIXES)}. "
            f"Received: {str(path)!r}"
        )
    if path.is_dir():
        raise InputError(f"Predictions are written to a file. Received: the folder {str(path)!r}")
    check_writable(path.parent)


def write_predictions(
    path: str | os.PathLike,
    scores: Evaluation | MultiLabelEvaluation,
    labels: np.ndarray | LabelSets,
    classes: Sequence[str],
    images: Sequence[str],
) -> None:
    """Writes the best classes of each image with their probabilities, whole or not at all.

    They are 5, or 100 where an image may have several labels; fewer if there are fewer classes.

    Args:
        path: `.csv`, of names; or `.npz`, of the arrays `images`, `labels`, `best`,
            `probabilities` and `classes`, where the labels and the best are indices. Several labels
            of images stand in a row, those of image i from `offsets[i]` to `offsets[i + 1]`, and
            `thresholds` has that of each class. In `.csv` they stand in one cell, with semicolons
            between, and `given` has those of the best classes that reach their thresholds.
        scores: what was predicted, with the best classes.
        labels: (n,) true classes, or labels.
        classes: names of the classes.
        images: what each image is called.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    write = _write_arrays if path.suffix == ".npz" else _write_rows
    with replacing(path) as temporary:
        write(temporary, scores, labels, classes, images)


def _write_arrays(
    path: Path,
    scores: Evaluation | MultiLabelEvaluation,
    labels: np.ndarray | LabelSets,
    classes: Sequence[str],
    images: Sequence[str],
) -> None:
    arrays = {"labels": labels}
    if isinstance(labels, LabelSets):
        offsets, thresholds = labels.offsets, scores.thresholds
        arrays = {"labels": labels.values, "offsets": offsets, "thresholds": thresholds}
    np.savez_compressed(
        path,
        images=np.array(images, np.str_),
        best=scores.best,
        probabilities=scores.probabilities,
        classes=np.array(classes, np.str_),
        **arrays,
    )


def _write_rows(
    path: Path,
    scores: Evaluation | MultiLabelEvaluation,
    labels: np.ndarray | LabelSets,
    classes: Sequence[str],
    images: Sequence[str],
) -> None:
    is_multi_label = isinstance(labels, LabelSets)
    places = range(1, scores.best.shape[1] + 1)
    columns = [name for i in places for name in (f"class{i}", f"probability{i}")]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "true", *(["given"] if is_multi_label else []), *columns])
        for image, label, best, probabilities in zip(
            images, labels, scores.best, scores.probabilities, strict=True
        ):
            if is_multi_label:
                given = best[probabilities >= scores.thresholds[best]]
                known = [";".join(classes[i] for i in found) for found in (label, given)]
            else:
                known = [classes[label]]
            pairs = zip(best, probabilities, strict=True)
            cells = [cell for i, share in pairs for cell in (classes[i], f"{share:.6g}")]
            writer.writerow([image, *known, *cells])


def check_folder(out: str | os.PathLike) -> None:
    """Makes sure that a folder for results can be made, before there is work to lose.

    Raises:
        InputError: if it can't.
    """
    if Path(out).exists() and not Path(out).is_dir():
        raise InputError(f"Results are written to a folder. Received: the file {str(out)!r}")
    check_writable(out)


def write_folder(
    out: str | os.PathLike,
    scores: Evaluation | MultiLabelEvaluation,
    classes: Sequence[str],
    fields: dict[str, Any],
) -> None:
    """Writes evaluation.json, calibration.png and, of not too many classes, confusion.png.

    Where images may have several labels there are no pictures.

    Args:
        out: the folder.
        scores: of one result.
        classes: names of the classes.
        fields: what becomes evaluation.json.
    """
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / "evaluation.json", fields)
    if isinstance(scores, MultiLabelEvaluation):
        return
    pictures = {"calibration.png": reliability_diagram(scores.calibration)}
    if len(classes) <= MOST_CLASSES_DRAWN:
        matrix = scores.confusion(len(classes))
        pictures["confusion.png"] = confusion_matrix(matrix, classes)
    for name, picture in pictures.items():
        with replacing(out / name) as temporary:
            temporary.write_bytes(picture.png())


def reliability_diagram(calibration: Calibration) -> Picture:
    """Draws the accuracy of images against their confidence, and how many there are."""
    figure = Picture(figsize=(5.5, 6.5), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    bins = calibration.bins
    options = {"width": bins[0].high, "align": "edge", "edgecolor": "white"}
    starts = [part.low for part in bins]
    upper.bar(starts, [part.accuracy or 0 for part in bins], label="accuracy", **options)
    filled = [part for part in bins if part.n]
    upper.plot(
        [part.confidence for part in filled],
        [part.accuracy for part in filled],
        "o",
        color="black",
        label="mean confidence",
    )
    upper.plot([0, 1], [0, 1], "--", color="gray", label="as sure as right")
    upper.set_ylabel("accuracy")
    upper.set_title(f"expected calibration error {calibration.error:.1%}")
    upper.legend(loc="upper left")
    lower.bar(starts, [part.n for part in bins], **options)
    lower.set_xlabel("confidence")
    lower.set_ylabel("images")
    return figure


def _finite(value: Any) -> Any:
    """JSON has no word for what is not a number."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
