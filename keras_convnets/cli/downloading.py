"""`keras-convnets weights download`."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import rich.console
import typer

from keras_convnets.cli.amounts import megabytes
from keras_convnets.errors import InputError
from keras_convnets.exit_codes import FAILED, PARTIAL

if TYPE_CHECKING:
    from keras_convnets.weights import Entry
    from keras_convnets.weights.catalog import RemoteFile


def download(
    names: Annotated[
        list[str], typer.Argument(help="Names of weights, or shell patterns; see list.")
    ],
    headless: Annotated[
        bool,
        typer.Option(
            "--headless", help="The files that nets without their top take, where they are others."
        ),
    ] = False,
) -> None:
    """Put files of weights into the cache, whole and checked."""
    chosen = {
        entry.headless if headless and entry.headless else entry.file: entry
        for name in names
        for entry in _entries(name)
    }
    console, errors = rich.console.Console(), rich.console.Console(stderr=True)
    failed = 0
    for file, entry in chosen.items():
        try:
            path, checked = fetch(file)
        except InputError as error:
            failed += 1
            errors.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
            continue
        for line in (
            f"{entry.name}: {megabytes(path.stat().st_size)}, {checked}",
            f"  {path}",
        ):
            console.print(line, markup=False, highlight=False, soft_wrap=True)
    if failed:
        raise typer.Exit(FAILED if failed == len(chosen) else PARTIAL)


def place(file: "RemoteFile") -> Path:
    """Where a file is in the cache, or would be."""
    from keras_convnets.weights.cache import cache_folder

    return cache_folder() / file.name


def fetch(file: "RemoteFile") -> tuple[Path, str]:
    """Returns where a file lies in the cache, and in words how it was checked.

    Raises:
        InputError: if it can't be had, or its hash is wrong.
    """
    from keras_convnets.weights.cache import obtain

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        path = obtain(file)
    if file.hash is not None:
        return path, f"{file.hash} as published"
    if caught:
        return path, str(caught[-1].message).rstrip(".")
    return path, "sha256 as when it was used first; none is published"


def _entries(name: str) -> list["Entry"]:
    from keras_convnets.weights.catalog import entries, find

    if not any(sign in name for sign in "*?["):
        return [find(name)]
    found = entries(name)
    if not found:
        raise InputError(
            f"No weights have such a name. Received: {name!r}; `keras-convnets weights list` "
            "shows all."
        )
    return found
