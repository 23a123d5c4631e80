"""What workers and parameter servers do: serve the chief, until it is gone."""

import os
import signal
import socket
import time
from typing import NoReturn

import rich.console

from keras_convnets.distribution.listening import keep_to
from keras_convnets.distribution.roles import Role
from keras_convnets.errors import InputError

GONE_AFTER = 300.0
LOOK_EVERY = 5.0
_THREADS = 4


def serve(role: Role, *, gone_after: float = GONE_AFTER, look_every: float = LOOK_EVERY) -> None:
    """Serves the chief of a cluster, until it has come and been gone for a while.

    SIGTERM and SIGINT end the process at once, with exit code 0: what is worth keeping is in the
    chief's checkpoints.

    Args:
        role: of this process, a worker or parameter server.
        gone_after: seconds without a chief, once one was there, after which nobody needs it.
        look_every: seconds between looks for the chief, each a TCP connection to its address.

    Raises:
        InputError: if the role is not a server's, or its port is taken.
    """
    if not role.is_server:
        raise InputError(
            "Only a worker or ps of a cluster with parameter servers serves. "
            f"Received: {role} of {', '.join(role.cluster)}"
        )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    server = _start(role)
    console = rich.console.Console(highlight=False, markup=False, soft_wrap=True)
    where = "there alone" if keep_to(role.address) else "on all interfaces"
    chief = role.cluster["chief"][0]
    console.print(f"{role} serves at {role.address}, {where}; the chief is {chief}.")
    _wait(chief, gone_after, look_every)
    console.print(f"{role} ends: the chief has been gone for {gone_after:g} s.")
    del server


def _end(*_: object) -> NoReturn:
    # Not sys.exit: a gRPC server has no clean end, and its threads may be at work.
    os._exit(0)


def prepare_to_serve() -> None:
    """Sets what TensorFlow reads when it begins; to be called before this process computes."""
    # Else calls to a task that is down fail at once, and it could not come back. TensorFlow
    # crashes if the variable is there and empty.
    os.environ["GRPC_FAIL_FAST"] = os.environ.get("GRPC_FAIL_FAST") or "use_caller"
    # TensorFlow runs functions in as many threads as there are cores. With a single one a worker
    # hangs: the function occupies the thread that its answers from parameter servers need.
    if hasattr(os, "sched_getaffinity") and len(os.sched_getaffinity(0)) < _THREADS:
        os.environ.setdefault("TF_NUM_INTEROP_THREADS", str(_THREADS))


def _start(role: Role):
    prepare_to_serve()
    import tensorflow as tf

    try:
        return tf.distribute.Server(
            {task: list(addresses) for task, addresses in role.cluster.items()},
            job_name=role.task,
            task_index=role.index,
            protocol="grpc",
        )
    except tf.errors.UnknownError as error:
        raise InputError(
            f"{role} can't serve at {role.address}: the port is taken, or not this machine's."
        ) from error


def _wait(chief: str, gone_after: float, look_every: float) -> None:
    """Returns when the chief was seen, and then not for `gone_after` seconds."""
    host, _, port = chief.rpartition(":")
    seen = None
    while seen is None or time.monotonic() - seen < gone_after:
        try:
            with socket.create_connection((host.strip("[]"), int(port)), timeout=look_every):
                seen = time.monotonic()
        except OSError:
            pass
        time.sleep(look_every)
