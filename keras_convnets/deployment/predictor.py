"""From image files to named classes."""

import dataclasses
import os
from collections.abc import Iterable

import keras
import numpy as np

from keras_convnets.data import read_image
from keras_convnets.deployment.saved_model import find_model
from keras_convnets.errors import InputError

TOP = 5  # classes a file, unless more or fewer are asked for


@dataclasses.dataclass(frozen=True)
class Prediction:
    """What a model says of one file.

    Attributes:
        file: the file.
        classes: (class, probability), best first; empty if the file could not be read, or no label
            of several reaches its threshold.
        error: why it could not be read, or `None`.
    """

    file: str
    classes: tuple[tuple[str, float], ...]
    error: str | None = None


class Predictor:
    """A model that takes image files of any format, mode and size.

    Args:
        source: a run directory, a `.keras` file, or the name of public weights or of a net that has
            some.

    Example:

    >>> predictor = keras_convnets.deployment.Predictor("runs/photos")
    >>> predictor.predict(["cat.jpg"], top=1)
    [Prediction(file='cat.jpg', classes=(('cat', 0.93),), error=None)]
    """

    def __init__(self, source: str | os.PathLike):
        self.model, self.card = find_model(source)

    def predict(
        self, files: Iterable[str | os.PathLike], top: int | None = None, batch_size: int = 32
    ) -> list[Prediction]:
        """Classifies image files; one that can't be read gets an error and stops no other.

        Args:
            files: image files.
            top: int, how many classes a file; if `None` those whose thresholds it reaches where an
                image may have several, and else 5.
            batch_size: images to compute at once.
        """
        paths = [os.fspath(file) for file in files]
        predictions: list[Prediction] = []
        for start in range(0, len(paths), batch_size):
            predictions += self._predict_batch(paths[start : start + batch_size], top)
        return predictions

    def _predict_batch(self, paths: list[str], top: int | None) -> list[Prediction]:
        images, errors = {}, {}
        for path in paths:
            try:
                preprocessing = self.card.preprocessing
                image = read_image(path, preprocessing.channels, enough=2 * preprocessing.enough)
                images[path] = preprocessing(image)
            except InputError as error:
                errors[path] = str(error)
        rows = {}
        if images:
            batch = keras.ops.stack(list(images.values()))
            rows = dict(zip(images, self.model.predict_on_batch(batch), strict=True))
        return [
            Prediction(path, (), errors[path])
            if path in errors
            else Prediction(path, self._name(rows[path], top))
            for path in paths
        ]

    def _name(self, probabilities: np.ndarray, top: int | None) -> tuple[tuple[str, float], ...]:
        best = np.argsort(-probabilities, kind="stable")
        if top is None and self.card.multi_label:
            best = best[probabilities[best] >= np.array(self.card.thresholds)[best]]
        else:
            best = best[: TOP if top is None else top]
        return tuple((self.card.classes[i], float(probabilities[i])) for i in best)
