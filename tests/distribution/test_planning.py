"""The formulas of the planner against arithmetic by hand, and what must hold of any plan."""

import itertools
import math

import pytest

from keras_convnets.distribution.planning import (
    Device,
    Variable,
    Work,
    assume,
    find_device,
    make_plan,
    parse_speed,
    place,
    read_steps,
)
from keras_convnets.errors import InputError

approx = pytest.approx

VARIABLES = (
    Variable("conv/kernel", (30,)),
    Variable("bn/gamma", (5,)),
    Variable("bn/moving_mean", (5,), trainable=False),
    Variable("dense/kernel", (6, 10), dense=True),
)


@pytest.fixture
def tiny():
    """A function that returns 100 numbers of which 95 learn, with one slot and an average."""

    def make(**changes):
        numbers = {
            "name": "tiny",
            "macs": 1000,
            "variables": VARIABLES,
            "activations": 50,
            "slots": 1,
            "is_averaged": True,
            "is_async": True,
            "batch_size": 8,
            "length": 1000,
            "unit": "updates",
        }
        return Work(**(numbers | changes))

    return make


@pytest.fixture
def simple():
    """A function that returns assumptions in which one thing costs at a time.

    A step computes 2 x 3 x 1000 x 8 operations at 96,000 a second: 0.5 s. Nothing else costs.
    """

    def make(*changes, servers=1):
        device = Device("round", 192_000.0, "", 0.5, "", None)
        found = assume(
            device,
            1e30,
            "",
            worker_batch=8,
            worker_batch_source="",
            servers=servers,
            images=4000,
            images_source="",
        )
        free = ("ps_memory_speed=1e30", "step_overhead=0", "closure_overhead=0", "hop_seconds=0")
        return found.changed((*free, *changes))

    return make


def test_a_step_computes_three_passes_of_two_operations_a_multiply_add(tiny, simple):
    plan = make_plan(tiny(), 1, 1, simple())
    assert plan.timing.parts["compute"] == approx(0.5)
    assert plan.images_per_second == approx(8 / 0.5)
    assert plan.ideal_images_per_second == approx(16)
    assert make_plan(tiny(), 1, 1, simple("passes=1")).images_per_second == approx(48)
    assert make_plan(tiny(), 1, 1, simple("efficiency=1")).images_per_second == approx(32)


def test_a_worker_pulls_weights_and_pushes_gradients_with_statistics_both_ways(tiny, simple):
    plan = make_plan(tiny(), 1, 1, simple("network=1600"))
    [load] = plan.loads
    assert (load.pulled, load.pushed) == (400, 400)  # 100 float32
    assert plan.timing.parts["worker's network"] == approx(0.5)
    assert plan.timing.rate == approx(1 / (0.5 + 0.5))
    hidden = make_plan(tiny(), 1, 1, simple("network=1600", "overlap=0.5"))
    assert hidden.timing.parts["worker's network"] == approx(0.25)


def test_a_server_holds_variables_slots_and_averages(tiny, simple):
    plan = make_plan(tiny(), 1, 1, simple())
    assert plan.memory["ps, greatest"] == {
        "weights and statistics": 4 * 100,
        "slots and averages": 4 * (95 + 100),  # statistics have an average and no slot
    }
    assert plan.memory["worker"] == {
        "weights and statistics": 4 * 100,
        "gradients": 4 * 95,
        "activations": 4 * 8 * 50,
        "optimizer's workspace": 4 * 95,
    }
    halved = make_plan(tiny(), 1, 1, simple("bytes_per_number=2"))
    assert sum(halved.memory["worker"].values()) * 2 == sum(plan.memory["worker"].values())


def test_workers_in_a_ring_hold_slots_themselves(tiny, simple):
    plan = make_plan(tiny(is_async=False), 4, 0, simple())
    assert list(plan.memory) == ["worker"]
    assert plan.memory["worker"]["slots and averages"] == 4 * (95 + 100)


def test_an_update_touches_what_it_reads_and_writes(tiny, simple):
    plan = make_plan(tiny(), 1, 1, simple("ps_memory_speed=2740"))
    # Pushed 100, slots and averages 195 twice, written 100, weights read 95.
    assert plan.loads[0].touched == 4 * (100 + 2 * 195 + 100 + 95)
    assert plan.timing.parts["ps updates"] == approx(1.0)
    assert plan.timing.limits["ps updates"] == approx(1.0)


