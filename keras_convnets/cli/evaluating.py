"""`keras-convnets evaluate`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import rich.console
import typer

from keras_convnets.cli import evaluation_tables as tables
from keras_convnets.cli import evaluation_tables_multi_label
from keras_convnets.cli.watching import watch_run
from keras_convnets.errors import InputError
from keras_convnets.exit_codes import PARTIAL
from keras_convnets.progress import counting

if TYPE_CHECKING:
    import keras

    from keras_convnets.data import ImageSet, Split
    from keras_convnets.deployment import ModelCard
    from keras_convnets.evaluation import Member, Protocol
    from keras_convnets.evaluation.classes import Alignment


def evaluate(
    models: Annotated[
        list[str],
        typer.Argument(
            metavar="MODEL...", help="Run directories, .keras files, or names of public weights."
        ),
    ],
    data: Annotated[
        str | None, typer.Option(help="As for train. With --watch: the run's own.")
    ] = None,
    split: Annotated[
        str | None, typer.Option(help="train, validation or test. Default: the last there is.")
    ] = None,
    protocol: Annotated[
        list[str] | None,
        typer.Option(
            help="What a net is shown: center[:FRACTION] (default), crops10[:FRACTION], "
            "crops12[:FRACTION], crops144, dense[:SIDE], multiscale[:resnet|vgg|SIDE,SIDE...]. "
            "May be given again."
        ),
    ] = None,
    ensemble: Annotated[
        bool, typer.Option("--ensemble", help="Average the probabilities of all models.")
    ] = False,
    table: Annotated[
        bool,
        typer.Option(
            "--table",
            help="Errors of the first model, the first two, ... (rows) under each protocol "
            "(columns), as in the papers.",
        ),
    ] = False,
    restrict_classes: Annotated[
        Path | None,
        typer.Option(help="File of the classes to choose among: a name or WordNet id a line."),
    ] = None,
    real_labels: Annotated[
        Path | None, typer.Option(help="ImageNet: real.json, for ReaL accuracy too.")
    ] = None,
    blacklist: Annotated[
        Path | None,
        typer.Option(help="ImageNet: file of the numbers of validation images to leave out."),
    ] = None,
    batch_size: Annotated[
        int, typer.Option(help="Images or crops to compute at once.", min=1)
    ] = 64,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, which has all.")] = False,
    confusion: Annotated[
        bool, typer.Option("--confusion", help="Show which classes are taken for which.")
    ] = False,
    calibration: Annotated[
        bool, typer.Option("--calibration", help="Show how often a confidence is right.")
    ] = False,
    save_predictions: Annotated[
        Path | None,
        typer.Option(
            help="Write the best five classes of each image to this .csv or .npz, or the best "
            "hundred if an image may have several labels."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for evaluation.json and pictures of confusion and calibration."),
    ] = None,
    watch: Annotated[
        bool,
        typer.Option(
            "--watch", help="Evaluate each new checkpoint of a run while another process trains it."
        ),
    ] = False,
) -> None:
    """Measure top-1, top-5 and cross-entropy on images, each counted once.

    Of models that give an image several labels: MAP@100, and F1 at their thresholds (of an
    ensemble, at the means of these).

    Files that can't be read are named and skipped (exit code 3).
    """
    if watch:
        watch_run(models, data)
        return
    if data is None:
        raise InputError("`--data` should name the images to evaluate on.")
    from keras_convnets.deployment import find_model
    from keras_convnets.evaluation import Evaluator, output, protocols
    from keras_convnets.evaluation.selection import select

    shown = [protocols.parse(text) for text in protocol or ["center"]]
    groups = _groups(len(models), ensemble, table)
    of_one = {
        "--save-predictions": save_predictions is not None,
        "--out": out is not None,
        "--confusion": confusion,
        "--calibration": calibration,
    }
    _check_options(models, shown, ensemble, table, len(groups) * len(shown), of_one)
    if save_predictions is not None:
        output.check_predictions(save_predictions)
    if out is not None:
        output.check_folder(out)
    loaded = {model: find_model(model) for model in models}
    images = _load_images(models, data, split)
    if all(card.multi_label for _, card in loaded.values()):
        # Among a few images, none may happen to have more than one label.
        images = images.with_label_sets()
    name, whole = _choose_split(images, data, split)
    of_one_label = {
        "--restrict-classes": restrict_classes is not None,
        "--real-labels": real_labels is not None,
        "--blacklist": blacklist is not None,
        "--confusion": confusion,
        "--calibration": calibration,
    }
    _check_labels({model: card for model, (_, card) in loaded.items()}, images, of_one_label)
    members, aligned = _align(models, loaded, images, data, restrict_classes)
    selection = select(
        whole,
        aligned,
        skipped=len(images.skipped),
        blacklist=blacklist,
        real_labels=real_labels,
    )
    evaluator = Evaluator(members, shown)
    with counting("reading images", whole.encoded_count) as advance:
        selection, faults = selection.readable(members, shown, advance)
    skipped = [fault.reason for fault in (*images.skipped, *faults)]
    if not selection.names:
        raise InputError(f"No image of the {name} set of {data!r} can be read: {skipped[0]}")
    with counting("evaluating", len(selection.names) * len(members) * len(shown)) as advance:
        results = evaluator.score(
            selection.split,
            groups,
            labels=selection.labels,
            batch_size=batch_size,
            on_image=advance,
            keep_best=save_predictions is not None,
        )
    fields = [
        {"split": name, **output.to_json(result, aligned.names, selection.truths)}
        for result in results
    ]
    if save_predictions is not None:
        output.write_predictions(
            save_predictions, results[0].scores, selection.labels, aligned.names, selection.names
        )
    if out is not None:
        output.write_folder(out, results[0].scores, aligned.names, fields[0])
    if as_json:
        print(json.dumps(fields[0] if len(fields) == 1 else {"split": name, "results": fields}))
    else:
        if images.is_multi_label:
            evaluation_tables_multi_label.show(fields, data, table)
        else:
            tables.show(fields, data, table, confusion, calibration)
    _tell_skipped(skipped)


def _tell_skipped(reasons: list[str]) -> None:
    """Names the images that can't be read, and ends with their exit code if there are any."""
    errors = rich.console.Console(stderr=True)
    for reason in reasons:
        errors.print(reason, style="red", markup=False, highlight=False, soft_wrap=True)
    if reasons:
        raise typer.Exit(PARTIAL)


