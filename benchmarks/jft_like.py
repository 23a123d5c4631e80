"""A set of as many classes as JFT, several to an image: written as records, streamed twice.

    python benchmarks/jft_like.py [--examples N] [--folder DIR]

The full Fashion-MNIST of Debian's package dataset-fashion-mnist is wanted. Writing and streaming
have a process each, whose memory is that of Linux' /proc. A ridge regression shows that there is
something to learn.
"""

import argparse
import concurrent.futures
import multiprocessing
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf
from compare import machine, print_result, write_result
from photos import sources
from scenes import SIDE, Scenes, label_sets

from keras_convnets import data
from keras_convnets.data import records
from keras_convnets.data.encoded import Encoded
from keras_convnets.data.order import shuffled
from keras_convnets.evaluation import MeanAveragePrecision

CLASSES, BATCH, SHARDS, SEED = 17_000, 64, 16, 0
RESUMED_STEPS, PAUSES, LEARNT = 20, 7, 20_000
LEAST = 12_000  # examples, for as many batches as the pauses want
_STATUS = Path("/proc/self/status")


def memory(field: str) -> int:
    """Returns megabytes of this process: `VmRSS`, those of now, or `VmHWM`, their peak."""
    [line] = [line for line in _STATUS.read_text().splitlines() if line.startswith(field)]
    return round(int(line.split()[1]) * 1024 / 1e6)


def in_new_process(function: Callable[..., dict], *arguments: object) -> dict:
    """Returns what a function returns in a process of its own."""
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(function, *arguments).result()


def write(folder: Path, examples: int) -> dict:
    """Makes pictures and writes them as records; neither are ever all in memory."""
    start = time.perf_counter()
    garments = data.load("fashion_mnist").train.images[..., 0]
    scenes = Scenes(sources(), garments, examples, SEED)
    labels = label_sets(scenes.thumbnails, CLASSES, SEED)
    names = tuple(f"class_{rank:05}" for rank in range(CLASSES))
    train = data.Split(labels, encoded=scenes)
    records.write(data.ImageSet("jft_like", names, 3, train=train), folder, SHARDS, quiet=True)
    counts = labels.counts(CLASSES)
    return {
        "examples": examples,
        "classes": CLASSES,
        "labels_an_image": round(float(labels.sizes.mean()), 2),
        "labels_of_the_richest_image": int(labels.sizes.max()),
        "images_without_a_label": int((labels.sizes == 0).sum()),
        "images_of_the_commonest_class": int(counts.max()),
        "images_of_the_rarest_class": int(counts.min()),
        "megabytes_on_disk": round(sum(path.stat().st_size for path in folder.iterdir()) / 1e6),
        "seconds_to_make_and_write": round(time.perf_counter() - start),
        "peak_rss_megabytes_of_writing": memory("VmHWM"),
    }


class Watched:
    """Encoded images of which it is known which were read."""

    def __init__(self, encoded: Encoded):
        self._encoded = encoded
        self.were_read: set[int] = set()

    def read(self, index: int) -> bytes:
        """Reads one."""
        self.were_read.add(index)
        return self._encoded.read(index)

    def name(self, index: int) -> str:
        """What one is called."""
        return self._encoded.name(index)


def batches(split: data.Split, epoch: int, first_step: int = 0) -> tf.data.Dataset:
    """An epoch of training."""
    return data.training_batches(
        split,
        data.Preprocessing(SIDE, 3, "tf"),
        (data.InceptionCrop(), data.FlipLeftRight()),
        BATCH,
        classes=CLASSES,
        seed=SEED,
        epoch=epoch,
        first_step=first_step,
    )


