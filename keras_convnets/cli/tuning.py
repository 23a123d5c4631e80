"""`keras-convnets tune`."""

import os
from pathlib import Path
from typing import Annotated, Any

import rich.box
import rich.console
import rich.table
import typer

from keras_convnets.cli.amounts import parse_amount, readable
from keras_convnets.cli.training import adapt
from keras_convnets.errors import InputError
from keras_convnets.exit_codes import FAILED

_MIB = 2**20
# Columns of the table, and how they are written.
_FIGURES = {
    "parameters": readable,
    "macs": readable,
    "seconds": "{:.0f}".format,
    "peak_memory": lambda size: f"{size / _MIB:,.0f}",
}


def tune(
    recipe: Annotated[
        str | None,
        typer.Argument(
            help="NAME or NAME:OPTION of a recipe, or a .py file. Default: xception_fashion_mnist."
        ),
    ] = None,
    space: Annotated[
        str,
        typer.Option(
            help="What varies: names with commas between, such as rate,l2=1e-6..1e-3,width=0.5|1, "
            "or default, training, size or paper."
        ),
    ] = "default",
    tuner: Annotated[str, typer.Option(help="random, bayesian or hyperband.")] = "random",
    trials: Annotated[
        int, typer.Option(help="How many, the recipe's own setting first.", min=1)
    ] = 20,
    workers: Annotated[
        int,
        typer.Option(help="Trials at a time, which share the cores and have a GPU each.", min=1),
    ] = 1,
    data: Annotated[str | None, typer.Option(help="Images, as in train.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the search. Default: tuning/RECIPE.")
    ] = None,
    epochs: Annotated[
        float | None, typer.Option(help="Length of a trial; with hyperband of the longest.")
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(help="Images in a batch; the rate is scaled in proportion.")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="Any field of the recipe; repeatable."),
    ] = None,
    max_parameters: Annotated[
        str | None, typer.Option(help="The most that a net may have: 70k, 25M.")
    ] = None,
    max_macs: Annotated[
        str | None, typer.Option(help="The most multiply-adds an image: 300M, 4.1G.")
    ] = None,
    max_memory: Annotated[
        str | None, typer.Option(help="The most bytes in training, by estimate: 800M, 8G.")
    ] = None,
    timeout: Annotated[
        float | None, typer.Option(metavar="MINUTES", help="The most that a trial may take.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the draws, and of every run.")] = 0,
) -> None:
    """Search for better hyper-parameters; the same command goes on after a kill.

    Validation images choose, test images stay unread.
    """
    # gRPC asks when it is imported, and tells of each process that starts where it supports forks.
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    from keras_convnets import recipes, tuning

    limits = {
        "max_parameters": parse_amount("--max-parameters", max_parameters),
        "max_macs": parse_amount("--max-macs", max_macs),
        "max_memory": parse_amount("--max-memory", max_memory),
    }
    if timeout is not None and not timeout > 0:
        raise InputError(f"--timeout should be above 0 minutes. Received: {timeout}")
    chosen = adapt(recipes.get(recipe or recipes.DEFAULT), set_ or [], epochs, batch_size)
    console = rich.console.Console()
    title = f"Tuning {chosen.net} by the recipe {chosen.name}"
    console.print(title, style="bold", highlight=False, markup=False)
    folder = out if out is not None else Path("tuning", chosen.name.replace(":", "-"))
    results = tuning.tune(
        chosen,
        folder,
        space=space,
        tuner=tuner,
        trials=trials,
        workers=workers,
        data=data,
        seed=seed,
        minutes=timeout,
        **limits,
    )
    _tell(console, results, folder)
    if results["best"] is None:
        raise typer.Exit(FAILED)


def _tell(console: rich.console.Console, results: dict[str, Any], folder: Path) -> None:
    """Prints the trials, and what to type next."""
    from keras_convnets.tuning.display import name_of, show

    names = list(results["space"])
    table = rich.table.Table(box=rich.box.SIMPLE_HEAD, padding=(0, 1), collapse_padding=True)
    table.add_column("trial", no_wrap=True)
    objective = f"{name_of(results['objective']['name'])}, %"
    for column in (*names, objective, "params", "MACs", "s", "MiB"):
        table.add_column(column, justify="right", no_wrap=True)
    for trial in results["trials"]:
        is_best = trial["id"] == results["best"]
        found = trial["cause"] or trial["status"]
        if trial["objective"] is not None:
            found = f"{100 * trial['objective']:.2f}"
        table.add_row(
            trial["id"],
            *(show(trial["values"][name]) for name in names),
            found,
            *("" if trial[key] is None else write(trial[key]) for key, write in _FIGURES.items()),
            style="bold" if is_best else None,
        )
    console.print(table)
    counts = ", ".join(f"{count} {status}" for status, count in results["counts"].items() if count)
    lines = [f"{len(results['trials'])} trials: {counts}", *_memory(results["trials"])]
    if (folder / "report.html").is_file():
        lines.append(f"report:  {folder}/report.html")
    lines.append(f"trials:  {folder}/trials.json")
    if results["best"] is not None:
        lines.append(f"run:     {folder}/trials/{results['best']}")
        lines.append(f"next:    keras-convnets train {folder}/best.py")
    lines.append(f"         tensorboard --logdir {folder}/trials")
    for line in lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _memory(trials: list[dict[str, Any]]) -> list[str]:
    """Says what the search itself needed, which does not grow with the trials."""
    known = [trial["search_memory"] / _MIB for trial in trials if trial["search_memory"]]
    if not known:
        return []
    first, last = (f"{size:,.0f} MiB" for size in (known[0], known[-1]))
    return [f"memory:  {first} of the search behind its first trial, {last} behind its last"]
