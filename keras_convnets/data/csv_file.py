"""Images and their labels, listed in a CSV file."""

import csv
import dataclasses
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from keras_convnets.data.folder import SPLIT_NAMES
from keras_convnets.data.labels import LabelSets
from keras_convnets.errors import InputError

# The first line is a header if its first two cells are such words.
_HEADERS = {"path", "file", "filename", "file_name", "image"}, {"label", "labels", "class"}
_SPLITS = {word: split for split, words in SPLIT_NAMES.items() for word in words}

_TOLD = 3  # missing files that a message names


@dataclasses.dataclass(frozen=True, eq=False)
class ListedSplit:
    """A part of the images that a CSV file lists.

    Attributes:
        files: n image files.
        labels: (n,) int64, indices into the classes; or n sets of them.
    """

    files: tuple[Path, ...]
    labels: np.ndarray | LabelSets


@dataclasses.dataclass(frozen=True, eq=False)
class ListedImages:
    """The images that a CSV file lists.

    Attributes:
        classes: names of the classes, sorted.
        is_multi_label: whether an image may have several labels.
        splits: `train`, and `validation` and `test` as far as they are there.
    """

    classes: tuple[str, ...]
    is_multi_label: bool
    splits: Mapping[str, ListedSplit]


@dataclasses.dataclass(frozen=True, slots=True)
class _Row:
    line: int
    path: str
    labels: tuple[str, ...]
    split: str


def load_csv(path: str | os.PathLike) -> ListedImages:
    """Reads a list of image files and their labels.

    Each line is `path,label` or `path,label,split`; several labels stand as `a;b;c`, and then all
    images may have several. Relative paths are below the folder of the CSV file. A first line such
    as `path,label` is a header. The split is train, validation or test, or a word that names such a
    folder; without it all are training images. A line that comes twice counts once.

    Args:
        path: the CSV file, UTF-8, with cells quoted where they have commas.

    Returns:
        A `ListedImages`.

    Raises:
        InputError: if the file can't be read, or a line is wrong; the message has its number.
    """
    path = Path(path)
    rows = _distinct(path, _read_rows(path))
    if not rows:
        raise InputError(f"The CSV file {str(path)!r} lists no images.")
    groups = {split: [row for row in rows if row.split == split] for split in SPLIT_NAMES}
    if not groups["train"]:
        others = " and ".join(split for split, group in groups.items() if group)
        raise InputError(f"The CSV file {str(path)!r} has images of {others}, but none of train.")
    _check_files(path, rows)
    classes = tuple(sorted({label for row in rows for label in row.labels}))
    is_multi_label = any(len(row.labels) > 1 for row in rows)
    numbers = {name: i for i, name in enumerate(classes)}
    splits = {}
    for split, group in groups.items():
        if group:
            labels = LabelSets.of([[numbers[label] for label in row.labels] for row in group])
            files = tuple(path.parent / row.path for row in group)
            splits[split] = ListedSplit(files, labels if is_multi_label else labels.values)
    return ListedImages(classes, is_multi_label, splits)


def _read_rows(path: Path) -> Iterator[_Row]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True, skipinitialspace=True)
            for cells in reader:
                cells = [cell.strip() for cell in cells]
                is_header = reader.line_num == 1 and all(
                    cell.lower() in words for cell, words in zip(cells, _HEADERS, strict=False)
                )
                if any(cells) and not is_header:
                    yield _read_row(cells, reader.line_num, path)
    except FileNotFoundError as error:
        raise InputError(f"There is no CSV file at {str(path)!r}.") from error
    except csv.Error as error:
        raise InputError(f"{_line(path, reader.line_num)} is no CSV: {error}.") from error
    except UnicodeDecodeError as error:
        raise _not_text(path) from error
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"The CSV file {str(path)!r} can't be read: {reason}.") from error


def _not_text(path: Path) -> InputError:
    # Files are decoded in blocks, whose errors count from the beginning of the block.
    lines = path.read_bytes().decode("utf-8-sig", "replace").splitlines()
    number = next((i for i, line in enumerate(lines, 1) if "\ufffd" in line), 1)
    return InputError(f"{_line(path, number)} should be UTF-8. Received: {lines[number - 1]!r}")


def _read_row(cells: list[str], line: int, path: Path) -> _Row:
    where = _line(path, line)
    if len(cells) not in (2, 3):
        raise InputError(
            f"{where} should have a path, a label and maybe a split; a path with commas is "
            f"quoted, and several labels are separated by ';'. Received: {','.join(cells)!r}"
        )
    labels = tuple(sorted({label.strip() for label in cells[1].split(";")}))
    if not cells[0]:
        raise InputError(f"{where} has no path. Received: {','.join(cells)!r}")
    if "" in labels:
        raise InputError(f"{where} has an empty label. Received: {','.join(cells)!r}")
    split = cells[2].lower() if len(cells) == 3 else "train"
    if split not in _SPLITS:
        raise InputError(
            f"The split of {where} should be train, validation or test. Received: {cells[2]!r}"
        )
    return _Row(line, cells[0], labels, _SPLITS[split])


def _distinct(path: Path, rows: Iterator[_Row]) -> list[_Row]:
    """The rows of different files."""
    found: dict[str, _Row] = {}
    for row in rows:
        name = os.path.normpath(row.path)
        before = found.setdefault(name, row)
        if (before.labels, before.split) != (row.labels, row.split):
            raise InputError(
                f"{_line(path, row.line)} gives {row.path!r} other labels or another split than "
                f"line {before.line}; several labels of an image stand in one line as 'a;b'."
            )
    return list(found.values())


def _check_files(path: Path, rows: list[_Row]) -> None:
    missing = [row for row in rows if not os.path.isfile(path.parent / row.path)]
    if missing:
        first = ", ".join(f"{row.path!r} (line {row.line})" for row in missing[:_TOLD])
        others = f" and {len(missing) - _TOLD} more" if len(missing) > _TOLD else ""
        raise InputError(
            f"Of the {len(rows)} image files that {str(path)!r} lists, {len(missing)} are not "
            f"there: {first}{others}; relative paths are below the folder of the CSV file."
        )


def _line(path: Path, number: int) -> str:
    return f"Line {number} of {str(path)!r}"
