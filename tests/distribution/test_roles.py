"""Which task a process is, and what is wrong with what says so."""

import json

import pytest

from keras_convnets.distribution import Role, current_role
from keras_convnets.errors import InputError

ASYNCHRONOUS = {"chief": ["c:1"], "worker": ["w0:1", "w1:1"], "ps": ["10.0.0.1:2", "[::1]:2"]}
SYNCHRONOUS = {"worker": ["w0:1", "w1:1"]}


def read(cluster, task="worker", index=0):
    config = {"cluster": cluster, "task": {"type": task, "index": index}}
    return current_role({"TF_CONFIG": json.dumps(config)})


def test_tf_config_says_task_index_and_addresses():
    role = read(ASYNCHRONOUS, "ps", 1)
    assert (role.task, role.index, str(role)) == ("ps", 1, "ps 1")
    assert role.address == "[::1]:2"
    assert role.workers == ("w0:1", "w1:1")
    assert role.parameter_servers == ("10.0.0.1:2", "[::1]:2")
    assert current_role({"TF_CONFIG": role.tf_config}) == role


def test_an_index_may_be_a_text_as_tensorflow_reads_it():
    assert read(ASYNCHRONOUS, "worker", "1").index == 1


@pytest.mark.parametrize(
    ("cluster", "task", "index", "is_chief", "is_server"),
    [
        (ASYNCHRONOUS, "chief", 0, True, False),
        (ASYNCHRONOUS, "worker", 0, False, True),
        (ASYNCHRONOUS, "ps", 0, False, True),
        (ASYNCHRONOUS, "evaluator", 0, False, False),
        (SYNCHRONOUS, "worker", 0, True, False),
        (SYNCHRONOUS, "worker", 1, False, False),
        ({"chief": ["c:1"], **SYNCHRONOUS}, "worker", 0, False, False),
    ],
)
def test_one_task_is_the_chief_and_servers_are_those_of_clusters_with_ps(
    cluster, task, index, is_chief, is_server
):
    role = read(cluster, task, index)
    assert (role.is_chief, role.is_server) == (is_chief, is_server)


def test_an_evaluator_need_not_be_in_the_cluster():
    assert read(ASYNCHRONOUS, "evaluator").address is None
    assert read({**ASYNCHRONOUS, "evaluator": ["e:1"]}, "evaluator").address == "e:1"


@pytest.mark.parametrize("text", [None, "", "{}", '{"cluster": {}}'])
def test_without_a_cluster_a_process_is_alone(text):
    assert current_role({} if text is None else {"TF_CONFIG": text}) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "TF_CONFIG should be JSON"),
        ("[]", 'an object with "cluster" and "task". Received: \'[]\''),
        ('{"cluster": ["a:1"]}', "an object with a list of addresses"),
        ('{"cluster": {"worker": ["a:1"]}}', 'have a "type" and an "index"'),
        ('{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker"}}', "Received: {'type': 'w"),
        ('{"cluster": {"worker": "a:1"}, "task": {"type": "worker", "index": 0}}', "a list of"),
        ('{"cluster": {"worker": []}, "task": {"type": "worker", "index": 0}}', "Received: []"),
    ],
)
def test_a_tf_config_that_says_no_task_is_refused(text, message):
    with pytest.raises(InputError) as error:
        current_role({"TF_CONFIG": text})
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("cluster", "task", "index", "message"),
    [
        (ASYNCHRONOUS, "master", 0, "one of chief, worker, ps, evaluator. Received: 'master'"),
        (ASYNCHRONOUS, "worker", 2, "index of a worker should be from 0 to 1. Received: 2"),
        (ASYNCHRONOUS, "worker", -1, "Received: -1"),
        (ASYNCHRONOUS, "worker", True, "Received: True"),
        (ASYNCHRONOUS, "worker", "one", "Received: 'one'"),
        (SYNCHRONOUS, "ps", 0, "of a cluster that has a ps. Received: 0"),
        ({"master": ["a:1"]}, "worker", 0, "Received: 'master'"),
        ({"worker": ["a"]}, "worker", 0, "address of worker 0 should be 'host:port'"),
        ({"worker": [":1"]}, "worker", 0, "Received: ':1'"),
        ({"worker": ["a:0"]}, "worker", 0, "from 1 to 65535. Received: 'a:0'"),
        ({"worker": ["a:65536"]}, "worker", 0, "Received: 'a:65536'"),
        ({"worker": ["grpc://a:1"]}, "worker", 0, "Received: 'grpc://a:1'"),
        ({"worker": [7]}, "worker", 0, "Received: 7"),
        ({"worker": ["a:1", "a:1"]}, "worker", 0, "'a:1' for worker 0 and worker 1"),
        ({"chief": ["a:1"], "worker": ["a:1"]}, "worker", 0, "for chief 0 and worker 0"),
        ({"chief": ["a:1", "b:1"]}, "chief", 0, "one chief. Received: a:1, b:1"),
        ({"worker": ["a:1"], "ps": ["b:1"]}, "ps", 0, "0 chief, 1 worker, 1 ps"),
        ({"chief": ["a:1"], "ps": ["b:1"]}, "ps", 0, "at least one worker"),
        ({"evaluator": ["a:1"]}, "evaluator", 0, "a chief or workers. Received: evaluator"),
    ],
)
def test_a_cluster_that_cannot_work_is_refused(cluster, task, index, message):
    with pytest.raises(InputError) as error:
        read(cluster, task, index)
    assert message in str(error.value)


