"""Images per second against workers, for several numbers of parameter servers."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keras_convnets.analysis.plots import Picture
    from keras_convnets.distribution.planning import Assumptions, Plan, Work

WORKERS = tuple(sorted({round(2 ** (power / 16)) for power in range(161)}))  # 1 to 1,024
SERVERS = (1, 4, 16, 64)
_MARKS = tuple(2**power for power in range(0, 11, 2))


def write(work: "Work", assumptions: "Assumptions", path: Path) -> None:
    """Draws the figure into a file."""
    from keras_convnets.files import replacing

    content = draw(work, assumptions).content(path.suffix.removeprefix("."))
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def lines(work: "Work", assumptions: "Assumptions") -> "dict[int, list[Plan]]":
    """Returns the plans of each line, by its number of parameter servers, over `WORKERS`.

    Synchronous workers may do without any: their first line is that of the ring. Dense layers have
    as many parts as there are servers, unless the user said how many.
    """
    from keras_convnets.distribution.planning import GIVEN, make_plan

    is_given = any(item.name == "dense_parts" and item.source == GIVEN for item in assumptions)
    found = {}
    for servers in SERVERS if work.is_async else (0, *SERVERS):
        own = assumptions
        if servers and not is_given:
            own = assumptions.replaced("dense_parts", servers, "as many as servers")
        found[servers] = [make_plan(work, workers, servers, own) for workers in WORKERS]
    return found


def draw(work: "Work", assumptions: "Assumptions") -> "Picture":
    """Returns the figure: a line for each number of servers, and one for computing alone."""
    from keras_convnets.analysis.plots import Picture

    picture = Picture(figsize=(9, 5.6), layout="constrained")
    axes = picture.subplots()
    plans = lines(work, assumptions)
    ideal = [plan.ideal_images_per_second for plan in plans[SERVERS[0]]]
    axes.plot(WORKERS, ideal, "--", color="0.45", linewidth=1.2, label="computing alone")
    for servers, line in plans.items():
        rates = [plan.images_per_second for plan in line]
        name = f"{servers} parameter server{'s' * (servers > 1)}" if servers else "all-reduce"
        [drawn] = axes.plot(WORKERS, rates, linewidth=2, label=name)
        knee = next((i for i, plan in enumerate(line) if is_shared(plan)), None)
        if knee is not None:
            axes.plot(WORKERS[knee], rates[knee], "o", color=drawn.get_color(), markersize=7)
        end = line[-1]
        axes.annotate(
            f"{rates[-1]:,.0f}: {end.timing.bottleneck}",
            (WORKERS[-1], rates[-1]),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize=8.5,
            color=drawn.get_color(),
        )
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xticks(_MARKS, [f"{mark:,}" for mark in _MARKS])
    axes.set_xlim(0.9, 1024 * 4.2)
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.set_xlabel("workers")
    axes.set_ylabel("images a second")
    axes.grid(alpha=0.3)
    axes.legend(loc="upper left", fontsize=9)
    axes.set_title(
        f"{work.name}, {'asynchronous' if work.is_async else 'synchronous'}"
        + ": from the dot on workers wait for what they share" * work.is_async,
        fontsize=10,
    )
    return picture


def is_shared(plan: "Plan") -> bool:
    """Whether something that workers share bounds them."""
    timing = plan.timing
    return timing.limits["workers"] > timing.rate
