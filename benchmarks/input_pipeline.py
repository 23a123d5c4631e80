"""Augmented batches of 224 pixels from JPEG files, against torchvision and plain tf.data.

    python benchmarks/input_pipeline.py TORCH_PYTHON [--images N]

TORCH_PYTHON is the interpreter of an environment with torch and torchvision. All crop as Inception
does, resize with means where they shrink, and flip; the rivals also scale by mean and deviation,
which our nets do on their own device, and ours once more with that on the host. The limits are a
pass that decodes every file and does nothing else, and one that decodes a window of common size and
resizes it: no pipeline of TensorFlow's operations can be faster than that.
"""

import argparse
import os
import statistics
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import tensorflow as tf
from compare import machine, median_ratio, print_result, time_in_turns, write_result
from photos import write_photos

from keras_convnets import data
from keras_convnets.data import FlipLeftRight, InceptionCrop, Preprocessing, records
from keras_convnets.imagenet_utils import preprocess_input

BATCH, SIZE, ROUNDS = 64, 224, 5
WINDOW = (38, 38, 300, 300)  # top, left, height, width: in images that lie and in those that stand
AUTOTUNE = tf.data.AUTOTUNE


def exhaust(batches: tf.data.Dataset) -> None:
    """Takes every batch."""
    for _ in batches:
        pass


def ours(images: data.ImageSet, mode: str = "raw", *, antialias: bool = True) -> Callable[[], None]:
    """An epoch of ours."""
    changes = (InceptionCrop(antialias=antialias), FlipLeftRight())
    preprocessing = Preprocessing(SIZE, 3, mode)
    batches = data.pipeline(images, preprocessing, BATCH, augmentation=changes)
    return lambda: exhaust(batches)


def plain(paths: list[str], decode_only: bool) -> Callable[[], None]:
    """An epoch of what tutorials show, or of its decoding alone."""

    def decode(path):
        return tf.io.decode_jpeg(tf.io.read_file(path), channels=3)

    def prepare(path):
        image = decode(path)
        begin, extent, _ = tf.image.sample_distorted_bounding_box(
            tf.shape(image),
            tf.zeros([1, 0, 4]),
            area_range=(0.08, 1.0),
            use_image_if_no_bounding_boxes=True,
        )
        image = tf.image.resize(tf.slice(image, begin, extent), (SIZE, SIZE), antialias=True)
        image = tf.image.random_flip_left_right(tf.ensure_shape(image, (SIZE, SIZE, 3)))
        return preprocess_input(image, data_format="channels_last", mode="torch")

    files = tf.data.Dataset.from_tensor_slices(paths)
    if decode_only:
        images = files.map(decode, AUTOTUNE)
    else:
        images = files.shuffle(len(paths)).map(prepare, AUTOTUNE).batch(BATCH)
    images = images.prefetch(AUTOTUNE)
    return lambda: exhaust(images)


def decode_and_resize(paths: list[str]) -> Callable[[], None]:
    """An epoch of the same window of each file, decoded and shrunk with means."""

    def prepare(path):
        # Of 500 x 375 pixels it is 48 %, a little less than the mean InceptionCrop.
        window = tf.image.decode_and_crop_jpeg(tf.io.read_file(path), WINDOW, channels=3)
        return tf.image.resize(window, (SIZE, SIZE), "area")

    images = tf.data.Dataset.from_tensor_slices(paths).map(prepare, AUTOTUNE).prefetch(AUTOTUNE)
    return lambda: exhaust(images)


def torch_epoch(process: subprocess.Popen) -> Callable[[], None]:
    """An epoch of torchvision's loader in another process, which is idle in between."""

    def run():
        process.stdin.write("epoch\n")
        process.stdin.flush()
        if not process.stdout.readline().strip():
            raise RuntimeError("The process of torch has ended.")

    return run


def main() -> None:
    """Times all in turns, prints a table, and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("torch_python")
    parser.add_argument("--images", type=int, default=2000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as parent:
        folder = str(Path(parent, "photos"))
        write_photos(Path(folder), options.images)
        script = Path(__file__).with_name("torch_input_pipeline.py")
        process = subprocess.Popen(  # noqa: S603 - what the user names
            [options.torch_python, str(script), folder, str(BATCH), str(SIZE), "2"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        images = data.load(f"folder:{folder}")
        records.write(images, Path(parent, "records"), 4, quiet=True)
        in_records = data.load(f"tfrecord:{parent}/records")
        paths = [str(path) for path in images.train.encoded.paths]
        with process:
            calls = {
                "ours": ours(images),
                "ours_of_records": ours(in_records),
                "ours_scaled_on_the_host": ours(images, "torch"),
                "ours_not_antialiased": ours(images, antialias=False),
                "decode_only": plain(paths, decode_only=True),
                "decode_and_resize_only": decode_and_resize(paths),
                "torchvision": torch_epoch(process),
                "plain": plain(paths, decode_only=False),
            }
            times = dict(zip(calls, time_in_turns(list(calls.values()), ROUNDS), strict=True))
            process.stdin.close()
    rates = {
        f"{name}_images_a_second": round(options.images / statistics.median(seconds))
        for name, seconds in times.items()
    }
    result = {
        "name": "input_pipeline",
        "what": f"{options.images} JPEG files of 500 x 375 to batches of {BATCH}, {SIZE} px",
        **rates,
        "ours_images_a_second_and_core": round(
            rates["ours_images_a_second"] / (os.cpu_count() or 1)
        ),
        "speed_against_torchvision": round(median_ratio(times["torchvision"], times["ours"]), 2),
        "speed_against_decode_only": round(median_ratio(times["decode_only"], times["ours"]), 2),
        "speed_against_decode_and_resize_only": round(
            median_ratio(times["decode_and_resize_only"], times["ours"]), 2
        ),
        "speed_against_plain": round(median_ratio(times["plain"], times["ours"]), 2),
        "records_against_files": round(median_ratio(times["ours"], times["ours_of_records"]), 2),
        "rounds": ROUNDS,
        "wanted": "2 against torchvision, 0.9 against decode_only, 1 against plain, "
        "1 records_against_files",
        "machine": machine(),
    }
    write_result(result)
    print_result(result)


if __name__ == "__main__":
    main()