def test_variables_go_to_servers_in_turn_and_split_kernels_part_by_part(tiny, simple):
    loads = make_plan(tiny(), 1, 3, simple("dense_parts=1")).loads
    assert [load.variables for load in loads] == [4 * (30 + 60), 4 * 5, 4 * 5]
    loads = make_plan(tiny(), 1, 3, simple(servers=3)).loads  # of 10 columns 4, 3 and 3
    assert [load.variables for load in loads] == [4 * (30 + 24), 4 * (5 + 18), 4 * (5 + 18)]
    loads = make_plan(tiny(), 1, 4, simple("placement=even", servers=4)).loads
    assert [load.variables for load in loads] == [100.0] * 4


def test_a_kernel_is_split_by_columns_and_never_into_more_parts_than_it_has():
    kernel = Variable("dense/kernel", (4, 3), dense=True)
    shapes = [[part.shape for part in server] for server in place([kernel], 2, 5)]
    assert shapes == [[(4, 1), (4, 1)], [(4, 1)]]


def test_the_greatest_server_bounds_what_all_workers_send(tiny, simple):
    changes = ("network=3600", "dense_parts=1")  # 90 of 100 numbers lie on the first of three
    plan = make_plan(tiny(), 1000, 3, simple(*changes))
    assert plan.timing.limits["ps network"] == approx(3600 / 360)
    assert (plan.timing.rate, plan.timing.bottleneck) == (approx(10), "ps network")
    assert plan.images_per_second == approx(80)


def test_the_coordinator_costs_each_step_and_each_closure(tiny, simple):
    changes = ("step_overhead=0.1", "closure_overhead=0.8", "steps_per_closure=4")
    plan = make_plan(tiny(), 1, 1, simple(*changes))
    assert plan.timing.parts["coordinator"] == approx(0.1 + 0.8 / 4)
    assert plan.timing.limits["coordinator"] == approx(5)
    assert make_plan(tiny(), 99, 1, simple(*changes)).timing.bottleneck == "coordinator"


@pytest.mark.parametrize(("steps_per_closure", "milliseconds"), [(1, 7), (20, 2.4)])
def test_overheads_are_those_that_were_measured(tiny, simple, steps_per_closure, milliseconds):
    """On two cores with a tiny net: 7 ms a step, and 2.4 ms at 20 steps a closure."""
    found = assume(
        find_device("k80"),
        1e30,
        "",
        worker_batch=8,
        worker_batch_source="",
        servers=1,
        images=None,
        images_source="",
    ).changed([f"steps_per_closure={steps_per_closure}"])
    parts = make_plan(tiny(), 1, 1, found).timing.parts
    assert parts["coordinator"] == approx(milliseconds / 1e3)


def test_processes_that_share_cores_are_no_faster_than_these(tiny, simple):
    rates = [
        make_plan(tiny(), workers, 1, simple("shared_cores=2")).timing for workers in (1, 2, 3)
    ]
    assert [timing.rate for timing in rates] == [approx(2), approx(4), approx(4)]
    assert rates[-1].bottleneck == "shared cores"
    ring = make_plan(tiny(is_async=False), 4, 0, simple("shared_cores=2"))
    assert ring.timing.rate == approx(2 / (4 * 0.5))


@pytest.mark.parametrize(
    ("changes", "bottleneck"),
    [
        ((), "compute"),
        (("network=400",), "worker's network"),
        (("step_overhead=2",), "coordinator"),
    ],
)
def test_workers_that_wait_for_nothing_are_bound_by_their_longest_part(
    tiny, simple, changes, bottleneck
):
    assert make_plan(tiny(), 1, 2, simple(*changes, servers=2)).timing.bottleneck == bottleneck


def test_a_ring_moves_twice_n_less_one_nths_of_the_bytes(tiny, simple):
    work = tiny(is_async=False)
    plan = make_plan(work, 4, 0, simple("network=1200"))
    assert plan.timing.parts["worker's network"] == approx(2 * 3 / 4 * 400 / 1200)
    assert plan.timing.rate == approx(1 / (0.5 + 0.5))
    assert plan.images_per_second == approx(4 * 8)  # an update has the gradients of all
    hops = make_plan(work, 4, 0, simple("hop_seconds=0.01"))
    assert hops.timing.parts["worker's network"] == approx(6 * 0.01)
    assert make_plan(work, 1, 0, simple("network=1")).timing.rate == approx(2)


