"""Which task of a cluster this process is, as TF_CONFIG or Slurm says."""

import dataclasses
import json
import os
import re
from collections.abc import Mapping
from typing import Any

from keras_convnets.errors import InputError, reason_of

TASKS = ("chief", "worker", "ps", "evaluator")
# How many of a Slurm step's tasks are parameter servers: Slurm itself knows tasks of one kind only.
SLURM_PARAMETER_SERVERS = "KERAS_CONVNETS_PARAMETER_SERVERS"
# A name, an IPv4 address or an IPv6 address in brackets, and a port.
_ADDRESS = re.compile(r"(?P<host>[\w.-]+|\[[0-9a-fA-F:.]+\]):(?P<port>\d{1,5})", re.ASCII)


@dataclasses.dataclass(frozen=True)
class Role:
    """A task of a cluster.

    Args:
        task: "chief", "worker", "ps" (parameter server) or "evaluator".
        index: its number among tasks of its kind, from 0.
        cluster: the addresses, each `host:port`, of the tasks of each kind. An evaluator need not
            be there, for no other task speaks to it.

    Raises:
        InputError: if there is no such task, or the cluster can't work.
    """

    task: str
    index: int
    cluster: Mapping[str, tuple[str, ...]]

    def __post_init__(self):
        _check_cluster(self.cluster)
        _check_task(self.task, self.index, self.cluster)

    @property
    def workers(self) -> tuple[str, ...]:
        """Addresses of the workers."""
        return self.cluster.get("worker", ())

    @property
    def parameter_servers(self) -> tuple[str, ...]:
        """Addresses of the parameter servers."""
        return self.cluster.get("ps", ())

    @property
    def is_chief(self) -> bool:
        """Whether it is the one that writes: the chief, or worker 0 where there is no chief."""
        if "chief" in self.cluster:
            return self.task == "chief"
        return (self.task, self.index) == ("worker", 0)

    @property
    def is_server(self) -> bool:
        """Whether it does what the chief says: a worker or ps of a cluster that has ps."""
        return bool(self.parameter_servers) and self.task in ("worker", "ps")

    @property
    def address(self) -> str | None:
        """Its own `host:port`; `None` for an evaluator that the cluster does not list."""
        addresses = self.cluster.get(self.task, ())
        return addresses[self.index] if self.index < len(addresses) else None

    @property
    def tf_config(self) -> str:
        """The value of TF_CONFIG that says this."""
        cluster = {task: list(addresses) for task, addresses in self.cluster.items()}
        return json.dumps({"cluster": cluster, "task": {"type": self.task, "index": self.index}})

    def __str__(self) -> str:
        return self.task if self.task == "chief" else f"{self.task} {self.index}"


def current_role(environ: Mapping[str, str] = os.environ) -> Role | None:
    """Returns which task of which cluster this process is.

    TF_CONFIG says it; where that is not set, Slurm does to the several tasks of one `srun`: all are
    workers, or one is the chief and KERAS_CONVNETS_PARAMETER_SERVERS of them are parameter servers.

    Args:
        environ: variables of the environment. Slurm's own are read by TensorFlow, from those of the
            process.

    Returns:
        `None` if neither says anything: the process is alone.

    Raises:
        InputError: if what they say can't work.
    """
    if environ.get("TF_CONFIG"):
        return _from_tf_config(environ["TF_CONFIG"])
    if environ.get("SLURM_STEP_NUM_TASKS", "1") != "1" and "SLURM_PROCID" in environ:
        return _from_slurm(environ)
    return None


def _from_tf_config(text: str) -> Role | None:
    try:
        config = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"TF_CONFIG should be JSON, and {reason_of(error)}. Received: {text!r}"
        ) from error
    if not isinstance(config, dict):
        raise InputError(
            f'TF_CONFIG should be an object with "cluster" and "task". Received: {text!r}'
        )
    if not config.get("cluster"):  # as services set it for a process that is alone
        return None
    cluster, task = _read_cluster(config["cluster"]), config.get("task")
    if not isinstance(task, dict) or not {"type", "index"} <= task.keys():
        raise InputError(
            'The "task" of TF_CONFIG should have a "type" and an "index", such as '
            f'{{"type": "worker", "index": 0}}. Received: {task!r}'
        )
    index = task["index"]
    if isinstance(index, str) and index.isdecimal():  # TensorFlow reads it so, too
        index = int(index)
    return Role(task["type"], index, cluster)


def _read_cluster(cluster: Any) -> dict[str, tuple[str, ...]]:
    """Makes sure that a cluster is lists of texts by task."""
    if not isinstance(cluster, dict):
        raise InputError(
            'The "cluster" of TF_CONFIG should be an object with a list of addresses for each of '
            f"{', '.join(TASKS)}. Received: {cluster!r}"
        )
    for task, addresses in cluster.items():
        if not isinstance(addresses, list) or not addresses:
            raise InputError(
                f'The addresses of {task!r} in the "cluster" of TF_CONFIG should be a list of '
                f"'host:port'. Received: {addresses!r}"
            )
    return {task: tuple(addresses) for task, addresses in cluster.items()}


