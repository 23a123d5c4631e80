"""A run: a directory that holds all that was chosen, done and found."""

import csv
import dataclasses
import html
import importlib.metadata
import io
import os
import platform
import shutil
from pathlib import Path
from typing import Any

import keras

from keras_convnets.deployment import find_model
from keras_convnets.errors import InputError
from keras_convnets.files import check_writable, read_json, write_json, write_text
from keras_convnets.training.recipe import Recipe

COLUMNS = (
    "epoch",
    "step",
    "samples",
    "seconds",
    "learning_rate",
    "loss",
    "top1",
    "val_loss",
    "val_top1",
    "val_top5",
)
_WHOLE = ("epoch", "step", "samples")


@dataclasses.dataclass(frozen=True)
class Settings:
    """What a run was started with beside its recipe.

    Attributes:
        seed: of the weights, the data order and the augmentation.
        mixed_precision: "float16", "bfloat16" or `None`.
        checkpoint_every: steps between checkpoints.
        classes: names of the classes.
        training_images: number of training images after the hold-out.
    """

    seed: int
    mixed_precision: str | None
    checkpoint_every: int
    classes: tuple[str, ...]
    training_images: int


class Run:
    """The directory of a run.

    It holds recipe.json, settings.json, versions.json, history.csv, checkpoints/, tensorboard/, and
    at the end model.keras, model.json, evaluation.json and report.html.

    Args:
        path: the directory.

    Raises:
        InputError: if it is no run.
    """

    def __init__(self, path: str | os.PathLike):
        self.path = Path(path)
        if not (self.path / "recipe.json").is_file():
            raise InputError(f"{str(self.path)!r} is not a run: it has no recipe.json.")
        self.recipe = Recipe.from_json(read_json(self.path / "recipe.json"))
        fields = read_json(self.path / "settings.json")
        try:
            self.settings = Settings(**{**fields, "classes": tuple(fields["classes"])})
        except (KeyError, TypeError) as error:
            raise InputError(f"{str(self.path)!r} has a bad settings.json: {error}.") from error

    @classmethod
    def create(cls, path: str | os.PathLike, recipe: Recipe, settings: Settings) -> "Run":
        """Makes the directory of a new run, whole or not at all."""
        path = Path(path)
        check_free(path)
        partial = path.with_name(f".{os.getpid()}.partial.{path.name}")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        write_json(partial / "recipe.json", recipe.to_json())
        write_json(partial / "settings.json", dataclasses.asdict(settings))
        write_json(partial / "versions.json", versions())
        if path.is_dir():  # an empty one: checked above
            path.rmdir()
        os.rename(partial, path)
        return cls(path)

    @property
    def history(self) -> list[dict[str, float]]:
        """One row for each epoch; the columns are those of history.csv."""
        path = self.path / "history.csv"
        if not path.is_file():
            return []
        with path.open(newline="") as file:
            return [
                {name: int(text) if name in _WHOLE else float(text) for name, text in row.items()}
                for row in csv.DictReader(file)
            ]

    def write_history(self, rows: list[dict[str, float]]) -> None:
        """Replaces history.csv."""
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        write_text(self.path / "history.csv", text.getvalue())

    @property
    def evaluation(self) -> dict[str, Any] | None:
        """The final evaluation: split, n, top1, top5, loss; `None` before the end."""
        path = self.path / "evaluation.json"
        return read_json(path) if path.is_file() else None

    @property
    def is_finished(self) -> bool:
        """Whether all that a run writes is there."""
        return (self.path / "report.html").is_file()

    @property
    def report(self) -> Path:
        """Path of the report."""
        return self.path / "report.html"

    def load_model(self) -> keras.Model:
        """Loads the trained model."""
        return find_model(self.path)[0]

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"

    def _repr_html_(self) -> str:
        rows = self.history
        cells = {"run": str(self.path), "recipe": self.recipe.name, "epochs": len(rows)}
        if rows:
            cells |= {"validation top-1": f"{rows[-1]['val_top1']:.1%}"}
        if self.evaluation:
            split = self.evaluation["split"]
            cells |= {f"{split} top-1": f"{self.evaluation['top1']:.1%}"}
            cells |= {f"{split} images": self.evaluation["n"], "report": str(self.report)}
        table = "".join(
            f"<tr><th>{html.escape(name)}</th><td>{html.escape(str(cell))}</td></tr>"
            for name, cell in cells.items()
        )
        return f"<table>{table}</table>"


def check_free(path: str | os.PathLike) -> None:
    """Makes sure that a new run can be made at `path`.

    Raises:
        InputError: if something is there, or the place can't be written to.
    """
    path = Path(path)
    if path.exists() and not path.is_dir():
        raise InputError(f"The run directory {str(path)!r} is a file.")
    if path.is_dir() and any(path.iterdir()):
        raise InputError(
            f"The run directory {str(path)!r} is not empty; choose another, or go on with "
            f"`keras-convnets train --resume {path}`."
        )
    check_writable(path.parent)


def versions() -> dict[str, str]:
    """Returns the versions of all that decides a run's numbers."""
    packages = ("keras-convnets", "keras", "tensorflow", "numpy", "pillow")
    return {
        **{package: importlib.metadata.version(package) for package in packages},
        "python": platform.python_version(),
        "machine": platform.platform(),
    }
