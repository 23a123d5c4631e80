"""What two processes of a cluster do together, each with two logical CPUs.

A script, for a process has as many devices as it began with. Each writes a JSON object into its
folder, and ends with the exit code of a run that can't read its images.
"""

import dataclasses
import json
import sys
from pathlib import Path
from unittest import mock

import keras
import overflow
import small_runs
import tensorflow as tf
from tensorflow.python.distribute.collective_all_reduce_strategy import CollectiveAllReduceExtended

from keras_convnets import cli
from keras_convnets.data import decoding, encoded
from keras_convnets.distribution import current_role
from keras_convnets.distribution.strategies import find_place
from keras_convnets.errors import UnreadableError
from keras_convnets.training.job import Job
from keras_convnets.training.run import Run

ROLE = current_role()


def watching(out):
    """The rows that this process sees, where processes differ in what they evaluate."""
    rows = []
    write, evaluate = Run.write_history, Job.evaluate

    def evaluate_differently(self, *arguments):
        scores = evaluate(self, *arguments)
        return scores if ROLE.is_chief else dataclasses.replace(scores, loss=9 - scores.loss)

    def keep_and_write(self, seen):
        rows[:] = seen
        write(self, seen)

    with (
        mock.patch.object(Job, "evaluate", evaluate_differently),
        mock.patch.object(Run, "write_history", keep_and_write),
    ):
        small_runs.train_watching(out)
    return rows


def unlike(data, out):
    """What is told where one process alone can't read some images."""
    read = encoded.Files.read

    def read_half(self, index):
        content = read(self, index)
        is_bad = not ROLE.is_chief and "/red/" in self.name(index)
        return content[: len(content) // 2] if is_bad else content

    with mock.patch.object(encoded.Files, "read", read_half):
        try:
            small_runs.train_with_bad_images(data, out)
        except UnreadableError as error:
            return str(error)


def main(folder, good, bad):
    """Does it all."""
    keras.config.set_floatx("float64")
    told = {"watching": watching(folder / "watching")}
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")
    told["overflow"] = overflow.take_steps(find_place("auto", ROLE, is_async=False))
    decoding.CHECK_LIMIT = decoding.MEMORY_LIMIT = 0  # what large sets are like
    run = small_runs.train_with_bad_images(bad, folder / "skipping")
    told |= {"skipped": run.skipped, "evaluation": run.evaluation, "history": run.history}
    told["unlike"] = unlike(good, folder / "unlike")
    (folder / f"{ROLE.index}.json").write_text(json.dumps(told))
    options = ["--data", bad, "--max-skipped", "0", "--out", str(folder / "none")]
    cli.main(["train", small_runs.__file__, *options])


def two_devices(self, resolver, worker):
    """The devices of this process: TensorFlow takes several GPUs, but only one CPU."""
    return (f"{worker}/device:CPU:0", f"{worker}/device:CPU:1"), "CPU"


if __name__ == "__main__":
    CollectiveAllReduceExtended._initialize_local_devices = two_devices
    [CPU] = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(CPU, [tf.config.LogicalDeviceConfiguration()] * 2)
    main(Path(sys.argv[1]), *sys.argv[2:])
