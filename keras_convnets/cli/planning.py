"""`keras-convnets plan`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import rich.console
import typer

from keras_convnets.cli.planning_calibration import calibrated
from keras_convnets.cli.planning_input import images_of, work_of, worker_batch
from keras_convnets.errors import InputError, check_number

if TYPE_CHECKING:
    from keras_convnets.distribution.planning import Assumptions, Reading, Work
    from keras_convnets.training import Recipe

_NETWORK = "10Gbit"
LOCAL = "local"
FIGURES = (".png", ".svg")


def plan(
    recipe: Annotated[
        str, typer.Argument(help="NAME or NAME:OPTION of a recipe, or a .py file with recipe().")
    ],
    workers: Annotated[int, typer.Option(help="Workers, each with one device.")] = 1,
    ps: Annotated[
        int | None,
        typer.Option(
            help="Parameter servers. Default: one for an asynchronous recipe; none for a "
            "synchronous one, whose workers then add up their gradients in a ring."
        ),
    ] = None,
    device: Annotated[
        str,
        typer.Option(
            help="k80 (one of a board's two GPUs), p100, v100, a100, tpu_v3_core, cpu_core, or "
            "local: one core of this machine, measured."
        ),
    ] = "k80",
    network: Annotated[
        str, typer.Option(help="What each process sends and receives in a second: 10Gbit, 1.25GB.")
    ] = _NETWORK,
    assume: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="Any assumption of the table; repeatable."),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="Any field of the recipe; repeatable."),
    ] = None,
    printed: Annotated[
        float | None,
        typer.Option(
            help="Steps a second that a paper prints of synchronous workers; tells what each "
            "reading of it means."
        ),
    ] = None,
    figure: Annotated[
        Path | None,
        typer.Option(help="Draw images/s over 1 to 1,024 workers into a .png or .svg file."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Everything, as JSON.")] = False,
) -> None:
    """Foretell memory, traffic, speed and days of a distributed training; nothing is run."""
    from keras_convnets.cli import planning_figure, planning_tables
    from keras_convnets.distribution.planning import make_plan

    chosen = _recipe(recipe, set_ or [])
    is_async = chosen.parallelism.value == "async"
    servers = (1 if is_async else 0) if ps is None else ps
    _check(workers, servers, printed, figure, is_async)
    assumptions = _assumptions(chosen, workers, servers, device, network, assume or [])
    work = work_of(chosen)
    made = make_plan(work, workers, servers, assumptions)
    readings = _readings(work, workers, assumptions, printed)
    if figure is not None:
        planning_figure.write(work, assumptions, figure)
    if as_json:
        content = made.to_json()
        if readings:
            content["readings"] = [vars(reading) for reading in readings]
        print(json.dumps(content, indent=2))
        return
    console = rich.console.Console()
    planning_tables.tell(console, made)
    if readings:
        planning_tables.tell_readings(console, readings, made)
    if figure is not None:
        console.print(f"figure: {figure}", highlight=False, markup=False, soft_wrap=True)


def _recipe(name: str, settings: list[str]) -> "Recipe":
    from keras_convnets import recipes, training
    from keras_convnets.cli.training import adapt

    return training.settle(adapt(recipes.get(name), settings, None, None))


def _check(
    workers: int, servers: int, printed: float | None, figure: Path | None, is_async: bool
) -> None:
    """Refuses what can't be planned, before a net is counted."""
    from keras_convnets.distribution.planning import check_cluster

    check_cluster(workers, servers, is_async)
    if printed is not None:
        check_number("--printed", printed, above=0)
        if is_async:
            raise InputError(
                "--printed reads a rate of synchronous workers, and the recipe is asynchronous; "
                "`--set parallelism=sync` changes it."
            )
    if figure is not None:
        if figure.suffix not in FIGURES:
            raise InputError(
                f"--figure should end in {' or '.join(FIGURES)}. Received: {str(figure)!r}"
            )
        if not figure.absolute().parent.is_dir():
            raise InputError(f"The folder of --figure does not exist: {str(figure.parent)!r}.")


def _assumptions(
    recipe: "Recipe", workers: int, servers: int, device: str, network: str, changes: list[str]
) -> "Assumptions":
    from keras_convnets.distribution.planning import GIVEN, assume, find_device, parse_speed

    batch, batch_source = worker_batch(recipe, workers)
    images, images_source = images_of(recipe)
    is_local = device.lower() == LOCAL
    found = assume(
        find_device("cpu_core" if is_local else device),
        parse_speed(network),
        "the default" if network == _NETWORK else GIVEN,
        worker_batch=batch,
        worker_batch_source=batch_source,
        servers=servers,
        images=images,
        images_source=images_source,
    ).changed(changes)
    return calibrated(recipe, found, changes) if is_local else found


def _readings(
    work: "Work", workers: int, assumptions: "Assumptions", printed: float | None
) -> "tuple[Reading, ...]":
    from keras_convnets.distribution.planning import read_steps

    if printed is None:
        return ()
    return read_steps(
        work,
        printed,
        workers=workers,
        worker_batch=assumptions["worker_batch"],
        peak_flops=assumptions["peak_flops"],
        passes=assumptions["passes"],
    )
