"""`plan`: tables, JSON, the figure, what is measured, and bad input."""

import json

import PIL.Image
import pytest

from keras_convnets.cli import planning, planning_calibration, planning_figure
from keras_convnets.cli.planning_input import work_of
from keras_convnets.cli.planning_tables import duration
from keras_convnets.distribution.planning import find_device

LENET = "lenet5_mnist"
ASYNC = (LENET, "--set", "parallelism=async")


def test_tables_say_all(run):
    code, out, err = run("plan", *ASYNC, "--workers", 2, "--ps", 2)
    assert (code, err) == (0, "")
    assert "lenet5_mnist: 2 workers, 2 parameter servers, asynchronous" in out
    words = " ".join(out.split())
    for part in (
        "images/s",
        "bottleneck coordinator",
        "updates of others between",
        "one pass over the data",
        "ps, greatest",
        "worker's network",
        "pulled by a worker",
        "worker_batch 1 images the recipe's batch, of each worker",
        "steps_per_closure 20 steps",
        "efficiency 0.23 Inception-v3 at batch 32",
    ):
        assert part in words


def test_a_ring_has_no_servers(run):
    _, out, _ = run("plan", LENET)
    assert "lenet5_mnist: 1 worker, synchronous by all-reduce in a ring" in out
    assert "ps" not in [word for line in out.splitlines() for word in line.split()]


def test_json_has_the_whole_plan(run):
    code, out, _ = run("plan", *ASYNC, "--workers", 3, "--json", "--network", "1Gbit")
    content = json.loads(out)
    assert code == 0
    assert (content["workers"], content["ps"], content["mode"]) == (3, 1, "asynchronous")
    assert content["assumptions"]["network"] == {
        "value": 125e6,
        "unit": "bytes/s",
        "source": "given by the user",
    }
    [load] = content["ps_bytes"]
    assert content["memory_bytes"]["ps, mean"]["weights and statistics"] == load["variables"]
    assert content["images_per_second"] == pytest.approx(
        content["updates_per_second"] * content["images_per_update"]
    )


def test_assumptions_are_changed_and_say_so(run):
    _, out, _ = run("plan", LENET, "--assume", "efficiency=0.5", "--assume", "passes=2", "--json")
    assumptions = json.loads(out)["assumptions"]
    assert (assumptions["efficiency"]["value"], assumptions["passes"]["value"]) == (0.5, 2)
    assert assumptions["efficiency"]["source"] == "given by the user"
    assert assumptions["peak_flops"]["source"] != "given by the user"


def test_a_printed_rate_is_told_in_both_readings(run):
    arguments = ("plan", LENET, "--workers", 1, "--printed", 12)
    _, out, _ = run(*arguments)
    assert "updates of the weights" in out
    assert "gradients, summed over workers" in out
    assert "days for the recipe's length" in out
    _, out, _ = run(*arguments, "--json")
    assert [reading["images_per_second"] for reading in json.loads(out)["readings"]] == [12, 12]


@pytest.mark.parametrize("setting", ["parallelism=async", "parallelism=sync"])
def test_the_figure_is_drawn(run, tmp_path, setting):
    path = tmp_path / "plan.png"
    code, out, _ = run("plan", LENET, "--set", setting, "--figure", path)
    assert code == 0
    assert str(path) in out.replace("\n", "")
    assert PIL.Image.open(path).width > 800


def test_lines_of_the_figure_split_dense_layers_as_their_servers_are(tiny_recipe):
    from keras_convnets.training import choice

    recipe = tiny_recipe.replace(parallelism=choice("async", "for the test"))
    plans = planning_figure.lines(work_of(recipe), _assumptions())
    assert list(plans) == [1, 4, 16, 64]
    assert [line[0].assumptions["dense_parts"] for line in plans.values()] == [1, 4, 16, 64]
    given = planning_figure.lines(work_of(recipe), _assumptions().changed(["dense_parts=2"]))
    assert {line[0].assumptions["dense_parts"] for line in given.values()} == {2}
    line = plans[4]
    assert [plan.workers for plan in (line[0], line[-1])] == [1, 1024]
    assert not planning_figure.is_shared(line[0])


