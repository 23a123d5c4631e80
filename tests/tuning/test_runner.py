"""Trials as processes: how each may end, and what is recorded of it."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from keras_convnets.errors import InputError, StoppedError
from keras_convnets.stopping import StopRequest
from keras_convnets.tuning import memory
from keras_convnets.tuning.outcome import Task, read_outcome, run_path
from keras_convnets.tuning.runner import Runner

from ..processes import is_alive, wait_for

TASK = Task("3", {"rate": 0.1, "l2": 0.25})


@pytest.fixture
def run(tmp_path, trial_command):
    """A function that runs a trial which does some lines of Python."""

    def run(lines, task=TASK, **options):
        options = {"stop": StopRequest(), **options}
        return Runner(tmp_path, command=trial_command(lines), **options).run(task)

    return run


def test_a_completed_trial_is_what_its_process_says(run, tmp_path):
    outcome = run("end(objective=0.75)")
    assert outcome == read_outcome(tmp_path, "3")
    assert (outcome.status, outcome.objective) == ("completed", 0.75)


def test_an_ended_trial_is_not_run_again(run, tmp_path, starts):
    assert run("end(objective=0.75)") == run("end(objective=0.5)")
    assert starts(tmp_path) == ["3"]


def test_a_crash_is_recorded_with_its_last_line(run, tmp_path):
    outcome = run("print('fine', flush=True); raise SystemExit('no such luck')")
    assert outcome == read_outcome(tmp_path, "3")
    assert (outcome.status, outcome.cause) == ("failed", "crash")
    log = tmp_path / "logs" / "trial-3.log"
    assert outcome.reason == f"It ended with code 1; the last line of {log}: no such luck"
    assert outcome.seconds > 0


def test_a_fault_in_native_code_is_a_crash(run):
    outcome = run("os.kill(os.getpid(), signal.SIGSEGV)")
    assert (outcome.cause, outcome.reason) == ("crash", "It ended with SIGSEGV.")


def test_a_killed_trial_goes_on(run, tmp_path, starts):
    outcome = run("if starts < 3: os.kill(os.getpid(), signal.SIGKILL)\nend()")
    assert outcome.status == "completed"
    assert starts(tmp_path) == ["3"] * 3


def test_a_trial_that_is_killed_again_and_again_fails(run, tmp_path, starts):
    outcome = run("os.kill(os.getpid(), signal.SIGKILL)")
    assert (outcome.cause, outcome.reason) == ("killed", "It was killed by SIGKILL 3 times.")
    assert starts(tmp_path) == ["3"] * 3


def test_a_trial_that_asks_for_a_restart_gets_it(run, tmp_path, starts):
    assert run("if starts < 2: sys.exit(75)\nend()").status == "completed"
    assert starts(tmp_path) == ["3"] * 2


def test_what_the_kernel_kills_for_its_memory_fails_at_once(run, tmp_path, starts, monkeypatch):
    counts = iter(range(10))
    monkeypatch.setattr(memory, "count_kills", lambda: next(counts))
    outcome = run("os.kill(os.getpid(), signal.SIGKILL)")
    assert outcome.cause == "memory"
    assert outcome.reason == "The kernel killed it, for the memory ran out."
    assert starts(tmp_path) == ["3"]


def test_what_a_native_allocator_ends_ran_out_of_memory(run):
    outcome = run('os.write(2, b"what():  std::bad_alloc\\n"); os.abort()')
    assert outcome.cause == "memory"
    assert outcome.reason == "It ended with SIGABRT, for the memory ran out."


def test_a_late_trial_is_ended(run, starts, tmp_path):
    began = time.monotonic()
    outcome = run("time.sleep(60)", minutes=0.01)
    assert time.monotonic() - began < 30
    assert (outcome.cause, outcome.reason) == ("time", "It took longer than 0.01 minutes.")
    assert starts(tmp_path) == ["3"]


def test_the_most_memory_of_a_trial_is_recorded(run):
    outcome = run("kept = bytearray(64 << 20); time.sleep(1); sys.exit(1)")
    assert 64 << 20 < outcome.peak_memory < 128 << 20


def test_a_stop_lets_a_trial_save_its_state_and_records_nothing(run, tmp_path, starts):
    stop = StopRequest()
    lines = """
def save(*_):
    (folder / "saved").touch()
    sys.exit(75)
signal.signal(signal.SIGTERM, save)
(folder / "ready").touch()
time.sleep(60)
"""

    def ask():
        while not (tmp_path / "ready").exists():
            time.sleep(0.02)
        stop(signal.SIGTERM, None)

    thread = threading.Thread(target=ask)
    thread.start()
    with pytest.raises(StoppedError, match="Stopped by SIGTERM; the same command goes on"):
        run(lines, stop=stop)
    thread.join()
    assert (tmp_path / "saved").exists()
    assert read_outcome(tmp_path, "3") is None
    assert starts(tmp_path) == ["3"]
    assert run("end()").status == "completed"  # the same command


def test_a_killed_search_leaves_no_process(tmp_path, trial_command):
    command = trial_command("(folder / 'pid').write_text(str(os.getpid())); time.sleep(60)")
    code = (
        "from pathlib import Path; from keras_convnets.stopping import StopRequest; "
        "from keras_convnets.tuning.runner import Runner; "
        "from keras_convnets.tuning.outcome import Task; "
        f"Runner(Path({str(tmp_path)!r}), StopRequest(), command={command!r})"
        f".run(Task(**{vars(TASK)!r}))"
    )
    search = subprocess.Popen([sys.executable, "-c", code])
    try:
        pid = wait_for(lambda: (tmp_path / "pid").is_file() and (tmp_path / "pid").read_text())
        search.kill()
        search.wait()
        wait_for(lambda: not is_alive(int(pid)), seconds=5)
    finally:
        search.kill()


def test_another_trial_of_the_same_number_is_refused(run):
    run("end()")
    with pytest.raises(InputError, match="damaged: its trial 3 has other values"):
        run("end()", task=Task("3", {"rate": 0.2, "l2": 0.25}))


def test_a_damaged_outcome_is_refused_in_a_sentence(run, tmp_path, damage):
    run("end()")
    damage(run_path(tmp_path, "3") / "outcome.json")
    with pytest.raises(InputError, match="outcome.json' can't be read as JSON"):
        run("end()")


def test_an_outcome_of_something_else_is_refused_in_a_sentence(run, tmp_path):
    path = run_path(tmp_path, "3")
    path.mkdir(parents=True)
    (path / "outcome.json").write_text('{"colour": "red"}')
    with pytest.raises(InputError, match="outcome.json' is damaged: .*'colour'"):
        run("end()")


def test_hyperbands_values_are_told_from_those_of_the_space():
    values = {"rate": 0.1, "tuner/epochs": 9, "tuner/initial_epoch": 3, "tuner/bracket": 2}
    task = Task.of("7", {**values, "tuner/round": 1, "tuner/trial_id": "2"})
    assert task == Task("7", {"rate": 0.1}, 9, "2", 3, 2, 1)
    first = Task.of("1", {**values, "tuner/initial_epoch": 0, "tuner/round": 0})
    assert (first.past, first.past_epochs) == (None, None)


def test_memory_of_this_process_is_read():
    own = memory.own_memory()
    assert 10 << 20 < own <= memory.peak_memory(os.getpid())
    assert memory.peak_memory(2**22 + 1) is None  # above the greatest process id
