"""The tables of `keras-convnets plan`."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import rich.box
import rich.console
import rich.table

if TYPE_CHECKING:
    from keras_convnets.distribution.planning import Assumption, Plan, Reading


def tell(console: rich.console.Console, plan: "Plan") -> None:
    """Prints everything that a plan says."""
    servers = f", {_count(plan.servers, 'parameter server')}" if plan.servers else ""
    title = f"{plan.name}: {_count(plan.workers, 'worker')}{servers}, {plan.mode}"
    console.print(title, style="bold", markup=False, highlight=False, soft_wrap=True)
    for table in (_result(plan), _memory(plan), _step(plan), _limits(plan)):
        console.print(table)
    if plan.servers:
        console.print(_traffic(plan))
    console.print(_assumptions(plan))
    for note in plan.notes:
        console.print(f"note: {note}", style="yellow", highlight=False, soft_wrap=True)


def tell_readings(
    console: rich.console.Console, readings: "Sequence[Reading]", plan: "Plan"
) -> None:
    """Prints what a printed rate means in each reading, beside the plan."""
    table = _table("A printed rate in both readings", "", *(r.name for r in readings), "this plan")
    of_one = plan.images_per_second / plan.workers
    flops = of_one * readings[0].worker_flops / readings[0].worker_images_per_second
    peak = plan.assumptions["peak_flops"]
    rows = [
        ("updates/s", "{:.3g}", "updates_per_second", plan.timing.rate),
        ("images/s", "{:,.0f}", "images_per_second", plan.images_per_second),
        ("images/s of a worker", "{:,.1f}", "worker_images_per_second", of_one),
        ("TFLOP/s of a worker", "{:.2f}", "worker_flops", flops),
        ("share of the device's peak", "{:.0%}", "share_of_peak", flops / peak),
    ]
    for name, form, field, planned in rows:
        scale = 1e12 if field == "worker_flops" else 1
        values = [getattr(reading, field) for reading in readings]
        table.add_row(name, *(form.format(value / scale) for value in (*values, planned)))
    images = plan.assumptions["training_images"]
    if images is not None:
        rates = [*(reading.images_per_second for reading in readings), plan.images_per_second]
        table.add_row("passes over the data a day", *(f"{86400 * r / images:,.1f}" for r in rates))
        if "the recipe's length" in plan.days:
            length = plan.days["the recipe's length"] * plan.images_per_second
            table.add_row("days for the recipe's length", *(f"{length / r:,.2f}" for r in rates))
    console.print(table)


def _result(plan: "Plan") -> rich.table.Table:
    table = rich.table.Table(box=None, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    share = plan.images_per_second / plan.ideal_images_per_second
    table.add_row("images/s", f"{_figure(plan.images_per_second)} ({share:.0%} of computing alone)")
    images = f"{plan.images_per_update:,} images each"
    table.add_row("updates/s", f"{_figure(plan.timing.rate)} of {images}")
    table.add_row("bottleneck", plan.timing.bottleneck)
    if plan.staleness is not None:
        meaning = "updates of others between a worker's read and its write"
        table.add_row("staleness", f"{_figure(plan.staleness)} {meaning}")
    for name, days in plan.days.items():
        table.add_row(name, duration(days))
    return table


def duration(days: float) -> str:
    """Returns a time as people say it."""
    for unit, length in (("years", 365.25), ("days", 1), ("hours", 1 / 24), ("minutes", 1 / 1440)):
        if days >= (2 if unit == "years" else 1) * length:
            return f"{_figure(days / length)} {unit}"
    return f"{days * 86400:.1f} seconds"


def _memory(plan: "Plan") -> rich.table.Table:
    table = _table("Memory, MiB", "", *plan.memory)
    kinds = dict.fromkeys(kind for role in plan.memory.values() for kind in role)
    for kind in kinds:
        row = (role.get(kind) for role in plan.memory.values())
        table.add_row(kind, *("" if size is None else _mebibytes(size) for size in row))
    table.add_row("all", *(_mebibytes(sum(role.values())) for role in plan.memory.values()))
    return table


def _step(plan: "Plan") -> rich.table.Table:
    table = _table("A step", "", "ms", "share")
    seconds = plan.timing.seconds
    for name, part in plan.timing.parts.items():
        table.add_row(name, f"{1e3 * part:,.1f}", f"{part / seconds:.0%}")
    table.add_row("all", f"{1e3 * seconds:,.1f}", "")
    return table


def _limits(plan: "Plan") -> rich.table.Table:
    table = _table("Limits, of all workers", "", "updates/s", "images/s")
    for name, limit in plan.timing.limits.items():
        named = "workers, each as if alone" if name == "workers" else name
        images = limit * plan.images_per_update
        table.add_row(named, *(_figure(value) for value in (limit, images)))
    return table


def _traffic(plan: "Plan") -> rich.table.Table:
    table = _table("Traffic of a step, MiB", "", "ps, greatest", "ps, mean", "all")
    for field, name in (("pulled", "pulled by a worker"), ("pushed", "pushed by it")):
        sizes = [getattr(load, field) for load in plan.loads]
        row = (max(sizes), sum(sizes) / len(sizes), sum(sizes))
        table.add_row(name, *map(_mebibytes, row))
    return table


def _assumptions(plan: "Plan") -> rich.table.Table:
    table = rich.table.Table(
        title="Assumptions (--assume NAME=VALUE changes them)",
        title_justify="left",
        box=rich.box.SIMPLE_HEAD,
    )
    table.add_column("assumption", no_wrap=True)
    table.add_column("value", no_wrap=True, justify="right")
    table.add_column("source", overflow="fold")
    for item in plan.assumptions:
        table.add_row(item.name, _value(item), item.source)
    return table


def _value(item: "Assumption") -> str:
    if item.value is None:
        return "not known"
    if isinstance(item.value, str):
        return item.value
    return f"{_figure(item.value)} {item.unit}".strip()


def _figure(value: float) -> str:
    """Three digits, with a prefix where there are many."""
    if value == math.inf:
        return "no bound"
    for scale, prefix in ((1e12, "T"), (1e9, "G"), (1e6, "M")):
        if value >= scale:
            return f"{value / scale:.3g}{prefix}"
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"


def _count(amount: int, name: str) -> str:
    return f"{amount:,} {name}{'s' * (amount > 1)}"


def _mebibytes(size: float) -> str:
    return f"{size / 2**20:,.1f}"


def _table(title: str, *columns: str) -> rich.table.Table:
    table = rich.table.Table(title=title, title_justify="left", box=rich.box.SIMPLE_HEAD)
    for column in columns:
        table.add_column(column, justify="right" if column else "left")
    return table
