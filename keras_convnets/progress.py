"""A bar for long work that is not training: reading, checking, evaluating, downloading."""

import contextlib
from collections.abc import Callable, Iterator

import rich.console
import rich.filesize
import rich.progress
import rich.text


@contextlib.contextmanager
def counting(what: str, total: int, quiet: bool = False) -> Iterator[Callable[..., None]]:
    """Shows a bar with rate and time left in a terminal; gives the function that advances it.

    Args:
        what: what is counted.
        total: up to where.
        quiet: whether to show nothing.
    """
    columns = (
        *rich.progress.Progress.get_default_columns(),
        rich.progress.MofNCompleteColumn(),
        _Rate(),
    )
    console = rich.console.Console(stderr=True)
    with _bar(console, columns, is_hidden=quiet or not total) as bar:
        task = bar.add_task(what, total=total)
        yield lambda count=1: bar.advance(task, count)


@contextlib.contextmanager
def downloading(
    what: str, total: int | None, start: int = 0, quiet: bool = False
) -> Iterator[Callable[[int], None]]:
    """Shows a bar of bytes with rate and time left; gives the function that advances it.

    Where there is no terminal, it is a line that the download begins.

    Args:
        what: name of the file.
        total: its size, or `None` if unknown.
        start: how much of it is there already.
        quiet: whether to show nothing.
    """
    columns = (
        rich.progress.TextColumn("{task.description}"),
        rich.progress.BarColumn(),
        rich.progress.DownloadColumn(),
        rich.progress.TransferSpeedColumn(),
        rich.progress.TimeRemainingColumn(),
    )
    console = rich.console.Console(stderr=True)
    if not quiet and not _is_live(console):
        size = "" if total is None else f" ({rich.filesize.decimal(total)})"
        console.print(f"Downloading {what}{size}", highlight=False, markup=False, soft_wrap=True)
    with _bar(console, columns, is_hidden=quiet) as bar:
        task = bar.add_task(what, total=total, completed=start)
        yield lambda count: bar.advance(task, count)


class _Rate(rich.progress.ProgressColumn):
    """How many a second."""

    def render(self, task: rich.progress.Task) -> rich.text.Text:
        speed = task.finished_speed or task.speed or 0
        return rich.text.Text(f"{speed:,.3g}/s" if speed < 100 else f"{speed:,.0f}/s")


def _bar(
    console: rich.console.Console,
    columns: tuple[rich.progress.ProgressColumn, ...],
    is_hidden: bool,
) -> rich.progress.Progress:
    disable = is_hidden or not _is_live(console)
    return rich.progress.Progress(*columns, console=console, transient=True, disable=disable)


def _is_live(console: rich.console.Console) -> bool:
    return console.is_terminal and not console.is_jupyter
