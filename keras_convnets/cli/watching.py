"""`keras-convnets evaluate RUN --watch`."""

from collections.abc import Sequence

import rich.console

from keras_convnets.errors import InputError


def watch_run(runs: Sequence[str], data: str | None) -> None:
    """Prints the figures of each new checkpoint of a run, until it is done.

    Args:
        runs: the directory of the run, alone.
        data: what was given as `--data`.

    Raises:
        InputError: if it is more than a run.
    """
    from keras_convnets import training

    if len(runs) != 1 or data is not None:
        raise InputError(
            "`--watch` evaluates one run on its own validation images. "
            f"Received: {', '.join(runs)}{f' --data {data}' if data is not None else ''}"
        )
    console = rich.console.Console(highlight=False, markup=False, soft_wrap=True)
    for row in training.watch(runs[0]):
        share = ("MAP@100", "val_map_at_100") if "val_map_at_100" in row else ("top-1", "val_top1")
        console.print(
            f"step {row['step']:>9,.0f}  val loss {row['val_loss']:.4f}  "
            f"val {share[0]} {row[share[1]]:6.2%}"
        )
