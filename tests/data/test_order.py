"""Which image comes when: a function of seed and epoch, whoever works."""

import collections

import numpy as np
import pytest

from keras_convnets.data import Preprocessing, Split, Worker, evaluation_batches, training_batches
from keras_convnets.data import order as order_module
from keras_convnets.data.encoded import Blobs
from keras_convnets.data.order import shuffled, training_rows
from keras_convnets.errors import InputError

ALONE = Worker()


def rows(length, batch_size, first_step=0, worker=ALONE, epoch=0, epochs=1):
    dataset = training_rows(
        length,
        batch_size,
        seed=5,
        epoch=epoch,
        epochs=epochs,
        first_step=first_step,
        worker=worker,
    )
    return [(int(index), tuple(seed)) for index, seed in dataset.as_numpy_iterator()]


def test_the_order_of_a_set_is_that_of_the_generator():
    indices = [index for index, _ in rows(103, 10)]
    assert indices == list(np.random.default_rng([5, 0]).permutation(103)[:100])


def test_each_image_has_a_seed_of_its_own_in_each_epoch():
    seeds = [seed for epoch in range(3) for _, seed in rows(20, 5, epoch=epoch)]
    assert len(set(seeds)) == 60


def test_epochs_follow_each_other():
    one_by_one = [row for epoch in (1, 2, 3) for row in rows(20, 6, epoch=epoch)]
    assert rows(20, 6, epoch=1, epochs=3) == one_by_one
    assert rows(20, 6, epoch=1, epochs=3, first_step=2) == one_by_one[12:]


@pytest.mark.parametrize("block", [7, 16, 50, 64, 1000])
def test_sets_of_many_blocks_show_each_image_once(block, monkeypatch):
    monkeypatch.setattr(order_module, "BLOCK", block)
    monkeypatch.setattr(order_module, "_ROWS", 5)
    indices = np.concatenate(list(shuffled(50, 1, 2)))
    assert sorted(indices) == list(range(50))
    assert not np.array_equal(indices, np.arange(50))
    whole = rows(50, 4)
    for step in (0, 1, 6, 11, 12):
        assert rows(50, 4, first_step=step) == whole[4 * step :]


@pytest.mark.parametrize("count", [1, 2, 4])
@pytest.mark.parametrize("first_step", [0, 3])
def test_workers_share_the_batches_of_one(count, first_step):
    whole = rows(50, 8, first_step)
    shares = [rows(50, 8, first_step, Worker(i, count)) for i in range(count)]
    share = 8 // count
    together = [
        row
        for step in range(len(whole) // 8)
        for part in shares
        for row in part[step * share : (step + 1) * share]
    ]
    assert together == whole


def test_a_batch_that_workers_cannot_share_alike_is_refused():
    with pytest.raises(InputError, match="a multiple of the 3 workers. Received: 8"):
        rows(50, 8, worker=Worker(0, 3))
    with pytest.raises(InputError, match="The worker should be an integer .* below 2. Received: 2"):
        Worker(2, 2)


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("length", [1, 11, 12, 13])
def test_workers_evaluate_each_image_once_in_as_many_full_batches(count, length):
    """Their batches of one step behind each other, step by step, are the images in order."""
    split = Split(np.arange(length), images=np.zeros((length, 4, 4, 1), np.uint8))
    found, steps = collections.defaultdict(list), set()
    for i in range(count):
        batches = list(
            evaluation_batches(split, Preprocessing(4, 1, "raw"), 2, worker=Worker(i, count))
        )
        steps.add(len(batches))
        for step, (_, labels, *weights) in enumerate(batches):
            assert count == 1 or len(labels) == 2
            is_real = weights[0] == 1 if weights else np.ones(len(labels), bool)
            found[step] += list(labels.numpy()[is_real])
    assert [label for step in sorted(found) for label in found[step]] == list(range(length))
    assert len(steps) == 1


class Counted(Blobs):
    """Counts what is read."""

    def __init__(self, blobs, names):
        super().__init__(blobs, names)
        self.indices = []

    def read(self, index):
        self.indices.append(index)
        return super().read(index)


def test_what_is_left_out_at_the_start_is_not_read(png):
    encoded = Counted([png] * 12, [str(i) for i in range(12)])
    split = Split(np.arange(12), encoded=encoded)
    batches = training_batches(
        split, Preprocessing(4, 3, "raw"), (), 2, classes=12, seed=5, epoch=0, first_step=4
    )
    shown = [int(label) for _, labels in batches for label in labels]
    assert sorted(encoded.indices) == sorted(shown)
    assert shown == [index for index, _ in rows(12, 2)][8:]


@pytest.fixture
def png():
    import io

    import PIL.Image

    content = io.BytesIO()
    PIL.Image.new("RGB", (6, 5)).save(content, "PNG")
    return content.getvalue()
