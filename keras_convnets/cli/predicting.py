"""`keras-convnets predict`."""

import dataclasses
import json
from typing import Annotated

import rich.console
import rich.markup
import rich.progress_bar
import rich.table
import typer

from keras_convnets.exit_codes import BAD_INPUT, PARTIAL


def predict(
    model: Annotated[
        str, typer.Argument(help="Run directory, .keras file, or name of public weights or a net.")
    ],
    images: Annotated[list[str], typer.Argument(help="Image files of any common format.")],
    top: Annotated[
        int | None,
        typer.Option(
            help="Classes to show for each image. Default: 5, or the labels that reach their "
            "thresholds if the model gives several.",
            min=1,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Name what images show; files that can't be read are named and skipped (exit code 3)."""
    from keras_convnets.deployment import Predictor

    predictions = Predictor(model).predict(images, top=top)
    if as_json:
        print(json.dumps([dataclasses.asdict(prediction) for prediction in predictions]))
    else:
        _show(predictions)
    failed = [prediction for prediction in predictions if prediction.error]
    errors = rich.console.Console(stderr=True)
    for prediction in failed:
        errors.print(prediction.error, style="red", markup=False, highlight=False, soft_wrap=True)
    if failed:
        raise typer.Exit(BAD_INPUT if len(failed) == len(predictions) else PARTIAL)


def _show(predictions) -> None:
    console = rich.console.Console()
    for prediction in predictions:
        if prediction.error:
            continue
        table = rich.table.Table(
            title=rich.markup.escape(prediction.file), title_justify="left", box=None
        )
        table.add_column("class")
        table.add_column("probability", justify="right")
        table.add_column("", width=30)
        for name, probability in prediction.classes:
            bar = rich.progress_bar.ProgressBar(total=1.0, completed=probability, width=30)
            table.add_row(rich.markup.escape(name), f"{probability:.1%}", bar)
        if not prediction.classes:
            table.add_row("no label reaches its threshold; --top 5 shows the best")
        console.print(table)