def test_synchronous_workers_pull_and_push_all_at_once(tiny, simple):
    work = tiny(is_async=False)
    changes = ("network=3200", "placement=even")
    plan = make_plan(work, 4, 2, simple(*changes, servers=2))
    # Each server sends half of 400 bytes to 4 workers, and takes as much from them.
    assert plan.timing.parts["ps network"] == approx(2 * 4 * 200 / 3200)
    many = make_plan(work, 4, 8, simple(*changes, servers=8))  # now the workers' cables are slower
    assert many.timing.parts["worker's network"] == approx(2 * 400 / 3200)


def test_synchronous_servers_add_up_gradients_before_they_update(tiny, simple):
    plan = make_plan(tiny(is_async=False), 3, 1, simple("ps_memory_speed=5140"))
    assert plan.timing.parts["ps updates"] == approx((2740 + 3 * 2 * 400) / 5140)


def test_staleness_is_the_others_times_the_share_of_the_cycle_between_read_and_write(tiny, simple):
    plan = make_plan(tiny(), 5, 1, simple("step_overhead=0.125"))
    assert plan.staleness == approx(4 * 0.5 / 0.625)
    assert make_plan(tiny(), 1, 1, simple()).staleness == 0
    # Who waits for a server does so between its read and its write.
    waiting = make_plan(tiny(), 50, 1, simple("step_overhead=0.125", "network=800"))
    cycle = 50 / 2
    assert waiting.staleness == approx(49 * (cycle - 0.125) / cycle)
    # Who waits for the coordinator has written already, and not read yet.
    idle = make_plan(tiny(), 50, 1, simple("closure_overhead=1", "steps_per_closure=1"))
    assert idle.timing.bottleneck == "coordinator"
    assert idle.staleness == approx(49 * 0.5 / 50)
    assert make_plan(tiny(is_async=False), 5, 1, simple()).staleness is None


@pytest.mark.parametrize(
    ("length", "unit", "seconds"),
    [(100, "updates", 50), (800, "images", 50), (2, "epochs", 500)],
)
def test_days_follow_from_the_length_in_its_unit(tiny, simple, length, unit, seconds):
    days = make_plan(tiny(length=length, unit=unit), 1, 1, simple()).days
    assert days["one pass over the data"] * 86400 == approx(4000 / 16)
    assert days["the recipe's length"] * 86400 == approx(seconds)


def grid(tiny, simple, *changes):
    """Plans of many clusters in which everything costs."""
    costs = ("network=1e5", "ps_memory_speed=1e5", "step_overhead=0.01", "closure_overhead=0.01")
    for workers, servers in itertools.product((1, 2, 7, 64, 1024), (0, 1, 2, 4, 8, 16, 64)):
        for is_async in (True, False):
            if servers or not is_async:
                found = simple(*costs, *changes, servers=max(servers, 1))
                work = tiny(is_async=is_async)
                yield is_async, workers, servers, make_plan(work, workers, servers, found)


def test_no_cluster_is_faster_than_computing_alone(tiny, simple):
    plans = [plan for *_, plan in grid(tiny, simple)]
    assert len(plans) == 65
    assert all(plan.images_per_second <= plan.ideal_images_per_second for plan in plans)
    assert all(plan.images_per_second > 0 for plan in plans)


def test_more_evenly_loaded_servers_are_never_slower(tiny, simple):
    rates = {}
    for is_async, workers, servers, plan in grid(tiny, simple, "placement=even"):
        if servers:
            rates.setdefault((is_async, workers), []).append(plan.images_per_second)
    assert len(rates) == 10
    for line in rates.values():
        assert line == sorted(line)
        assert line[-1] >= line[0]
    assert rates[True, 1024][-1] > rates[True, 1024][0]


def test_twice_the_servers_never_lighten_the_greatest_less_than_before():
    """In turn, those of 2 M are a part of those of M; for other numbers nothing is certain."""
    variables = [Variable(str(i), (1 + 97 * (i % 6 == 1),)) for i in range(234)]

    def most(servers):
        return max(sum(v.size for v in server) for server in place(variables, servers))

    for servers in (1, 2, 3, 4, 5, 8, 16, 32):
        assert most(2 * servers) <= most(servers)
    # Six variables a separable convolution: every sixth server has all large ones.
    assert most(6) > 3 * most(5)


def test_more_workers_are_never_slower_and_wait_at_last(tiny, simple):
    found = simple("network=1e5", "ps_memory_speed=1e5")
    plans = [make_plan(tiny(), workers, 1, found) for workers in range(1, 200)]
    rates = [plan.images_per_second for plan in plans]
    assert rates == sorted(rates)
    assert rates[1] == approx(2 * rates[0])
    assert rates[-1] == rates[-2]


