"""Several workers at a served oracle: who may ask it, what each gets, and what a kill leaves."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from keras_convnets.errors import InputError, StoppedError
from keras_convnets.files import read_json
from keras_convnets.stopping import StopRequest
from keras_convnets.tuning import service
from keras_convnets.tuning.oracles import take_up
from keras_convnets.tuning.service import Share, served, share_out

from ..processes import is_alive, wait_for

pytestmark = pytest.mark.filterwarnings("ignore:(currentThread|getName)..:DeprecationWarning")


@pytest.mark.parametrize(
    ("workers", "cores", "shares"),
    [
        (1, [0, 1, 2], [{0, 1, 2}]),
        (2, [0, 1, 2, 3], [{0, 1}, {2, 3}]),
        (2, [4, 5, 6], [{4}, {5, 6}]),
        (3, [0, 1], [{0}, {0}, {1}]),
    ],
)
def test_cores_are_shared_out(workers, cores, shares):
    assert [set(share.cores) for share in share_out(workers, cores, [])] == shares


def test_each_worker_has_a_gpu_of_its_own():
    assert share_out(2, [0], ["4", "GPU-7", "6"]) == [
        Share(frozenset({0}), "4"),
        Share(frozenset({0}), "GPU-7"),
    ]
    with pytest.raises(InputError, match="of which there are 2. Received: --workers 3"):
        share_out(3, [0], ["0", "1"])


def test_gpus_are_those_that_the_process_sees(monkeypatch):
    monkeypatch.setattr(service.tf.config, "list_physical_devices", lambda kind: [kind] * 2)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert service.visible_gpus() == ["0", "1"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,GPU-5")
    assert service.visible_gpus() == ["3", "GPU-5"]


def test_the_oracle_is_served_to_this_machine_alone(make_plan, tmp_path):
    oracle = make_plan().oracle(trials=3)
    take_up(oracle, tmp_path)
    with served(oracle) as port:
        lines = [
            line.split()[1]
            for name in ("tcp", "tcp6")
            for line in Path("/proc/net", name).read_text().splitlines()
            if line.split()[3] == "0A" and line.split()[1].endswith(f":{port:04X}")
        ]
        # 127.0.0.1, as an IPv4 address or within an IPv6 one, by words of the machine's order.
        assert [line.partition(":")[0][-8:] for line in lines] == ["0100007F"]
    assert not any(
        line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A"
        for line in Path("/proc/net/tcp6").read_text().splitlines()
    )


_WORKER = """
import functools, sys
from pathlib import Path
from keras_convnets.tuning import worker
from keras_convnets.tuning.runner import Runner
worker.Runner = functools.partial(Runner, command={command!r})
worker.main(Path(sys.argv[1]), None)
"""
_SEARCH = """
import functools, sys
from pathlib import Path
from keras_convnets.stopping import stop_requests
from keras_convnets.tuning import search, service
from keras_convnets.tuning.plan import Plan
folder = Path(sys.argv[1])
search.Search._module = lambda *_: ""
service.serve = functools.partial(service.serve, command=(sys.executable, "-c", {worker!r}))
at_work = search.Search(folder, Plan.read(folder), 6, False)
with stop_requests() as stop:
    at_work.run(2, None, stop)
at_work.finish()
"""
# Trials 1 and 2 wait for a file when they are first started.
_TRIAL = """
(folder / ("pid-" + key)).write_text(str(os.getpid()))
while key in "12" and starts == 1 and not (folder / "go").exists():
    time.sleep(0.05)
