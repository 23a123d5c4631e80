"""Evaluation beside training: each new checkpoint of a run, in a process of its own."""

import dataclasses
import math
import os
import time
from collections.abc import Iterator

from keras_convnets.data import evaluation_batches
from keras_convnets.errors import DivergedError, InputError
from keras_convnets.evaluation import evaluate, evaluate_multi_label
from keras_convnets.training import rows as tables
from keras_convnets.training.averaging import averaged
from keras_convnets.training.checkpoint import Checkpoints, Progress
from keras_convnets.training.curve import validation_columns
from keras_convnets.training.model import main_output
from keras_convnets.training.preparation import (
    decode,
    load_data,
    make_model,
    make_phases,
)
from keras_convnets.training.reproducibility import precision
from keras_convnets.training.run import Run

FILE = "watched.csv"
_LOOK_EVERY = 2.0  # seconds


def watch(path: str | os.PathLike, *, quiet: bool = False) -> Iterator[dict[str, float]]:
    """Evaluates the newest checkpoint of a run whenever there is a new one, until the run is done.

    Validation images are evaluated with averaged weights, if the run has them; training goes on
    meanwhile, wherever it takes place. What was evaluated is appended to watched.csv in the run; a
    later call goes on behind it.

    Args:
        path: directory of a run, which another process trains.
        quiet: whether to show no progress.

    Yields:
        `step`, `samples` and the figures of a checkpoint, named as in history.csv.

    Raises:
        InputError: if `path` is no run, or its data is not here.
        DivergedError: if outputs are not finite.
    """
    run = Run(path)
    settings, recipe = run.settings, run.recipe
    _, images = load_data(recipe, None, settings.hold_out_seed)
    if images.fingerprint() != settings.fingerprint:
        raise InputError(
            f"The data {recipe.data.value!r} is not what the run {str(path)!r} trains on."
        )
    with precision(settings.mixed_precision):
        model = make_model(recipe, images, settings)
        images = decode(recipe, images, settings, quiet)
        phases = make_phases(recipe, images.train, model, settings)
        progress = Progress()
        checkpoints = Checkpoints(run.path / "checkpoints", model, phases.optimizers, progress)
        net = main_output(model)
        batches = evaluation_batches(
            images.validation,
            dataclasses.replace(settings.preprocessing, mode="raw"),
            max(recipe.batch_size.value, 32),
            classes=len(images.classes),
        )
        rows = tables.read(run.path / FILE, tuple)
        while True:
            # Asked first: what is there behind the end stays.
            is_last = run.is_finished
            if checkpoints.newest > max((row["step"] for row in rows), default=0):
                checkpoints.restore()
                phases.enter(max(progress.steps - 1, 0))
                with averaged(model):
                    score = evaluate_multi_label if images.is_multi_label else evaluate
                    scores = score(net, batches)
                if not math.isfinite(scores.loss):
                    raise DivergedError("The validation loss", progress.steps)
                row = {
                    "step": progress.steps,
                    "samples": progress.steps * recipe.batch_size.value,
                    **validation_columns(scores, {}),
                }
                rows.append(row)
                tables.write(run.path / FILE, tuple(row), rows)
                yield row
            elif is_last:
                return
            else:
                time.sleep(_LOOK_EVERY)
