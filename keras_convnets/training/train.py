"""`train` and `resume`: every check before work starts, then the loop, then the last evaluation."""

import contextlib
import dataclasses
import datetime
import os
from collections.abc import Iterator
from pathlib import Path

import keras

from keras_convnets import data as sources
from keras_convnets.data import ImageSet, count_steps
from keras_convnets.deployment import save_model
from keras_convnets.errors import InputError
from keras_convnets.files import check_space, write_json
from keras_convnets.progress import counting
from keras_convnets.training.checkpoint import Checkpoints, Progress, checkpoint_bytes
from keras_convnets.training.fit import Job, fit
from keras_convnets.training.model import (
    build_model,
    build_training_model,
    compile_model,
    model_card,
    preprocessing_of,
)
from keras_convnets.training.optimizers import averaged
from keras_convnets.training.recipe import GIVEN, Recipe
from keras_convnets.training.report import write_report
from keras_convnets.training.reproducibility import set_reproducible
from keras_convnets.training.run import Run, Settings, check_free
from keras_convnets.training.sourced import choice
from keras_convnets.training.stop import stop_requests

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
    _check_trainable(recipe)
    now = datetime.datetime.now()
    path = Path(out if out is not None else f"runs/{recipe.name}-{now:%Y%m%d-%H%M%S}")
    check_free(path)
    recipe, images = _load_data(recipe, data, seed)
    steps = count_steps(images.train, recipe.batch_size.value)
    settings = Settings(
        seed=seed,
        mixed_precision=mixed_precision,
        checkpoint_every=(
            min(steps, MOST_STEPS_BETWEEN_CHECKPOINTS)
            if checkpoint_every is None
            else checkpoint_every
        ),
        classes=images.classes,
        training_images=len(images.train),
        fingerprint=images.fingerprint(),
    )
    with _precision(mixed_precision):
        model = _make_model(recipe, images, settings)
        # The kept checkpoints, the one that is being written, and the model.
        check_space(_existing(path), (Checkpoints.KEPT + 2) * checkpoint_bytes(model))
        images = _decode(recipe, images, quiet)
        run = Run.create(path, recipe, settings)
        return _work(run, images, model, quiet)


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
    if images.fingerprint() != settings.fingerprint:
        raise InputError(
            f"The data {run.recipe.data.value!r} changed since the run began: it had "
            f"{settings.training_images} training images of {len(settings.classes)} classes, and "
            f"has {len(images.train)} of {len(images.classes)}, or other files."
        )
    for leftover in run.path.glob(".*.partial.*"):
        leftover.unlink()  # of a write that was killed
    with _precision(settings.mixed_precision):
        model = _make_model(run.recipe, images, settings)
        images = _decode(run.recipe, images, quiet)
        return _work(run, images, model, quiet)


def _check_trainable(recipe: Recipe) -> None:
    """Refuses what this version can't train."""
    if keras.config.image_data_format() != "channels_last":
        raise InputError("Training wants Keras' image data format to be 'channels_last'.")
    if recipe.parallelism.value == "async":
        raise InputError(
            f"The recipe {recipe.name!r} is asynchronous, and this version trains synchronously "
            "only; `--set parallelism=sync` trains it so."
        )
    activation = recipe.model_options.value.get("classifier_activation", "softmax")
    if activation != "softmax":
        raise InputError(
            "This version trains on one label an image, so `classifier_activation` in "
            f"`model_options` should be 'softmax'. Received: {activation!r}"
        )


def _load_data(recipe: Recipe, data: str | None, seed: int) -> tuple[Recipe, ImageSet]:
    if data is not None:
        recipe = recipe.replace(data=choice(data, GIVEN))
    absolute = _absolute(recipe.data.value)
    recipe = recipe.replace(data=dataclasses.replace(recipe.data, value=absolute))
    images = sources.load(absolute).hold_out(VALIDATION_SHARE, seed)
    if recipe.data.source == GIVEN and recipe.classes.source != GIVEN:
        recipe = recipe.replace(classes=choice(len(images.classes), "the classes of the data"))
    if recipe.classes.value != len(images.classes):
        raise InputError(
            f"The recipe's model has {recipe.classes.value} classes, and the data {images.name!r} "
            f"has {len(images.classes)}; they should be equal (`--set classes=...`)."
        )
    return recipe, images


def _absolute(data: str) -> str:
    """Makes the folder in a data spec absolute, so that the run can be resumed from anywhere."""
    kind, _, rest = data.partition(":")
    return f"{kind}:{os.path.abspath(os.path.expanduser(rest))}" if rest else data


def _make_model(recipe: Recipe, images: ImageSet, settings: Settings) -> keras.Model:
    set_reproducible(settings.seed)
    model = build_training_model(recipe, images.channels)
    compile_model(model, recipe, count_steps(images.train, recipe.batch_size.value))
    return model


def _decode(recipe: Recipe, images: ImageSet, quiet: bool) -> ImageSet:
    """Decodes image files before work starts: the faulty are found, and epochs are faster.

    Test images are left alone: they are read at the end.
    """
    preprocessing = preprocessing_of(recipe, images.channels)
    splits = {name: split for name, split in images.splits.items() if name != "test"}
    total = sum(len(split.files or ()) for split in splits.values())
    with counting("reading images", total, quiet) as advance:
        decoded = {
            name: sources.decode_once(
                split, preprocessing, recipe.augmentation.value if name == "train" else (), advance
            )
            for name, split in splits.items()
        }
    return dataclasses.replace(images, **decoded)


def _work(run: Run, images: ImageSet, model: keras.Model, quiet: bool) -> Run:
    progress = Progress()
    checkpoints = Checkpoints(run.path / "checkpoints", model, progress)
    checkpoints.restore()
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
    with counting("reading images", len(split.files or ()), job.quiet) as advance:
        split = sources.decode_once(split, job.preprocessing, (), advance)
    scores = job.evaluate(split, name)
    with averaged(job.model):
        plain = build_model(job.run.recipe, job.images.channels)
        for layer in plain.layers:
            layer.set_weights(job.model.get_layer(layer.name).get_weights())
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
