"""`train` and `resume`: every check before work starts, then the loop, then the last evaluation."""

import dataclasses
import datetime
import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path

import rich.console

from keras_convnets.data import ImageSet
from keras_convnets.data.splits import BEFORE_WORK
from keras_convnets.distribution import current_role
from keras_convnets.distribution.replicas import first_that_differs, naming_lost_processes, wait
from keras_convnets.distribution.strategies import Place, find_place
from keras_convnets.errors import InputError
from keras_convnets.files import check_space
from keras_convnets.training.checkpoint import Checkpoints, checkpoint_bytes
from keras_convnets.training.notes import notes_on_length
from keras_convnets.training.parameter_server import serve_run
from keras_convnets.training.preparation import (
    check_place,
    check_trainable,
    decode,
    load_data,
    make_model,
    make_phases,
    make_settings,
)
from keras_convnets.training.recipe import Recipe
from keras_convnets.training.reproducibility import precision
from keras_convnets.training.run import MAX_SKIPPED, Run, Settings, check_free, check_share
from keras_convnets.training.skipping import without
from keras_convnets.training.start import load_start, notes_on_start
from keras_convnets.training.transfer import head_begin
from keras_convnets.training.work import work
from keras_convnets.weights.report import LoadReport


def train(
    recipe: Recipe,
    *,
    data: str | None = None,
    out: str | os.PathLike | None = None,
    seed: int = 0,
    mixed_precision: str | None = None,
    checkpoint_every: int | None = None,
    accumulate: int = 1,
    initial_seed: int | None = None,
    max_skipped: float = MAX_SKIPPED,
    strategy: str = "auto",
    evaluate_every: int | None = None,
    report: bool = True,
    test: bool = True,
    quiet: bool = False,
) -> Run:
    """Trains a net by a recipe into a run directory, on one device, several, or a cluster.

    The order of the images, their augmentation, the first weights and dropout follow from `seed`
    alone: two runs on the same CPU end with equal bits. A tenth of the training images, chosen by
    the seed, serves as validation set unless the data has one. Test images are read at the end.
    Images that can't be read are left out; skipped.json in the run lists them. Those that training
    meets, for very large sets are not read before, are replaced by the next good ones.

    Args:
        recipe: what to train and how; see `keras_convnets.recipes.get`.
        data: as `data.load` takes it, in place of the recipe's; the number of classes follows it.
        out: directory of the run; `runs/<recipe>-<time>` if `None`.
        seed: int from 0 to 2^32 - 1.
        mixed_precision: "float16", "bfloat16" or `None`; a TPU computes in bfloat16 anyway.
        checkpoint_every: steps between checkpoints; an epoch or 500 if `None`, the lesser.
        accumulate: micro-batches of an update, one after the other, for a device that is too small
            for the recipe's batch; batch normalization has its statistics of each.
        initial_seed: of the first weights and the hold-out, in place of `seed`: members of an
            ensemble share them and see the images in other orders, as those of GoogLeNet did.
        max_skipped: the share of the images that may be left out.
        strategy: where: "single", "mirrored", "multi_worker", "tpu" or "parameter_server"; "auto"
            for what the cluster that TF_CONFIG names, or else the devices of this machine, are for.
            A batch is that of all devices together.
        evaluate_every: steps between evaluations of the validation images, which go to curve.csv
            and change no weight; at the ends of epochs alone if `None`.
        report: whether report.html is drawn at the end.
        test: whether the last evaluation reads the test images; or else it reads the validation
            images, for runs among which one is chosen.
        quiet: whether to show nothing.

    Returns:
        The finished `Run`.

    Raises:
        InputError: if something can't work; nothing was written.
        StoppedError: if SIGTERM or Ctrl-C came; `resume` goes on.
        DivergedError: if the loss became NaN or infinite; the last good checkpoint is kept.
        UnreadableError: if training met more bad images than may be left out, or the bytes of one
            can't be had; the last checkpoint is kept.

    Example:

    >>> recipe = keras_convnets.recipes.get("xception_fashion_mnist")
    >>> run = keras_convnets.training.train(recipe, out="runs/first")
    >>> run.evaluation["top1"] > 0.86
    True
    """
    check_trainable(recipe, accumulate)
    hold_out_seed = seed if initial_seed is None else initial_seed
    _serve(recipe, data, hold_out_seed, quiet)
    place = _find_place(strategy, recipe, accumulate, mixed_precision)
    if place.name == "tpu":
        mixed_precision = mixed_precision or "bfloat16"
    now = datetime.datetime.now()
    name = f"{recipe.name.replace(':', '-')}-{now:%Y%m%d-%H%M%S}"
    path = Path(out) if out is not None else Path("runs", name)
    if place.processes > 1 and out is None:
        raise InputError(
            "Several workers share the directory of a run, so that it wants a name that all of "
            "them are given (`--out RUN`). Received: out=None"
        )
    if place.is_chief:
        check_free(path)
    check_share(max_skipped)
    recipe, images = load_data(recipe, data, hold_out_seed)
    images.check_skipped(max_skipped)
    settings = dataclasses.replace(
        make_settings(recipe, images, seed, mixed_precision, checkpoint_every),
        accumulate=accumulate,
        initial_seed=initial_seed,
        evaluate_every=evaluate_every,
        report=report,
        test=test,
    )
    with precision(mixed_precision), naming_lost_processes(place):
        model = make_model(recipe, images, settings, place)
        start = load_start(model, recipe, settings.classes)
        images = decode(recipe, images, settings, quiet)
        images.check_skipped(max_skipped)
        settings = dataclasses.replace(
            settings,
            training_images=len(images.train),
            max_skipped=max_skipped,
            head=head_begin(model, start.left + start.reinitialized if start else ()),
        )
        phases = make_phases(recipe, images.train, model, settings, place)
        # The kept checkpoints, the one that is being written, the best weights, and the model.
        need = (Checkpoints.KEPT + 3) * checkpoint_bytes(model, phases.optimizers)
        check_space(_existing(path), need, "checkpoints and the model")
        run = _create(path, recipe, settings, images, place)
        _tell_start(run, start, images, quiet)
        _tell(notes_on_length(recipe, model, phases.steps), quiet)
        return work(run, images, model, phases, place, quiet=quiet, is_new=True)


