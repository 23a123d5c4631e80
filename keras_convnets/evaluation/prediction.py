"""Probabilities of one net or several under a protocol, and the scores that they give."""

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Sequence

import keras
import numpy as np

from keras_convnets.data import LabelSets, Split, evaluation_batches, naming_faults
from keras_convnets.evaluation.dense import dense_net
from keras_convnets.evaluation.multi_label import MultiLabelEvaluation, MultiLabelScorer
from keras_convnets.evaluation.protocols import CenterCrop, Protocol
from keras_convnets.evaluation.scores import Evaluation, Scorer
from keras_convnets.evaluation.views import read_ahead
from keras_convnets.imagenet_utils import preprocess_input
from keras_convnets.preprocessing import Preprocessing

# Probabilities of all nets that wait to be averaged, in bytes; scoring them takes a few times that.
MEMORY_LIMIT = 2**26


@dataclasses.dataclass(frozen=True)
class Member:
    """A classifier, alone or in an ensemble.

    Attributes:
        name: what the user called it.
        model: gives probabilities (n, its classes).
        preprocessing: how an image becomes its input.
        columns: which of its outputs are the classes in question, in their order; `None` for all.
            If they are fewer, their probabilities are scaled to a sum of 1, as a softmax over
            their logits alone would give.
        thresholds: if an image may have several labels, the probability of each class in question
            from which on an image is given it; `None` for those that turn out to be the best.
    """

    name: str
    model: keras.Model
    preprocessing: Preprocessing
    columns: np.ndarray | None = None
    thresholds: np.ndarray | None = None


@dataclasses.dataclass(frozen=True)
class Result:
    """What an evaluation found.

    Attributes:
        members: the names of the nets whose probabilities were averaged.
        protocol: what they were shown.
        scores: how good they are together.
    """

    members: tuple[str, ...]
    protocol: Protocol
    scores: Evaluation | MultiLabelEvaluation


