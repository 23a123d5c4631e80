"""`train` and `resume`: every check before work starts, then the loop, then the last evaluation."""

import dataclasses
import datetime
import os
from collections.abc import Iterable
from pathlib import Path

import keras
import rich.console

from keras_convnets import data as sources
from keras_convnets.data import ImageSet, Split, count_steps
from keras_convnets.data.splits import BEFORE_WORK
from keras_convnets.errors import InputError, check_number
from keras_convnets.files import check_space
from keras_convnets.progress import counting
from keras_convnets.training.accumulation import accumulating
from keras_convnets.training.checkpoint import Checkpoints, Progress, checkpoint_bytes
from keras_convnets.training.finish import finish
from keras_convnets.training.fit import fit, training_input
from keras_convnets.training.job import Job
from keras_convnets.training.model import (
    build_training_model,
    preprocessing_of,
)
from keras_convnets.training.multi_label import fit_head_to_labels, start_from_frequencies
from keras_convnets.training.notes import notes_on_length
from keras_convnets.training.phases import Phases, check_frozen
from keras_convnets.training.profiling import Profile, measure
from keras_convnets.training.recipe import GIVEN, Recipe
from keras_convnets.training.reproducibility import precision, set_reproducible
from keras_convnets.training.run import MAX_SKIPPED, Run, Settings, check_free, check_share
from keras_convnets.training.skipping import without
from keras_convnets.training.sourced import choice
from keras_convnets.training.start import load_start, notes_on_start, settle
from keras_convnets.training.stop import stop_requests
from keras_convnets.training.transfer import head_begin
from keras_convnets.weights.report import LoadReport

VALIDATION_SHARE = 0.1
MOST_STEPS_BETWEEN_CHECKPOINTS = 500


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
    evaluate_every: int | None = None,
    report: bool = True,
    quiet: bool = False,
) -> Run:
    """Trains a net by a recipe, on one device, into a run directory.

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
        mixed_precision: "float16", "bfloat16" or `None`.
        checkpoint_every: steps between checkpoints; an epoch or 500 if `None`, the lesser.
        accumulate: micro-batches of an update, one after the other, for a device that is too small
            for the recipe's batch; batch normalization has its statistics of each.
        initial_seed: of the first weights alone, in place of `seed`: members of an ensemble may
            share them and see the images in other orders, as those of GoogLeNet did.
        max_skipped: the share of the images that may be left out.
        evaluate_every: steps between evaluations of the validation images, which go to curve.csv
            and change no weight; at the ends of epochs alone if `None`.
        report: whether report.html is drawn at the end.
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
    _check_trainable(recipe, accumulate)
    now = datetime.datetime.now()
    name = f"{recipe.name.replace(':', '-')}-{now:%Y%m%d-%H%M%S}"
    path = Path(out) if out is not None else Path("runs", name)
    check_free(path)
    check_share(max_skipped)
    recipe, images = _load_data(recipe, data, seed)
    images.check_skipped(max_skipped)
    settings = dataclasses.replace(
        _settings(recipe, images, seed, mixed_precision, checkpoint_every),
        accumulate=accumulate,
        initial_seed=initial_seed,
        evaluate_every=evaluate_every,
        report=report,
    )
    with precision(mixed_precision):
        model = _make_model(recipe, images, settings)
        start = load_start(model, recipe, settings.classes)
        images = _decode(recipe, images, settings, quiet)
        images.check_skipped(max_skipped)
        settings = dataclasses.replace(
            settings,
            training_images=len(images.train),
            max_skipped=max_skipped,
            head=head_begin(model, start.left + start.reinitialized if start else ()),
        )
        phases = _make_phases(recipe, images.train, model, settings)
        # The kept checkpoints, the one that is being written, the best weights, and the model.
        need = (Checkpoints.KEPT + 3) * checkpoint_bytes(model, phases.optimizers)
        check_space(_existing(path), need, "checkpoints and the model")
        run = Run.create(path, recipe, settings, images.skipped)
        _tell_start(run, start, images, quiet)
        _tell(notes_on_length(recipe, model, phases.steps), quiet)
        return _work(run, images, model, phases, quiet, is_new=True)


def resume(path: str | os.PathLike, *, quiet: bool = False) -> Run:
    """Goes on with a run that was stopped or killed, from its last checkpoint.

    The run ends with the bits that it would have ended with unbroken.

    Args:
        path: directory of the run.
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
    settings = run.settings
    _, images = _load_data(run.recipe, None, settings.seed)
    if images.fingerprint() != settings.fingerprint:
        raise _changed(run, images)
    for leftover in run.path.rglob(".*.partial.*"):
        leftover.unlink()  # of a write that was killed
    with precision(settings.mixed_precision):
        model = _make_model(run.recipe, images, settings)
        known = [fault for fault in run.faults if fault.found != BEFORE_WORK]
        whole, images = images.train, without(images, known, run.faults)
        images = _decode(run.recipe, images, settings, quiet)
        unread = [fault for fault in images.skipped if fault.found == BEFORE_WORK]
        if {fault.file for fault in unread} != _skipped_before(run, images):
            raise _changed(run, images)
        # Class weights are of the labels that the run began with.
        phases = _make_phases(run.recipe, whole.without(unread), model, settings)
        return _work(run, images, model, phases, quiet, is_new=False)