end()
"""


@pytest.fixture
def begin(make_plan, tmp_path, trial_command):
    """A function that starts a search with two workers, whose trials take no time."""
    searches = []
    make_plan().write(tmp_path)
    worker = _WORKER.format(command=trial_command(textwrap.dedent(_TRIAL)))
    code = _SEARCH.format(worker=worker)

    def begin():
        with (tmp_path / "output").open("a") as output:
            search = subprocess.Popen(
                [sys.executable, "-c", code, str(tmp_path)],
                stdout=output,
                stderr=subprocess.STDOUT,
                env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
            )
        searches.append(search)
        return search

    yield begin
    for search in searches:
        search.kill()
        search.wait()


def test_kills_of_a_worker_a_trial_and_the_search_lose_and_repeat_nothing(begin, tmp_path, starts):
    """All three while trials 1 and 2 run; the next search ends them, and what is left."""
    search = begin()
    wait_for(lambda: (tmp_path / "starts").is_file() and {"1", "2"} <= set(starts(tmp_path)))
    workers = _children(search.pid)
    assert sorted(len(os.sched_getaffinity(pid)) for pid in workers) == _shares()
    first = _pid_of(tmp_path, "1")
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: starts(tmp_path).count("1") == 2)
    wait_for(lambda: (tmp_path / "trials" / "1" / "outcome.json").is_file())
    second = _pid_of(tmp_path, "2")
    [owner] = [pid for pid in workers if second in _children(pid)]
    os.kill(owner, signal.SIGKILL)
    wait_for(lambda: not is_alive(second), seconds=10)
    wait_for(lambda: len(set(_children(search.pid)) - set(workers)) == 1)
    rest = _children(search.pid)
    search.kill()
    search.wait()
    wait_for(lambda: not any(map(is_alive, rest)), seconds=10)
    again = begin()
    assert again.wait(timeout=120) == 0, (tmp_path / "output").read_text()
    assert read_json(tmp_path / "trials.json")["counts"]["completed"] == 6
    started = starts(tmp_path)
    assert started.count("0") == started.count("3") == started.count("5") == 1
    assert started.count("1") == 2
    assert started.count("2") >= 2
    assert "there already" in (tmp_path / "output").read_text()


@pytest.fixture
def serve(make_plan, tmp_path):
    """A function that serves an oracle to two workers which do some lines of Python."""

    def serve(lines, stop=None):
        oracle = make_plan().oracle(trials=3)
        take_up(oracle, tmp_path)
        code = f"import os, signal, sys, time\nfolder = sys.argv[1]\n{textwrap.dedent(lines)}"
        command = [sys.executable, "-S", "-E", "-c", code]
        service.serve(oracle, tmp_path, 2, None, stop or StopRequest(), lambda: None, command)

    return serve


_NOTE = """
me = os.environ["KERASTUNER_TUNER_ID"]
with open(f"{folder}/{me}", "a") as file:
    print(os.environ["KERASTUNER_ORACLE_IP"], len(os.sched_getaffinity(0)), file=file)
"""


def test_each_worker_knows_who_it_is_and_whom_to_ask(serve, tmp_path):
    serve(_NOTE)
    lines = [(tmp_path / f"worker-{index}").read_text() for index in range(2)]
    assert sorted(lines) == [f"127.0.0.1 {count}\n" for count in _shares()]


def test_a_worker_that_dies_is_started_again_within_limits(serve, tmp_path):
    serve(f"{_NOTE}\nsys.exit(open(f'{{folder}}/{{me}}').read().count('.1 ') < 3)")
    assert (tmp_path / "worker-1").read_text().count("127.0.0.1") == 3
    lines = "print('no such luck', flush=True)\nos.kill(os.getpid(), signal.SIGKILL)"
    sentence = "worker-. was killed by SIGKILL for the 4th time: no such luck .*the same command"
    with pytest.raises(StoppedError, match=sentence):
        serve(lines)


def test_a_stop_lets_all_workers_save_and_ends_them(serve, tmp_path):
    class AfterBoth(StopRequest):
        @property
        def name(self):
            return "SIGTERM" if len(list(tmp_path.glob("pid-*"))) == 2 else None

        @name.setter
        def name(self, value):
            pass

    with pytest.raises(StoppedError, match="Stopped by SIGTERM; the same command goes on"):
        serve(
            """
            def save(*_):
                open(f"{folder}/saved-{os.getpid()}", "w").close()
                sys.exit(75)
            signal.signal(signal.SIGTERM, save)
            open(f"{folder}/pid-{os.getpid()}", "w").close()
            time.sleep(60)
            """,
            AfterBoth(),
        )
    pids = [int(path.name[4:]) for path in tmp_path.glob("pid-*")]
    assert sorted(int(path.name[6:]) for path in tmp_path.glob("saved-*")) == sorted(pids)
    assert not any(map(is_alive, pids))


def _pid_of(folder, key):
    return int((folder / f"pid-{key}").read_text())


def _shares():
    cores = len(os.sched_getaffinity(0))
    return sorted([max(1, cores // 2), max(1, cores - cores // 2)])


def _children(pid):
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in children]
