"""report.html: one file with all that a person wants to see of a run."""

import base64
import html
from collections.abc import Sequence
from string import Template

import numpy as np

from keras_convnets.analysis import plots
from keras_convnets.data import ImageSet, Split
from keras_convnets.evaluation import Evaluation
from keras_convnets.files import write_text
from keras_convnets.training.run import Run, versions

SHOWN = 32  # images in a grid
LISTED = 50  # files that could not be read

_PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>$title</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1000px; margin: 2em auto; }
table { border-collapse: collapse; }
td, th { padding: 0.2em 0.8em 0.2em 0; text-align: left; vertical-align: top;
  border-bottom: 1px solid #ddd; }
img { max-width: 100%; }
.big { font-size: 2em; }
</style>
</head>
<body>
<h1>$title</h1>
<p>$about</p>
<p class="big">top-1 $top1 on $n $split images</p>
<p>top-5 $top5, cross-entropy $loss nats. $epochs epochs, $samples training images seen,
$minutes minutes of training. $kept</p>
<h2>Curves</h2>
<img alt="loss and top-1 accuracy over epochs" src="$curves">
<p>The training loss includes L2, label smoothing, class weights and auxiliary heads; the validation
loss is the cross-entropy of the main output alone.</p>
<h2>Confusion matrix ($split images)</h2>
<img alt="confusion matrix" src="$confusion">
<h2>Classes ($split images)</h2>
$by_class
<p>The worst first. Precision: how many of those that were called so are; recall: how many of those
that are were called so.</p>
<h2>Worst mistakes</h2>
$mistakes
<h2>Some $split images</h2>
<img alt="$split images with predicted and true class" src="$grid">
<p>Drawn at random: what is predicted, how sure the model is, and in pink what it is instead.</p>
$skipped
<h2>Recipe</h2>
$recipe
<h2>Versions</h2>
<p>$versions; seed $seed</p>
</body>
</html>
""")


def write_report(run: Run, images: ImageSet, split: Split, scores: Evaluation) -> None:
    """Writes report.html into a run.

    Args:
        run: a run whose evaluation is done.
        images: its data.
        split: the evaluated images.
        scores: their evaluation.
    """
    last = run.history[-1]
    chosen = np.random.default_rng(run.settings.seed).permutation(len(split))[:SHOWN]
    classes = images.classes
    page = _PAGE.substitute(
        title=html.escape(f"{run.recipe.net}: {run.path.name}"),
        about=html.escape(f"Recipe {run.recipe.name}: {run.recipe.about}"),
        split=run.evaluation["split"] if run.evaluation else "held-back",
        n=f"{scores.n:,}",
        top1=f"{scores.top1:.1%}",
        top5=f"{scores.top5:.1%}",
        loss=f"{scores.loss:.4f}",
        epochs=last["epoch"],
        samples=f"{last['samples']:,}",
        minutes=f"{last['seconds'] / 60:.1f}",
        kept=_kept(run),
        curves=_inline(plots.curves(run.history)),
        confusion=_inline(plots.confusion_matrix(scores.confusion(len(classes)), classes)),
        by_class=_by_class(scores, classes),
        mistakes=_mistakes(classes, split, scores),
        grid=_inline(_grid(chosen, classes, split, scores)),
        skipped=_skipped(run),
        recipe=run.recipe._repr_html_(),
        versions=", ".join(f"{name} {version}" for name, version in versions().items()),
        seed=run.settings.seed,
    )
    write_text(run.report, page)


def _kept(run: Run) -> str:
    """Which epoch the weights are of, if it need not be the last."""
    if run.recipe.early_stop.value is None:
        return ""
    return f"Figures and saved model are those of epoch {run.final_epoch}, the best one."


def _grid(
    chosen: np.ndarray, classes: Sequence[str], split: Split, scores: Evaluation
) -> plots.Picture:
    return plots.prediction_grid(
        [split.image(i) for i in chosen],
        [classes[i] for i in scores.labels[chosen]],
        [classes[i] for i in scores.predicted[chosen]],
        scores.confidence[chosen],
    )


def _by_class(scores: Evaluation, classes: Sequence[str]) -> str:
    rows = [
        (score.recall or 0, [name, f"{score.n:,}", *map(_share, (score.precision, score.recall))])
        for name, score in zip(classes, scores.by_class(len(classes)), strict=True)
        if score.n
    ]
    return _table(
        ["class", "images", "precision", "recall"],
        [cells for _, cells in sorted(rows, key=lambda row: row[0])],
    )


def _mistakes(classes: Sequence[str], split: Split, scores: Evaluation) -> str:
    worst = scores.worst_mistakes(SHOWN)
    if not len(worst):
        return "<p>None: every image was called what it is.</p>"
    picture = _inline(_grid(worst, classes, split, scores))
    return (
        f'<img alt="wrong predictions" src="{picture}">'
        "<p>Wrong, the most confident first. Look for wrong labels here, too.</p>"
    )


def _skipped(run: Run) -> str:
    reasons = [row["reason"] for row in run.skipped]
    if not reasons:
        return ""
    others = len(reasons) - LISTED
    lines = reasons[:LISTED] + ([f"... and {others:,} others: skipped.json"] if others > 0 else [])
    items = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
    return f"<h2>Images that were left out ({len(reasons):,})</h2>\n<ul>{items}</ul>"


def _share(value: float | None) -> str:
    return "none" if value is None else f"{value:.1%}"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    def line(tag: str, cells: Sequence[str]) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    body = "".join(line("td", row) for row in rows)
    return f"<table>{line('th', header)}{body}</table>"


def _inline(picture: plots.Picture) -> str:
    return "data:image/png;base64," + base64.b64encode(picture.png()).decode()