def test_a_synchronous_figure_begins_with_the_ring(tiny_recipe):
    plans = planning_figure.lines(work_of(tiny_recipe), _assumptions())
    assert list(plans) == [0, 1, 4, 16, 64]


def _assumptions(device="k80"):
    from keras_convnets.distribution.planning import assume

    return assume(
        find_device(device),
        1e9,
        "",
        worker_batch=8,
        worker_batch_source="",
        servers=1,
        images=None,
        images_source="",
    )


def test_this_machine_is_measured_on_one_core(tiny_recipe, monkeypatch):
    """A core prepares an image and trains on it in turn: 1 / (1/30 + 1/60) = 20 a second."""
    monkeypatch.setattr(planning_calibration, "measure", lambda recipe: (30.0, 60.0))
    monkeypatch.setattr("os.cpu_count", lambda: 6)
    found = planning_calibration.calibrated(tiny_recipe, _assumptions("cpu_core"))
    assert found["peak_flops"] == pytest.approx(20 * 6 * work_of(tiny_recipe).macs)
    assert found["shared_cores"] == 6
    changes = ["peak_flops=5", "shared_cores=1"]
    given = _assumptions("cpu_core").changed(changes)
    found = planning_calibration.calibrated(tiny_recipe, given, changes)
    assert (found["peak_flops"], found["shared_cores"]) == (5, 1)


def test_measuring_gives_rates_of_net_and_input():
    from keras_convnets import recipes

    recipe = recipes.get(LENET).set("parallelism", "async").set("data", "fashion_mnist_6k")
    net, data = planning_calibration.measure(recipe, seconds=0.2)
    assert min(net, data) > 10


@pytest.mark.parametrize(
    ("days", "text"),
    [(1000, "2.74 years"), (38.8, "38.8 days"), (0.5, "12 hours"), (0.01, "14.4 minutes")],
)
def test_durations_are_in_the_unit_that_people_would_say(days, text):
    assert duration(days) == text
    assert duration(1 / 86400) == "1.0 seconds"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("xeption_jft",), "nearest names are xception_jft"),
        ((LENET, "--workers", 0), "number of workers should be an integer of at least 1"),
        ((LENET, "--ps", -1), "number of parameter servers should be an integer of at least 0"),
        ((*ASYNC, "--ps", 0), "wants at least one parameter server"),
        ((LENET, "--device", "k8"), "There is no device 'k8'; the nearest names are k80"),
        ((LENET, "--device", "cpu_core"), "measure it by `--device local`"),
        ((LENET, "--network", "fast"), "such as 10Gbit or 1.25GB, a second. Received: 'fast'"),
        ((LENET, "--assume", "efficency=1"), "the nearest are efficiency"),
        ((LENET, "--assume", "efficiency"), "--assume wants name=value"),
        ((LENET, "--set", "l2"), "--set wants field=value"),
        ((LENET, "--printed", 0), "--printed should be a number above 0"),
        ((*ASYNC, "--printed", 3), "--printed reads a rate of synchronous workers"),
        ((LENET, "--figure", "plan.pdf"), "--figure should end in .png or .svg"),
        ((LENET, "--figure", "nowhere/plan.png"), "folder of --figure does not exist: 'nowhere'"),
    ],
)
def test_bad_input_is_one_sentence(run, arguments, message):
    code, out, err = run("plan", *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert len(err.strip().splitlines()) == 1


def test_a_cluster_that_can_not_be_is_told_before_the_net_is_counted(run, monkeypatch):
    monkeypatch.setattr(planning, "work_of", lambda recipe: pytest.fail("it was counted"))
    assert run("plan", LENET, "--workers", 0)[0] == 2
    assert run("plan", *ASYNC, "--ps", 0)[0] == 2
