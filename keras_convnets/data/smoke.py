"""A few of the embedded images, to see within seconds whether a recipe runs and learns."""

import numpy as np

from keras_convnets.data.image_set import ImageSet
from keras_convnets.data.labels import LabelSets
from keras_convnets.data.splits import Split

# Things that nobody takes for each other. In grey there are all ten, for LeNet-5 wants as many.
CLASSES = ("Trouser", "Pullover", "Sneaker", "Bag")
# What else they are, for images with several labels.
_KINDS = {"Trouser": ("clothing",), "Pullover": ("clothing", "sleeves"), "Sneaker": ("pair",)}
LABELS = (*CLASSES, "clothing", "sleeves", "pair")

SMOKE_SETS = ("smoke_grey", "smoke_rgb", "smoke_labels")

# Images by split.
_COUNTS = {"train": 64, "validation": 32, "test": 32}


def load_smoke(name: str, embedded: ImageSet) -> ImageSet:
    """Returns 64 training, 32 validation and 32 test images.

    Args:
        name: "smoke_grey", of ten classes; "smoke_rgb", of four, with three equal channels for nets
            of coloured images; or "smoke_labels", likewise with one to three labels an image.
        embedded: the embedded set.
    """
    channels, has_sets = (1 if name == "smoke_grey" else 3), name == "smoke_labels"
    classes = embedded.classes if channels == 1 else CLASSES
    wanted = [embedded.classes.index(title) for title in classes]
    splits = {}
    for part, source, first in (
        ("train", embedded.train, 0),
        ("validation", embedded.train, _COUNTS["train"]),
        ("test", embedded.test, 0),
    ):
        rows = np.flatnonzero(np.isin(source.labels, wanted))[first:][: _COUNTS[part]]
        labels = np.array([wanted.index(label) for label in source.labels[rows]])
        images = np.repeat(source.images[rows], channels, axis=-1)
        splits[part] = Split(_sets(labels) if has_sets else labels, images=images)
    return ImageSet(name, LABELS if has_sets else classes, channels, **splits)


def _sets(labels: np.ndarray) -> LabelSets:
    """The class of each image, and what else it is."""
    kinds = [[LABELS.index(kind) for kind in _KINDS.get(title, ())] for title in CLASSES]
    return LabelSets.of([[label, *kinds[label]] for label in labels])
