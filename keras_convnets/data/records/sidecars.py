"""What is known of a shard without reading its images: a small file beside it."""

import dataclasses
import os
from pathlib import Path

import numpy as np

from keras_convnets.data.records.framing import FRAME
from keras_convnets.files import replacing

_ARRAYS = {"offsets": "<i8", "lengths": "<i8", "labels": "<i8", "label_counts": "<i4"}
_NAMES = "named_labels", "names"


@dataclasses.dataclass(frozen=True, eq=False)
class Sidecar:
    """Where the n records of a shard are, and their labels.

    Attributes:
        offsets: (n,) int64, bytes from the beginning of the shard to each record.
        lengths: (n,) int64, bytes of the content of each record.
        labels: (m,) int64, the labels of all records in a row, as their writer counted them.
        label_counts: (n,) int32, how many of them each record has.
        names: of classes, by label, if the records have them.
    """

    offsets: np.ndarray
    lengths: np.ndarray
    labels: np.ndarray
    label_counts: np.ndarray
    names: dict[int, str] = dataclasses.field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.offsets)

    def fits(self, size: int) -> bool:
        """Whether the records follow each other from the beginning to the end of a shard.

        Args:
            size: bytes of the shard.
        """
        if not len(self) == len(self.lengths) == len(self.label_counts):
            return False
        if self.label_counts.min(initial=0) < 0 or self.label_counts.sum() != len(self.labels):
            return False
        # Sums of lengths in this range don't overflow.
        if self.lengths.min(initial=0) < 0 or self.lengths.max(initial=0) > size:
            return False
        ends = np.cumsum(self.lengths + FRAME)
        starts = np.concatenate([[0], ends])
        return starts[-1] == size and np.array_equal(starts[:-1], self.offsets)


def sidecar_path(shard: Path) -> Path:
    """Where the sidecar of a shard is."""
    return shard.with_name(f"{shard.name}.npz")


def write_sidecar(shard: Path, sidecar: Sidecar) -> None:
    """Writes the sidecar of a shard, whole or not at all.

    Raises:
        OSError: if the folder can't be written to.
    """
    arrays = {name: getattr(sidecar, name).astype(kind) for name, kind in _ARRAYS.items()}
    if sidecar.names:
        numbers = np.array(list(sidecar.names), np.int64)
        arrays |= dict(zip(_NAMES, (numbers, np.array(list(sidecar.names.values()))), strict=True))
    with replacing(sidecar_path(shard)) as temporary:
        np.savez(temporary, **arrays)


def read_sidecar(shard: Path, *, is_cache: bool) -> Sidecar | None:
    """Reads the sidecar of a shard.

    Args:
        shard: the shard.
        is_cache: whether a sidecar that is older than its shard counts as none. Of shards that
            have an index the order in which they were copied says nothing.

    Returns:
        `None` if there is none that belongs to the shard as it is.
    """
    path = sidecar_path(shard)
    try:
        about = os.stat(shard)
        if is_cache and os.stat(path).st_mtime_ns < about.st_mtime_ns:
            return None
        with np.load(path, allow_pickle=False) as content:
            arrays = {name: _row(content[name], kind) for name, kind in _ARRAYS.items()}
            names = {}
            if _NAMES[0] in content:
                numbers, texts = (_row(content[name], "iU"[i]) for i, name in enumerate(_NAMES))
                names = dict(zip(numbers.tolist(), texts.tolist(), strict=True))
    except Exception:  # NumPy raises errors of any kind for damaged files
        return None
    sidecar = Sidecar(**arrays, names=names)
    return sidecar if sidecar.fits(about.st_size) else None


def _row(array: np.ndarray | bytes, kind: str) -> np.ndarray:
    """A one-dimensional array of a type or a kind of types; what is no array is given as bytes."""
    if not isinstance(array, np.ndarray) or array.ndim != 1:
        raise ValueError("no row")
    if kind not in (array.dtype.str, array.dtype.kind):
        raise ValueError(f"not of {kind}")
    return array
