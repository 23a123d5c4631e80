"""Loads mutations of files: `python -m tests.weights.mutations FOLDER FIRST COUNT [FORM...]`.

A process of its own, because a crash, a hang or a memory that is exhausted should end this and not
the tests. Prints what became of `COUNT` mutations of each form of file, or stops at the first that
does not end well, which is the last line of `FOLDER/seeds`.
"""

import contextlib
import faulthandler
import io
import json
import random
import sys
import zipfile
from pathlib import Path

import keras
import numpy as np

from keras_convnets import weights
from keras_convnets.errors import InputError

from . import tiny_files

_SECONDS = 30  # for what takes some milliseconds
_MEMORY = 2**29  # beyond what the process has when it begins
_KINDS = ["flip", "truncate", "insert", "zero", "swap", "copy", "huge", "huge", "small", "point"]


def mutate(content: bytes, draw: random.Random) -> bytes:
    """Changes some bytes; many of them near the start or the end, where headers are."""
    changed = bytearray(content)
    for _ in range(draw.choice((1, 1, 1, 2, 4, 16))):
        size = len(changed)
        near = draw.randrange(min(size, 4096))
        start = draw.choice((draw.randrange(size), near, size - 1 - near))
        length = draw.choice((1, 2, 4, 8, 64, 1000))
        _change(changed, draw.choice(_KINDS), start, length, draw)
    return bytes(changed)


def _change(content: bytearray, kind: str, start: int, length: int, draw: random.Random) -> None:
    """Changes `length` bytes, or as many as a number has."""
    size = len(content)
    part = slice(start, min(start + length, size))
    width = min(length, 8)
    number = slice(start - start % width, start - start % width + width)
    address = slice(start - start % 8, start - start % 8 + 8)
    other = draw.randrange(size)
    if kind == "flip":
        content[start] ^= 1 << draw.randrange(8)
    elif kind == "truncate":
        del content[max(start, 1) :]
    elif kind == "insert":
        content[start:start] = draw.randbytes(length)
    elif kind == "zero":
        content[part] = bytes(part.stop - part.start)
    elif kind == "swap":
        other = slice(other, other + part.stop - part.start)
        content[part], content[other] = content[other], content[part]
    elif kind == "copy":
        content[part] = content[other : other + length]
    elif kind == "huge":
        least = draw.choice((-1, -2, -(2 ** (8 * width - 1)), 2 ** (8 * width - 1) - 1))
        content[number] = (least % 2 ** (8 * width)).to_bytes(width, "little")
    elif kind == "small":
        content[number] = draw.randrange(256).to_bytes(width, "little")
    elif kind == "point":  # to another part of the file
        content[address] = (other - other % 8).to_bytes(8, "little")


def mutate_member(content: bytes, draw: random.Random) -> bytes:
    """Changes a member of a zip archive, whose check sums are right again after that."""
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(changed, "w") as new:
        target = draw.choice([info for info in old.infolist() if info.file_size > 100])
        for info in old.infolist():
            member = old.read(info)
            new.writestr(info.filename, mutate(member, draw) if info is target else member)
    return changed.getvalue()


def load_mutations(folder: Path, form: str, seeds: range) -> dict[str, int]:
    """Loads mutations of a file.

    Returns:
        How many were loaded and refused.

    Raises:
        AssertionError: if one was half loaded, brought numbers that are not finite, or is refused
            without its name.
    """
    model = tiny_files.build()
    content = tiny_files.write(model, folder, form).read_bytes()
    is_archive = zipfile.is_zipfile(io.BytesIO(content))
    path = folder / f"mutated{form}"
    counts = {"loaded": 0, "refused": 0}
    before = model.get_weights()
    with open(folder / "seeds", "a") as log:
        for seed in seeds:
            print(form, seed, file=log, flush=True)
            draw = random.Random(seed)
            change = mutate_member if is_archive and seed % 2 else mutate
            path.write_bytes(change(content, draw))
            faulthandler.dump_traceback_later(_SECONDS, exit=True)
            refusal = _refusal(model, path)
            after = model.get_weights()
            if refusal is None:
                assert all(np.isfinite(array).all() for array in after), seed
            else:
                assert repr(str(path)) in refusal, (seed, refusal)
                assert all(map(np.array_equal, before, after)), (seed, refusal)
            counts["loaded" if refusal is None else "refused"] += 1
            before = after
    faulthandler.cancel_dump_traceback_later()
    return counts


def _refusal(model: keras.Model, path: Path) -> str | None:
    """Why a file is not loaded, `None` if it is."""
    try:
        weights.load(model, path)
    except InputError as error:
        return str(error)
    return None


def limit_memory() -> None:
    """Lets the process have half a gigabyte more than it has."""
    with contextlib.suppress(ImportError, FileNotFoundError):  # not for every system
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + _MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def main(folder: str, first: str, count: str, *forms: str) -> None:
    """Loads the mutations with the seeds from `first` on."""
    faulthandler.enable()
    model = tiny_files.build()
    for form in tiny_files.WRITERS:  # what Keras and TensorFlow need is there before the limit is
        weights.load(model, tiny_files.write(model, Path(folder), form))
    limit_memory()
    seeds = range(int(first), int(first) + int(count))
    forms = forms or tuple(tiny_files.WRITERS)
    print(json.dumps({form: load_mutations(Path(folder), form, seeds) for form in forms}))


if __name__ == "__main__":
    main(*sys.argv[1:])
