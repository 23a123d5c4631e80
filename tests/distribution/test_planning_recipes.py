"""Recipes as numbers, and the plan of the paper's own cluster beside what it prints."""

import pytest

from keras_convnets import recipes
from keras_convnets.cli.planning_input import images_of, work_of, worker_batch
from keras_convnets.distribution.planning import assume, find_device, make_plan, read_steps

approx = pytest.approx


@pytest.fixture(scope="module")
def work():
    """A function that counts a recipe once."""
    known = {}

    def get(name):
        if name not in known:
            known[name] = work_of(recipes.get(name))
        return known[name]

    return get


def assumptions(name, workers, servers, *changes, device="k80", network=1.25e9):
    batch, source = worker_batch(recipes.get(name), workers)
    images, images_source = images_of(recipes.get(name))
    found = assume(
        find_device(device),
        network,
        "",
        worker_batch=batch,
        worker_batch_source=source,
        servers=servers,
        images=images,
        images_source=images_source,
    )
    return found.changed(changes)


@pytest.mark.parametrize(
    ("name", "trainable", "gigamacs", "slots", "is_async"),
    [
        ("xception_imagenet", 22_855_952, 8.357, 1, False),  # papers.md 9a; SGD has one slot
        ("xception_jft", 115_629_968, 8.45, 2, True),  # RMSprop with momentum has two
        ("inception_v3_imagenet_as_in_xception", 23_817_352, 5.713, 1, False),  # 7b
    ],
)
def test_a_recipe_becomes_the_published_numbers(work, name, trainable, gigamacs, slots, is_async):
    found = work(name)
    assert found.trainable == trainable
    assert found.macs / 1e9 == approx(gigamacs, abs=0.01)
    assert (found.slots, found.is_async, found.is_averaged) == (slots, is_async, True)


def test_activations_are_those_that_a_training_process_holds(work):
    """Measured on a CPU: the peak memory of Xception's step grows by 248 MB an image."""
    assert 4 * work("xception_imagenet").activations / 1e6 == approx(248, rel=0.05)


def test_lengths_keep_their_unit(work):
    assert (work("xception_imagenet").length, work("xception_imagenet").unit) == (100, "epochs")
    assert (work("xception_jft").length, work("xception_jft").unit) == (30_000_000, "updates")


def test_the_batch_of_a_synchronous_recipe_is_shared_out():
    assert worker_batch(recipes.get("xception_imagenet"), 60)[0] == 32  # papers.md 9b: 60 GPUs
    assert worker_batch(recipes.get("xception_imagenet"), 7)[0] == 275
    assert worker_batch(recipes.get("xception_jft"), 60)[0] == 32


def test_the_papers_sets_have_the_images_that_they_state():
    assert images_of(recipes.get("xception_jft"))[0] == 350_000_000  # papers.md 9c
    assert images_of(recipes.get("resnext_imagenet5k"))[0] == 6_800_000  # 12c
    assert images_of(recipes.get("xception_imagenet"))[0] == 1_281_167  # 0
    assert images_of(recipes.get("fine_tune"))[0] is None


@pytest.mark.parametrize(
    ("name", "printed", "images", "share"),
    [
        ("xception_imagenet", 28, (53_760, 896), (10.3, 0.171)),
        ("inception_v3_imagenet_as_in_xception", 31, (59_520, 992), (7.79, 0.130)),
    ],
)
def test_printed_steps_of_60_k80_can_only_be_gradients(work, name, printed, images, share):
    """papers.md 9d, table 3. As updates a GPU would do many times what its maker prints."""
    readings = read_steps(
        work(name),
        printed,
        workers=60,
        worker_batch=32,
        peak_flops=find_device("k80").peak_flops,
    )
    assert tuple(reading.images_per_second for reading in readings) == approx(images)
    assert tuple(reading.share_of_peak for reading in readings) == approx(share, rel=0.01)
    updates, summed = readings
    assert updates.share_of_peak > 1 > summed.share_of_peak
    plan = make_plan(work(name), 60, 16, assumptions(name, 60, 16))
    assert summed.images_per_second / 2 < plan.images_per_second < 2 * summed.images_per_second


def test_efficiency_of_k80_is_that_of_the_published_benchmark(work):
    """One K80 trains Inception-v3 at 29.3 images/s, batch 32 (TensorFlow's benchmarks, 2017)."""
    name = "inception_v3_imagenet_as_in_xception"
    plan = make_plan(work(name), 1, 0, assumptions(name, 1, 0, "worker_batch=32"))
    assert plan.images_per_second == approx(29.3, rel=0.01)


def test_64_k80_are_foretold_to_a_quarter(work):
    """1,608 images/s: 8 machines of 8 GPUs, 6 parameter servers, batch 32 a GPU (the same page).

    A machine is one worker here, with the operations and the batch of eight GPUs, and 10 Gbit/s.
    """
    name = "inception_v3_imagenet_as_in_xception"
    changes = ("worker_batch=256", f"peak_flops={8 * find_device('k80').peak_flops}")
    plan = make_plan(work(name), 8, 6, assumptions(name, 8, 6, *changes))
    assert plan.images_per_second == approx(1608, rel=0.25)


def test_no_server_holds_a_split_head_alone(work):
    head = 4 * 4096 * 17_000
    whole = make_plan(
        work("xception_jft"), 2, 4, assumptions("xception_jft", 2, 4, "dense_parts=1")
    )
    parted = make_plan(work("xception_jft"), 2, 4, assumptions("xception_jft", 2, 4))
    assert max(load.variables for load in whole.loads) > head
    assert max(load.variables for load in parted.loads) < head / 2
    total = 4 * work("xception_jft").total
    for plan in (whole, parted):
        assert sum(load.variables for load in plan.loads) == total


def test_small_dense_kernels_stay_whole(work):
    kernels = [variable for variable in work("xception_fashion_mnist").variables if variable.dense]
    assert kernels == []
    assert [v.shape for v in work("xception_imagenet").variables if v.dense] == [(2048, 1000)]


def test_six_servers_in_turn_hold_xception_worse_than_five(work):
    """A separable convolution with its normalization is six variables, of which one is large."""
    name = "xception_imagenet"
    shares = {}
    for servers in (5, 6):
        sizes = [
            load.variables
            for load in make_plan(work(name), 2, servers, assumptions(name, 2, servers)).loads
        ]
        shares[servers] = max(sizes) / sum(sizes)
    assert shares[6] > 0.6
    assert shares[5] < 0.3
