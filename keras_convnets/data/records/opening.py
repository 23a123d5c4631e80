"""From a folder of records, or from the files that a pattern names, to labels and places."""

import glob
import os
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from keras_convnets.data.folder import SPLIT_NAMES
from keras_convnets.data.labels import LabelSets
from keras_convnets.data.records.index import INDEX, Index
from keras_convnets.data.records.naming import name_classes
from keras_convnets.data.records.scanning import obtain_sidecars
from keras_convnets.data.records.sidecars import Sidecar
from keras_convnets.data.records.split import RecordsIndex, RecordSplit
from keras_convnets.errors import InputError

# What lies beside shards and is none.
_OTHER_SUFFIXES = ".npz", ".json", ".txt", ".md"


def open_records(spec: str | os.PathLike, *, quiet: bool = False) -> RecordsIndex:
    """Opens record files that `make-records` or others wrote.

    Files of others are read through once, for their labels; `<file>.npz` beside each keeps what was
    found, where the folder can be written to. A file is of the split that its name has as a word
    (`train-00000-of-01024`, `flowers_validation_00000-of-00005.tfrecord`), and of `train` if no
    name has one. `data.records.naming` says which class a label means.

    Args:
        spec: a folder with `index.json`, or a pattern of files such as `imagenet/train-*`. A
            pattern that names files of a folder with `index.json` takes its classes from there.
        quiet: whether to show no progress.

    Returns:
        A `RecordsIndex`.

    Raises:
        InputError: if there are no such files, or they hold other than images with labels.
    """
    spec = os.path.expanduser(os.fspath(spec))
    if os.path.isdir(spec):
        return _open_folder(Path(spec), quiet)
    return _open_files(spec, quiet)


def _open_folder(folder: Path, quiet: bool) -> RecordsIndex:
    if not folder.joinpath(INDEX).is_file():
        raise InputError(
            f"The folder {str(folder)!r} has no {INDEX}, with which `keras-convnets make-records` "
            f"ends; to open record files of others, name them by a pattern, such as "
            f"{str(folder / 'train-*')!r}."
        )
    index = Index.read(folder)
    splits, skipped = {}, []
    for name, shards in index.splits.items():
        paths = [folder / shard.file for shard in shards]
        for path, shard in zip(paths, shards, strict=True):
            size = path.stat().st_size if path.is_file() else None
            if size != shard.bytes:
                raise InputError(
                    f"The shard {str(path)!r} should have {shard.bytes:,} bytes, as {INDEX} says. "
                    f"Received: {'no such file' if size is None else f'{size:,}'}"
                )
        sidecars, faults = obtain_sidecars(paths, is_cache=False, quiet=quiet)
        found = sum(map(len, sidecars)) + len(faults)
        expected = sum(shard.examples for shard in shards)
        if found != expected:
            raise InputError(
                f"The {name} set of {str(folder)!r} should have {expected:,} records, as {INDEX} "
                f"says. Received: {found:,}"
            )
        splits[name] = _join(paths, sidecars, 0, index.is_multi_label)
        _check_labels(splits[name], len(index.classes), f"{folder / INDEX}")
        skipped += faults
    return RecordsIndex(
        str(folder), index.classes, index.channels, index.is_multi_label, splits, tuple(skipped)
    )


