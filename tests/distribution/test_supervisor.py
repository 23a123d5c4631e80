"""What happens when processes of a cluster die."""

import pytest

DEAF = ("on_sigterm(lambda: None); sleep()",)


def wait_for_worker(start):
    """A deed of the chief: its work is done when worker 1 was started so often."""
    return f"wait_for(lambda: len(pids('worker-1')) == {start})"


def test_a_worker_that_dies_is_started_again_and_nobody_else(launched):
    cluster = launched({"chief-0": [wait_for_worker(2)]})
    cluster.pid("chief-0")
    cluster.kill("worker-1")
    code, output = cluster.end()
    assert code == 0, output
    assert [len(cluster.notes(name)) for name in ("chief-0", "worker-0", "ps-0")] == [1, 1, 1]
    first, second = cluster.notes("worker-1")
    assert first["config"] == second["config"]
    assert second["kind"] == "start"
    sentence = "worker 1 was killed by SIGKILL; started again as process"
    assert sentence in output
    assert sentence in cluster.log("launch")
    assert cluster.log("worker-1") == "this is worker-1 start\n" * 2


def test_restarts_of_workers_do_not_count_against_those_of_the_chief(launched):
    cluster = launched({"chief-0": [wait_for_worker(4)]}, limits={"restarts": 0})
    for start in range(3):
        cluster.kill("worker-1", start)
    assert cluster.end()[0] == 0


def test_a_worker_that_dies_at_once_again_and_again_ends_all_with_its_last_lines(launched):
    cluster = launched(
        {"worker-1": ["raise RuntimeError('no such luck')"] * 9}, limits={"quick_deaths": 3}
    )
    code, output = cluster.end()
    assert code == 1
    assert len(cluster.notes("worker-1")) == 3
    assert "worker 1 failed with code 1, and it lived for less than 30 s 3 times in" in output
    assert "RuntimeError: no such luck" in output
    cluster.assert_all_ended()


def test_a_worker_that_lived_for_a_while_is_no_crash_loop(launched):
    cluster = launched(
        {"chief-0": [wait_for_worker(4)], "worker-1": ["sleep(0.3); exit(1)"] * 3},
        limits={"quick_deaths": 2, "quick": 0.1},
    )
    code, output = cluster.end()
    assert code == 0, output


def test_a_chief_that_asks_for_it_is_restarted_with_the_command_that_goes_on(launched):
    cluster = launched({"chief-0": ["save_and_exit()", "exit(0)"]})
    code, output = cluster.end()
    assert code == 0, output
    assert [note["kind"] for note in cluster.notes("chief-0")] == ["start", "resume"]
    assert all(len(cluster.notes(name)) == 1 for name in ("worker-0", "worker-1", "ps-0"))
    assert "chief asked for a restart; started again" in output


def test_a_chief_that_had_nothing_to_go_on_from_begins_again(launched):
    cluster = launched({"chief-0": ["os.kill(os.getpid(), 9)", "exit(0)"]})
    code, output = cluster.end()
    assert code == 0, output
    assert [note["kind"] for note in cluster.notes("chief-0")] == ["start", "start"]
    assert "chief was killed by SIGKILL; started again" in output


def test_a_parameter_server_is_restarted_with_the_chief_once_that_has_noticed(launched):
    """Not before: the chief that lost its variables must not meet a new server without them."""
    notice = "wait_for(lambda: is_gone('ps-0')); sleep(0.5); save_and_exit()"
    cluster = launched({"chief-0": [f"wait_for(lambda: pids('ps-0')); {notice}",
                                    "wait_for(lambda: not is_gone('ps-0'))"]})  # fmt: skip
    cluster.pid("chief-0")
    cluster.kill("ps-0")
    code, output = cluster.end()
    assert code == 0, output
    assert [note["kind"] for note in cluster.notes("chief-0")] == ["start", "resume"]
    assert [note["kind"] for note in cluster.notes("ps-0")] == ["start", "start"]
    assert cluster.notes("ps-0")[1]["time"] - cluster.notes("chief-0")[0]["time"] > 0.5
    assert all(len(cluster.notes(name)) == 1 for name in ("worker-0", "worker-1"))
    assert "ps 0 was killed by SIGKILL; waiting for the chief to end" in output


def test_a_chief_that_does_not_notice_a_lost_parameter_server_is_ended(launched):
    cluster = launched(
        {
            "chief-0": [
                "on_sigterm(lambda: None); marker.touch(); sleep()",
                "wait_for(lambda: len(pids('ps-0')) == 2)",
            ]
        },
        limits={"notice": 0.3, "end": 0.3},
    )
    cluster.pid("chief-0")
    cluster.kill("ps-0")
    code, output = cluster.end()
    assert code == 0, output
    assert [note["kind"] for note in cluster.notes("chief-0")] == ["start", "resume"]


