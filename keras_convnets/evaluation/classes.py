"""Which output of a model means which class of the data."""

import collections
import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from keras_convnets.data import LabelSets
from keras_convnets.errors import InputError
from keras_convnets.imagenet_utils import class_names

# Names that an error lists.
_LISTED = 3


class ClassNames:
    """Finds classes by their names; those of ImageNet have their WordNet ids as names, too.

    Args:
        names: names of the classes, in the order of a model's outputs.
        owner: what has them, as errors shall call it.
    """

    def __init__(self, names: Sequence[str], owner: str):
        self.names = tuple(names)
        self._owner = owner
        self._indices: dict[str, set[int]] = collections.defaultdict(set)
        ids, lemmas = zip(*class_names(), strict=True)
        self.are_imagenet = self.names in (ids, lemmas)
        for aliases in (ids, lemmas) if self.are_imagenet else (self.names,):
            for index, name in enumerate(aliases):
                self._indices[name].add(index)

    def __len__(self) -> int:
        return len(self.names)

    def __contains__(self, name: str) -> bool:
        return name in self._indices

    def find(self, names: Sequence[str], source: str) -> np.ndarray:
        """Returns the index of each of some names.

        Args:
            names: names of classes; for ImageNet's either names or WordNet ids.
            source: where they are from, as errors shall call it.

        Raises:
            InputError: if one is unknown, stands for two classes, or is there twice.
        """
        unknown = [name for name in names if name not in self]
        if unknown:
            raise InputError(
                f"{source} has classes that {self._owner} lacks: {_listed(unknown)}. The first of "
                f"its {len(self):,} classes are {_listed(self.names)}."
            )
        double = [name for name in names if len(self._indices[name]) > 1]
        if double:
            raise InputError(
                f"{source} has names that stand for two classes of {self._owner}; ImageNet's have "
                f"their WordNet ids. Received: {_listed(double)}"
            )
        indices = np.array([next(iter(self._indices[name])) for name in names], np.int64)
        if len(set(indices.tolist())) < len(indices):
            counts = np.bincount(indices)
            again = [self.names[i] for i in np.flatnonzero(counts > 1)]
            raise InputError(f"{source} has a class twice: {_listed(again)}.")
        return indices


def match(model: ClassNames, model_name: str, classes: Sequence[str], data: str) -> np.ndarray:
    """Returns the output of a model that means each class of the data.

    The data may have fewer classes than the model, which is then wrong whenever it predicts
    another; and its classes may stand in another order.

    Args:
        model: the model's classes.
        model_name: what the user called the model.
        classes: those of the data.
        data: what the user called the data.

    Raises:
        InputError: if the data has a class that the model lacks.
    """
    if tuple(classes) == model.names:
        return np.arange(len(model))
    if all(name in model for name in classes):
        return model.find(classes, f"The data {data!r}")
    if len(classes) != len(model):
        raise InputError(
            f"The model {model_name!r} has {len(model)} classes, and the data {data!r} has "
            f"{len(classes)}; they should be equal, or the data's among the model's."
        )
    raise InputError(
        f"The model {model_name!r} and the data {data!r} have other classes: the model's first are "
        f"{_listed(model.names)}, the data's {_listed(classes)}."
    )


@dataclasses.dataclass(frozen=True)
class Alignment:
    """How the classes of models and data go together.

    Attributes:
        names: of the classes in question.
        labels: the class in question that each class of the data is.
        columns: for each model the outputs that are these classes; `None` for all, in their order.
    """

    names: tuple[str, ...]
    labels: np.ndarray
    columns: tuple[np.ndarray | None, ...]

    def of(self, labels: np.ndarray | LabelSets) -> np.ndarray | LabelSets:
        """Returns labels of the data as classes in question."""
        if isinstance(labels, LabelSets):
            return LabelSets(self.labels[labels.values], labels.offsets)
        return self.labels[labels]


def align(
    models: Sequence[tuple[str, Sequence[str]]],
    data: str,
    classes: Sequence[str],
    restriction: str | os.PathLike | None = None,
) -> Alignment:
    """Brings classes in line, by their names.

    Args:
        models: what the user called each model, and its classes.
        data: what the user called the data.
        classes: those of the data.
        restriction: a file of the classes in question; those of the first model if `None`.

    Raises:
        InputError: if classes lack.
    """
    sources = [ClassNames(names, f"the model {name!r}") for name, names in models]
    first = sources[0]
    labels = match(first, models[0][0], classes, data)
    if restriction is None:
        columns = tuple(_columns_like(first, other, models) for other in sources)
        return Alignment(first.names, labels, columns)
    chosen = read_classes(restriction)
    columns = tuple(source.find(chosen, f"The file {str(restriction)!r}") for source in sources)
    places = {output: place for place, output in enumerate(columns[0].tolist())}
    left_out = [classes[i] for i, output in enumerate(labels.tolist()) if output not in places]
    if left_out:
        raise InputError(
            f"The file {str(restriction)!r} leaves out classes of the data {data!r}: "
            f"{_listed(left_out)}."
        )
    names = tuple(first.names[i] for i in columns[0])
    return Alignment(names, np.array([places[i] for i in labels.tolist()]), columns)


def _columns_like(
    first: ClassNames, other: ClassNames, models: Sequence[tuple[str, Sequence[str]]]
) -> np.ndarray | None:
    if other.names == first.names or (other.are_imagenet and first.are_imagenet):
        return None
    if len(other) == len(first) and all(name in other for name in first.names):
        return other.find(first.names, f"The model {models[0][0]!r}")
    received = ", ".join(f"{name!r} with {len(names):,}" for name, names in models)
    raise InputError(
        "Models that are evaluated together should have the same classes; "
        f"`--restrict-classes FILE` names those to compare. Received: {received}"
    )


def read_classes(path: str | os.PathLike) -> list[str]:
    """Reads a file with the name or WordNet id of a class on each line; empty lines are skipped.

    Raises:
        InputError: if it can't be read or names fewer than two classes.
    """
    names = read_lines(path)
    if len(names) < 2:
        raise InputError(
            f"{str(path)!r} should name two classes at least, one a line. Received: {len(names)}"
        )
    return names


def read_lines(path: str | os.PathLike) -> list[str]:
    """Reads the lines of a text file that are not empty, without the blanks around them.

    Raises:
        InputError: if it can't be read.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The file {str(path)!r} can't be read: {error}.") from error
    return [line.strip() for line in lines if line.strip()]


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _LISTED:,} others" if len(names) > _LISTED else ""
    return ", ".join(map(str, names[:_LISTED])) + more
