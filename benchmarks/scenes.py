"""Small pictures with many labels, made one at a time: a coloured garment before a photograph.

What is in a picture decides its labels, so that there is something to learn. Each class has a
direction in the space of whitened 4 x 4 thumbnails, and the pictures that lie farthest along it;
how many, falls with the rank of the class as Zipf has it.
"""

import io
from collections.abc import Iterator, Sequence

import numpy as np
import PIL.Image

from keras_convnets.data import LabelSets

SIDE, THUMBNAIL = 64, 4
QUALITY = 90  # of the JPEG files
COMMONEST = 0.5  # the share of pictures that have the first class
_CLASSES_AT_ONCE = 128


class Scenes:
    """What `records.write` asks of encoded images, which are made whenever they are read.

    Args:
        photos: to cut the background from.
        garments: (n, height, width) uint8, grey before black.
        count: how many pictures.
        seed: fixes them, each with its number.
    """

    def __init__(
        self, photos: Sequence[PIL.Image.Image], garments: np.ndarray, count: int, seed: int
    ):
        self._photos, self._garments, self._seed = tuple(photos), garments, seed
        self._sizes = np.zeros(count, np.int32)
        self.thumbnails = np.zeros((count, 3 * THUMBNAIL**2), np.float32)
        for i in range(count):
            picture = self._draw(i)
            self.thumbnails[i] = np.asarray(
                picture.resize((THUMBNAIL, THUMBNAIL), PIL.Image.BOX)
            ).reshape(-1)
            self._sizes[i] = len(_encode(picture))

    def __len__(self) -> int:
        return len(self._sizes)

    def read(self, index: int) -> bytes:
        """Returns the JPEG file of one."""
        return _encode(self._draw(index))

    def size(self, index: int) -> int:
        """Returns how many bytes it has."""
        return int(self._sizes[index])

    def name(self, index: int) -> str:
        """Returns what it is called."""
        return f"{index:07}.jpg"

    def identity(self) -> Iterator[bytes]:
        """Gives what tells these pictures from others."""
        yield self._sizes.tobytes()

    def _draw(self, index: int) -> PIL.Image.Image:
        rng = np.random.default_rng([self._seed, index])
        photo = self._photos[rng.integers(len(self._photos))]
        side = rng.integers(SIDE, min(photo.size) + 1)
        x, y = (rng.integers(0, length - side + 1) for length in photo.size)
        picture = photo.resize((SIDE, SIDE), PIL.Image.BILINEAR, (x, y, x + side, y + side))
        size = int(rng.integers(SIDE // 2, SIDE + 1))
        garment = self._garments[index % len(self._garments)]
        mask = PIL.Image.fromarray(garment).resize((size, size), PIL.Image.BILINEAR)
        place = tuple(rng.integers(0, SIDE - size + 1, 2).tolist())
        picture.paste(tuple(rng.integers(0, 256, 3).tolist()), place, mask)
        return picture


def _encode(picture: PIL.Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=QUALITY)
    return file.getvalue()


def label_sets(features: np.ndarray, classes: int, seed: int) -> LabelSets:
    """Gives each class the pictures that lie farthest along its direction.

    Args:
        features: (n, d) float32 of the pictures.
        classes: how many there are.
        seed: fixes the directions.
    """
    centered = features - features.mean(axis=0)
    variances, axes = np.linalg.eigh(centered.T @ centered / len(centered))
    white = (centered @ axes / np.sqrt(variances)).T
    white /= np.linalg.norm(white, axis=0)  # or else a few odd pictures would have most labels
    directions = np.random.default_rng(seed).standard_normal((classes, len(white)), np.float32)
    ranks = np.arange(1, classes + 1)
    counts = np.maximum(1, np.round(COMMONEST * len(features) / ranks).astype(np.int64))
    owners = []
    for begin in range(0, classes, _CLASSES_AT_ONCE):
        scores = directions[begin : begin + _CLASSES_AT_ONCE] @ white
        for row, count in zip(scores, counts[begin:], strict=False):
            # A copy, for a view would keep the whole row.
            owners.append(np.argpartition(row, -count)[-count:].copy())
    pictures, labels = np.concatenate(owners), np.repeat(np.arange(classes), counts)
    order = np.argsort(pictures, kind="stable")
    return LabelSets.of_counts(labels[order], np.bincount(pictures, minlength=len(features)))
