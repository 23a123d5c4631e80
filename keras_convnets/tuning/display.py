"""What a person sees of a search: a bar for its trials, and a line for each that ended."""

from collections.abc import Sequence

import rich.console
import rich.progress

from keras_convnets.tuning.outcome import COMPLETED, INFEASIBLE
from keras_convnets.tuning.results import Trial, best


class Display:
    """Shows the progress of a search.

    In a terminal a bar has the rate and the time left. A notebook or a log gets the lines alone.

    Args:
        total: how many trials there are at most.
        before: those that ended before.
        objective: what is maximized.
        quiet: whether to show nothing.
    """

    def __init__(self, total: int, before: Sequence[Trial], objective: str, quiet: bool = False):
        self._objective = objective
        top = best(before)
        self._best = float("-inf") if top is None else top.outcome.objective
        console = rich.console.Console(quiet=quiet)
        self._bar = rich.progress.Progress(
            rich.progress.TextColumn("trials"),
            rich.progress.BarColumn(),
            rich.progress.MofNCompleteColumn(),
            _Rate(),
            rich.progress.TimeRemainingColumn(),
            rich.progress.TextColumn("left"),
            console=console,
            # Trials take minutes; the usual half a minute has no speed of them.
            speed_estimate_period=86_400,
            transient=True,
            disable=quiet or not console.is_terminal or console.is_jupyter,
        )
        self._task = self._bar.add_task("", total=total, completed=len(before))

    def __enter__(self) -> "Display":
        self._bar.start()
        return self

    def __exit__(self, *exception) -> None:
        self._bar.stop()

    def ended(self, trial: Trial) -> None:
        """Moves the bar, and writes what a trial found."""
        self._bar.advance(self._task)
        self.tell(f"trial {trial.task.id}: {self._found(trial)}")

    def tell(self, sentence: str) -> None:
        """Writes a line."""
        self._bar.console.print(sentence, highlight=False, markup=False, soft_wrap=True)

    def _found(self, trial: Trial) -> str:
        outcome = trial.outcome
        values = ", ".join(f"{name} {show(value)}" for name, value in trial.task.values.items())
        if outcome.status == INFEASIBLE:
            return f"infeasible ({values}): {outcome.reason}"
        if outcome.status != COMPLETED:
            return f"failed ({values}): {outcome.reason}"
        is_best, self._best = outcome.objective > self._best, max(outcome.objective, self._best)
        epochs = "" if trial.task.epochs is None else f" after {trial.task.epochs} epochs"
        praise = ", the best so far" if is_best else ""
        seconds = "" if outcome.seconds is None else f" in {outcome.seconds:.0f} s"
        reached = f"{name_of(self._objective)} {outcome.objective:.2%}"
        return f"{reached}{epochs}{seconds} ({values}){praise}"


def name_of(objective: str) -> str:
    """Returns what people call a column of history.csv."""
    return {"val_top1": "val top-1", "val_map_at_100": "val MAP@100"}.get(objective, objective)


def show(value: float | int | str) -> str:
    """Returns the value of a hyper-parameter with the digits that mean something."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


class _Rate(rich.progress.ProgressColumn):
    """How many an hour."""

    def render(self, task: rich.progress.Task) -> rich.text.Text:
        speed = task.finished_speed or task.speed
        return rich.text.Text("" if speed is None else f"{3600 * speed:,.0f}/h")
