"""Opens mutations of records: `python -m tests.data.records.mutations FOLDER FIRST COUNT`.

A process of its own, because a crash, a hang or a memory that is exhausted should end this and not
the tests. Prints what became of them, or stops at the first that does not end well, which is the
last line of `FOLDER/seeds`.
"""

import collections
import faulthandler
import json
import random
import sys
from pathlib import Path
from typing import NamedTuple

from keras_convnets.data import records
from keras_convnets.data.decoding import find_faults
from keras_convnets.data.records.framing import FRAME, HEADER, frame
from keras_convnets.data.records.sidecars import sidecar_path
from keras_convnets.errors import InputError
from tests.weights.mutations import limit_memory, mutate, mutate_member

from .foreign import places, slim, write

_SECONDS = 20  # for what takes some milliseconds


class Original(NamedTuple):
    """What is changed.

    Attributes:
        shard: a record file.
        sidecar: its sidecar.
        index: an index of it.
        places: offset and length of each of its records.
    """

    shard: bytes
    sidecar: bytes
    index: bytes
    places: list[tuple[int, int]]


def write_original(shard: Path) -> Original:
    """Writes a shard of four records with names of classes."""
    contents = [slim(i, image__class__text=b"name %d" % i) for i in range(1, 5)]
    write(shard, contents)
    records.open_records(shard)
    shards = [{"file": shard.name, "examples": 4, "bytes": shard.stat().st_size}]
    index = {
        "version": 1,
        "name": "few",
        "classes": ["0", "a", "b", "c", "d"],
        "channels": 3,
        "is_multi_label": False,
        "made_from": {"seed": 0},
        "splits": {"train": {"shards": shards}},
    }
    return Original(
        shard.read_bytes(),
        sidecar_path(shard).read_bytes(),
        json.dumps(index).encode(),
        list(zip(*places(shard), strict=True)),
    )


def mutate_content(original: Original, draw: random.Random) -> bytes:
    """Changes the content of a record, whose check sums are right again after that."""
    shard = original.shard
    offset, length = draw.choice(original.places)
    changed = mutate(shard[offset + HEADER : offset + HEADER + length], draw)
    return shard[:offset] + frame(changed) + shard[offset + FRAME + length :]


def open_mutation(shard: Path, original: Original, seed: int) -> str:
    """Opens one mutation, and reads all that it holds.

    Returns:
        Which kind of mutation it was, and what became of it.
    """
    draw = random.Random(seed)
    kind = ("frame", "content", "sidecar", "member", "index")[seed % 5]
    files = {shard: original.shard, sidecar_path(shard): original.sidecar}
    if kind == "frame":
        files = {shard: mutate(original.shard, draw)}
    elif kind == "content":
        files = {shard: mutate_content(original, draw)}
    elif kind == "sidecar":
        files[sidecar_path(shard)] = mutate(original.sidecar, draw)
    elif kind == "member":
        files[sidecar_path(shard)] = mutate_member(original.sidecar, draw)
    else:
        files[shard.with_name("index.json")] = mutate(original.index, draw)
    for name in ("index.json", sidecar_path(shard).name):
        shard.with_name(name).unlink(missing_ok=True)
    for path, content in files.items():
        path.write_bytes(content)
    reason = None
    try:
        index = records.open_records(shard.parent if kind == "index" else shard, quiet=True)
        faults = find_faults(index.splits["train"])
    except InputError as error:
        reason = str(error)
    if reason is not None:
        assert str(shard.parent) in reason, reason
        return f"{kind} refused"
    for fault in (*index.skipped, *faults):
        assert str(shard) in fault.reason, fault
    if kind not in ("frame", "content"):
        assert len(index.splits["train"]) == len(original.places)
        assert not faults
    return f"{kind} {'with faults' if faults or index.skipped else 'opened'}"


def main(folder: str, first: str, count: str) -> None:
    """Opens the mutations with the seeds from `first` on."""
    faulthandler.enable()
    shard = Path(folder, "train-0.tfrecord")
    original = write_original(shard)
    open_mutation(shard, original, 0)  # what libraries need is there before the limit is
    limit_memory()
    counts = collections.Counter()
    with open(shard.with_name("seeds"), "a") as log:
        for seed in range(int(first), int(first) + int(count)):
            print(seed, file=log, flush=True)
            faulthandler.dump_traceback_later(_SECONDS, exit=True)
            counts[open_mutation(shard, original, seed)] += 1
    faulthandler.cancel_dump_traceback_later()
    print(json.dumps(counts))


if __name__ == "__main__":
    main(*sys.argv[1:])
