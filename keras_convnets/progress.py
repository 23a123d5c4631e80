"""A bar for long work that is not training: reading, checking, evaluating."""

import contextlib
from collections.abc import Callable, Iterator

import rich.console
import rich.progress


@contextlib.contextmanager
def counting(what: str, total: int, quiet: bool = False) -> Iterator[Callable[..., None]]:
    """Shows a bar with rate and time left in a terminal; gives the function that advances it.

    Args:
        what: what is counted.
        total: up to where.
        quiet: whether to show nothing.
    """
    console = rich.console.Console(stderr=True)
    bar = rich.progress.Progress(
        *rich.progress.Progress.get_default_columns(),
        rich.progress.MofNCompleteColumn(),
        console=console,
        transient=True,
        disable=quiet or not total or not console.is_terminal or console.is_jupyter,
    )
    with bar:
        task = bar.add_task(what, total=total)
        yield lambda count=1: bar.advance(task, count)
