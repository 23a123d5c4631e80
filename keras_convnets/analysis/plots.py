"""Pictures of a run: curves, a confusion matrix, a grid of images. Each returns a figure."""

import io
import warnings
from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

RIGHT, WRONG = "#1b7837", "#c51b7d"


class Picture(Figure):
    """A figure that notebooks show by themselves, whatever matplotlib is set to."""

    def png(self, dpi: int = 110) -> bytes:
        """Returns the picture as the content of a PNG file."""
        return self.content("png", dpi)

    def content(self, file_format: str, dpi: int = 110) -> bytes:
        """Returns the picture as the content of a file; the same picture gives the same bytes.

        Args:
            file_format: "png" or "svg".
            dpi: pixels per inch of a PNG file.
        """
        content = io.BytesIO()
        metadata = {"Date": None} if file_format == "svg" else {}
        with warnings.catch_warnings(), matplotlib.rc_context({"svg.hashsalt": "keras_convnets"}):
            # Class names may be in a script that the font lacks.
            warnings.filterwarnings("ignore", "Glyph .* missing from font")
            self.savefig(content, format=file_format, dpi=dpi, metadata=metadata)
        return content.getvalue()

    def _repr_png_(self) -> bytes:
        return self.png()


def curves(history: Sequence[dict[str, float]]) -> Picture:
    """Draws loss and top-1 over epochs, for training and validation images.

    Where images may have several labels, MAP@100 and F1 of the validation images too.

    Args:
        history: rows of history.csv, at least one.
    """
    ranked = {"MAP@100": "val_map_at_100", "F1, all labels": "val_micro_f1"}
    ranked = {title: name for title, name in ranked.items() if name in history[0]}
    panels = {
        "loss (nats)": _lines("loss", history[0]),
        "best class is a label" if ranked else "top-1 accuracy": _lines("top1", history[0]),
        **({"validation images": ranked} if ranked else {}),
    }
    figure = Picture(figsize=(5 * len(panels), 3.6), layout="constrained")
    epochs = [row["epoch"] for row in history]
    for axes, (label, lines) in zip(figure.subplots(1, len(panels)), panels.items(), strict=True):
        for title, name in lines.items():
            band(axes, [(epochs, [row[name] for row in history])], title)
        axes.set_xlabel("epoch")
        axes.set_ylabel(label)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
        axes.legend()
        if not label.startswith("loss"):
            axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    return figure


def _lines(metric: str, row: dict[str, float]) -> dict[str, str]:
    """The columns of history.csv that show a figure, by what a legend calls them."""
    lines = {
        "training": metric,
        "validation": f"val_{metric}",
        "validation, raw weights": f"val_{metric}_raw",
    }
    return {title: name for title, name in lines.items() if name in row}


def band(axes: Axes, lines: Sequence[tuple[Sequence[float], Sequence[float]]], label: str) -> None:
    """Draws runs of one kind: their mean as a line, and a band from the least to the greatest.

    Args:
        axes: what to draw on.
        lines: places and values of each run. Where places differ the values between them are on
            straight lines, and the mean ends where the first run does.
        label: of the line in the legend.
    """
    places = np.asarray(lines[0][0], float)
    if any(len(xs) != len(places) or not np.allclose(xs, places) for xs, _ in lines):
        ends = max(xs[0] for xs, _ in lines), min(xs[-1] for xs, _ in lines)
        count = max(len(xs) for xs, _ in lines) if ends[0] < ends[1] else 1
        places = np.linspace(*ends, count) if count > 1 else np.array([np.mean(ends)])
    values = np.array([np.interp(places, xs, ys) for xs, ys in lines])
    [line] = axes.plot(places, values.mean(axis=0), marker=".", label=label)
    if len(values) > 1:
        low, high = values.min(axis=0), values.max(axis=0)
        axes.fill_between(places, low, high, alpha=0.2, color=line.get_color(), linewidth=0)


def confusion_matrix(matrix: np.ndarray, classes: Sequence[str]) -> Picture:
    """Draws how often each true class was called each class.

    Args:
        matrix: (classes, classes) counts; rows are the true classes.
        classes: their names.
    """
    count = len(classes)
    side = min(max(4.5, 0.55 * count + 2), 24)
    figure = Picture(figsize=(side + 0.8, side), layout="constrained")
    axes = figure.subplots()
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    picture = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    figure.colorbar(picture, ax=axes, format=PercentFormatter(1.0), shrink=0.8)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    if count <= 60:
        text = {"parse_math": False}  # a class may be named "US$"
        axes.set_xticks(
            range(count), classes, rotation=60, ha="right", rotation_mode="anchor", **text
        )
        axes.set_yticks(range(count), classes, **text)
    if count <= 25:
        for row, column in np.argwhere(matrix > 0):
            colour = "white" if shares[row, column] > 0.5 else "black"
            axes.text(
                column, row, matrix[row, column], ha="center", va="center", color=colour, size=8
            )
    return figure


def prediction_grid(
    images: Sequence[np.ndarray],
    truths: Sequence[str],
    predictions: Sequence[str],
    confidences: Sequence[float],
    columns: int = 8,
) -> Picture:
    """Draws images with their predicted class, and the true one where it differs.

    Args:
        images: (height, width, channels) uint8 each.
        truths: true class of each.
        predictions: predicted class of each.
        confidences: probability of each prediction.
        columns: images in a row.
    """
    are_right = [truth == named for truth, named in zip(truths, predictions, strict=True)]
    titles = [
        f"{prediction} {confidence:.0%}" + ("" if is_right else f"\nis {truth}")
        for truth, prediction, confidence, is_right in zip(
            truths, predictions, confidences, are_right, strict=True
        )
    ]
    return image_grid(images, titles, are_right, columns)


def image_grid(
    images: Sequence[np.ndarray],
    titles: Sequence[str],
    are_right: Sequence[bool],
    columns: int = 8,
) -> Picture:
    """Draws images with titles, green where a prediction is right and pink where it is not.

    Args:
        images: (height, width, channels) uint8 each.
        titles: text above each.
        are_right: whether each is right.
        columns: images in a row.
    """
    rows = -(-len(images) // columns)
    figure = Picture(figsize=(1.55 * columns, 1.95 * rows), layout="constrained")
    for axes in np.ravel(figure.subplots(rows, columns, squeeze=False)):
        axes.set_axis_off()
    for axes, image, title, is_right in zip(figure.axes, images, titles, are_right, strict=False):
        axes.imshow(image.squeeze(), cmap="gray", vmin=0, vmax=255)
        axes.set_title(title, size=7.5, color=RIGHT if is_right else WRONG, parse_math=False)
    return figure
