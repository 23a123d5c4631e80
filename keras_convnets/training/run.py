"""A run: a directory that holds all that was chosen, done and found."""

import dataclasses
import html
import importlib.metadata
import os
import platform
import shutil
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import keras

from keras_convnets.data import Fault, Preprocessing
from keras_convnets.deployment import find_model
from keras_convnets.errors import InputError, check_number
from keras_convnets.files import check_writable, read_json, write_json
from keras_convnets.training import rows as tables
from keras_convnets.training.fine_tuning import best_epoch
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
# The first two only where images may have several labels, the others where weights are averaged.
FURTHER_COLUMNS = (
    "val_map_at_100",
    "val_micro_f1",
    "val_loss_raw",
    "val_top1_raw",
    "val_map_at_100_raw",
)
PRECISIONS = (None, "float16", "bfloat16")
MAX_SKIPPED = 0.05
FINAL_FILES = ("evaluation.json", "model.json", "model.keras", "report.html")


@dataclasses.dataclass(frozen=True)
class Settings:
    """What a run was started with beside its recipe.

    Attributes:
        seed: of the weights, the data order and the augmentation.
        mixed_precision: "float16", "bfloat16" or `None`.
        checkpoint_every: steps between checkpoints.
        preprocessing: how an image becomes the input of the net.
        classes: names of the classes.
        training_images: number of training images after the hold-out.
        fingerprint: of the data; see `ImageSet.fingerprint`.
        head: name of the layer with which the head begins.
        max_skipped: the share of the images that may be left out.
        accumulate: micro-batches of an update; the batch of the recipe is all of them.
        initial_seed: of the first weights and the hold-out; `None` for `seed`.
        evaluate_every: steps between evaluations within epochs; `None` for none.
        report: whether report.html is drawn at the end.
        test: whether the last evaluation reads the test images, or else the validation images.
    """

    seed: int
    mixed_precision: str | None
    checkpoint_every: int
    preprocessing: Preprocessing
    classes: tuple[str, ...]
    training_images: int
    fingerprint: str
    head: str = "predictions"
    max_skipped: float = MAX_SKIPPED  # of runs that began before there was a choice, too
    accumulate: int = 1
    initial_seed: int | None = None
    evaluate_every: int | None = None
    report: bool = True
    test: bool = True

    def __post_init__(self):
        check_number("The seed", self.seed, least=0, below=2**32, whole=True)
        if self.initial_seed is not None:
            check_number("The initial seed", self.initial_seed, least=0, below=2**32, whole=True)
        check_number("Steps between checkpoints", self.checkpoint_every, least=1, whole=True)
        if self.evaluate_every is not None:
            check_number("Steps between evaluations", self.evaluate_every, least=1, whole=True)
        check_share(self.max_skipped)
        if self.mixed_precision not in PRECISIONS:
            raise InputError(
                "The mixed precision should be 'float16' or 'bfloat16'. "
                f"Received: {self.mixed_precision!r}"
            )

    @property
    def hold_out_seed(self) -> int:
        """The seed by which validation images were chosen; members of an ensemble share it."""
        return self.seed if self.initial_seed is None else self.initial_seed