def _from_slurm(environ: Mapping[str, str]) -> Role:
    """Asks TensorFlow's resolver, which gives tasks ports from 8888 on, in the order of nodes."""
    import tensorflow as tf

    tasks = int(environ["SLURM_STEP_NUM_TASKS"])
    given = environ.get(SLURM_PARAMETER_SERVERS, "0")
    if not given.isdecimal() or (int(given) and tasks < int(given) + 2):
        raise InputError(
            f"{SLURM_PARAMETER_SERVERS} should be a number that leaves a chief and a worker of the "
            f"{tasks} tasks of the Slurm step. Received: {given!r}"
        )
    servers = int(given)
    jobs = {"chief": 1, "ps": servers, "worker": tasks - servers - 1}
    try:
        # Numbers of GPUs are only for telling them apart, which is left to Slurm
        # (`--gpus-per-task`); without them the resolver runs nvidia-smi, which need not be there.
        resolver = tf.distribute.cluster_resolver.SlurmClusterResolver(
            jobs if servers else {"worker": tasks},
            gpus_per_node=tasks,
            gpus_per_task=1,
            auto_set_gpu=False,
        )
        spec = resolver.cluster_spec().as_dict()
    except (RuntimeError, ValueError) as error:
        raise InputError(
            f"Slurm's variables do not tell the cluster: {reason_of(error)}; set TF_CONFIG."
        ) from error
    role = Role(*resolver.get_task_info(), {task: tuple(spec[task]) for task in spec})
    _check_node(role, environ)
    return role


def _check_node(role: Role, environ: Mapping[str, str]) -> None:
    """Makes sure that the resolver and Slurm agree on where this task runs.

    The resolver takes the nodes in the order of their names as text, n10 before n2, and expects
    tasks to fill one node after the other.
    """
    node, host = environ.get("SLURMD_NODENAME"), role.address.rpartition(":")[0]
    if node is not None and node != host:
        raise InputError(
            f"TensorFlow takes task {environ['SLURM_PROCID']} of the Slurm step to run on "
            f"{host!r}, and it runs on {node!r}; let tasks fill one node after the other "
            "(`srun --distribution=block`), on nodes whose names sort as Slurm counts them, or set "
            "TF_CONFIG."
        )


def _check_task(task: Any, index: Any, cluster: Mapping[str, tuple[str, ...]]) -> None:
    if task not in TASKS:
        raise InputError(
            f"The type of a task should be one of {', '.join(TASKS)}. Received: {task!r}"
        )
    count = len(cluster.get(task, ()))
    if task == "evaluator":
        count = max(count, 1)
    is_whole = isinstance(index, int) and not isinstance(index, bool)
    if not is_whole or not 0 <= index < count:
        allowed = f"from 0 to {count - 1}" if count else f"of a cluster that has a {task}"
        raise InputError(f"The index of a {task} should be {allowed}. Received: {index!r}")


def _check_cluster(cluster: Mapping[str, tuple[str, ...]]) -> None:
    owners = {}
    for task, addresses in cluster.items():
        if task not in TASKS:
            raise InputError(
                f"The tasks of a cluster should be of {', '.join(TASKS)}. Received: {task!r}"
            )
        for i, address in enumerate(addresses):
            _check_address(f"{task} {i}", address)
            if address in owners:
                raise InputError(
                    "Each task of a cluster should have an address of its own. "
                    f"Received: {address!r} for {owners[address]} and {task} {i}"
                )
            owners[address] = f"{task} {i}"
    counts = {task: len(cluster.get(task, ())) for task in TASKS}
    if counts["chief"] > 1:
        raise InputError(
            f"A cluster should have one chief. Received: {', '.join(cluster['chief'])}"
        )
    if counts["ps"] and not (counts["chief"] and counts["worker"]):
        found = ", ".join(f"{count} {task}" for task, count in counts.items())
        raise InputError(
            "A cluster with parameter servers (ps) should have a chief and at least one worker. "
            f"Received: {found}"
        )
    if not counts["chief"] and not counts["worker"]:
        raise InputError(
            f"A cluster should have a chief or workers. Received: {', '.join(cluster) or 'none'}"
        )


def _check_address(owner: str, address: Any) -> None:
    parts = _ADDRESS.fullmatch(address) if isinstance(address, str) else None
    if parts is None or not 1 <= int(parts["port"]) <= 65535:
        raise InputError(
            f"The address of {owner} should be 'host:port' with a port from 1 to 65535. "
            f"Received: {address!r}"
        )
