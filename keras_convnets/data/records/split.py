"""Records as data sets see them: places and labels, in arrays."""

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from keras_convnets.data.labels import LabelSets
from keras_convnets.data.records.scanning import RecordFault


@dataclasses.dataclass(frozen=True, eq=False)
class RecordSplit:
    """Where the n records of a split are, and their labels; some 30 bytes a record.

    Attributes:
        files: the shards.
        file_ids: (n,) int32, which of the shards each record is in.
        offsets: (n,) int64, bytes from the beginning of the shard to the record.
        lengths: (n,) int64, bytes of the record's content.
        labels: (n,) int64, indices into the classes; or n sets of them.
    """

    files: tuple[Path, ...]
    file_ids: np.ndarray
    offsets: np.ndarray
    lengths: np.ndarray
    labels: np.ndarray | LabelSets

    def __len__(self) -> int:
        return len(self.offsets)

    def take(self, indices: Sequence[int] | np.ndarray) -> "RecordSplit":
        """Returns the part of the split at these indices, in their order."""
        rows = (self.file_ids, self.offsets, self.lengths)
        is_multi_label = isinstance(self.labels, LabelSets)
        labels = self.labels.take(indices) if is_multi_label else self.labels[indices]
        return RecordSplit(self.files, *(row[indices] for row in rows), labels)

    def without(self, faults: Iterable[RecordFault]) -> "RecordSplit":
        """Returns the split without the records that `find_faults` found."""
        is_good = np.ones(len(self), bool)
        is_good[[fault.index for fault in faults if fault.index is not None]] = False
        return self if is_good.all() else self.take(np.flatnonzero(is_good))


@dataclasses.dataclass(frozen=True, eq=False)
class RecordsIndex:
    """Labelled images in record files.

    Attributes:
        name: what the user called them.
        classes: names of the classes, in the order of the labels.
        channels: channels of the images.
        is_multi_label: whether an image may have several labels, or none.
        splits: `train`, `validation` and `test`, as far as they are there.
        skipped: records that can't be read, which are in none of the splits.
    """

    name: str
    classes: tuple[str, ...]
    channels: int
    is_multi_label: bool
    splits: dict[str, RecordSplit]
    skipped: tuple[RecordFault, ...] = ()