def test_a_printed_rate_is_read_in_both_ways(tiny):
    updates, summed = read_steps(tiny(), 10, workers=5, worker_batch=8, peak_flops=1e6)
    assert (updates.updates_per_second, summed.updates_per_second) == (10, 2)
    assert (updates.images_per_second, summed.images_per_second) == (400, 80)
    assert (updates.worker_flops, summed.worker_flops) == (480_000, 96_000)
    assert (updates.share_of_peak, summed.share_of_peak) == (approx(0.48), approx(0.096))
    assert summed.days(80 * 86400) == approx(1)
    assert summed.images_in(1) == approx(80 * 86400)


def test_a_worker_that_does_not_fit_its_device_is_told(tiny, simple):
    need = 4 * (100 + 95 + 50 * 8 + 95)
    assert not make_plan(tiny(), 1, 1, simple(f"device_memory={need}")).notes
    [note] = make_plan(tiny(), 1, 1, simple(f"device_memory={need - 1}")).notes
    assert "make worker_batch smaller" in note


def test_another_batch_than_the_recipes_is_told(tiny, simple):
    [note] = make_plan(tiny(is_async=False), 2, 0, simple()).notes
    assert "of 16 images here and of 8 in the recipe" in note


@pytest.mark.parametrize(
    ("text", "speed"),
    [
        ("10Gbit", 1.25e9),
        ("10 Gbit/s", 1.25e9),
        ("1.25GB/s", 1.25e9),
        ("100mbit", 12.5e6),
        ("8bit", 1),
        ("3 kB", 3000),
    ],
)
def test_speeds_have_units(text, speed):
    assert parse_speed(text) == speed


@pytest.mark.parametrize("text", ["", "10", "fast", "10Gb", "0Gbit", "-1GB", "1e400GB", "infGB"])
def test_what_is_no_speed_is_told(text):
    with pytest.raises(InputError, match="such as 10Gbit or 1.25GB, a second. Received: "):
        parse_speed(text)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("speed", "--assume wants name=value. Received: 'speed'"),
        ("netwrk=1", "no assumption 'netwrk'; the nearest are network"),
        ("efficiency=2", "efficiency should be a number of at least 1e-09 and at most 1. Received"),
        ("efficiency=0", "Received: '0'"),
        ("worker_batch=1.5", "worker_batch should be an integer of at least 1. Received: '1.5'"),
        ("network=nan", "network should be a number of at least 1. Received: 'nan'"),
        ("network=inf", "network should be a number of at least 1. Received: 'inf'"),
        ("overlap=x", "overlap should be a number of at least 0 and at most 1. Received: 'x'"),
        ("placement=odd", "placement should be one of in_turn, even. Received: 'odd'"),
    ],
)
def test_assumptions_that_can_not_be_are_told(simple, change, message):
    with pytest.raises(InputError, match=message):
        simple(change)


@pytest.mark.parametrize(
    ("workers", "servers", "message"),
    [
        (0, 1, "number of workers should be an integer of at least 1"),
        (1, -1, "number of parameter servers should be an integer of at least 0"),
        (10**9, 1, "number of workers should be"),
        (1, 0, "asynchronous training wants at least one parameter server"),
    ],
)
def test_clusters_that_can_not_be_are_told(tiny, simple, workers, servers, message):
    with pytest.raises(InputError, match=message):
        make_plan(tiny(), workers, servers, simple())


def test_unknown_devices_name_the_nearest():
    with pytest.raises(InputError, match="no device 'k8'; the nearest names are k80"):
        find_device("k8")
    assert find_device("TPU-v3-core").name == "tpu_v3_core"


def test_a_device_without_a_printed_peak_wants_a_measured_one(tiny, simple):
    unknown = simple().replaced("peak_flops", None, "")
    with pytest.raises(InputError, match="measure it by `--device local`"):
        make_plan(tiny(), 1, 1, unknown)


def test_a_plan_as_json_has_no_infinity(tiny, simple):
    content = make_plan(tiny(), 1, 1, simple()).to_json()
    assert content["limits_updates_per_second"]["coordinator"] is None
    assert content["assumptions"]["passes"]["value"] == 3
    assert all(math.isfinite(v) for v in content["limits_updates_per_second"].values() if v)
