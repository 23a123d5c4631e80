"""`train` and `resume`: every check before work starts, then the loop, then the last evaluation."""

import contextlib
import dataclasses
import datetime
import os
from collections.abc import Iterator
from pathlib import Path

import keras

from keras_convnets import data as sources
from keras_convnets.data import ImageSet, count_steps, evaluation_batches
from keras_convnets.deployment import save_model
from keras_convnets.errors import InputError
from keras_convnets.evaluation import evaluate
from keras_convnets.files import check_space, write_json
from keras_convnets.training.checkpoint import Checkpoints, Progress, checkpoint_bytes
from keras_convnets.training.display import counting
from keras_convnets.training.fit import Job, fit
from keras_convnets.training.model import build_model, compile_model, model_card, preprocessing_of
from keras_convnets.training.optimizers import averaged
from keras_convnets.training.recipe import GIVEN, Recipe
from keras_convnets.training.report import write_report
from keras_convnets.training.reproducibility import set_reproducible
from keras_convnets.training.run import Run, Settings, check_free
from keras_convnets.training.sourced import choice
from keras_convnets.training.stop import StopRequest, stop_requests

VALIDATION_SHARE = 0.1
MOST_STEPS_BETWEEN_CHECKPOINTS = 500
PRECISIONS = (None, "float16", "bfloat16")