class Run:
    """The directory of a run.

    It holds recipe.json, settings.json, versions.json, history.csv, checkpoints/, tensorboard/, and
    at the end model.keras, model.json, evaluation.json and report.html; curve.csv if it evaluates
    within epochs; skipped.json if there were images that can't be read.

    Args:
        path: the directory.
        writes: whether this process does; of several that share a run one does.

    Raises:
        InputError: if it is no run.
    """

    def __init__(self, path: str | os.PathLike, *, writes: bool = True):
        self.path = Path(path)
        self.writes = writes
        if not (self.path / "recipe.json").is_file():
            raise InputError(f"{str(self.path)!r} is not a run: it has no recipe.json.")
        self.recipe = Recipe.from_json(read_json(self.path / "recipe.json"))
        fields = read_json(self.path / "settings.json")
        try:
            changed = {
                "classes": tuple(fields["classes"]),
                "preprocessing": Preprocessing(**fields["preprocessing"]),
            }
            self.settings = Settings(**{**fields, **changed})
        except (InputError, KeyError, TypeError) as error:
            raise InputError(f"{str(self.path)!r} has a bad settings.json: {error}") from error

    @classmethod
    def create(
        cls,
        path: str | os.PathLike,
        recipe: Recipe,
        settings: Settings,
        skipped: Sequence[Fault] = (),
    ) -> "Run":
        """Makes the directory of a new run, whole or not at all."""
        check_free(path)
        given, path = path, Path(os.path.abspath(path))
        if path.is_dir():  # an empty one, perhaps a volume: it stays
            _write_beginning(path, recipe, settings, skipped)
            return cls(given)
        partial = path.with_name(f".{os.getpid()}.partial.{path.name}")
        partial.mkdir(parents=True)
        try:
            _write_beginning(partial, recipe, settings, skipped)
            os.rename(partial, path)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        return cls(given)

    @property
    def history(self) -> list[dict[str, float]]:
        """One row for each epoch; the columns are those of history.csv.

        Where images may have several labels an image is right in `top1` if its best class is among
        them, in `val_top5` if one of its best five is, and there are `val_map_at_100`, and
        `val_micro_f1` at the thresholds that are the best on the validation images of the epoch.
        Where weights are averaged the figures are those of the average, and `val_top1_raw` of the
        weights that learn.
        """
        return tables.read(self.path / "history.csv", _columns)

    def write_history(self, rows: list[dict[str, float]]) -> None:
        """Replaces history.csv, if this process writes."""
        if not self.writes:
            return
        columns = _columns(rows[0] if rows else ())  # of an older version, if it began the run
        tables.write(self.path / "history.csv", columns, rows)

    @property
    def curve(self) -> list[dict[str, float]]:
        """One row for each evaluation, within epochs too if the run had `evaluate_every`.

        The columns are those of curve.csv: those of history.csv without the epoch, where `loss` and
        `top1` are of the steps since the row before. Without curve.csv it is the history.
        """
        return self.curve_rows or self.history

    @property
    def curve_rows(self) -> list[dict[str, float]]:
        """The rows of curve.csv; none if the run has no such file."""
        return tables.read(self.path / "curve.csv", _curve_columns)

    def write_curve(self, rows: list[dict[str, float]]) -> None:
        """Replaces curve.csv, if this process writes."""
        if not self.writes:
            return
        tables.write(self.path / "curve.csv", _curve_columns(rows[0] if rows else ()), rows)

    @property
    def skipped(self) -> list[dict[str, str]]:
        """The images that could not be read: file and reason of each, and when it was found."""
        path = self.path / "skipped.json"
        return read_json(path) if path.is_file() else []

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The images that could not be read, as the data has them."""
        try:
            return tuple(Fault(**row) for row in self.skipped)
        except TypeError as error:
            name = str(self.path / "skipped.json")
            raise InputError(f"The file {name!r} is damaged: {error!r}.") from error

    def write_skipped(self, faults: Sequence[Fault]) -> None:
        """Replaces skipped.json, if there is anything to write and this process writes."""
        if self.writes:
            _write_skipped(self.path, faults)

    @property
    def final_epoch(self) -> int:
        """The epoch, from 1, whose weights are the result: the best by early stop, or the last."""
        rows = self.history
        if self.recipe.early_stop.value is None:
            return rows[-1]["epoch"]
        return rows[best_epoch([row["val_loss"] for row in rows])]["epoch"]

    @property
    def evaluation(self) -> dict[str, Any] | None:
        """The final evaluation, or `None` before the end.

        It has split, epoch, n, top1, top5 and loss, and `weights`, which says whether the saved
        ones are "averaged" or "raw"; of averaged ones also top1_raw and loss_raw. Where
        images may have several labels it has map_at_100, macro_average_precision, and micro_f1 and
        macro_f1 at the thresholds.
        """
        path = self.path / "evaluation.json"
        return read_json(path) if path.is_file() else None

    @property
    def is_finished(self) -> bool:
        """Whether all that a run writes is there."""
        return all(
            (self.path / name).is_file()
            for name in FINAL_FILES
            if name != "report.html" or self.settings.report
        )

    @property
    def report(self) -> Path:
        """Path of the report, unless the run was to have none."""
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
            if "map_at_100" in self.evaluation:
                cells |= {f"{split} MAP@100": f"{self.evaluation['map_at_100']:.1%}"}
            cells |= {f"{split} images": self.evaluation["n"], "report": str(self.report)}
        table = "".join(
            f"<tr><th>{html.escape(name)}</th><td>{html.escape(str(cell))}</td></tr>"
            for name, cell in cells.items()
        )
        return f"<table>{table}</table>"


def _columns(found: Collection[str]) -> tuple[str, ...]:
    """The columns of a history, of which some need not be there."""
    return (*COLUMNS, *(name for name in FURTHER_COLUMNS if name in found))


def _curve_columns(found: Collection[str]) -> tuple[str, ...]:
    """The columns of a curve, of which some need not be there."""
    return tuple(name for name in _columns(found) if name != "epoch")


def _write_beginning(
    path: Path, recipe: Recipe, settings: Settings, skipped: Sequence[Fault]
) -> None:
    _write_skipped(path, skipped)
    write_json(path / "versions.json", versions())
    write_json(path / "settings.json", dataclasses.asdict(settings))
    write_json(path / "recipe.json", recipe.to_json())  # the last: it makes the folder a run


def _write_skipped(path: Path, faults: Sequence[Fault]) -> None:
    if faults:
        write_json(path / "skipped.json", [dataclasses.asdict(fault) for fault in faults])


def check_share(max_skipped: float) -> None:
    """Makes sure that it is a share of images that may be skipped.

    Raises:
        InputError: if it is not.
    """
    check_number("The share of images that may be skipped", max_skipped, least=0, below=1)


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
    check_writable(path)


def versions() -> dict[str, str]:
    """Returns the versions of all that decides a run's numbers."""
    packages = ("keras-convnets", "keras", "tensorflow", "numpy", "pillow")
    return {
        **{package: importlib.metadata.version(package) for package in packages},
        "python": platform.python_version(),
        "machine": platform.platform(),
    }
