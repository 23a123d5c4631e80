"""The end of a run: the last evaluation, the saved net, and the report."""

import contextlib
import dataclasses
from collections.abc import Iterator

from keras_convnets.data import decode_once
from keras_convnets.deployment import save_model
from keras_convnets.distribution.replicas import wait
from keras_convnets.files import write_json
from keras_convnets.progress import counting
from keras_convnets.recursion import deep_graphs
from keras_convnets.training.averaging import averaged, has_average
from keras_convnets.training.job import Job
from keras_convnets.training.model import build_model, model_card
from keras_convnets.training.report import write_report


def finish(job: Job) -> None:
    """Evaluates the trained net on held-back images, saves it, and writes the report.

    Of several processes each takes part in the evaluation, and waits until all is written.
    """
    unseen = ("validation", job.images.validation)
    name, split = job.images.held_back if job.run.settings.test else unseen
    with counting("reading images", split.encoded_count, job.quiet) as advance:
        split, faults = decode_once(split, job.preprocessing, (), advance)
    if faults:
        job.skip(name, faults)
    job.images = dataclasses.replace(job.images, **{name: split})
    is_last = job.run.recipe.early_stop.value is None  # of the best no raw weights are kept
    raw = job.evaluate_raw(name) if is_last else {}
    with _final_weights(job):
        thresholds = _choose_thresholds(job)
        scores = job.evaluate(name, thresholds)
        plain = build_model(job.run.recipe, job.images.channels)
        for layer in plain.layers:
            layer.set_weights(job.model.get_layer(layer.name).get_weights())
    if job.run.writes:
        figures = {"split": name, "epoch": job.run.final_epoch, **scores.figures}
        figures |= {"weights": "averaged" if has_average(job.model) else "raw", **raw}
        write_json(job.run.path / "evaluation.json", figures)
        images, settings = job.images, job.run.settings
        card = model_card(job.run.recipe, images.classes, settings.preprocessing, thresholds)
        save_model(plain, job.run.path / "model.keras", card)
        if settings.report:
            write_report(job.run, images, images.splits[name], scores, plain)
    wait(job.place)


def _choose_thresholds(job: Job) -> tuple[float, ...] | None:
    """Chooses those of each class by the validation images, if an image may have several labels."""
    if not job.images.is_multi_label:
        return None
    scores = job.evaluate("validation")
    return tuple(scores.best_thresholds.tolist())


@contextlib.contextmanager
def _final_weights(job: Job) -> Iterator[None]:
    """Puts the weights into the net that the run is for: the best, the averaged or the last."""
    if job.run.recipe.early_stop.value is None:
        with averaged(job.model):
            yield
        return
    with deep_graphs():
        job.model.load_weights(job.best_weights)
    yield
