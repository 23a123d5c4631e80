"""Records as data sets see them: places and labels, in arrays."""

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from keras_convnets.data.labels import LabelSets
from keras_convnets.data.records.framing import name_of
from keras_convnets.data.records.reading import RecordReader
from keras_convnets.data.splits import Fault

_READER = RecordReader()  # one for all splits: it is the files that it keeps open


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

    def read(self, index: int) -> bytes:
        """Returns the image file that a record holds; see `RecordReader.read`."""
        path = self.files[self.file_ids[index]]
        return _READER.read(path, self.offsets[index], self.lengths[index])

    def size(self, index: int) -> int:
        """Returns how many bytes a record has."""
        return int(self.lengths[index])

    def name(self, index: int) -> str:
        """Returns what a record is called where files are."""
        return name_of(self.files[self.file_ids[index]], int(self.offsets[index]))

    def identity(self) -> Iterator[bytes]:
        """Gives the names of the shards, and where the records are in them."""
        yield "\0".join(path.name for path in self.files).encode()
        yield from (row.tobytes() for row in (self.file_ids, self.offsets, self.lengths))


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
    skipped: tuple[Fault, ...] = ()
