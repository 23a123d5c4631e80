"""`keras-convnets evaluate`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import rich.console
import rich.table
import typer

from keras_convnets.cli.exit_codes import PARTIAL
from keras_convnets.errors import InputError
from keras_convnets.progress import counting

if TYPE_CHECKING:
    from keras_convnets.data import ImageSet
    from keras_convnets.evaluation import Evaluation


def evaluate(
    model: Annotated[
        str, typer.Argument(help="Run directory, .keras file, or name of public weights.")
    ],
    data: Annotated[str, typer.Option(help="As for train.")],
    split: Annotated[
        str | None, typer.Option(help="train, validation or test. Default: the last there is.")
    ] = None,
    batch_size: Annotated[int, typer.Option(help="Images to compute at once.", min=1)] = 64,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure top-1, top-5 and cross-entropy on images, each counted once.

    Files that can't be read are named and skipped (exit code 3).
    """
    from keras_convnets import evaluation
    from keras_convnets.data import decode_once, evaluation_batches, naming_faults
    from keras_convnets.deployment import find_model

    net, card = find_model(model)
    images = _load_images(model, data)
    name, chosen = images.held_back
    if split is not None:
        if split not in images.splits:
            raise InputError(
                f"The data {data!r} has these splits: {', '.join(images.splits)}. "
                f"Received: {split!r}"
            )
        name, chosen = split, images.splits[split]
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
    with counting("reading images", chosen.encoded_count) as advance:
        chosen, faults = decode_once(chosen, card.preprocessing, (), advance)
    skipped = [fault.reason for fault in (*images.skipped, *faults)]
    if not len(chosen):
        raise InputError(f"No image of the {name} set of {data!r} can be read: {skipped[0]}")
    batches = evaluation_batches(chosen, card.preprocessing, batch_size)
    with counting("evaluating", len(chosen)) as advance, naming_faults():
        scores = evaluation.evaluate(net, batches, advance)
    figures = {"split": name, **scores.figures}
    if as_json:
        print(json.dumps(figures))
    else:
        _show(name, scores)
    errors = rich.console.Console(stderr=True)
    for reason in skipped:
        errors.print(reason, style="red", markup=False, highlight=False, soft_wrap=True)
    if skipped:
        raise typer.Exit(PARTIAL)


def _show(name: str, scores: "Evaluation") -> None:
    table = rich.table.Table("split", "images", "top-1", "top-5", "cross-entropy (nats)")
    table.add_row(
        name, f"{scores.n:,}", f"{scores.top1:.2%}", f"{scores.top5:.2%}", f"{scores.loss:.4f}"
    )
    rich.console.Console().print(table)


def _load_images(model: str, data: str) -> "ImageSet":
    """Loads the data; of a run's own data, the images that the run held out are told apart."""
    from keras_convnets import data as sources
    from keras_convnets.training import Run
    from keras_convnets.training.train import VALIDATION_SHARE

    images = sources.load(data)
    if Path(model, "recipe.json").is_file():
        seed, fingerprint = Run(model).settings.seed, Run(model).settings.fingerprint
        held_out = images.hold_out(VALIDATION_SHARE, seed)
        if held_out.fingerprint() == fingerprint:
            return held_out
    return images
