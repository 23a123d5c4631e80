"""`keras-convnets evaluate`."""

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import rich.console
import typer

from keras_convnets.cli import evaluation_tables as tables
from keras_convnets.cli.exit_codes import PARTIAL
from keras_convnets.errors import InputError
from keras_convnets.files import check_writable, replacing, write_json
from keras_convnets.progress import counting

if TYPE_CHECKING:
    from keras_convnets.data import Fault, ImageSet, Split
    from keras_convnets.evaluation import Evaluation, Member, Protocol, Result

# A picture of more classes shows nothing.
MOST_CLASSES_DRAWN = 200


def evaluate(
    models: Annotated[
        list[str],
        typer.Argument(
            metavar="MODEL...", help="Run directories, .keras files, or names of public weights."
        ),
    ],
    data: Annotated[str, typer.Option(help="As for train.")],
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
        typer.Option(help="Write the best five classes of each image to this .csv or .npz."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for evaluation.json and pictures of confusion and calibration."),
    ] = None,
) -> None:
    """Measure top-1, top-5 and cross-entropy on images, each counted once.

    Files that can't be read are named and skipped (exit code 3).
    """
    from keras_convnets.deployment import find_model
    from keras_convnets.evaluation import Evaluator, Member, output, protocols
    from keras_convnets.evaluation.classes import align

    shown = [protocols.parse(text) for text in protocol or ["center"]]
    groups = _groups(len(models), ensemble, table)
    of_one = {
        "--save-predictions": save_predictions is not None,
        "--out": out is not None,
        "--confusion": confusion,
        "--calibration": calibration,
    }
    _check_options(models, shown, ensemble, table, len(groups) * len(shown), of_one)
    if real_labels is not None and restrict_classes is not None:
        raise InputError(
            "--real-labels name any of the 1,000 classes, so they don't go with --restrict-classes."
        )
    if save_predictions is not None:
        output.check_predictions(save_predictions)
    if out is not None:
        check_writable(out)
    loaded = [find_model(model) for model in models]
    images = _load_images(models, data, split)
    name, whole = _choose_split(images, data, split)
    aligned = align(
        [(model, card.classes) for model, (_, card) in zip(models, loaded, strict=True)],
        data,
        images.classes,
        restrict_classes,
    )
    members = [
        Member(model, net, card.preprocessing, columns)
        for model, (net, card), columns in zip(models, loaded, aligned.columns, strict=True)
    ]
    evaluator = Evaluator(members, shown)
    kept, truths = _read_imagenet_files(whole, images, aligned.names, blacklist, real_labels)
    part, kept, faults = _read_images(whole, kept, members, shown)
    skipped = [fault.reason for fault in (*images.skipped, *faults)]
    if not len(part):
        raise InputError(f"No image of the {name} set of {data!r} can be read: {skipped[0]}")
    labels = aligned.labels[whole.labels[kept]]
    with counting("evaluating", len(part) * len(members) * len(shown)) as advance:
        results = evaluator.score(
            part, groups, labels=labels, batch_size=batch_size, on_image=advance
        )
    real = [_real(result, truths, kept) for result in results]
    fields = [
        {"split": name, **output.to_json(result, aligned.names), **real_fields}
        for result, real_fields in zip(results, real, strict=True)
    ]
    if save_predictions is not None:
        files = whole.files or range(len(whole))
        output.write_predictions(
            save_predictions, results[0].scores, aligned.names, [str(files[i]) for i in kept]
        )
    if out is not None:
        _write_folder(out, results[0].scores, aligned.names, fields[0])
    if as_json:
        print(json.dumps(fields[0] if len(fields) == 1 else {"split": name, "results": fields}))
    else:
        tables.show(fields, data, table, confusion, calibration)
    errors = rich.console.Console(stderr=True)
    for reason in skipped:
        errors.print(reason, style="red", markup=False, highlight=False, soft_wrap=True)
    if skipped:
        raise typer.Exit(PARTIAL)


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


