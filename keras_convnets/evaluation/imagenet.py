"""What belongs to the validation images of ILSVRC-2012 alone: a blacklist, and better labels."""

import dataclasses
import os
import re
from collections.abc import Sequence

import numpy as np

from keras_convnets.data import Split
from keras_convnets.data.encoded import Files
from keras_convnets.errors import InputError
from keras_convnets.evaluation.calibration import wilson_interval
from keras_convnets.evaluation.classes import read_lines
from keras_convnets.evaluation.scores import Evaluation
from keras_convnets.files import read_json

CLASSES = 1000


def validation_numbers(split: Split, skipped: int = 0) -> np.ndarray:
    """Returns the numbers, from 1, of validation images.

    They stand in the names `ILSVRC2012_val_00000001.JPEG`; if none is named so, they are the places
    in the order of the names.

    Args:
        split: all validation images that can be read.
        skipped: how many others can't be.

    Raises:
        InputError: if the images are no files, or can't be numbered.
    """
    if not isinstance(split.encoded, Files):
        raise InputError(
            "A blacklist and real labels go with the validation images of ImageNet; this data has "
            "no files."
        )
    files = split.encoded.paths
    found = [re.search(r"ILSVRC2012_val_(\d{8})", file.name) for file in files]
    if all(found):
        return np.array([int(match.group(1)) for match in found if match])
    other = next(file for file, match in zip(files, found, strict=True) if not match)
    if any(found) or skipped:
        raise InputError(
            "All files should be named like ILSVRC2012_val_00000001.JPEG, or none, and then each "
            f"should be readable, for they are numbered by their order. Received: {other.name!r}"
            + (f", and {skipped} files that can't be read" if skipped else "")
        )
    numbers = np.empty(len(split), np.int64)
    numbers[np.argsort([file.name for file in files], kind="stable")] = np.arange(len(split))
    return numbers + 1


def read_blacklist(path: str | os.PathLike) -> frozenset[int]:
    """Reads the numbers, from 1, of the validation images that are left out.

    Args:
        path: ILSVRC2014_clsloc_validation_blacklist.txt, which has one on each line. The
            single-crop figures of Inception-v3 and Xception leave its images out.

    Raises:
        InputError: if it is no such file.
    """
    lines = read_lines(path)
    bad = [line for line in lines if not line.isdecimal() or int(line) < 1]
    if bad or not lines:
        raise InputError(
            f"The blacklist {str(path)!r} should have the number of a validation image, from 1, on "
            f"each line. Received: {bad[0] if bad else 'an empty file'!r}"
        )
    return frozenset(map(int, lines))


def read_real_labels(path: str | os.PathLike, numbers: np.ndarray) -> list[frozenset[int]]:
    """Reads the reassessed labels of validation images (Beyer et al. 2020, arXiv 2006.07159).

    An image may show several things: it is right to name any of them. One without labels, in
    which the raters found none that fits, is left out.

    Args:
        path: `real.json` of google-research/reassessed-imagenet, or timm's copy of it: a list of
            lists of indices into the 1,000 classes, one for each of the validation images.
        numbers: of validation images, from 1.

    Returns:
        For each of these images its labels.

    Raises:
        InputError: if it is no such file, or has no entry for an image.
    """
    rows = read_json(path)
    if not _is_lists_of_labels(rows):
        raise InputError(
            f"The real labels {str(path)!r} should be a JSON list of lists of numbers from 0 to "
            f"{CLASSES - 1}, one list for each validation image."
        )
    if int(numbers.max()) > len(rows) or int(numbers.min()) < 1:
        raise InputError(
            f"The real labels {str(path)!r} are those of {len(rows):,} images. "
            f"Received: the validation image number {int(numbers.max()):,}"
        )
    return [frozenset(rows[number - 1]) for number in numbers]


@dataclasses.dataclass(frozen=True)
class RealScores:
    """Scores by reassessed labels.

    Attributes:
        n: number of images that have such labels.
        top1: share of them whose best class is one of their labels.
        top5: share of them that have a label among the best five classes; the paper has no such
            figure.
    """

    n: int
    top1: float
    top5: float

    @property
    def top1_interval(self) -> tuple[float, float]:
        """The 95 % confidence interval of `top1`."""
        return wilson_interval(round(self.top1 * self.n), self.n)


def real_scores(scores: Evaluation, truths: Sequence[frozenset[int]]) -> RealScores:
    """Scores an evaluation anew.

    Args:
        scores: of a net with the 1,000 classes.
        truths: for each image its labels.

    Raises:
        InputError: if no image has a label.
    """
    best = np.where(np.isnan(scores.probabilities), -1, scores.best).tolist()
    hits = [
        [name in truth for name in row] for row, truth in zip(best, truths, strict=True) if truth
    ]
    if not hits:
        raise InputError("No image has a real label.")
    is_right = np.array(hits)
    return RealScores(len(hits), float(is_right[:, 0].mean()), float(is_right.any(axis=1).mean()))


def _is_lists_of_labels(rows: object) -> bool:
    return isinstance(rows, list) and all(
        isinstance(row, list) and all(type(label) is int and 0 <= label < CLASSES for label in row)
        for row in rows
    )