def _align(
    models: list[str],
    loaded: "dict[str, tuple[keras.Model, ModelCard]]",
    images: "ImageSet",
    data: str,
    restrict_classes: Path | None,
) -> "tuple[list[Member], Alignment]":
    """Brings the classes of models and data in line."""
    import numpy as np

    from keras_convnets.evaluation import Member
    from keras_convnets.evaluation.classes import align

    names = [(model, loaded[model][1].classes) for model in models]
    aligned = align(names, data, images.classes, restrict_classes)
    members = []
    for model, columns in zip(models, aligned.columns, strict=True):
        net, card = loaded[model]
        thresholds = np.array(card.thresholds) if card.multi_label else None
        if thresholds is not None and columns is not None:
            thresholds = thresholds[columns]
        members.append(Member(model, net, card.preprocessing, columns, thresholds))
    return members, aligned


def _check_labels(
    cards: "dict[str, ModelCard]", images: "ImageSet", of_one_label: dict[str, bool]
) -> None:
    """Refuses models, data and options that are not all for one label an image, or for several."""
    counts = ("one label", "several labels")
    for model, card in cards.items():
        if card.multi_label != images.is_multi_label:
            raise InputError(
                f"The model {model!r} gives an image {counts[card.multi_label]}, and images of "
                f"{images.name!r} have {counts[images.is_multi_label]}; they should go together."
            )
    given = [option for option, is_given in of_one_label.items() if is_given]
    if images.is_multi_label and given:
        raise InputError(
            f"{', '.join(of_one_label)} are for images with one label each, and those of "
            f"{images.name!r} may have several. Received: {given[0]}"
        )


def _groups(models: int, ensemble: bool, table: bool) -> list[tuple[int, ...]]:
    """Which models are averaged: each alone, all, or the first, the first two, ..."""
    if table:
        return [tuple(range(count)) for count in range(1, models + 1)]
    return [tuple(range(models))] if ensemble else [(i,) for i in range(models)]


def _check_options(
    models: list[str],
    shown: list["Protocol"],
    ensemble: bool,
    table: bool,
    results: int,
    of_one: dict[str, bool],
) -> None:
    """Refuses options that can't go together."""
    if ensemble and table:
        raise InputError("--table averages models by itself; leave --ensemble out.")
    if ensemble and len(models) < 2:
        raise InputError(f"--ensemble averages two models or more. Received: {models[0]!r}")
    if len(set(shown)) < len(shown):
        names = ", ".join(protocol.name for protocol in shown)
        raise InputError(f"Each --protocol should be another. Received: {names}")
    given = [option for option, is_given in of_one.items() if is_given]
    if results > 1 and given:
        raise InputError(
            f"{given[0]} is for one model or --ensemble, and one --protocol. "
            f"Received: {len(models)} models and {len(shown)} protocols, {results} results"
        )


def _choose_split(images: "ImageSet", data: str, split: str | None) -> "tuple[str, Split]":
    if split is None:
        return images.held_back
    if split not in images.splits:
        raise InputError(
            f"The data {data!r} has these splits: {', '.join(images.splits)}. Received: {split!r}"
        )
    return split, images.splits[split]


def _load_images(models: list[str], data: str, split: str | None) -> "ImageSet":
    """Loads the data; of runs' own data, the images that the runs held out are told apart."""
    from keras_convnets import data as sources
    from keras_convnets.training import Run
    from keras_convnets.training.preparation import VALIDATION_SHARE, absolute_spec

    images = sources.load(data)
    held_out: dict[int, ImageSet] = {}
    for model in models:
        if Path(model, "recipe.json").is_file():
            run = Run(model)
            settings = run.settings
            own = images.hold_out(VALIDATION_SHARE, settings.hold_out_seed)
            if own.fingerprint() == settings.fingerprint:
                held_out[settings.hold_out_seed] = own
            elif (
                split is None
                and images.held_back[0] == "train"
                and run.recipe.data.value == absolute_spec(data)
            ):
                raise InputError(
                    f"The data {data!r} changed since the run {model!r} began, so that the images "
                    "that it held out can't be told from those that it was trained on; restore it, "
                    "evaluate on other images, or on all of these (`--split train`)."
                )
    is_theirs = split in ("train", "validation") or (split is None and images.test is None)
    if len(held_out) > 1 and is_theirs:
        raise InputError(
            f"The runs held out different images of {data!r}, by their seeds "
            f"{', '.join(map(str, held_out))}, so that none are new to all; evaluate one run at a "
            "time, or all on a test set."
        )
    return next(iter(held_out.values()), images)
