"""Where a run takes place: on one device, on several, or on several machines."""

import contextlib
import dataclasses
import functools
import os

import tensorflow as tf

from keras_convnets.distribution.listening import keep_to
from keras_convnets.distribution.roles import Role, current_role
from keras_convnets.errors import InputError, check_choice, reason_of

NAMES = ("auto", "single", "mirrored", "multi_worker", "tpu", "parameter_server")
_OF_A_CLUSTER = ("multi_worker", "parameter_server")


@dataclasses.dataclass(frozen=True, eq=False)
class Place:
    """Where a run takes place, as one of its processes sees it.

    Attributes:
        name: one of `NAMES`, but "auto".
        strategy: what spreads the work; `None` on a single device.
        role: of this process in its cluster; `None` without a cluster.
    """

    name: str
    strategy: tf.distribute.Strategy | None = None
    role: Role | None = None

    @property
    def replicas(self) -> int:
        """How many parts of a batch are computed at once."""
        return 1 if self.strategy is None else self.strategy.num_replicas_in_sync

    @property
    def processes(self) -> int:
        """How many processes share every batch."""
        return _count_workers(self.role) if self.name == "multi_worker" else 1

    @property
    def process(self) -> int:
        """Which of them this is, from 0; the chief is the first."""
        if self.name != "multi_worker" or self.role.task == "chief":
            return 0
        return self.role.index + ("chief" in self.role.cluster)

    @property
    def is_chief(self) -> bool:
        """Whether this process speaks for all, and writes the directory of the run."""
        return self.role is None or self.role.is_chief

    def scope(self) -> contextlib.AbstractContextManager:
        """Within it variables are made for this place: those of nets, optimizers and metrics.

        Of a net on parameter servers the chief keeps one of its own, in its own memory.
        """
        if self.strategy is None or self.name == "parameter_server":
            return contextlib.nullcontext()
        return self.strategy.scope()


HERE = Place("single")


def find_place(name: str, role: Role | None, *, is_async: bool) -> Place:
    """Finds where a run takes place, before TensorFlow computes anything in this process.

    Args:
        name: one of `NAMES`; "auto" for what the cluster and the devices are made for.
        role: of this process in its cluster, or `None`.
        is_async: whether the recipe wants each worker to go on without the others.

    Raises:
        InputError: if there is no such place, or the recipe is not for it.
    """
    check_choice("strategy", name, NAMES)
    if name == "auto":
        name = _choose(role)
    _check_cluster(name, role)
    if is_async and name != "parameter_server":
        raise InputError(
            "The recipe is asynchronous: it wants a chief, workers and parameter servers, which "
            "`keras-convnets launch --workers 2 --ps 1 -- train ...` starts here; "
            f"`--set parallelism=sync` trains it without them. Received: strategy={name!r}"
        )
    if not is_async and name == "parameter_server":
        raise InputError(
            "The recipe is synchronous, and parameter servers are for asynchronous ones; leave "
            "them out of the cluster, or `--set parallelism=async`. Received: "
            "strategy='parameter_server'"
        )
    return Place(name, _make_strategy(name, role), role)


def _choose(role: Role | None) -> str:
    """What the cluster of this process is made for, or else its devices."""
    if role is not None and role.parameter_servers:
        return "parameter_server"
    if role is not None and _count_workers(role) > 1:
        return "multi_worker"
    if tf.config.list_physical_devices("TPU"):
        return "tpu"
    return "mirrored" if len(_devices()) > 1 else "single"


def _check_cluster(name: str, role: Role | None) -> None:
    """Makes sure that there is a cluster where one is wanted, and none elsewhere."""
    if role is None:
        if name in _OF_A_CLUSTER:
            raise InputError(
                f"The strategy {name!r} wants a cluster, and TF_CONFIG names none; "
                "`keras-convnets launch` starts one on this machine."
            )
        return
    if name == "parameter_server" and not role.parameter_servers:
        raise InputError(
            "The strategy 'parameter_server' wants parameter servers, and the cluster has none. "
            f"Received: {', '.join(role.cluster)}"
        )
    if name == "multi_worker" and role.parameter_servers:
        raise InputError(
            "The strategy 'multi_worker' has no parameter servers, and the cluster has some; "
            "`--strategy parameter_server` uses them."
        )
    if name not in _OF_A_CLUSTER and _count_workers(role) > 1:
        raise InputError(
            f"The strategy {name!r} is for one process, and the cluster has "
            f"{_count_workers(role)} workers; `--strategy multi_worker` uses them."
        )


def _count_workers(role: Role) -> int:
    """How many processes compute; without parameter servers a chief is a worker, too."""
    return len(role.workers) + ("chief" in role.cluster)


def _make_strategy(name: str, role: Role | None) -> tf.distribute.Strategy | None:
    if name == "mirrored":
        return _mirrored_strategy(tuple(_devices()))
    if name == "multi_worker":
        return _multi_worker_strategy(role.tf_config)
    if name == "parameter_server":
        strategy = tf.distribute.ParameterServerStrategy(_resolver(role))
        keep_to(role.address)  # where the chief's own server is by now
        return strategy
    return _tpu_strategy() if name == "tpu" else None


# A second one of either kind crashes TensorFlow 2.21, and a process may train several nets.
@functools.cache
def _mirrored_strategy(devices: tuple[str, ...]) -> tf.distribute.Strategy:
    return tf.distribute.MirroredStrategy(devices)


@functools.cache
def _multi_worker_strategy(tf_config: str) -> tf.distribute.Strategy:
    return tf.distribute.MultiWorkerMirroredStrategy(
        _resolver(current_role({"TF_CONFIG": tf_config}))
    )


def _resolver(role: Role) -> tf.distribute.cluster_resolver.ClusterResolver:
    cluster = {task: list(addresses) for task, addresses in role.cluster.items()}
    return tf.distribute.cluster_resolver.SimpleClusterResolver(
        tf.train.ClusterSpec(cluster),
        task_type=role.task,
        task_id=role.index,
        # It does not look for itself, and without any a worker would compute on its CPU. Logical
        # devices can't be asked for before the strategy is there.
        num_accelerators={"GPU": len(tf.config.list_physical_devices("GPU"))},
        rpc_layer="grpc",
    )


def _devices() -> list[str]:
    """The GPUs of this machine, or else its CPUs: one, unless someone cut it into several."""
    for kind in ("GPU", "CPU"):
        devices = tf.config.list_logical_devices(kind)
        if devices:
            return [device.name for device in devices]
    return []


def _tpu_strategy() -> tf.distribute.Strategy:
    """The TPU that TPU_NAME names, or that of this machine."""
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver(
            os.environ.get("TPU_NAME", "local")
        )
        tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
    except (ValueError, tf.errors.OpError) as error:
        raise InputError(
            f"No TPU can be used here (TPU_NAME names one elsewhere): {reason_of(error)}"
        ) from error
    return tf.distribute.TPUStrategy(resolver)