def train(
    recipe: Recipe,
    *,
    data: str | None = None,
    out: str | os.PathLike | None = None,
    seed: int = 0,
    mixed_precision: str | None = None,
    checkpoint_every: int | None = None,
    quiet: bool = False,
) -> Run:
    """Trains a net by a recipe, on one device, into a run directory.

    The order of the images, their augmentation, the first weights and dropout follow from `seed`
    alone: two runs on the same CPU end with equal bits. A tenth of the training images, chosen by
    the seed, serves as validation set unless the data has one. Test images are read at the end.

    Args:
        recipe: what to train and how; see `keras_convnets.recipes.get`.
        data: as `data.load` takes it, in place of the recipe's; the number of classes follows it.
        out: directory of the run; `runs/<recipe>-<time>` if `None`.
        seed: int from 0 to 2^32 - 1.
        mixed_precision: "float16", "bfloat16" or `None`.
        checkpoint_every: steps between checkpoints; an epoch or 500 if `None`, the lesser.
        quiet: whether to show nothing.

    Returns:
        The finished `Run`.

    Raises:
        InputError: if something can't work; nothing was written.
        StoppedError: if SIGTERM or Ctrl-C came; `resume` goes on.
        DivergedError: if the loss became NaN or infinite; the last good checkpoint is kept.

    Example:

    >>> recipe = keras_convnets.recipes.get("xception_fashion_mnist")
    >>> run = keras_convnets.training.train(recipe, out="runs/first")
    >>> run.evaluation["top1"] > 0.86
    True
    """
    _check_settings(recipe, seed, mixed_precision, checkpoint_every)
    now = datetime.datetime.now()
    path = Path(out) if out is not None else Path("runs", f"{recipe.name}-{now:%Y%m%d-%H%M%S}")
    check_free(path)
    recipe, images = _load_data(recipe, data, seed)
    steps = count_steps(images.train, recipe.batch_size.value)
    settings = Settings(
        seed=seed,
        mixed_precision=mixed_precision,
        checkpoint_every=checkpoint_every or min(steps, MOST_STEPS_BETWEEN_CHECKPOINTS),
        classes=images.classes,
        training_images=len(images.train),
    )
    with _precision(mixed_precision), stop_requests() as stop:
        model = _make_model(recipe, images, settings)
        # The kept checkpoints, the one that is being written, and the model.
        check_space(_existing(path), (Checkpoints.KEPT + 2) * checkpoint_bytes(model))
        images = _decode(recipe, images, quiet)
        run = Run.create(path, recipe, settings)
        return _work(run, images, model, stop, quiet)


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
    """
    run = Run(path)
    if run.is_finished:
        return run
    settings = run.settings
    _, images = _load_data(run.recipe, None, settings.seed)
    found = (images.classes, len(images.train))
    if found != (settings.classes, settings.training_images):
        raise InputError(
            f"The data {run.recipe.data.value!r} changed since the run began: it had "
            f"{settings.training_images} training images of {len(settings.classes)} classes. "
            f"Received: {found[1]} of {len(found[0])}"
        )
    with _precision(settings.mixed_precision), stop_requests() as stop:
        model = _make_model(run.recipe, images, settings)
        images = _decode(run.recipe, images, quiet)
        return _work(run, images, model, stop, quiet)


def _check_settings(
    recipe: Recipe, seed: int, mixed_precision: str | None, checkpoint_every: int | None
) -> None:
    if not 0 <= seed < 2**32:
        raise InputError(f"The seed should be 0 to 2^32 - 1. Received: {seed}")
    if mixed_precision not in PRECISIONS:
        raise InputError(
            f"The mixed precision should be 'float16' or 'bfloat16'. Received: {mixed_precision!r}"
        )
    if checkpoint_every is not None and checkpoint_every < 1:
        raise InputError(
            f"There should be at least one step between checkpoints. Received: {checkpoint_every}"
        )
    if recipe.parallelism.value == "async":
        raise InputError(
            f"The recipe {recipe.name!r} is asynchronous, and this version trains synchronously "
            "only; `--set parallelism=sync` trains it so."
        )
    if recipe.model_options.value.get("classifier_activation", "softmax") != "softmax":
        raise InputError(
            f"The recipe {recipe.name!r} is for images of several labels, and this version trains "
            "on one label an image: `classifier_activation` in `model_options` should be 'softmax'."
            f" Received: {recipe.model_options.value['classifier_activation']!r}"
        )


def _load_data(recipe: Recipe, data: str | None, seed: int) -> tuple[Recipe, ImageSet]:
    images = sources.load(data or recipe.data.value).hold_out(VALIDATION_SHARE, seed)
    if data is not None:
        recipe = recipe.replace(data=choice(_absolute(data), GIVEN))
        if recipe.classes.source != GIVEN:
            recipe = recipe.replace(classes=choice(len(images.classes), "the classes of the data"))
    if recipe.classes.value != len(images.classes):
        raise InputError(
            f"The recipe's model has {recipe.classes.value} classes, and the data {images.name!r} "
            f"has {len(images.classes)}; they should be equal (`--set classes=...`)."
        )
    return recipe, images


def _absolute(data: str) -> str:
    """Makes the folder in a data spec absolute, so that the run can be resumed from anywhere."""
    kind, colon, rest = data.partition(":")
    return f"{kind}:{os.path.abspath(os.path.expanduser(rest))}" if colon else data


def _make_model(recipe: Recipe, images: ImageSet, settings: Settings) -> keras.Model:
    set_reproducible(settings.seed)
    model = build_model(recipe, images.channels)
    compile_model(model, recipe, count_steps(images.train, recipe.batch_size.value))
    return model


def _decode(recipe: Recipe, images: ImageSet, quiet: bool) -> ImageSet:
    """Decodes image files before work starts: the faulty are found, and epochs are faster."""
    preprocessing = preprocessing_of(recipe, images.channels)
    decoded = {}
    total = sum(len(split.files or ()) for split in images.splits.values())
    with counting("reading images", total, quiet) as advance:
        for name, split in images.splits.items():
            changes = recipe.augmentation.value if name == "train" else ()
            decoded[name] = sources.decode_once(split, preprocessing, changes, advance)
    return dataclasses.replace(images, **decoded)


def _work(run: Run, images: ImageSet, model: keras.Model, stop: StopRequest, quiet: bool) -> Run:
    progress = Progress()
    checkpoints = Checkpoints(run.path / "checkpoints", model, progress)
    checkpoints.restore()
    job = Job(
        run=run,
        images=images,
        model=model,
        preprocessing=preprocessing_of(run.recipe, images.channels),
        progress=progress,
        checkpoints=checkpoints,
        steps_per_epoch=count_steps(images.train, run.recipe.batch_size.value),
        stop=stop,
        quiet=quiet,
    )
    fit(job)
    _finish(job)
    return run


def _finish(job: Job) -> None:
    """Evaluates the trained net on held-back images, saves it, and writes the report."""
    name, split = job.images.held_back
    batches = evaluation_batches(split, job.preprocessing, job.evaluation_batch_size)
    with averaged(job.model):
        scores = evaluate(job.model, batches)
        plain = build_model(job.run.recipe, job.images.channels)
        plain.set_weights(job.model.get_weights())
    write_json(job.run.path / "evaluation.json", {"split": name, **scores.figures})
    card = model_card(job.run.recipe, job.images.classes, job.images.channels)
    save_model(plain, job.run.path / "model.keras", card)
    write_report(job.run, job.images, split, scores)


@contextlib.contextmanager
def _precision(name: str | None) -> Iterator[None]:
    before = keras.config.dtype_policy()
    if name:
        keras.config.set_dtype_policy(f"mixed_{name}")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _existing(path: Path) -> Path:
    return next(folder for folder in path.absolute().parents if folder.exists())
