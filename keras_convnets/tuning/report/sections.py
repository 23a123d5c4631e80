"""The parts of a report that have a figure, and what is to be said of each."""

import dataclasses
import html
from collections.abc import Callable

from keras_convnets.analysis.plots import Picture
from keras_convnets.training.page import picture
from keras_convnets.tuning.report import figures
from keras_convnets.tuning.report.found import Found
from keras_convnets.tuning.report.importance import EPOCHS, LEAST, PLENTY, Importance, importance
from keras_convnets.tuning.report.scales import Scale


@dataclasses.dataclass(frozen=True)
class Section:
    """A part of the page about one figure.

    Attributes:
        name: of the PNG file.
        title: of the section.
        drawn: the figure; `None` if it can't be drawn.
        about: what it shows, or why it is missing.
    """

    name: str
    title: str
    drawn: Picture | None
    about: str

    def html(self) -> str:
        """Returns the section as HTML."""
        image = "" if self.drawn is None else f"{picture(self.drawn, self.title)}\n"
        return f"<h2>{self.title}</h2>\n{image}<p>{html.escape(self.about)}</p>\n"


def sections(found: Found) -> list[Section]:
    """Returns the figures of a search, with what is to be said of them."""
    scales = [
        Scale.of(name, domain, [row["values"][name] for row in found.trials])
        for name, domain in found.results["space"].items()
    ]
    return [
        _section("parallel", "All trials", _why_no_lines(found), lambda: _parallel(found, scales)),
        _section(
            "importance",
            "What matters",
            _why_no_importance(found, scales),
            lambda: _importance(found, scales),
        ),
        _section(
            "curves",
            f"Learning curves of the best {figures.CURVES}",
            None if figures.with_curves(found) else "No trial that was completed has a curve.",
            lambda: (
                figures.learning_curves(found),
                "Of the validation images, over the epochs of each trial.",
            ),
        ),
        _section("cost", "Accuracy and cost", _why_no_cost(found), lambda: _cost(found)),
    ]


def _section(
    name: str, title: str, missing: str | None, draw: Callable[[], tuple[Picture, str]]
) -> Section:
    drawn, about = (None, f"Left out. {missing}") if missing else draw()
    return Section(name, title, drawn, about)


def _why_no_lines(found: Found) -> str | None:
    count = len(found.completed)
    return None if count > 1 else f"It takes two completed trials at least, and there are {count}."


def _why_no_importance(found: Found, scales: list[Scale]) -> str | None:
    rows = found.completed
    if len(scales) < 2:
        return f"The search varies {scales[0].name} alone."
    if len(rows) < LEAST:
        return f"It takes {LEAST} completed trials at least, and there are {len(rows)}."
    if len({row["objective"] for row in rows}) == 1:
        return "All completed trials are equally good."
    return None


def _why_no_cost(found: Found) -> str | None:
    costs = {row["macs"] for row in found.completed}
    if len(costs) > 1:
        return None
    return "All nets cost the same." if costs else "No trial was completed."


def _parallel(found: Found, scales: list[Scale]) -> tuple[Picture, str]:
    about = f"A line for each trial; the darker, the higher its {found.objective}."
    if found.others:
        about += " Failed and infeasible trials end at a cross before the last axis."
    if any(scale.choices or scale.step for scale in scales):
        about += " Trials with the same choice or whole number lie side by side."
    return figures.parallel(found, scales), about + _cut(found)


def _importance(found: Found, scales: list[Scale]) -> tuple[Picture, str]:
    measured = importance(found, scales)
    return figures.importances(measured, found.objective), _of_importance(measured) + _cut(found)


def _of_importance(measured: Importance) -> str:
    """Says where the figures are from, and what they are worth."""
    about = (
        f"From {measured.trials} completed trials: random forests predict the result of each trial "
        "from those of others, and the bars say by how many points they do worse where the values "
        "of one hyper-parameter are shuffled; the lines are standard deviations over shuffles, and "
        "what is below 0 is chance. "
    )
    if measured.explained <= 0:
        about += (
            "Here the forests predict no better than the mean of all trials does: these bars mean "
            "nothing."
        )
    else:
        about += f"They explain {measured.explained:.0%} of the variance."
    if measured.trials < PLENTY:
        about += " So few trials say little: a short bar may be chance, and so may be their order."
    if EPOCHS in measured.names:
        about += " Grey is what Hyperband chose, the length of a trial."
    return about


def _cost(found: Found) -> tuple[Picture, str]:
    about = (
        f"No trial reaches a higher {found.objective} at no more multiply-adds than one on the "
        "front, whose trials have their numbers beside them."
    )
    hidden = sum(not row["macs"] for row in found.others)
    if hidden:
        about += f" {hidden} failed or infeasible without a count are left out."
    return figures.accuracy_and_cost(found), about + _cut(found)


def _cut(found: Found) -> str:
    if not found.below:
        return ""
    return f" Results below {found.floor:.1f} % ({found.below}) count as {found.floor:.1f} %."
