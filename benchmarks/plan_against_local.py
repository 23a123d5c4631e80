"""A local run by parameter servers beside what `plan` foretells of it.

python benchmarks/plan_against_local.py --workers 2 --ps 1 --steps-per-second 12.3
python benchmarks/plan_against_local.py --workers 2 --ps 1 --run runs/NAME

The prediction is made on this machine, now: one core is measured on the recipe's step and input.
The measured rate is that of a finished run by as many workers and servers, each worker on a core of
its own: its history.csv has steps and seconds, of which the first row, with the tracing, is left
out. Without a rate the prediction stands alone, and the result says that nothing was measured.
"""

import argparse
import csv
from pathlib import Path

from compare import machine, print_result, write_result

from keras_convnets import recipes
from keras_convnets.cli.planning_calibration import calibrated
from keras_convnets.cli.planning_input import images_of, work_of, worker_batch
from keras_convnets.distribution.planning import (
    Plan,
    assume,
    find_device,
    make_plan,
    parse_speed,
)

NETWORK = "10Gbit"


def foretell(name: str, workers: int, servers: int, changes: list[str]) -> Plan:
    """Returns the plan of an asynchronous run of a recipe on this machine."""
    recipe = recipes.get(name).set("parallelism", "async")
    batch, batch_source = worker_batch(recipe, workers)
    images, images_source = images_of(recipe)
    assumptions = assume(
        find_device("cpu_core"),
        parse_speed(NETWORK),
        f"{NETWORK}: a guess of what two processes of one machine exchange",
        worker_batch=batch,
        worker_batch_source=batch_source,
        servers=servers,
        images=images,
        images_source=images_source,
    ).changed(changes)
    return make_plan(work_of(recipe), workers, servers, calibrated(recipe, assumptions, changes))


def rate_of(run: Path) -> float:
    """Returns the steps a second of a finished run, behind its first row."""
    with (run / "history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    if len(rows) < 2:
        raise SystemExit(f"{run}/history.csv should have two rows at least. Received: {len(rows)}")
    steps, seconds = (float(rows[-1][key]) - float(rows[0][key]) for key in ("step", "seconds"))
    return steps / seconds


def main() -> None:
    """Foretells, compares, prints a table, and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--recipe", default="xception_fashion_mnist")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--ps", type=int, default=1)
    parser.add_argument("--assume", action="append", default=[], metavar="NAME=VALUE")
    measured = parser.add_mutually_exclusive_group()
    measured.add_argument("--steps-per-second", type=float, help="of all workers together")
    measured.add_argument("--run", type=Path, help="a finished run")
    options = parser.parse_args()
    rate = rate_of(options.run) if options.run else options.steps_per_second
    plan = foretell(options.recipe, options.workers, options.ps, options.assume)
    found = {item.name: item for item in plan.assumptions}
    result = {
        "name": "plan_against_local",
        "what": f"{options.recipe}, asynchronous: {options.workers} workers, {options.ps} ps",
        "one_core": found["peak_flops"].source,
        "steps_per_closure": plan.assumptions["steps_per_closure"],
        "predicted_steps_per_second": round(plan.timing.rate, 2),
        "predicted_bottleneck": plan.timing.bottleneck,
        "measured_steps_per_second": None if rate is None else round(rate, 2),
        "measured_over_predicted": None if rate is None else round(rate / plan.timing.rate, 3),
        "machine": machine(),
    }
    if rate is None:
        result["note"] = "NOT MEASURED YET: give --steps-per-second or --run"
    write_result(result)
    print_result(result)


if __name__ == "__main__":
    main()
