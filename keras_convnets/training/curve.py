"""curve.csv: evaluations between epochs, the same after a kill, and those at the ends of epochs."""

import itertools
from typing import TYPE_CHECKING

from keras_convnets.evaluation import Evaluation, MultiLabelEvaluation
from keras_convnets.training.averaging import averaged

if TYPE_CHECKING:
    from keras_convnets.training.job import Job

# Figures of the validation images that become columns, where they are there.
WATCHED = ("loss", "top1", "top5", "map_at_100", "micro_f1")


def validation_columns(
    scores: Evaluation | MultiLabelEvaluation, raw: dict[str, float]
) -> dict[str, float]:
    """Returns what an evaluation of the validation images has for a row.

    Args:
        scores: of the weights that the run is for.
        raw: what `Job.evaluate_raw` gave.
    """
    return {
        # The F1 of images that neither have nor get a label is none.
        **{
            f"val_{name}": scores.figures[name] or 0.0 for name in WATCHED if name in scores.figures
        },
        **{f"val_{name}": value for name, value in raw.items()},
    }


def is_due(job: "Job") -> bool:
    """Whether to evaluate behind this step; the last one of an epoch is evaluated anyway."""
    every = job.run.settings.evaluate_every
    return every is not None and job.progress.steps % every == 0 and job.steps_left > 0


def evaluate_between(job: "Job") -> None:
    """Evaluates within an epoch, and adds the row.

    Raises:
        DivergedError: if outputs of the net are not finite.
        UnreadableError: see `Job.skip`.
    """
    job.unite()
    raw = job.evaluate_raw("validation")
    with averaged(job.model):
        scores = job.evaluate("validation")
    add(job, validation_columns(scores, raw))


def drop_undone(job: "Job") -> None:
    """Drops the rows of steps that a kill undid."""
    rows = job.run.curve_rows
    kept = [row for row in rows if row["step"] <= job.progress.steps]
    if len(kept) < len(rows):
        job.run.write_curve(kept)


def add(job: "Job", figures: dict[str, float]) -> None:
    """Adds a row for the position, if the run has such rows.

    Args:
        job: a run at work.
        figures: those of the validation images by column.
    """
    if job.run.settings.evaluate_every is None:
        return
    progress = job.progress
    rows = [row for row in job.run.curve_rows if row["step"] < progress.steps]
    row = {
        "step": progress.steps,
        "samples": progress.steps * job.batch_size,
        "seconds": round(progress.seconds, 3),
        "learning_rate": float(job.model.optimizer.learning_rate),
        **_since_the_last(job, rows),
        **figures,
    }
    job.run.write_curve([*rows, row])


def _since_the_last(job: "Job", rows: list[dict[str, float]]) -> dict[str, float]:
    """The means of loss and top-1 over the steps since the last row."""
    progress = job.progress
    begin = progress.steps - progress.step  # of the epoch, from where sums are
    steps = [begin, *(row["step"] for row in rows if row["step"] > begin), progress.steps]
    counts = [after - before for before, after in itertools.pairwise(steps)]
    told = rows[len(rows) + 1 - len(counts) :]
    return {
        name: (total - sum(row[name] * count for row, count in zip(told, counts[:-1], strict=True)))
        / counts[-1]
        for name, total in progress.sums.items()
    }
