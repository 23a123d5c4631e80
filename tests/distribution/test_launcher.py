"""Clusters on one machine: how their processes start, go on and end."""

import os
import socket
import subprocess
import sys

import pytest

from keras_convnets.distribution import Command, Limits, launch, local_roles
from keras_convnets.errors import InputError

ROLES = ("chief-0", "worker-0", "worker-1", "ps-0")
DEAF = ("on_sigterm(lambda: None); sleep()",)


def test_each_process_gets_its_role_in_a_cluster_of_local_addresses(launched):
    cluster = launched({"chief-0": ["wait_for(lambda: len(pids('*')) == 4)"]})
    code, output = cluster.end()
    assert code == 0, output
    notes = {name: cluster.notes(name) for name in ROLES}
    configs = [note["config"] for [note] in notes.values()]
    assert [(c["task"]["type"], c["task"]["index"]) for c in configs] == [
        ("chief", 0), ("worker", 0), ("worker", 1), ("ps", 0),
    ]  # fmt: skip
    [addresses] = {str(config["cluster"]) for config in configs}
    assert {task: len(found) for task, found in configs[0]["cluster"].items()} == {
        "chief": 1, "worker": 2, "ps": 1,
    }  # fmt: skip
    assert addresses.count("127.0.0.1:") == 4
    assert all(note["kind"] == "start" for [note] in notes.values())
    assert all(note["reuse"] == "1" for [note] in notes.values())


def test_without_parameter_servers_there_are_workers_alone(launched):
    done = ["exit(0)"]
    cluster = launched({"worker-0": done, "worker-1": done}, servers=0)
    code, output = cluster.end()
    assert code == 0, output
    [note] = cluster.notes("worker-1")
    assert list(note["config"]["cluster"]) == ["worker"]


def test_the_end_of_the_chief_is_the_end_of_all(launched):
    cluster = launched({"chief-0": ["wait_for(lambda: len(pids('*')) == 4)"]})
    code, output = cluster.end()
    cluster.assert_all_ended()
    assert code == 0
    assert output.count("ended by launch") == 3


def test_output_goes_to_a_log_for_each_and_the_chiefs_to_the_terminal_too(launched):
    bar = "print('\\x1b[1m1 of 2\\r\\x1b[2K2 of 2\\x1b[0m', flush=True)"
    crash = "raise RuntimeError('no such luck')"
    cluster = launched({"chief-0": [f"wait_for(lambda: len(pids('*')) == 4); {bar}; {crash}"]},
                       limits={"restarts": 0})  # fmt: skip
    code, output = cluster.end()
    assert code == 1
    for name in ("worker-0", "worker-1", "ps-0"):
        assert cluster.log(name) == f"this is {name} start\n"
        assert f"this is {name}" not in output
        assert f"{name}.log" in output
    assert "this is chief-0 start" in output
    assert "\x1b[1m1 of 2\r\x1b[2K2 of 2\x1b[0m" in output
    lines = cluster.log("chief").splitlines()
    assert lines[:2] == ["this is chief-0 start", "2 of 2"]
    assert lines[-1] == "RuntimeError: no such luck"


def test_ports_are_free_and_held(free_port_of_role):
    """Nobody else gets them, and the process that shall does, again and again."""
    for _ in range(2):
        with socket.socket() as server:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            server.bind(("127.0.0.1", free_port_of_role))
            server.listen()
            socket.create_connection(("127.0.0.1", free_port_of_role), timeout=1).close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", free_port_of_role), timeout=1)
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", free_port_of_role))


@pytest.fixture
def free_port_of_role():
    with local_roles(3, 2) as roles:
        ports = {int(role.address.rpartition(":")[2]) for role in roles}
        assert len(ports) == 6
        yield ports.pop()


def test_workers_may_have_a_core_of_their_own(launched):
    cluster = launched({"chief-0": ["wait_for(lambda: len(pids('*')) == 4)"]}, pin_cores=True)
    assert cluster.end()[0] == 0
    cores = sorted(os.sched_getaffinity(0))
    for i in range(2):
        assert cluster.notes(f"worker-{i}")[0]["cores"] == [cores[i % len(cores)]]
    assert cluster.notes("chief-0")[0]["cores"] == cores


@pytest.mark.parametrize("is_ctrl_c", [True, False])
def test_a_stop_lets_the_chief_save_while_the_others_serve_and_ends_them_all(launched, is_ctrl_c):
    save = "wait_for(lambda: (folder / 'go').exists()); save_and_exit()"
    cluster = launched({"chief-0": [f"on_sigterm(lambda: exec({save!r})); sleep()"]})
    for name in ROLES:
        cluster.pid(name)
    if is_ctrl_c:
        cluster.press_ctrl_c()
    else:
        cluster.process.terminate()
    with pytest.raises(subprocess.TimeoutExpired):
        cluster.process.wait(1)
    assert cluster.is_running("worker-0")
    assert cluster.is_running("ps-0")
    (cluster.folder / "go").touch()
    code, output = cluster.end()
    assert code == 75, output
    assert (cluster.folder / "marker").exists()
    cluster.assert_all_ended()


def test_who_does_not_end_when_asked_is_killed(launched):
    cluster = launched(dict.fromkeys(ROLES, DEAF), limits={"checkpoint": 0.5, "end": 0.5})
    for name in ROLES:
        cluster.pid(name)
    cluster.process.terminate()
    code, output = cluster.end(10)
    assert code == 75
    assert "chief did not end in 0.5 s and is killed" in output
    cluster.assert_all_ended()


def test_a_second_ctrl_c_means_now(launched):
    cluster = launched({"chief-0": DEAF})
    for name in ROLES:
        cluster.pid(name)
    cluster.press_ctrl_c()
    with pytest.raises(subprocess.TimeoutExpired):
        cluster.process.wait(0.5)
    cluster.press_ctrl_c()
    assert cluster.end(5)[0] == 75
    cluster.assert_all_ended()


def test_kill_9_of_the_launcher_leaves_no_orphan(launched):
    cluster = launched(dict.fromkeys(ROLES, DEAF))
    for name in ROLES:
        cluster.pid(name)
    cluster.process.kill()
    cluster.assert_all_ended()


def test_a_crash_of_the_launcher_leaves_no_orphan(tmp_path):
    """Here the program of the second process is not there."""
    code = f"""
import sys
from pathlib import Path
from keras_convnets.distribution import Command, launch, supervisor
sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
def start(self):
    self.processes[0].start(sleep)
    print(self.processes[0].pid, flush=True)
    self.processes[1].start(["/nowhere"])
supervisor.Supervisor.start = start
launch(Command(sleep, sleep, Path("/nowhere")), workers=2, logs={str(tmp_path)!r})
"""
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30
    )
    assert "FileNotFoundError" in result.stderr
    assert not os.path.exists(f"/proc/{int(result.stdout.splitlines()[0])}")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"workers": 0}, "number of workers should be an integer of at least 1. Received: 0"),
        ({"workers": 1, "servers": -1}, "parameter servers should be an integer of at least 0"),
        ({"workers": 1, "limits": Limits(restarts=-1)}, "number of restarts should be"),
        ({"workers": 1, "logs": "/proc/logs"}, "can't be written to"),
    ],
)
def test_what_cannot_be_is_said_before_anything_starts(tmp_path, options, message):
    command = Command(["/nowhere"], ["/nowhere"], tmp_path)
    with pytest.raises(InputError) as error:
        launch(command, **{"logs": tmp_path, **options})
    assert message in str(error.value)