def test_a_chief_that_has_failed_is_not_tried_again(launched):
    cluster = launched({"chief-0": ["print('it diverged', flush=True); exit(1)"]})
    code, output = cluster.end()
    assert code == 1
    assert len(cluster.notes("chief-0")) == 1
    assert "it diverged" in output
    cluster.assert_all_ended()


@pytest.mark.parametrize(
    ("deed", "code"), [("save_and_exit()", 75), ("os.kill(os.getpid(), signal.SIGKILL)", 1)]
)
def test_restarts_of_the_chief_are_limited(launched, deed, code):
    """The exit code is that of the chief, so that whoever started it all knows what to do."""
    cluster = launched({"chief-0": [deed] * 9}, limits={"restarts": 2})
    found, output = cluster.end()
    assert found == code
    assert len(cluster.notes("chief-0")) == 3
    assert "--max-restarts 2 is reached" in output
    cluster.assert_all_ended()


def test_a_parameter_server_that_dies_again_and_again_is_named_with_its_last_lines(launched):
    notice = "wait_for(lambda: pids('ps-0') and is_gone('ps-0')); exit(75)"
    crash = "raise RuntimeError('no such luck')"
    cluster = launched({"chief-0": [notice] * 9, "ps-0": [crash] * 9}, limits={"restarts": 1})
    code, output = cluster.end()
    assert code == 75
    assert len(cluster.notes("ps-0")) == 2
    assert "ps 0 failed with code 1, and --max-restarts 1 is reached" in output
    assert "RuntimeError: no such luck" in output


@pytest.mark.parametrize("name", ["chief-0", "worker-1", "ps-0"])
def test_bad_input_is_never_tried_again(launched, name):
    cluster = launched({name: ["print('no recipe', flush=True); exit(2)"]})
    code, output = cluster.end()
    assert code == 2
    assert len(cluster.notes(name)) == 1
    assert "can't work with what it was given" in output
    assert "no recipe" in output
    cluster.assert_all_ended()


def test_synchronous_workers_all_start_again_when_one_dies(launched):
    """Of the others one notices, and one hangs."""
    all_are_there = "wait_for(lambda: pids('worker-1') and pids('worker-2'))"
    loss = f"{all_are_there}; os.kill(pids('worker-1')[0], 9); save_and_exit()"
    cluster = launched({"worker-0": [loss], "worker-2": DEAF}, workers=3, servers=0,
                       limits={"end": 0.5})  # fmt: skip
    for i in range(3):
        cluster.pid(f"worker-{i}", 1)
        assert [note["kind"] for note in cluster.notes(f"worker-{i}")] == ["start", "resume"]
    cluster.process.terminate()
    code, output = cluster.end()
    assert code == 75
    assert "worker 1 was killed by SIGKILL; all workers start again" in output
    cluster.assert_all_ended()


def test_restarts_of_synchronous_workers_are_limited(launched):
    cluster = launched({"worker-1": ["exit(1)"] * 9}, servers=0, limits={"restarts": 1})
    code, output = cluster.end()
    assert code == 1
    assert len(cluster.notes("worker-1")) == 2
    assert "--max-restarts 1 is reached" in output
    cluster.assert_all_ended()


@pytest.mark.parametrize(("first", "second"), [("worker-0", "worker-1"), ("worker-1", "worker-0")])
def test_synchronous_workers_may_end_one_after_the_other(launched, first, second):
    cluster = launched({first: ["exit(0)"], second: ["sleep(1); marker.touch()"]}, servers=0)
    code, output = cluster.end()
    assert code == 0, output
    assert (cluster.folder / "marker").exists()
    assert len(cluster.pids()) == 2


def test_servers_of_a_finished_run_may_end_before_the_chief(launched):
    """As in `train --resume` of one: all see that nothing is left to do, one after the other."""
    everyone = "all(pids(name) and is_gone(name) for name in ('worker-0', 'worker-1', 'ps-0'))"
    done = ["exit(0)"]
    cluster = launched({"chief-0": [f"wait_for(lambda: {everyone}); sleep(0.5)"],
                        "worker-0": done, "worker-1": done, "ps-0": done})  # fmt: skip
    code, output = cluster.end()
    assert code == 0, output
    assert len(cluster.pids()) == 4
    assert not (cluster.folder / "logs" / "launch.log").exists()  # nothing happened


def test_a_worker_that_ends_without_the_chief_is_started_again(launched):
    cluster = launched(
        {"chief-0": [wait_for_worker(2)], "worker-1": ["exit(0)"]}, limits={"end": 0.3}
    )
    code, output = cluster.end()
    assert code == 0, output
    assert "worker 1 ended; started again" in output
