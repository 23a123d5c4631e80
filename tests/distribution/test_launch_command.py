"""`keras-convnets launch`: what it starts, and what it says at the end."""

import subprocess
import sys
from pathlib import Path

import pytest

from keras_convnets import cli
from keras_convnets.cli import launching


@pytest.fixture
def run(monkeypatch, tmp_path, capsys):
    """A function that runs `launch`, and returns its exit code, errors, and what it launched."""
    monkeypatch.chdir(tmp_path)

    def apply(*arguments, code=0, begun=False):
        launched = {}

        def launch(command, **options):
            launched.update(options, command=command)
            if begun:
                command.marker.parent.mkdir(parents=True)
                command.marker.touch()
            return code

        monkeypatch.setattr(launching, "launch_cluster", launch)
        with pytest.raises(SystemExit) as stop:
            cli.main(["launch", *arguments])
        return stop.value.code or 0, capsys.readouterr().err, launched

    return apply


def arguments_of(command):
    """What follows the program."""
    program = [sys.executable, "-m", "keras_convnets.cli"]
    assert list(command[:3]) == program
    return list(command[3:])


def test_options_before_train_are_of_launch_and_those_behind_of_train(run):
    code, _, launched = run(
        "--workers", "3", "--ps", "2", "--max-restarts", "5", "--logs", "here", "--pin-cores",
        "--", "train", "xception_jft", "--epochs", "3", "--out", "runs/a",
    )  # fmt: skip
    assert code == 0
    assert (launched["workers"], launched["servers"]) == (3, 2)
    assert (launched["limits"].restarts, launched["pin_cores"]) == (5, True)
    assert launched["logs"] == Path("here")
    assert arguments_of(launched["command"].start) == [
        "train", "xception_jft", "--epochs", "3", "--out", "runs/a",
    ]  # fmt: skip


def test_dashes_before_train_may_be_left_out(run):
    _, _, launched = run("--workers", "1", "train", "--epochs", "3", "--out", "a")
    assert arguments_of(launched["command"].start) == ["train", "--epochs", "3", "--out", "a"]


@pytest.mark.parametrize(
    ("options", "resume"),
    [
        (["--out", "a", "--seed", "3"], ["--resume", "a"]),
        (["--out=a"], ["--resume", "a"]),
        (["--resume", "a"], ["--resume", "a"]),
        (
            ["--strategy", "multi_worker", "--out", "a"],
            ["--resume", "a", "--strategy", "multi_worker"],
        ),
    ],
)
def test_a_restart_goes_on_with_the_run_once_it_has_begun(run, options, resume):
    _, _, launched = run("--", "train", *options)
    assert arguments_of(launched["command"].start) == ["train", *options]
    assert arguments_of(launched["command"].resume) == ["train", *resume]
    assert launched["command"].marker == Path("a/recipe.json")
    assert launched["logs"] == Path("a-logs")


def test_all_processes_agree_on_a_run_that_nobody_named(run):
    _, _, launched = run("--", "train")
    train, out, path = arguments_of(launched["command"].start)
    assert (train, out) == ("train", "--out")
    assert path.startswith("runs/launch-")
    assert arguments_of(launched["command"].resume) == ["train", "--resume", path]
    assert launched["logs"] == Path(f"{path}-logs")


def test_logs_of_a_run_in_the_working_directory_are_beside_it(run, tmp_path):
    assert run("--", "train", "--out", ".")[2]["logs"] == Path(f"{tmp_path}-logs")


@pytest.mark.parametrize(
    ("begun", "again"),
    [(True, "train --resume 'my run'"), (False, "train --epochs 3 --out 'my run'")],
)
def test_who_is_stopped_is_told_how_to_go_on(run, begun, again):
    code, err, _ = run(
        "--ps", "1", "--", "train", "--epochs", "3", "--out", "my run", code=75, begun=begun
    )
    assert code == 75
    assert f"`keras-convnets launch --workers 2 --ps 1 -- {again}` goes on." in err


@pytest.mark.parametrize("code", [1, 2])
def test_the_exit_code_is_that_of_the_cluster(run, code):
    assert run("--", "train", code=code)[0] == code


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--", "evaluate", "a"], "`launch` starts `train`. Received: 'evaluate'"),
        (["--", "train", "--out"], "argument --out: expected one argument"),
        (["--workers", "0", "--", "train"], "Invalid value for '--workers'"),
        ([], "Missing argument"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(run, arguments, message):
    code, err, launched = run(*arguments)
    assert (code, launched) == (2, {})
    assert message in err


def test_the_program_that_is_started_is_this_one():
    result = subprocess.run(
        [*launching._PROGRAM, "launch", "--help"], capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 0, result.stderr
    assert "--max-restarts" in result.stdout


def test_help_needs_neither_keras_nor_tensorflow():
    code = (
        "import sys, keras_convnets.cli\n"
        "try: keras_convnets.cli.main(['launch', '--help'])\n"
        "except SystemExit: assert not {'keras', 'tensorflow'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=60)
