"""What bounds the speed of a run."""

import time

import numpy as np
import pytest
import tensorflow as tf

from keras_convnets.data import Split
from keras_convnets.training import Profile, profile
from keras_convnets.training.profiling import measure


class Slow:
    """A model whose steps take some time."""

    def __init__(self, seconds):
        self._seconds = seconds

    def train_on_batch(self, images, labels):
        time.sleep(self._seconds)


@pytest.mark.parametrize(("input_seconds", "step_seconds"), [(0.04, 0.0), (0.0, 0.04)])
def test_what_waits_is_told(input_seconds, step_seconds):
    def batches():
        while True:
            time.sleep(input_seconds)
            yield np.zeros((5, 2, 2, 3)), np.zeros(5)

    spec = (tf.TensorSpec((5, 2, 2, 3)), tf.TensorSpec((5,)))
    dataset = tf.data.Dataset.from_generator(batches, output_signature=spec)
    split = Split(np.zeros(5, int), images=np.zeros((5, 2, 2, 3), np.uint8))
    found = measure(Slow(step_seconds), dataset, split, seconds=0.3)
    assert found.is_bound_by_input == (input_seconds > 0)
    assert min(found.input, found.compute) <= 5 / 0.04
    assert found.decoding is None


def test_decoding_has_its_share_of_the_input():
    assert Profile(input=100, compute=50, decoding=400, cores=2).decoding_share == 0.25
    assert Profile(input=100, compute=50, decoding=90, cores=2).decoding_share == 1
    assert Profile(input=100, compute=50, decoding=None, cores=2).decoding_share is None


def test_a_recipe_is_measured_and_nothing_is_written(
    tiny_googlenet, photo_folder, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    before = set(tmp_path.rglob("*"))
    recipe = tiny_googlenet.set("augmentation", "(InceptionCrop(),)")
    found = profile(recipe, data=f"folder:{photo_folder}", seconds=0.2, quiet=True)
    assert min(found.input, found.compute, found.decoding) > 0
    assert set(tmp_path.rglob("*")) == before
