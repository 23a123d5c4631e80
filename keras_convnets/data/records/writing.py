"""Writes labelled images as shards of records, so that a kill at any moment loses little."""

import contextlib
import dataclasses
import io
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image

from keras_convnets.data.image_set import ImageSet
from keras_convnets.data.labels import LabelSets
from keras_convnets.data.records.examples import encode_example
from keras_convnets.data.records.framing import FRAME, frame
from keras_convnets.data.records.index import CHANNELS, INDEX, VERSION, Index, Shard
from keras_convnets.data.records.sidecars import (
    Sidecar,
    read_sidecar,
    write_sidecar,
)
from keras_convnets.data.splits import Split
from keras_convnets.errors import InputError, check_number
from keras_convnets.files import check_space, check_writable, read_json, replacing, write_json
from keras_convnets.progress import counting

# What `index.json` will say of the source; it is there while shards are written.
_BEGUN = "unfinished.json"
_PARTIAL = ".*.partial.*"  # what `files.replacing` leaves when it is killed

# Bytes that a record takes besides its image, with those of its row in the sidecar.
_EXTRA = 256
_MOST_SHARDS = 99_999  # names have five digits


@dataclasses.dataclass(frozen=True, eq=False)
class _Task:
    """A shard to write: which images of a split, in which order."""

    path: Path
    split_name: str
    split: Split
    indices: np.ndarray

    @property
    def labels(self) -> tuple[np.ndarray, np.ndarray]:
        """All labels in a row, and how many each image has."""
        labels = self.split.labels
        if isinstance(labels, LabelSets):
            part = labels.take(self.indices)
            return part.values, part.sizes
        return labels[self.indices], np.ones(len(self.indices), np.int64)


def write(
    images: ImageSet,
    out: str | os.PathLike,
    shards: int,
    *,
    seed: int = 0,
    quiet: bool = False,
) -> Index:
    """Writes images and labels as shards of records, with an index.

    Image files are kept byte by byte, arrays become PNG files. The images of each split are
    shuffled by the seed, and cut into shards of equal length. When it is called again after it was
    stopped or killed, the shards that are whole are kept, and the result has the bytes that it
    would have had unbroken.

    Args:
        images: what `data.load` gives.
        out: the folder to write to: a new one, an empty one, or one that this began.
        shards: how many shards each split shall have; a split of fewer images has one for each.
        seed: the order depends on it alone.
        quiet: whether to show no progress.

    Returns:
        What `index.json` says.

    Raises:
        InputError: if the folder has something else, the disk has too little room, an image file
            can't be read, or another process writes there.
    """
    out = Path(out)
    check_number("The number of shards", shards, least=1, most=_MOST_SHARDS, whole=True)
    check_number("The seed", seed, least=0, whole=True)
    if images.channels not in CHANNELS:
        raise InputError(
            f"Records hold images of {' or '.join(map(str, CHANNELS))} channels. "
            f"Received: {images.channels}"
        )
    made_from = {"images": images.fingerprint(), "shards": shards, "seed": seed}
    check_writable(out)
    out.mkdir(parents=True, exist_ok=True)
    with _only_one(out):
        tasks = list(_plan(images, out, shards, seed))
        try:
            _claim(out, {"version": VERSION, "made_from": made_from})
            for leftover in out.glob(_PARTIAL):
                leftover.unlink()
            pending = [task for task in tasks if not _is_finished(task)]
            check_space(out, sum(map(_size, pending)), "the records")
            _write_all(pending, quiet)
            index = _index(images, tasks, made_from)
            index.write(out)
            out.joinpath(_BEGUN).unlink(missing_ok=True)
        except OSError as error:
            done = sum(map(_is_finished, tasks))
            raise InputError(
                f"The records in {str(out)!r} can't be written: {error.strerror or error}. "
                f"{done} of {len(tasks)} shards are whole; the same command goes on from there."
            ) from error
    return index