def profile(
    recipe: Recipe,
    *,
    data: str | None = None,
    seed: int = 0,
    mixed_precision: str | None = None,
    accumulate: int = 1,
    seconds: float | None = None,
    quiet: bool = False,
) -> Profile:
    """Measures what bounds the speed of a run: its input, or its net; nothing is written.

    Args:
        recipe: what would be trained; from random weights, which take as long as any others.
        data: see `train`.
        seed: see `train`.
        mixed_precision: see `train`.
        accumulate: see `train`.
        seconds: how long each of the parts is measured; 10 if `None`.
        quiet: whether to show nothing.

    Raises:
        InputError: if something can't work.
    """
    _check_trainable(recipe, accumulate)
    recipe, images = _load_data(recipe, data, seed)
    settings = dataclasses.replace(
        _settings(recipe, images, seed, mixed_precision, None), accumulate=accumulate
    )
    with precision(mixed_precision):
        model = _make_model(recipe, images, settings)
        images = _decode(recipe, images, settings, quiet)
        settings = dataclasses.replace(settings, head=head_begin(model, ()))
        _make_phases(recipe, images.train, model, settings).enter_last()
        batches = training_input(model, recipe, images, settings, epoch=0, epochs=None)
        return measure(model, batches, images.train, seconds)


def _settings(
    recipe: Recipe,
    images: ImageSet,
    seed: int,
    mixed_precision: str | None,
    checkpoint_every: int | None,
) -> Settings:
    steps = count_steps(images.train, recipe.batch_size.value)
    if checkpoint_every is None:
        checkpoint_every = min(steps, MOST_STEPS_BETWEEN_CHECKPOINTS)
    return Settings(
        seed=seed,
        mixed_precision=mixed_precision,
        checkpoint_every=checkpoint_every,
        preprocessing=preprocessing_of(recipe, images.channels),
        classes=images.classes,
        training_images=len(images.train),
        fingerprint=images.fingerprint(),
    )


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


def _check_trainable(recipe: Recipe, accumulate: int) -> None:
    """Refuses what this version can't train."""
    check_number("The micro-batches of an update", accumulate, least=1, whole=True)
    if recipe.batch_size.value % accumulate:
        raise InputError(
            f"The batch of {recipe.batch_size.value} images can't be cut into {accumulate} equal "
            f"micro-batches; choose a divisor of it. Received: accumulate={accumulate}"
        )
    if accumulate > 1 and recipe.parallelism.value == "async":
        raise InputError(
            f"The recipe {recipe.name!r} is asynchronous, where the batch of each worker is an "
            f"update, so nothing can be accumulated. Received: accumulate={accumulate}"
        )
    if keras.config.image_data_format() != "channels_last":
        raise InputError("Training wants Keras' image data format to be 'channels_last'.")
    if recipe.parallelism.value == "async":
        raise InputError(
            f"The recipe {recipe.name!r} is asynchronous, and this version trains synchronously "
            "only; `--set parallelism=sync` trains it so."
        )


