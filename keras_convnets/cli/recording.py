"""`keras-convnets make-records`."""

from pathlib import Path
from typing import Annotated

import rich.console
import typer

from keras_convnets.cli.amounts import megabytes
from keras_convnets.exit_codes import PARTIAL


def make_records(
    source: Annotated[str, typer.Argument(help="Labelled images, as train's --data names them.")],
    out: Annotated[
        Path, typer.Argument(help="Folder to write to; a new one, or one begun before.")
    ],
    shards: Annotated[
        int, typer.Option(help="Files for each split. Some 100 to 200 MB a file is usual.", min=1)
    ] = 16,
    seed: Annotated[int, typer.Option(help="Fixes the order of the images.", min=0)] = 0,
) -> None:
    """Write images and labels as TFRecord shards, shuffled, with an index.

    Image files are kept byte by byte; arrays become PNG. The same command goes on after a stop or
    a kill. Files that can't be read are named and left out (exit code 3).
    """
    from keras_convnets import data
    from keras_convnets.data import records

    images = data.load(source)
    index = records.write(images, out, shards, seed=seed)
    console, errors = rich.console.Console(), rich.console.Console(stderr=True)
    for name, parts in index.splits.items():
        examples, size = (
            sum(getattr(part, key) for part in parts) for key in ("examples", "bytes")
        )
        console.print(
            f"{name}: {examples:,} images in {len(parts)} shards, {megabytes(size)}",
            markup=False,
            highlight=False,
        )
    for fault in images.skipped:
        errors.print(fault.reason, style="red", markup=False, highlight=False, soft_wrap=True)
    if images.skipped:
        raise typer.Exit(PARTIAL)
