"""What workers and parameter servers do, with TensorFlow's real servers."""

import contextlib
import signal
import socket
import subprocess
import sys
import threading

import pytest

from keras_convnets.distribution import Role, local_roles, serve
from keras_convnets.errors import InputError

SERVE = """
import os, sys
from keras_convnets.distribution import Role, serve
from keras_convnets.errors import InputError

task, chief, worker, ps, taken = sys.argv[1:]
cluster = {"chief": (chief,), "worker": (worker,), "ps": (ps,)}
if task == "worker":
    try:
        serve(Role("worker", 0, {**cluster, "worker": (taken,)}))
    except InputError as error:
        print(error)
serve(Role(task, 0, cluster), gone_after=1, look_every=0.1)
print(os.environ["GRPC_FAIL_FAST"])
"""


class Chief:
    """Who is there, as long as its port takes connections."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.socket.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                self.socket.accept()[0].close()

    def end(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


@pytest.fixture(scope="module")
def chief():
    return Chief()


@pytest.fixture(scope="module")
def servers(chief):
    """A worker and a parameter server that serve, and what the former printed before.

    They start together, for that takes time.
    """
    with (
        local_roles(1, 1) as roles,
        socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as other,
        contextlib.ExitStack() as stack,
    ):
        [worker, ps] = (role.address for role in roles[1:])
        taken = f"127.0.0.1:{other.getsockname()[1]}"
        started = {}
        for task in ("worker", "ps"):
            command = [sys.executable, "-c", SERVE, task, chief.address, worker, ps, taken]
            started[task] = subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                env={
                    "TF_GRPC_REUSE_PORT": "1",
                    "PYTHONUNBUFFERED": "1",
                    "PYTHONPATH": ":".join(sys.path),
                },
            )
            stack.callback(started[task].wait)
            stack.callback(started[task].kill)
        yield started, {"worker": worker, "ps": ps}


def reaches(address, host=None):
    """Whether an address takes connections, or its port at another host."""
    own, _, port = address.rpartition(":")
    try:
        socket.create_connection((host or own, int(port)), timeout=2).close()
    except OSError:
        return False
    return True


def test_servers_serve_at_their_address_alone_and_end_after_the_chief(servers, chief):
    """Or at once, by a signal."""
    (started, addresses) = servers
    worker, ps = started["worker"], started["ps"]
    assert "worker 0 can't serve at" in worker.stdout.readline()
    assert worker.stdout.readline() == (
        f"worker 0 serves at {addresses['worker']}, there alone; the chief is {chief.address}.\n"
    )
    assert ps.stdout.readline().startswith(f"ps 0 serves at {addresses['ps']}, ")
    for address in addresses.values():
        assert reaches(address)
        assert not reaches(address, "127.0.0.2")
    ps.send_signal(signal.SIGTERM)
    assert ps.wait(10) == 0
    with pytest.raises(subprocess.TimeoutExpired):
        worker.wait(2)
    chief.end()
    assert worker.wait(20) == 0
    assert worker.stdout.read().splitlines() == [
        "worker 0 ends: the chief has been gone for 1 s.",
        "use_caller",
    ]


@pytest.mark.parametrize(
    "role",
    [
        Role("chief", 0, {"chief": ("a:1",), "worker": ("b:1",), "ps": ("c:1",)}),
        Role("worker", 0, {"worker": ("a:1",)}),
    ],
)
def test_who_has_nobody_to_serve_is_told_so(role):
    with pytest.raises(InputError, match=f"Received: {role} of {', '.join(role.cluster)}"):
        serve(role)
