"""`keras-convnets evaluate`."""

import json
from typing import Annotated

import rich.console
import rich.table
import typer

from keras_convnets.errors import InputError


def register(app: typer.Typer) -> None:
    """Adds the verbs of this file."""
    app.command()(evaluate)


def evaluate(
    model: Annotated[
        str, typer.Argument(help="Run directory, .keras file, or net with ImageNet weights.")
    ],
    data: Annotated[str, typer.Option(help="As for train.")],
    split: Annotated[
        str | None, typer.Option(help="train, validation or test. Default: the last there is.")
    ] = None,
    batch_size: Annotated[int, typer.Option(help="Images to compute at once.", min=1)] = 64,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure top-1, top-5 and cross-entropy on images, each counted once."""
    from keras_convnets import data as sources
    from keras_convnets import evaluation
    from keras_convnets.deployment import find_model
    from keras_convnets.training.display import counting

    images = sources.load(data)
    name, chosen = images.held_back
    if split is not None:
        if split not in images.splits:
            raise InputError(
                f"The data {data!r} has these splits: {', '.join(images.splits)}. "
                f"Received: {split!r}"
            )
        name, chosen = split, images.splits[split]
    net, card = find_model(model)
    if len(card.classes) != len(images.classes):
        raise InputError(
            f"The model {model!r} has {len(card.classes)} classes, and the data {data!r} has "
            f"{len(images.classes)}; they should be equal."
        )
    if card.classes != images.classes:
        raise InputError(
            f"The model {model!r} and the data {data!r} have other classes: the model's first are "
            f"{', '.join(card.classes[:3])}, the data's {', '.join(images.classes[:3])}."
        )
    batches = sources.evaluation_batches(chosen, card.preprocessing, batch_size)
    with counting("evaluating", len(chosen)) as advance:
        scores = evaluation.evaluate(net, batches, advance)
    figures = {"split": name, **scores.figures}
    if as_json:
        print(json.dumps(figures))
        return
    table = rich.table.Table("split", "images", "top-1", "top-5", "cross-entropy (nats)")
    table.add_row(
        name, f"{scores.n:,}", f"{scores.top1:.2%}", f"{scores.top5:.2%}", f"{scores.loss:.4f}"
    )
    rich.console.Console().print(table)
