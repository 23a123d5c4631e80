"""Writes docs/claims: the figures and results of claims, and the page that shows them.

    python scripts/show_claims.py [FOLDER...]

Each FOLDER is what `keras-convnets reproduce CLAIM --out FOLDER` wrote; its results.json and
figure.png go to docs/claims. The page is made anew from all results that are there.
"""

import shutil
import sys
from pathlib import Path
from typing import Any

from keras_convnets import claims
from keras_convnets.claims.figures import thousands
from keras_convnets.claims.metrics import METRICS
from keras_convnets.files import read_json, write_text

FOLDER = Path(__file__).parents[1] / "docs" / "claims"
PAGE = FOLDER / "README.md"
# Behind the name of a claim whose arms had a search each.
_TUNED = "_tuned"

INTRODUCTION = """# The papers' claims, tried on small nets

`keras-convnets reproduce CLAIM` trains small nets of a paper's own blocks on 28 to 32 px, at equal
parameters or multiply-adds where the paper has them equal, for equally many steps, and decides by
an interval over seeds. A verdict is on this scale: at most 5 M multiply-adds, minutes on two CPU
cores, Fashion-MNIST. It says nothing against a paper whose nets are a thousand times as large.

"holds": the 95 % interval of every part is above zero. "does not hold": that of one part is below.
All else is "undecided". Unless a section says otherwise all arms of a claim have one rate and one
L2, which were not searched for; `--tune-each-arm TRIALS` gives each arm its own, the reservation
that the papers have themselves on their losing arms.

The runs are short: all of Fashion-MNIST's test images, 12,000 of its training images unless a
command says otherwise, a few minutes a claim on two CPU cores that did much other work at the same
time. Where the time was too short runs have the least length, 100 steps, in which a net sees a
third of its images once: read those verdicts as a first look, and give `--minutes 60` for a second.
With two seeds an interval is almost four times as wide, for the same spread, as with three.
Of some forty intervals of 95 % on this page two miss by chance.

`keras-convnets reproduce` lists the claims; `keras-convnets compare RUN...` draws any runs the same
way. This page is made by `python scripts/show_claims.py`.
"""


def rendered(results: list[dict[str, Any]]) -> str:
    """Returns the page.

    Args:
        results: the contents of results.json, in the order of the page.
    """
    lines = [INTRODUCTION, "| claim | paper | runs | verdict |", "|---|---|---|---|"]
    for result in results:
        tuned = ", each arm tuned" if result["question"]["trials"] else ""
        link = f"[{result['title']}{tuned}](#{name_of(result)})"
        source = f"{result['paper']}, {result['section']}"
        count = len(result["arms"]) * result["question"]["seeds"]
        runs = f"{count} of {result['steps']:,} steps"
        lines.append(f"| {link} | {source} | {runs} | {result['verdict']} |")
    tried = {result["claim"] for result in results}
    waiting = [name for name in claims.names() if name not in tried]
    if waiting:
        names = ", ".join(f"`{name}`" for name in waiting)
        lines += ["", f"Declared and not yet run here: {names}."]
    return "\n".join([*lines, *map(_section, results)]) + "\n"


def name_of(result: dict[str, Any]) -> str:
    """Returns the name of the files of a result, and of its section."""
    return result["claim"] + (_TUNED if result["question"]["trials"] else "")


def _section(result: dict[str, Any]) -> str:
    name = name_of(result)
    lines = ["", f"## {name}", "", result["sentence"], "", f"![{result['title']}]({name}.png)", ""]
    shown = _shown(result)
    lines += [f"| arm | parameters | multiply-adds | {METRICS[shown].label} |", "|---|--:|--:|--:|"]
    for arm in result["arms"]:
        values = " ".join(f"{value:.1f}" for value in arm["figures"][shown])
        cost = f"{arm['parameters']:,} | {thousands(arm['macs'])}"
        lines.append(f"| {arm['name']} | {cost} | {values} |")
    lines += _tuned(result)
    lines.append("")
    for found in result["findings"]:
        metric = METRICS[found["metric"]]
        interval = "no interval"
        if found["low"] is not None:
            interval = f"{found['low']:+.2f} to {found['high']:+.2f}"
        lines.append(
            f"- {found['statement']} ({metric.label.rpartition(',')[0]}): "
            f"{found['estimate']:+.2f} {metric.unit}, {interval}; {found['verdict']}. "
            f"{found['method']}."
        )
    lines += ["", *(f"{remark}" for remark in result["remarks"]), ""]
    lines += ["```", result["command"], "```", "", f"[results]({name}.json)"]
    return "\n".join(lines)


def _shown(result: dict[str, Any]) -> str:
    """Name of the metric that the table of a claim shows: accuracy, or what several labels have."""
    metric = result["findings"][0]["metric"]
    metric = METRICS[metric].drawn or metric
    return metric if metric in ("map_at_100", "score") else "test_top1"


def _tuned(result: dict[str, Any]) -> list[str]:
    """What the search of each arm chose, if there was one."""
    if not result["question"]["trials"]:
        return []
    chosen = (
        f"{arm['name']}: rate {arm['rate_and_l2'][0]:g}, L2 {arm['rate_and_l2'][1]:g}"
        for arm in result["arms"]
    )
    return ["", "Chosen for each arm: " + "; ".join(chosen) + "."]


def tried() -> list[dict[str, Any]]:
    """Returns the results in docs/claims, in the order of the claims."""
    paths = [FOLDER / f"{name}{end}.json" for name in claims.names() for end in ("", _TUNED)]
    return [read_json(path) for path in paths if path.is_file()]


def main() -> None:
    """Copies results, and writes the page."""
    for folder in map(Path, sys.argv[1:]):
        name = name_of(read_json(folder / "results.json"))
        shutil.copyfile(folder / "results.json", FOLDER / f"{name}.json")
        shutil.copyfile(folder / "figure.png", FOLDER / f"{name}.png")
    write_text(PAGE, rendered(tried()))


if __name__ == "__main__":
    main()
