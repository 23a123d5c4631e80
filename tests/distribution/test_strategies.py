"""Where a run takes place, and what is refused before it does."""

import types

import pytest
import tensorflow as tf

from keras_convnets.distribution import Role, strategies
from keras_convnets.distribution.strategies import HERE, NAMES, Place, find_place
from keras_convnets.errors import InputError
from keras_convnets.training.preparation import check_place


def role(task="worker", index=0, **counts):
    """A task of a cluster with so many of each kind."""
    ports = iter(range(2000, 3000))
    cluster = {
        kind: tuple(f"127.0.0.1:{next(ports)}" for _ in range(count))
        for kind, count in counts.items()
    }
    return Role(task, index, cluster)


@pytest.fixture
def on_paper(monkeypatch):
    """Places are found, and no strategy is made."""
    monkeypatch.setattr(strategies, "_make_strategy", lambda name, role: None)


@pytest.mark.usefixtures("on_paper")
@pytest.mark.parametrize(
    ("cluster", "devices", "is_async", "expected"),
    [
        (None, ["/device:CPU:0"], False, "single"),
        (None, ["/device:GPU:0", "/device:GPU:1"], False, "mirrored"),
        (role(worker=1), ["/device:CPU:0"], False, "single"),
        (role(worker=2), ["/device:GPU:0", "/device:GPU:1"], False, "multi_worker"),
        (role(chief=1, worker=1), ["/device:CPU:0"], False, "multi_worker"),
        (role("chief", chief=1, worker=1, ps=1), ["/device:CPU:0"], True, "parameter_server"),
    ],
)
def test_auto_is_what_the_cluster_or_else_the_devices_are_for(
    monkeypatch, cluster, devices, is_async, expected
):
    monkeypatch.setattr(strategies, "_devices", lambda: devices)
    assert find_place("auto", cluster, is_async=is_async).name == expected


@pytest.mark.usefixtures("on_paper")
@pytest.mark.parametrize(
    ("name", "cluster", "is_async", "message"),
    [
        ("mirored", None, False, "`strategy` should be one of 'auto', 'single'"),
        ("auto", None, True, "is asynchronous: .* `keras-convnets launch --workers 2 --ps 1 -- tr"),
        ("single", None, True, "`--set parallelism=sync` trains it without them"),
        ("multi_worker", role(worker=2), True, "is asynchronous"),
        ("parameter_server", None, True, "wants a cluster, and TF_CONFIG names none"),
        ("multi_worker", None, False, "wants a cluster, and TF_CONFIG names none"),
        ("auto", role("chief", chief=1, worker=1, ps=1), False, "The recipe is synchronous"),
        ("parameter_server", role(worker=2), True, "the cluster has none. Received: worker"),
        ("multi_worker", role("chief", chief=1, worker=1, ps=1), False, "the cluster has some"),
        ("single", role(worker=2), False, "is for one process, and the cluster has 2 workers"),
        ("mirrored", role(worker=2), False, "`--strategy multi_worker` uses them"),
    ],
)
def test_a_place_that_the_recipe_or_the_cluster_is_not_for_is_refused(
    name, cluster, is_async, message
):
    with pytest.raises(InputError, match=message):
        find_place(name, cluster, is_async=is_async)


def test_a_missing_tpu_is_told_in_a_sentence():
    with pytest.raises(InputError, match="No TPU can be used here"):
        find_place("tpu", None, is_async=False)


def test_a_worker_has_all_its_gpus(monkeypatch):
    """There is none here: what TensorFlow asks is answered."""
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [kind] * 2)
    assert strategies._resolver(role(worker=2)).num_accelerators() == {"GPU": 2}


@pytest.mark.parametrize(
    ("cluster", "process", "is_chief"),
    [
        (role("worker", 0, worker=2), 0, True),
        (role("worker", 1, worker=2), 1, False),
        (role("chief", 0, chief=1, worker=2), 0, True),
        (role("worker", 0, chief=1, worker=2), 1, False),
    ],
)
def test_the_chief_is_the_first_of_the_processes_and_writes(cluster, process, is_chief):
    place = Place("multi_worker", None, cluster)
    assert (place.process, place.is_chief) == (process, is_chief)
    assert place.processes == len(cluster.workers) + ("chief" in cluster.cluster)


def replicas(count, name="mirrored"):
    return Place(name, types.SimpleNamespace(num_replicas_in_sync=count))


@pytest.mark.parametrize(
    ("place", "accumulate", "mixed_precision", "message"),
    [
        (replicas(3), 1, None, "batch of 4 images can't be divided equally among 3 replicas;"),
        (replicas(2), 4, None, "2 replicas, in 4 micro-batches each; choose a multiple of 8"),
        (replicas(2, "tpu"), 1, "float16", "computes in bfloat16, not in float16"),
    ],
)
def test_what_a_place_can_not_do_is_refused(
    tiny_recipe, place, accumulate, mixed_precision, message
):
    with pytest.raises(InputError, match=message):
        check_place(place, tiny_recipe, accumulate, mixed_precision)


def test_synchronized_statistics_of_micro_batches_are_for_one_device(tiny_xception):
    """Replicas can't speak to each other within the loop over micro-batches."""
    recipe = tiny_xception.set("batch_norm", "{'synchronized': True}")
    with pytest.raises(InputError, match="leave one of the two out .* Received: accumulate=2"):
        check_place(replicas(2), recipe, 2, None)
    check_place(replicas(2), recipe, 1, None)
    check_place(replicas(2), tiny_xception, 2, None)
    check_place(HERE, recipe, 2, None)


def test_names_are_those_of_the_command_line():
    assert NAMES == ("auto", "single", "mirrored", "multi_worker", "tpu", "parameter_server")
