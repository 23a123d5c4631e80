"""Shards that have no sidecar are read once."""

import array
import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from keras_convnets.data.records.examples import (
    class_names_of,
    decode_example,
    image_of,
    labels_of,
)
from keras_convnets.data.records.framing import name_of, place, unframe, walk
from keras_convnets.data.records.sidecars import Sidecar, read_sidecar, write_sidecar
from keras_convnets.data.splits import Fault
from keras_convnets.errors import InputError
from keras_convnets.progress import counting

_BUFFER = 2**20  # bytes read at once


def obtain_sidecars(
    shards: Sequence[Path], *, is_cache: bool, quiet: bool
) -> tuple[list[Sidecar], list[Fault]]:
    """Reads the sidecars of shards; those that lack one are read through, and given one.

    Args:
        shards: record files.
        is_cache: see `read_sidecar`.
        quiet: whether to show no progress.

    Returns:
        A sidecar for each shard, and the records that can't be read, which are in none.

    Raises:
        InputError: if a file can't be read, holds other than images with labels, or is so damaged
            that records can't be told apart.
    """
    sidecars = [read_sidecar(shard, is_cache=is_cache) for shard in shards]
    missing = [i for i, sidecar in enumerate(sidecars) if sidecar is None]
    faults = []
    megabytes = sum(_size(shards[i]) for i in missing) / 1e6
    with counting("reading labels (MB)", megabytes, quiet) as advance:
        for i in missing:
            sidecars[i], found = scan(shards[i], lambda count: advance(count / 1e6))
            faults += found
    return sidecars, faults


def scan(
    shard: Path, on_bytes: Callable[[int], None] = lambda count: None
) -> tuple[Sidecar, list[Fault]]:
    """Reads a shard through, and writes its sidecar if the folder allows it.

    A shard with records that can't be read gets no sidecar, so that they are found each time.

    Args:
        shard: a record file.
        on_bytes: called with the bytes that were read, to show progress.

    Returns:
        The sidecar, and the records that can't be read, which are not in it.

    Raises:
        InputError: see `obtain_sidecars`.
    """
    offsets, lengths, values, counts = (array.array("q") for _ in range(4))
    names, faults = {}, []
    try:
        with shard.open("rb", buffering=_BUFFER) as file:
            for offset, length, record in walk(file, _size(shard), shard):
                on_bytes(len(record))
                where = place(shard, offset)
                try:
                    example = decode_example(unframe(record, length, where), where)
                except InputError as error:
                    faults.append(Fault(name_of(shard, offset), str(error)))
                    continue
                image_of(example, where)
                labels = labels_of(example, where)
                _add_names(names, class_names_of(example, labels), where)
                offsets.append(offset)
                lengths.append(length)
                values.extend(labels)
                counts.append(len(labels))
    except OSError as error:
        raise _unreadable(shard, error) from error
    arrays = (np.array(numbers, np.int64) for numbers in (offsets, lengths, values))
    sidecar = Sidecar(*arrays, np.array(counts, np.int32), names)
    if not faults:
        # In a folder that can't be written to, it takes as long again the next time.
        with contextlib.suppress(OSError):
            write_sidecar(shard, sidecar)
    return sidecar, faults


def _add_names(names: dict[int, str], found: dict[int, str], where: str) -> None:
    for label, name in found.items():
        if names.setdefault(label, name) != name:
            raise InputError(
                f"The record {where} calls the label {label} {name!r}, and one before it calls it "
                f"{names[label]!r}."
            )


def _size(shard: Path) -> int:
    try:
        return shard.stat().st_size
    except OSError as error:
        raise _unreadable(shard, error) from error


def _unreadable(shard: Path, error: OSError) -> InputError:
    return InputError(f"The record file {str(shard)!r} can't be read: {error.strerror or error}.")