def _open_files(pattern: str, quiet: bool) -> RecordsIndex:
    paths = sorted(
        Path(path)
        for path in glob.glob(pattern, recursive=True)
        if not path.endswith(_OTHER_SUFFIXES) and os.path.isfile(path)
    )
    if not paths:
        raise InputError(f"There are no record files like {pattern!r}.")
    folders = sorted({path.parent for path in paths})
    own = _own_index(folders)
    groups = _group(paths, pattern)
    sidecars, skipped = {}, []
    for name, files in groups.items():
        sidecars[name], faults = obtain_sidecars(files, is_cache=own is None, quiet=quiet)
        skipped += faults
    parts = [part for each in sidecars.values() for part in each if len(part)]
    if not parts:
        first_fault = f" The first: {skipped[0].reason}" if skipped else ""
        raise InputError(
            f"The record files {pattern!r} hold no record that can be read.{first_fault}"
        )
    if own is not None:
        classes, first, channels, is_multi_label = own.classes, 0, own.channels, own.is_multi_label
    else:
        classes, first = _name_classes(parts, folders, pattern)
        channels, is_multi_label = 3, max(part.label_counts.max() for part in parts) > 1
    splits = {
        name: _join(files, sidecars[name], first, is_multi_label) for name, files in groups.items()
    }
    for split in splits.values():
        _check_labels(split, len(classes), pattern)
    return RecordsIndex(pattern, classes, channels, is_multi_label, splits, tuple(skipped))


def _own_index(folders: Sequence[Path]) -> Index | None:
    """The index of the folder that all files are in, if there is one."""
    is_there = len(folders) == 1 and folders[0].joinpath(INDEX).is_file()
    return Index.read(folders[0]) if is_there else None


def _group(paths: Sequence[Path], pattern: str) -> dict[str, list[Path]]:
    """Groups files by split, in the order of the splits."""
    by_word = {word: split for split, words in SPLIT_NAMES.items() for word in words}
    groups = {None: [], **{split: [] for split in SPLIT_NAMES}}
    for path in paths:
        words = re.findall("[a-z]+", path.name.lower())
        groups[next((by_word[word] for word in words if word in by_word), None)].append(path)
    unknown = groups.pop(None)
    if unknown and any(groups.values()):
        raise InputError(
            f"Of the files {pattern!r} some have a split in their names (train, validation or "
            f"test), and {str(unknown[0])!r} has none."
        )
    groups["train"] += unknown
    return {split: files for split, files in groups.items() if files}


def _name_classes(
    sidecars: Sequence[Sidecar], folders: Sequence[Path], pattern: str
) -> tuple[tuple[str, ...], int]:
    """The names of the classes of foreign records, and the label of the first."""
    names = {}
    for sidecar in sidecars:
        for label, name in sidecar.names.items():
            if names.setdefault(label, name) != name:
                raise InputError(
                    f"The label {label} is called {names[label]!r} in one record file and {name!r} "
                    "in another; they should be of one set."
                )
    labels = [sidecar.labels for sidecar in sidecars if len(sidecar.labels)]
    least = min((int(each.min()) for each in labels), default=0)
    most = max((int(each.max()) for each in labels), default=0)
    return name_classes(least, most, names, folders, pattern)


def _join(
    files: Sequence[Path], sidecars: Sequence[Sidecar], first: int, is_multi_label: bool
) -> RecordSplit:
    """Makes one split of several shards, with labels from 0."""
    ids = np.repeat(np.arange(len(files), dtype=np.int32), [len(sidecar) for sidecar in sidecars])
    offsets, lengths, labels, counts = (
        np.concatenate([getattr(sidecar, name) for sidecar in sidecars])
        for name in ("offsets", "lengths", "labels", "label_counts")
    )
    labels = labels - first
    if is_multi_label:
        labels = LabelSets.of_counts(labels, counts)
    elif (odd := np.flatnonzero(counts != 1)).size:
        file, offset = files[ids[odd[0]]], offsets[odd[0]]
        raise InputError(
            f"The record at byte {offset:,} of {str(file)!r} should have one label. "
            f"Received: {counts[odd[0]]}"
        )
    return RecordSplit(tuple(files), ids, offsets, lengths, labels)


def _check_labels(split: RecordSplit, classes: int, where: str) -> None:
    values = split.labels.values if isinstance(split.labels, LabelSets) else split.labels
    if len(values) and not 0 <= values.min() <= values.max() < classes:
        raise InputError(
            f"The labels of {where!r} should be 0 to {classes - 1}. "
            f"Received: {values.min()} to {values.max()}"
        )
