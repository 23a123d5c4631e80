"""What a person sees of a run: a bar in a terminal, and one line for each epoch anywhere."""

import contextlib
import datetime
from collections.abc import Callable, Iterator

import rich.console
import rich.progress

Row = dict[str, float]

_watchers: list[Callable[[int], None]] = []


@contextlib.contextmanager
def watching(on_step: Callable[[int], None]) -> Iterator[None]:
    """Calls a function behind each step of the runs within, quiet ones too: for a bar of one's own.

    Args:
        on_step: takes the number of the step.
    """
    _watchers.append(on_step)
    try:
        yield
    finally:
        _watchers.remove(on_step)


class Display:
    """Shows the progress of a run.

    In a terminal a bar has the rate and the time left. A notebook or a log gets the lines alone.

    Args:
        total_steps: steps of the whole run.
        epochs: epochs of the whole run.
        batch_size: images in a step.
        first_step: steps that were done before.
        quiet: whether to show nothing.
    """

    def __init__(
        self,
        total_steps: int,
        epochs: int,
        batch_size: int,
        first_step: int = 0,
        quiet: bool = False,
    ):
        self._steps = first_step
        self._epochs = epochs
        self._batch_size = batch_size
        self._console = rich.console.Console(quiet=quiet)
        self._bar = rich.progress.Progress(
            rich.progress.TextColumn("{task.description}"),
            rich.progress.BarColumn(),
            rich.progress.MofNCompleteColumn(),
            rich.progress.TextColumn("{task.fields[rate]}"),
            rich.progress.TimeRemainingColumn(),
            rich.progress.TextColumn("left  {task.fields[metrics]}"),
            console=self._console,
            transient=True,
            disable=quiet or not self._console.is_terminal or self._console.is_jupyter,
        )
        self._task = self._bar.add_task(
            "training", total=total_steps, completed=first_step, rate="", metrics=""
        )

    def __enter__(self) -> "Display":
        self._bar.start()
        return self

    def __exit__(self, *exception) -> None:
        self._bar.stop()

    def step(self, epoch: int, metrics: Row, images_per_second: float, count: int = 1) -> None:
        """Moves the bar by one step, or some."""
        self._steps += count
        for on_step in _watchers:
            on_step(self._steps)
        self._bar.update(
            self._task,
            advance=count,
            description=f"epoch {epoch}/{self._epochs}",
            rate=f"{images_per_second:,.0f} images/s",
            metrics="  ".join(f"{name} {value:.4f}" for name, value in metrics.items()),
        )

    def epoch(self, row: Row, images_per_second: float, seconds_left: float) -> None:
        """Writes the line of one epoch."""
        share = ("MAP@100", "val_map_at_100") if "val_map_at_100" in row else ("top-1", "val_top1")
        left = datetime.timedelta(seconds=round(seconds_left))
        self._bar.console.print(
            f"epoch {row['epoch']:>3}/{self._epochs}  "
            f"loss {row['loss']:.4f}  top-1 {row['top1']:6.2%}  "
            f"val loss {row['val_loss']:.4f}  val {share[0]} {row[share[1]]:6.2%}  "
            f"{images_per_second:,.0f} images/s  {left} left",
            highlight=False,
            soft_wrap=True,
        )

    def tell(self, sentence: str) -> None:
        """Writes a line of its own."""
        self._bar.console.print(sentence, highlight=False, markup=False, soft_wrap=True)