def resume(path: str | os.PathLike, *, strategy: str = "auto", quiet: bool = False) -> Run:
    """Goes on with a run that was stopped or killed, from its last checkpoint.

    The run ends with the bits that it would have ended with unbroken, if it goes on where it was:
    on as many devices.

    Args:
        path: directory of the run.
        strategy: see `train`; it need not be where the run began.
        quiet: whether to show nothing.

    Returns:
        The finished `Run`.

    Raises:
        InputError: if `path` is no run, or its data changed.
        StoppedError: see `train`.
        DivergedError: see `train`.
        UnreadableError: see `train`.
    """
    run = Run(path)
    if run.is_finished:
        return run
    _serve(run.recipe, None, run.settings.hold_out_seed, quiet)
    settings = run.settings
    place = _find_place(strategy, run.recipe, settings.accumulate, settings.mixed_precision)
    run.writes = place.is_chief
    _, images = load_data(run.recipe, None, settings.hold_out_seed)
    if images.fingerprint() != settings.fingerprint:
        raise _changed(run, images)
    for leftover in run.path.rglob(".*.partial.*") if run.writes else ():
        leftover.unlink()  # of a write that was killed
    with precision(settings.mixed_precision), naming_lost_processes(place):
        model = make_model(run.recipe, images, settings, place)
        known = [fault for fault in run.faults if fault.found != BEFORE_WORK]
        whole, images = images.train, without(images, known, run.faults)
        images = decode(run.recipe, images, settings, quiet)
        unread = [fault for fault in images.skipped if fault.found == BEFORE_WORK]
        if {fault.file for fault in unread} != _skipped_before(run, images):
            raise _changed(run, images)
        # Class weights are of the labels that the run began with.
        phases = make_phases(run.recipe, whole.without(unread), model, settings, place)
        return work(run, images, model, phases, place, quiet=quiet, is_new=False)


def _serve(recipe: Recipe, data: str | None, seed: int, quiet: bool) -> None:
    """Does what a worker or a parameter server is there for, and ends the process."""
    role = current_role()
    if role is not None and role.is_server:
        serve_run(role, recipe, data, seed, quiet)
        sys.exit()


def _find_place(
    strategy: str, recipe: Recipe, accumulate: int, mixed_precision: str | None
) -> Place:
    """Finds where a run takes place, if it can be there."""
    place = find_place(strategy, current_role(), is_async=recipe.parallelism.value == "async")
    check_place(place, recipe, accumulate, mixed_precision)
    return place


def _create(path: Path, recipe: Recipe, settings: Settings, images: ImageSet, place: Place) -> Run:
    """Makes the directory of a run, in one process, and sees to it that all mean the same run."""
    text = json.dumps([recipe.to_json(), dataclasses.asdict(settings)], sort_keys=True)
    other = first_that_differs(place, text)
    if other is not None:
        raise InputError(
            f"Worker {other} has another recipe, other options or other images than worker 0; "
            "all should be started alike and read the same files."
        )
    if place.is_chief:
        run = Run.create(path, recipe, settings, images.skipped)
    wait(place)
    return run if place.is_chief else Run(path, writes=False)


def _skipped_before(run: Run, images: ImageSet) -> set[str]:
    """The files that a run left out when it began."""
    decoded_last = set(images.test.names) if images.test else set()
    unread = {fault.file for fault in run.faults if fault.found == BEFORE_WORK}
    return unread - decoded_last  # those of runs that did not write when it was found


def _changed(run: Run, images: ImageSet) -> InputError:
    settings = run.settings
    return InputError(
        f"The data {run.recipe.data.value!r} changed since the run began: it had "
        f"{settings.training_images} training images of {len(settings.classes)} classes, and "
        f"has {len(images.train)} of {len(images.classes)}, or other files."
    )


def _tell_start(run: Run, report: LoadReport | None, images: ImageSet, quiet: bool) -> None:
    """Says what the net starts from, and how many images were left out."""
    if report is not None:
        settings = run.settings
        notes = notes_on_start(run.recipe, settings.classes, settings.preprocessing.mode)
        _tell((str(report), *notes), quiet)
    if images.skipped:
        count = len(images.skipped)
        _tell([f"{count} images can't be read and are left out: {run.path}/skipped.json"], quiet)


def _tell(lines: Iterable[str], quiet: bool) -> None:
    console = rich.console.Console(quiet=quiet)
    for line in lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _existing(path: Path) -> Path:
    return next(folder for folder in path.absolute().parents if folder.exists())