def _claim(out: Path, begun: Mapping[str, Any]) -> None:
    """Makes sure that a folder is for this set of records alone."""
    for name in (INDEX, _BEGUN):
        if out.joinpath(name).is_file():
            before = read_json(out / name)
            is_same = isinstance(before, dict) and all(
                before.get(key) == value for key, value in begun.items()
            )
            if not is_same:
                raise InputError(
                    f"The folder {str(out)!r} has records of another source, number of shards or "
                    f"seed; see {name} there. Write these to another folder."
                )
            return
    if any(not path.match(_PARTIAL) for path in out.iterdir()):
        raise InputError(
            f"The folder {str(out)!r} is not empty, and has no records that were begun there."
        )
    write_json(out / _BEGUN, begun)


def _plan(images: ImageSet, out: Path, shards: int, seed: int) -> Iterator[_Task]:
    for number, (name, split) in enumerate(images.splits.items()):
        order = np.random.default_rng([seed, number]).permutation(len(split))
        parts = np.array_split(order, min(shards, len(split)))
        for i, indices in enumerate(parts):
            path = out / f"{name}-{i:05}-of-{len(parts):05}.tfrecord"
            yield _Task(path, name, split, indices)


def _is_finished(task: _Task) -> bool:
    """Whether a shard and its sidecar are whole, and of these images."""
    sidecar = read_sidecar(task.path, is_cache=False)
    labels, counts = task.labels
    return (
        sidecar is not None
        and np.array_equal(sidecar.label_counts, counts)
        and np.array_equal(sidecar.labels, labels)
    )


def _size(task: _Task) -> int:
    """About how many bytes a shard will have; the PNG file of noise is as large as its array."""
    split = task.split
    extra = _EXTRA * len(task.indices)
    if split.images is not None:
        return split.images[0].nbytes * len(task.indices) + extra
    return sum(split.encoded.size(i) for i in task.indices) + extra


def _write_all(tasks: list[_Task], quiet: bool) -> None:
    total = sum(len(task.indices) for task in tasks)
    with counting("writing records", total, quiet) as advance:
        for task in tasks:
            labels, counts = task.labels
            labels = LabelSets.of_counts(labels, counts)
            lengths = []
            with replacing(task.path) as temporary, open(temporary, "wb") as file:
                for index, own in zip(task.indices, labels, strict=True):
                    image, name = _image_file(task, index)
                    content = encode_example(image, own.tolist(), name)
                    file.write(frame(content))
                    lengths.append(len(content))
                    advance()
                file.flush()
                os.fsync(file.fileno())
            lengths = np.array(lengths, np.int64)
            offsets = np.cumsum(lengths + FRAME) - (lengths + FRAME)
            write_sidecar(task.path, Sidecar(offsets, lengths, labels.values, labels.sizes))


def _image_file(task: _Task, index: int) -> tuple[bytes, bytes]:
    """An image as a file, and what it is called."""
    split = task.split
    if split.images is not None:
        return _to_png(split.images[index]), f"{task.split_name}-{index:07}.png".encode()
    return split.encoded.read(index), os.path.basename(split.encoded.name(index)).encode()


def _to_png(image: np.ndarray) -> bytes:
    file = io.BytesIO()
    PIL.Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(file, "PNG")
    return file.getvalue()


def _index(images: ImageSet, tasks: list[_Task], made_from: Mapping[str, Any]) -> Index:
    shards = dict.fromkeys(images.splits, ())
    for task in tasks:
        shard = Shard(task.path.name, len(task.indices), task.path.stat().st_size)
        shards[task.split_name] += (shard,)
    is_multi_label = isinstance(images.train.labels, LabelSets)
    return Index(images.name, images.classes, images.channels, is_multi_label, made_from, shards)


@contextlib.contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Keeps other processes from writing to a folder; not every system and disk can."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise InputError(f"Another process is writing records to {str(folder)!r}.") from error
    except OSError:
        pass
    try:
        yield
    finally:
        os.close(descriptor)
