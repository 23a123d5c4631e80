"""Which images of a split are evaluated, and what is right for each."""

import dataclasses
import os
from collections.abc import Callable, Sequence

import numpy as np

from keras_convnets.data import Fault, LabelSets, Split, decode_once
from keras_convnets.data.decoding import find_faults
from keras_convnets.errors import InputError
from keras_convnets.evaluation import imagenet
from keras_convnets.evaluation.classes import Alignment, ClassNames
from keras_convnets.evaluation.prediction import Member
from keras_convnets.evaluation.protocols import CenterCrop, Protocol


@dataclasses.dataclass(frozen=True)
class Selection:
    """Images to evaluate.

    Attributes:
        split: the images.
        labels: (n,) the true class of each among the classes in question, or its labels.
        names: what each is called: its file, or its place in the data.
        truths: the real labels of each, or `None`.
    """

    split: Split
    labels: np.ndarray | LabelSets
    names: tuple[str, ...]
    truths: tuple[frozenset[int], ...] | None

    def take(self, places: np.ndarray) -> "Selection":
        """Returns the images at these places."""
        return Selection(
            self.split.take(places),
            self.labels.take(places),
            tuple(self.names[i] for i in places),
            None if self.truths is None else tuple(self.truths[i] for i in places),
        )

    def readable(
        self,
        members: Sequence[Member],
        protocols: Sequence[Protocol],
        on_image: Callable[[], None] = lambda: None,
    ) -> "tuple[Selection, list[Fault]]":
        """Decodes each file; for one net's central crop the images are kept where they fit.

        Args:
            members: the nets.
            protocols: what they are shown.
            on_image: called after each file, to show progress.

        Returns:
            The images that can be read, and the files that can't.
        """
        if self.split.encoded is None:
            return self, []
        names = list(self.split.names)
        decoded = None
        if len(members) == len(protocols) == 1 and isinstance(protocols[0], CenterCrop):
            preprocessing = protocols[0].of(members[0].preprocessing)
            decoded, faults = decode_once(self.split, preprocessing, (), on_image)
        else:
            faults = find_faults(self.split.encoded, on_image)
        bad = {fault.file for fault in faults}
        good = self.take(np.array([i for i, name in enumerate(names) if name not in bad], int))
        return (good if decoded is None else dataclasses.replace(good, split=decoded)), faults


def select(
    split: Split,
    aligned: Alignment,
    *,
    skipped: int = 0,
    blacklist: str | os.PathLike | None = None,
    real_labels: str | os.PathLike | None = None,
) -> Selection:
    """Returns the images of a split, with what ImageNet's own files say of them.

    Args:
        split: labelled images.
        aligned: the classes.
        skipped: how many other images can't be read.
        blacklist: file of the validation images to leave out, or `None`.
        real_labels: file of reassessed labels, or `None`.

    Raises:
        InputError: if a file can't be used, does not go with the images, or leaves none.
    """
    if real_labels is not None and not ClassNames(aligned.names, "the model").are_imagenet:
        raise InputError(
            "Real labels are for models with all the 1,000 classes of ImageNet. "
            f"Received: {len(aligned.names):,} classes, such as {aligned.names[0]!r}"
        )
    names = range(len(split)) if split.encoded is None else split.names
    whole = Selection(split, aligned.of(split.labels), tuple(map(str, names)), None)
    if blacklist is None and real_labels is None:
        return whole
    numbers = imagenet.validation_numbers(split, skipped)
    if real_labels is not None:
        truths = imagenet.read_real_labels(real_labels, numbers)
        whole = dataclasses.replace(whole, truths=tuple(truths))
    kept = np.arange(len(split))
    if blacklist is not None:
        kept = kept[~np.isin(numbers, list(imagenet.read_blacklist(blacklist)))]
    selection = whole.take(kept)
    if not len(kept):
        raise InputError(f"The blacklist {os.fspath(blacklist or '')!r} leaves no image.")
    if selection.truths is not None and not any(selection.truths):
        raise InputError(f"{os.fspath(real_labels or '')!r} has no label for any of the images.")
    return selection