def stream(folder: Path) -> dict:
    """Takes two epochs, and a few batches from the middle of a third."""
    start = time.perf_counter()
    split = data.load(f"tfrecord:{folder}").train
    opening = time.perf_counter() - start
    rates, peaks, ends, labels = [], [], [], 0.0
    for epoch in range(2):
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        start, images = time.perf_counter(), 0
        for pictures, matrix in batches(split, epoch):
            images += len(pictures)
            labels += float(tf.reduce_sum(matrix))
        rates.append(round(images / (time.perf_counter() - start)))
        peaks.append(memory("VmHWM"))
        ends.append(memory("VmRSS"))
    return {
        "seconds_to_open": round(opening, 2),
        "images_a_second_by_epoch": rates,
        "labels_seen_an_image": round(labels / (2 * images), 2),
        "peak_rss_megabytes_by_epoch": peaks,
        "rss_megabytes_after_each_epoch": ends,
        "dense_labels_of_a_batch_megabytes": round(BATCH * CLASSES * 4 / 1e6, 2),
        "dense_labels_of_all_megabytes": round(len(split) * CLASSES * 4 / 1e6),
        **resume(split),
    }


def resume(split: data.Split) -> dict:
    """Goes on in the middle of an epoch, and looks at what was read."""
    watched = Watched(split.encoded)
    split = data.Split(split.labels, encoded=watched)
    first = data.count_steps(split, BATCH) // 2
    start = time.perf_counter()
    for step, _ in enumerate(batches(split, 2, first)):
        if step == 0:
            seconds = time.perf_counter() - start
        if step + 1 == RESUMED_STEPS:
            break
    order = np.concatenate(list(shuffled(len(split), SEED, 2)))
    before = watched.were_read.intersection(order[: first * BATCH].tolist())
    return {
        "resumed_at_step": first,
        "seconds_to_the_first_resumed_batch": round(seconds, 2),
        "images_read_after_resuming": len(watched.were_read),
        "of_them_of_steps_before": len(before),
    }


def pause(folder: Path) -> dict:
    """Takes batches as a training that validates in between: a pause, then more than can wait."""
    stream = iter(batches(data.load(f"tfrecord:{folder}").train, 0))
    after = []
    for number in range(PAUSES):
        for _ in range(2**number + 6):
            next(stream)
        time.sleep(1 + 0.12 * 2**number)
        after.append(memory("VmRSS"))
    return {"rss_megabytes_after_each_pause": after}


def learn(folder: Path) -> dict:
    """Ranks the classes of some pictures by a ridge regression on the thumbnails of others."""
    split = data.load(f"tfrecord:{folder}").train
    count = min(LEARNT, len(split)) // 100 * 100
    thumbnails = [tf.image.resize(split.image(i), (8, 8), "area") for i in range(count)]
    features = np.reshape(thumbnails, (count, -1)) / 255 - 0.5
    features = np.concatenate([features, np.ones((count, 1))], axis=1)
    held, products, shares = count // 10, 0.0, 0.0
    for rows in np.split(np.arange(held, count), 9):
        matrix = split.labels.to_dense(rows, CLASSES)
        products = products + features[rows].T @ matrix
        shares = shares + matrix.sum(axis=0)
    others = features[held:]
    weights = np.linalg.solve(others.T @ others + 10 * np.eye(features.shape[1]), products)
    by_picture, by_frequency = (MeanAveragePrecision(sparse=True) for _ in range(2))
    for rows in np.split(np.arange(held), 10):
        labels = split.labels.padded(rows)
        by_picture.update_state(labels, features[rows] @ weights)
        by_frequency.update_state(labels, np.tile(shares, (len(rows), 1)))
    return {
        "map_at_100_by_thumbnail": round(float(by_picture.result()), 3),
        "map_at_100_by_frequency": round(float(by_frequency.result()), 3),
    }


def main() -> None:
    """Writes, streams, prints a table, and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--examples", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, help="keeps the records; a new one")
    options = parser.parse_args()
    if options.examples < LEAST:
        parser.error(f"--examples should be at least {LEAST}. Received: {options.examples}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary, "records")
        result = {
            "name": "jft_like",
            "what": f"records of JPEG files of {SIDE} px to augmented batches of {BATCH}",
            **in_new_process(write, folder, options.examples),
            **in_new_process(stream, folder),
            **in_new_process(pause, folder),
            **in_new_process(learn, folder),
            "wanted": "a peak below 2,000 megabytes that neither a second epoch nor pauses raise; "
            "nothing read of the steps before",
            "machine": machine(),
        }
    write_result(result)
    print_result(result)


if __name__ == "__main__":
    main()
