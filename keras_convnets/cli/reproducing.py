"""`keras-convnets reproduce`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import rich.box
import rich.console
import rich.table
import rich.text
import typer

from keras_convnets.cli.amounts import readable

if TYPE_CHECKING:
    from keras_convnets.claims import Claim

_LIST = "list"


def reproduce(
    claim: Annotated[
        str | None, typer.Argument(help="Name of a claim. Default: the list of all of them.")
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(help="Images. Default: fashion_mnist if installed, or fashion_mnist_6k."),
    ] = None,
    images: Annotated[
        int, typer.Option(help="Training images, drawn by a seed; 0 for all.", min=0)
    ] = 12_000,
    seeds: Annotated[
        int | None, typer.Option(help="Runs of each arm. Default: the claim's own.", min=1)
    ] = None,
    minutes: Annotated[
        float, typer.Option(help="How long all runs may take on this machine.")
    ] = 10.0,
    tune_each_arm: Annotated[
        int,
        typer.Option(
            metavar="TRIALS", help="Search rate and L2 for each arm by itself first.", min=0
        ),
    ] = 0,
    out: Annotated[
        Path | None, typer.Option(help="Folder of runs and results. Default: claims/CLAIM.")
    ] = None,
) -> None:
    """Try a claim of a paper on small nets; the same command goes on after a kill."""
    from keras_convnets import claims

    console = rich.console.Console()
    if claim is None or claim == _LIST:
        _tell_list(console, [claims.get(name) for name in claims.names()])
        return
    chosen = claims.get(claim)
    console.print(f"{chosen.title} ({chosen.paper}, {chosen.section})", style="bold", markup=False)
    console.print(chosen.sentence, markup=False, highlight=False)
    folder = out if out is not None else Path("claims") / chosen.name
    results = claims.reproduce(
        chosen,
        folder,
        data=data,
        images=images,
        seeds=seeds,
        minutes=minutes,
        trials=tune_each_arm,
    )
    _tell(console, results, folder)


def _tell_list(console: rich.console.Console, known: list["Claim"]) -> None:
    from keras_convnets.claims.plan import MINUTES

    table = rich.table.Table(box=rich.box.SIMPLE_HEAD, padding=(0, 1))
    table.add_column("claim", overflow="fold")
    for column in ("arms x seeds", "minutes"):
        table.add_column(column, justify="right")
    for claim in known:
        about = rich.text.Text.assemble(
            (claim.name, "bold"), f"\n{claim.title}\n", (f"{claim.paper}, {claim.section}", "dim")
        )
        table.add_row(about, f"{len(claim.arms)} x {claim.seeds}", f"{MINUTES:g}")
    console.print(table)
    console.print("next: keras-convnets reproduce CLAIM", markup=False, highlight=False)


def _tell(console: rich.console.Console, results: dict[str, Any], folder: Path) -> None:
    """Prints the arms, what was found, and the verdict."""
    from keras_convnets.claims.figures import COLOURS
    from keras_convnets.claims.metrics import METRICS

    table = rich.table.Table(box=rich.box.SIMPLE_HEAD, padding=(0, 1))
    table.add_column("arm")
    for column in ("parameters", "multiply-adds", "test top-1 of the seeds, %"):
        table.add_column(column, justify="right")
    for arm in results["arms"]:
        accuracies = "  ".join(f"{value:.1f}" for value in arm["figures"]["test_top1"])
        table.add_row(arm["name"], f"{arm['parameters']:,}", readable(arm["macs"]), accuracies)
    console.print(table)
    for found in results["findings"]:
        unit = METRICS[found["metric"]].unit
        interval = (
            "" if found["low"] is None else f", from {found['low']:+.2f} to {found['high']:+.2f}"
        )
        console.print(
            f"{found['statement']}: {found['estimate']:+.2f} {unit}{interval} ({found['method']}): "
            f"{found['verdict']}",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
    verdict = results["verdict"]
    console.print(f"\nThe claim: {verdict} at this scale", style=f"bold {COLOURS[verdict]}")
    for text in (f"figure:  {folder}/figure.png", f"results: {folder}/results.json"):
        console.print(text, markup=False, highlight=False, soft_wrap=True)