@pytest.fixture
def slurm(monkeypatch):
    """A function that sets what Slurm tells a task of a step on nodes n1 and n2, two on each."""

    def apply(task, node, **others):
        variables = {
            "SLURM_PROCID": str(task),
            "SLURM_STEP_NUM_TASKS": "4",
            "SLURM_STEP_NODELIST": "n[1-2]",
            "SLURM_STEP_TASKS_PER_NODE": "2(x2)",
            "SLURMD_NODENAME": node,
        }
        for name, value in {**variables, **others}.items():
            monkeypatch.setenv(name, value)

    monkeypatch.delenv("TF_CONFIG", raising=False)
    return apply


def test_tasks_of_a_slurm_step_are_workers(slurm):
    slurm(3, "n2")
    role = current_role()
    assert (role.task, role.index) == ("worker", 3)
    assert role.workers == ("n1:8888", "n1:8889", "n2:8888", "n2:8889")


def test_some_tasks_of_a_slurm_step_may_be_parameter_servers(slurm):
    slurm(1, "n1", KERAS_CONVNETS_PARAMETER_SERVERS="1")
    role = current_role()
    assert (role.task, role.index, role.address) == ("ps", 0, "n1:8889")
    assert role.cluster["chief"] == ("n1:8888",)
    assert role.workers == ("n2:8888", "n2:8889")


def test_tf_config_comes_before_slurm(slurm):
    slurm(3, "n2", TF_CONFIG=Role("chief", 0, {"chief": ("a:1",)}).tf_config)
    assert current_role().task == "chief"


def test_a_slurm_step_of_one_task_is_no_cluster(slurm):
    slurm(0, "n1", SLURM_STEP_NUM_TASKS="1")
    assert current_role() is None


@pytest.mark.parametrize(
    ("task", "others", "message"),
    [
        (0, {"KERAS_CONVNETS_PARAMETER_SERVERS": "3"}, "of the 4 tasks of the Slurm step"),
        (0, {"KERAS_CONVNETS_PARAMETER_SERVERS": "two"}, "Received: 'two'"),
        (0, {"SLURM_STEP_TASKS_PER_NODE": "2"}, "4 tasks but only 2"),
        # Nodes n2 and n10 sort as n10, n2; so would TensorFlow give task 0 the address of n10.
        (0, {"SLURM_STEP_NODELIST": "n[2,10]", "SLURMD_NODENAME": "n2"}, "task 0"),
    ],
)
def test_a_slurm_step_that_tensorflow_reads_wrongly_is_refused(slurm, task, others, message):
    slurm(task, "n1", **others)
    with pytest.raises(InputError) as error:
        current_role()
    assert message in str(error.value)