class Evaluator:
    """Nets under protocols; each net sees each image once for each protocol.

    Args:
        members: nets with the same classes.
        protocols: what they are shown.

    Raises:
        InputError: if a protocol does not serve a net.

    Example:

    >>> from keras_convnets.evaluation import Evaluator, Member, TenCrops
    >>> model = keras_convnets.LeNet5(variant="modern")
    >>> preprocessing = keras_convnets.data.Preprocessing(32, 1, "lenet", crop=0.875)
    >>> evaluator = Evaluator([Member("LeNet-5", model, preprocessing)], [TenCrops()])
    >>> images = keras_convnets.data.load("fashion_mnist_6k").test.take(range(8))
    >>> [result] = evaluator.score(images)
    >>> result.scores.n
    8
    """

    def __init__(self, members: Sequence[Member], protocols: Sequence[Protocol]):
        self._members, self._protocols = tuple(members), tuple(protocols)
        self._runs = [[_Run(member, protocol) for member in members] for protocol in protocols]

    def score(
        self,
        split: Split,
        groups: Sequence[Sequence[int]] = ((0,),),
        *,
        labels: np.ndarray | LabelSets | None = None,
        batch_size: int = 64,
        on_image: Callable[[int], None] = lambda count: None,
        keep_best: bool = False,
    ) -> list[Result]:
        """Scores averages of nets.

        Where images may have several labels an ensemble gives them at the means of the thresholds
        of its nets.

        Args:
            split: images.
            groups: the nets of each ensemble, by their places.
            labels: (n,) the true class of each image, or its labels; those of the split if `None`.
            batch_size: views to compute at once.
            on_image: called with a number of images, of one net and protocol, to show progress.
            keep_best: whether the scores of images with several labels have the best classes of
                each, which take 800 bytes an image; those of images with one always have them.

        Returns:
            A result for each protocol and group, the groups of the first protocol first.

        Raises:
            InputError: if an image can't be read.
        """
        labels = split.labels if labels is None else labels
        scorers = [
            [self._scorer(group, labels, keep_best) for group in groups] for _ in self._protocols
        ]
        rows = max(1, MEMORY_LIMIT // (8 * len(self._members) * self._runs[0][0].classes))
        for start in range(0, len(split), rows):
            places = np.arange(start, min(start + rows, len(split)))
            part = split if len(places) == len(split) else split.take(places)
            for runs, own_scorers in zip(self._runs, scorers, strict=True):
                each = np.stack([run.predict(part, batch_size, on_image) for run in runs])
                for group, scorer in zip(groups, own_scorers, strict=True):
                    scorer.add(each[list(group)].mean(axis=0), labels.take(places))
        return [
            Result(tuple(self._members[i].name for i in group), protocol, scorer.result())
            for protocol, own_scorers in zip(self._protocols, scorers, strict=True)
            for group, scorer in zip(groups, own_scorers, strict=True)
        ]

    def _scorer(
        self, group: Sequence[int], labels: np.ndarray | LabelSets, keep_best: bool
    ) -> Scorer | MultiLabelScorer:
        if not isinstance(labels, LabelSets):
            return Scorer()
        own = [self._members[i].thresholds for i in group]
        thresholds = None if any(each is None for each in own) else np.mean(own, axis=0)
        return MultiLabelScorer(self._runs[0][0].classes, thresholds, keep_best)


class _Run:
    """A net under a protocol.

    Raises:
        InputError: if the protocol does not serve the net.
    """

    def __init__(self, member: Member, protocol: Protocol):
        self._member = member
        self._protocol = protocol
        protocol.scales(member.preprocessing)  # raises if there are none
        self._net = dense_net(member.model) if protocol.is_dense else member.model.predict_on_batch

    @property
    def classes(self) -> int:
        """Number of classes in question."""
        columns = self._member.columns
        return self._member.model.output_shape[-1] if columns is None else len(columns)

    def predict(self, split: Split, batch_size: int, on_image: Callable[[int], None]) -> np.ndarray:
        """Returns (images, classes) float64, averaged over what the protocol shows."""
        if isinstance(self._protocol, CenterCrop):
            return np.concatenate(list(self._of_centers(split, batch_size, on_image)))
        rows = self._of_shapes if self._protocol.is_dense else self._of_crops
        return np.stack(list(rows(split, batch_size, on_image)))

    def _of_centers(self, split, batch_size, on_image) -> Iterator[np.ndarray]:
        preprocessing = self._protocol.of(self._member.preprocessing)
        places = np.arange(len(split))  # the labels are known, and several are a large matrix
        numbered = dataclasses.replace(split, labels=places)
        with naming_faults():
            for images, numbers in evaluation_batches(numbered, preprocessing, batch_size):
                yield self._probabilities(images)
                on_image(len(numbers))

    def _of_shapes(self, split, batch_size, on_image) -> Iterator[np.ndarray]:
        """Whole images: one and its mirror image make a batch, for others have other shapes."""
        for arrays in read_ahead(split, self._protocol, self._member.preprocessing):
            yield np.concatenate([self._show(views) for views in arrays]).mean(axis=0)
            on_image(1)

    def _of_crops(self, split, batch_size, on_image) -> Iterator[np.ndarray]:
        """Crops: those of one image are in one batch, or fill several."""
        stream = read_ahead(split, self._protocol, self._member.preprocessing)
        for [first] in stream:
            others = itertools.islice(stream, max(0, batch_size // len(first) - 1))
            views = np.stack([first, *(views for [views] in others)])
            flat = views.reshape(-1, *first.shape[1:])
            parts = [self._show(flat[i : i + batch_size]) for i in range(0, len(flat), batch_size)]
            yield from np.concatenate(parts).reshape(*views.shape[:2], -1).mean(axis=1)
            on_image(len(views))

    def _show(self, views: np.ndarray) -> np.ndarray:
        """Probabilities (views, classes) of views (views, height, width, channels) uint8."""
        mode = self._member.preprocessing.mode
        images = preprocess_input(views.astype(np.float32), data_format="channels_last", mode=mode)
        return self._probabilities(images)

    def _probabilities(self, images) -> np.ndarray:
        columns = self._member.columns
        probabilities = np.asarray(self._net(images), np.float64)
        return probabilities if columns is None else restrict(probabilities, columns)


def restrict(probabilities: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Returns the probabilities of some classes, in a given order.

    Args:
        probabilities: (n, classes).
        columns: places of the classes. If they are not all, the result is what a softmax over
            their logits alone gives: their probabilities scaled to a sum of 1. Where all of them
            are too small for float32 they are equal.
    """
    chosen = probabilities[:, columns]
    if len(columns) == probabilities.shape[1]:
        return chosen
    total = chosen.sum(axis=1, keepdims=True)
    equal = np.full_like(chosen, 1 / len(columns))
    return np.divide(chosen, total, out=equal, where=total != 0)
