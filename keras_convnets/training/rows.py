"""Tables of a run, history.csv and curve.csv: a row for each evaluation."""

import csv
import io
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from keras_convnets.errors import InputError
from keras_convnets.files import write_text

_WHOLE = ("epoch", "step", "samples")


def read(
    path: Path, choose: Callable[[Collection[str]], tuple[str, ...]]
) -> list[dict[str, float]]:
    """Returns the rows of a table; none if the file is not there.

    Args:
        path: of the file.
        choose: gives the columns that are read, of those that are there.

    Raises:
        InputError: if the file is damaged.
    """
    if not path.is_file():
        return []
    try:
        with path.open(newline="") as file:
            reader = csv.DictReader(file)
            columns = choose(reader.fieldnames or ())
            return [
                {name: (int if name in _WHOLE else float)(row[name]) for name in columns}
                for row in reader
            ]
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"The file {str(path)!r} is damaged: {error!r}.") from error


def write(path: Path, columns: Sequence[str], rows: Sequence[dict[str, float]]) -> None:
    """Replaces a table, with these columns of the rows."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())