def _load_data(recipe: Recipe, data: str | None, seed: int) -> tuple[Recipe, ImageSet]:
    if data is not None:
        recipe = recipe.replace(data=choice(data, GIVEN))
    absolute = absolute_spec(recipe.data.value)
    recipe = recipe.replace(data=dataclasses.replace(recipe.data, value=absolute))
    images = sources.load(absolute).hold_out(VALIDATION_SHARE, seed)
    recipe = fit_head_to_labels(settle(recipe), images)
    classes = recipe.classes
    if classes.value is None or (recipe.data.source == GIVEN and classes.source != GIVEN):
        recipe = recipe.replace(classes=choice(len(images.classes), "the classes of the data"))
    if recipe.classes.value != len(images.classes):
        raise InputError(
            f"The recipe's model has {recipe.classes.value} classes, and the data {images.name!r} "
            f"has {len(images.classes)}; they should be equal (`--set classes=...`)."
        )
    return recipe, images


def absolute_spec(data: str) -> str:
    """Makes the folder in a data spec absolute, so that the run can be resumed from anywhere."""
    kind, _, rest = data.partition(":")
    if not rest or kind == "tfds":  # which has names, not paths
        return data
    return f"{kind}:{os.path.abspath(os.path.expanduser(rest))}"


def _make_model(recipe: Recipe, images: ImageSet, settings: Settings) -> keras.Model:
    """Builds the net with random weights, and makes sure that it has what the recipe freezes."""
    set_reproducible(settings.seed)
    arguments = (recipe, images.channels, settings.preprocessing.mode)
    model = build_training_model(*arguments)
    check_frozen(model, recipe)
    if settings.initial_seed is not None:
        set_reproducible(settings.initial_seed)
        model.set_weights(build_training_model(*arguments).get_weights())
        set_reproducible(settings.seed)
    if images.is_multi_label:
        start_from_frequencies(model, images.train)
    return accumulating(model, settings.accumulate)


def _make_phases(recipe: Recipe, split: Split, model: keras.Model, settings: Settings) -> Phases:
    steps = count_steps(split, recipe.batch_size.value)
    return Phases(model, recipe, settings.head, split.labels, steps)


def _decode(recipe: Recipe, images: ImageSet, settings: Settings, quiet: bool) -> ImageSet:
    """Decodes image files before work starts: the faulty are found, and epochs are faster.

    Test images are left alone: they are read at the end.
    """
    splits = {name: split for name, split in images.splits.items() if name != "test"}
    total = sum(split.encoded_count for split in splits.values())
    decoded, skipped = {}, list(images.skipped)
    with counting("reading images", total, quiet) as advance:
        for name, split in splits.items():
            augmentation = recipe.augmentation.value if name == "train" else ()
            decoded[name], faults = sources.decode_once(
                split, settings.preprocessing, augmentation, advance
            )
            skipped += faults
    images = dataclasses.replace(images, **decoded, skipped=tuple(skipped))
    images.check_classes()
    return images


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


def _work(
    run: Run, images: ImageSet, model: keras.Model, phases: Phases, quiet: bool, *, is_new: bool
) -> Run:
    progress = Progress()
    checkpoints = Checkpoints(run.path / "checkpoints", model, phases.optimizers, progress)
    if not checkpoints.restore() and run.recipe.weights.value is not None:
        if not is_new:
            load_start(model, run.recipe, run.settings.classes)
        checkpoints.save()  # the weights that it starts from may be gone or others later
    # Behind the last step of a phase its own optimizer counts until training goes on.
    phases.enter(max(progress.steps - 1, 0))
    if len(run.history) < progress.epoch:
        raise InputError(
            f"The history of {str(run.path)!r} has {len(run.history)} rows, and its checkpoint "
            f"{progress.epoch} epochs."
        )
    with stop_requests() as stop:
        job = Job(
            run=run,
            images=images,
            model=model,
            phases=phases,
            progress=progress,
            checkpoints=checkpoints,
            steps_per_epoch=count_steps(images.train, run.recipe.batch_size.value),
            stop=stop,
            quiet=quiet,
        )
        fit(job)
        finish(job)
    return run


def _existing(path: Path) -> Path:
    return next(folder for folder in path.absolute().parents if folder.exists())
