"""`keras-convnets launch`."""

import argparse
import datetime
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from keras_convnets.distribution.launcher import launch as launch_cluster
from keras_convnets.distribution.supervisor import Command, Limits
from keras_convnets.errors import InputError, StoppedError
from keras_convnets.exit_codes import RESTART

_PROGRAM = (sys.executable, "-m", "keras_convnets.cli")


def launch(
    command: Annotated[
        list[str], typer.Argument(help="train, its recipe and its options.", metavar="-- train ...")
    ],
    workers: Annotated[int, typer.Option(help="Processes that compute.", min=1)] = 2,
    ps: Annotated[
        int,
        typer.Option(
            help="Parameter servers, with a chief; 0: workers that do each step together.", min=0
        ),
    ] = 0,
    max_restarts: Annotated[
        int,
        typer.Option(
            help="Of the chief, which go on from a checkpoint, or of all synchronous workers.",
            min=0,
        ),
    ] = Limits.restarts,
    logs: Annotated[
        Path | None, typer.Option(help="Folder of the logs. Default: RUN-logs beside the run.")
    ] = None,
    pin_cores: Annotated[
        bool, typer.Option("--pin-cores", help="A CPU core of its own for each worker.")
    ] = False,
) -> None:
    """Train in a cluster of processes on this machine, for development and tests.

    Processes that die are started again; Ctrl-C saves the run's state and ends them all.
    """
    start, resume, run = _commands(command)
    cluster_command = Command([*_PROGRAM, *start], [*_PROGRAM, *resume], run / "recipe.json")
    code = launch_cluster(
        cluster_command,
        workers=workers,
        servers=ps,
        logs=_beside(run) if logs is None else logs,
        pin_cores=pin_cores,
        limits=Limits(restarts=max_restarts),
    )
    if code == RESTART:
        again = resume if cluster_command.marker.exists() else start
        raise StoppedError(
            f"Stopped before the end; `keras-convnets launch --workers {workers} --ps {ps} -- "
            f"{shlex.join(again)}` goes on."
        )
    if code:
        raise typer.Exit(code)


def _commands(command: Sequence[str]) -> tuple[list[str], list[str], Path]:
    """Returns the arguments that begin a run, those that go on with it, and its directory."""
    if command[0] != "train":
        raise InputError(f"`launch` starts `train`. Received: {command[0]!r}")
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    for option in ("--out", "--resume", "--strategy"):
        parser.add_argument(option)
    try:
        options, _ = parser.parse_known_args(command[1:])
    except argparse.ArgumentError as error:
        raise InputError(f"Of the options of `train`, {error}.") from error
    start, run = list(command), options.resume or options.out
    if run is None:  # all processes, and those that are started later, have to agree on it
        run = f"runs/launch-{datetime.datetime.now():%Y%m%d-%H%M%S}"
        start += ["--out", run]
    resume = ["train", "--resume", run]
    if options.strategy is not None:
        resume += ["--strategy", options.strategy]
    return start, resume, Path(run)


def _beside(run: Path) -> Path:
    """The folder of the logs: a run begins in an empty directory of its own."""
    whole = run if run.name not in ("", "..") else Path(os.path.abspath(run))
    return whole.with_name(f"{whole.name}-logs")
