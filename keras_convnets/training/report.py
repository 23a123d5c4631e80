"""report.html: one file with all that a person wants to see of a run."""

import html
from string import Template

import keras
import numpy as np

from keras_convnets.analysis import plots
from keras_convnets.data import ImageSet, Split, evaluation_batches
from keras_convnets.data.splits import BEFORE_WORK
from keras_convnets.evaluation import Evaluation, MultiLabelEvaluation
from keras_convnets.files import write_text
from keras_convnets.training import report_multi_label, report_single_label
from keras_convnets.training.notes import notes_on_length
from keras_convnets.training.page import document, picture
from keras_convnets.training.report_single_label import SHOWN
from keras_convnets.training.run import Run, versions

LISTED = 50  # files that could not be read

_BODY = Template("""<p>$about</p>
$headline
<p>$epochs epochs, $samples training images seen, $minutes minutes of training. $kept</p>
$notes
<h2>Curves</h2>
$curves
<p>The training loss includes L2, label smoothing, class weights and auxiliary heads; the validation
loss is the cross-entropy of the main output alone.$about_curves $averaged</p>
$sections
$skipped
<h2>Recipe</h2>
$recipe
<h2>Versions</h2>
<p>$versions; seed $seed</p>
""")


def write_report(
    run: Run,
    images: ImageSet,
    split: Split,
    scores: Evaluation | MultiLabelEvaluation,
    model: keras.Model,
) -> None:
    """Writes report.html into a run.

    Args:
        run: a run whose evaluation is done.
        images: its data.
        split: the evaluated images.
        scores: their evaluation.
        model: the trained net, which takes images as the run's settings say.
    """
    last = run.history[-1]
    chosen = np.random.default_rng(run.settings.seed).permutation(len(split))[:SHOWN]
    name = run.evaluation["split"]
    if isinstance(scores, MultiLabelEvaluation):
        preprocessing = run.settings.preprocessing
        shown = evaluation_batches(
            split.take(chosen), preprocessing, SHOWN, classes=len(images.classes)
        )
        [probabilities] = [model.predict_on_batch(batch) for batch, _ in shown]
        headline = report_multi_label.headline(scores, name)
        sections = report_multi_label.sections(
            scores, images.classes, split, name, chosen, probabilities
        )
    else:
        headline = report_single_label.headline(scores, name)
        sections = report_single_label.sections(scores, images.classes, split, name, chosen)
    body = _BODY.substitute(
        about=html.escape(f"Recipe {run.recipe.name}: {run.recipe.about}"),
        headline=headline,
        sections=sections,
        epochs=last["epoch"],
        samples=f"{last['samples']:,}",
        minutes=f"{last['seconds'] / 60:.1f}",
        kept=_kept(run),
        notes="".join(
            f"<p>{html.escape(note)}</p>"
            for note in notes_on_length(run.recipe, model, last["step"])
        ),
        averaged=_averaged(run),
        curves=picture(plots.curves(run.history), "figures over epochs"),
        about_curves=report_multi_label.ABOUT_CURVES if split.is_multi_label else "",
        skipped=_skipped(run),
        recipe=run.recipe._repr_html_(),
        versions=", ".join(f"{name} {version}" for name, version in versions().items()),
        seed=run.settings.seed,
    )
    write_text(run.report, document(f"{run.recipe.net}: {run.path.name}", body))


def _kept(run: Run) -> str:
    """Which epoch the weights are of, if it need not be the last."""
    if run.recipe.early_stop.value is None:
        return ""
    return f"Figures and saved model are those of epoch {run.final_epoch}, the best one."


def _averaged(run: Run) -> str:
    """What the raw weights reach, if those that are saved are averaged."""
    if "val_top1_raw" not in run.history[-1]:
        return ""
    found = run.evaluation
    figures = ""
    if "top1_raw" in found:
        figures = (
            f" On the {html.escape(found['split'])} images they have top-1 {found['top1_raw']:.1%},"
            f" and the averaged weights {found['top1']:.1%}."
        )
    rule = html.escape(repr(run.recipe.ema.value))
    return (
        f"Validation figures and the saved model are of averaged weights ({rule}); "
        f'"raw" are those that learn.{figures}'
    )


def _skipped(run: Run) -> str:
    reasons = [
        fault.reason + ("" if fault.found == BEFORE_WORK else f" Found {fault.found}.")
        for fault in run.faults
    ]
    if not reasons:
        return ""
    others = len(reasons) - LISTED
    lines = reasons[:LISTED] + ([f"... and {others:,} others: skipped.json"] if others > 0 else [])
    items = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
    return f"<h2>Images that were left out ({len(reasons):,})</h2>\n<ul>{items}</ul>"