def _read_imagenet_files(
    split: "Split",
    images: "ImageSet",
    classes: tuple[str, ...],
    blacklist: Path | None,
    real_labels: Path | None,
) -> tuple[np.ndarray, list[frozenset[int]] | None]:
    """Returns the places of the images that are no blacklist's, and real labels of all images."""
    from keras_convnets.evaluation import imagenet
    from keras_convnets.evaluation.classes import ClassNames

    kept = np.arange(len(split))
    if blacklist is None and real_labels is None:
        return kept, None
    numbers = imagenet.validation_numbers(split, len(images.skipped))
    if blacklist is not None:
        kept = kept[~np.isin(numbers, list(imagenet.read_blacklist(blacklist)))]
        if not len(kept):
            raise InputError(f"The blacklist {str(blacklist)!r} leaves no image.")
    if real_labels is None:
        return kept, None
    if not ClassNames(classes, "the model").are_imagenet:
        raise InputError(
            "--real-labels are for models with the 1,000 classes of ImageNet. "
            f"Received: a model with {len(classes):,}, such as {classes[0]!r}"
        )
    truths = imagenet.read_real_labels(real_labels, numbers)
    if not any(truths[i] for i in kept):
        raise InputError(f"The file {str(real_labels)!r} has no label for any image of this data.")
    return kept, truths


def _read_images(
    whole: "Split", kept: np.ndarray, members: list["Member"], shown: list["Protocol"]
) -> "tuple[Split, np.ndarray, list[Fault]]":
    """Finds out which files can be read; for one central crop they are decoded for good.

    Returns:
        The images that can be read, their places, and the others.
    """
    from keras_convnets.data import decode_once
    from keras_convnets.evaluation import CenterCrop
    from keras_convnets.evaluation.views import find_unreadable

    split = whole.take(kept)
    if split.files is None:
        return split, kept, []
    with counting("reading images", len(split)) as advance:
        if len(members) == len(shown) == 1 and isinstance(shown[0], CenterCrop):
            part, faults = decode_once(split, shown[0].of(members[0].preprocessing), (), advance)
        else:
            faults = find_unreadable(split, advance)
            part = split.without(faults)
    bad = {fault.file for fault in faults}
    is_good = np.array([file not in bad for file in split.files], bool)
    return part, kept[is_good], faults


def _real(
    result: "Result", truths: list[frozenset[int]] | None, kept: np.ndarray
) -> dict[str, Any]:
    from keras_convnets.evaluation.imagenet import real_scores

    if truths is None:
        return {}
    scores = real_scores(result.scores, [truths[i] for i in kept])
    return {"real": dataclasses.asdict(scores) | {"top1_interval": scores.top1_interval}}


def _write_folder(
    out: Path, scores: "Evaluation", classes: tuple[str, ...], fields: dict[str, Any]
) -> None:
    from keras_convnets.analysis import plots
    from keras_convnets.evaluation.output import reliability_diagram

    out.mkdir(parents=True, exist_ok=True)
    write_json(out / "evaluation.json", fields)
    pictures = {"calibration.png": reliability_diagram(scores.calibration)}
    if len(classes) <= MOST_CLASSES_DRAWN:
        matrix = scores.confusion(len(classes))
        pictures["confusion.png"] = plots.confusion_matrix(matrix, classes)
    for name, picture in pictures.items():
        with replacing(out / name) as temporary:
            temporary.write_bytes(picture.png())


def _load_images(models: list[str], data: str, split: str | None) -> "ImageSet":
    """Loads the data; of runs' own data, the images that the runs held out are told apart."""
    from keras_convnets import data as sources
    from keras_convnets.training import Run
    from keras_convnets.training.train import VALIDATION_SHARE

    images = sources.load(data)
    held_out: dict[int, ImageSet] = {}
    for model in models:
        if Path(model, "recipe.json").is_file():
            settings = Run(model).settings
            own = images.hold_out(VALIDATION_SHARE, settings.seed)
            if own.fingerprint() == settings.fingerprint:
                held_out[settings.seed] = own
    is_theirs = split in ("train", "validation") or (split is None and images.test is None)
    if len(held_out) > 1 and is_theirs:
        raise InputError(
            f"The runs held out different images of {data!r}, by their seeds "
            f"{', '.join(map(str, held_out))}, so that none are new to all; evaluate one run at a "
            "time, or all on a test set."
        )
    return next(iter(held_out.values()), images)
