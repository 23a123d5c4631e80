"""Writes records and is killed again and again: `python -m tests.data.records.killing OUT SHARDS`.

The first writer is killed at the first thing that it does to a file, the second at the second, and
so on, and every other one within a shard; until one ends. Prints how many sidecars there were after
each kill.
"""

import itertools
import json
import os
import signal
import sys
from pathlib import Path

from keras_convnets import data
from keras_convnets.data import records
from keras_convnets.data.records import writing

_EVENTS = {"open", "os.mkdir", "os.rename", "os.remove"}


def few_images():
    """Arrays of two splits."""
    images = data.load("fashion_mnist_6k")
    train, test = images.train.take(range(300)), images.test.take(range(100))
    return data.ImageSet("few", images.classes, 1, train=train, test=test)


def main(out: str, shards: str) -> None:
    """Kills writers until one ends."""
    images = few_images()
    whole = []
    for count in itertools.count(1):
        writer = os.fork()
        if writer == 0:
            if count % 2:
                _die_at_file_operation(out, count)
            else:
                _die_at_record(10 * count)
            records.write(images, out, int(shards), quiet=True)
            os._exit(0)
        _, status = os.waitpid(writer, 0)
        if os.waitstatus_to_exitcode(status) == 0:
            break
        assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL
        whole.append(len(list(Path(out).glob("[!.]*.npz"))))
    print(json.dumps(whole))


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _die_at_file_operation(out: str, number: int) -> None:
    numbers = itertools.count(1)

    def look(event: str, arguments: tuple) -> None:
        if event in _EVENTS and str(arguments[0]).startswith(out) and next(numbers) == number:
            _die()

    sys.addaudithook(look)


def _die_at_record(number: int) -> None:
    numbers, frame = itertools.count(1), writing.frame

    def frame_or_die(content: bytes) -> bytes:
        if next(numbers) == number:
            _die()
        return frame(content)

    writing.frame = frame_or_die


if __name__ == "__main__":
    main(*sys.argv[1:])
