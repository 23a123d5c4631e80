"""The content of trials.json of searches that nobody ran, with known laws behind their results."""

import numpy as np

SPACE = {
    "rate": {"low": 1e-4, "high": 1e-1, "scale": "log"},
    "dropout": {"low": 0.0, "high": 0.8, "scale": "linear"},
    "depth": {"low": 2, "high": 9, "scale": "linear", "step": 1},
    "mixing": {"values": ["none", "mixup", "cutmix"]},
}


def row(number, values, objective=None, *, status="completed", macs=10**6, **fields):
    """Returns a row of a trial, with a curve that ends at its objective."""
    curve = []
    if objective is not None:
        curve = [
            {"epoch": epoch, "val_top1": objective * (1 - 0.5**epoch)} for epoch in range(1, 7)
        ]
    return {
        "id": f"{number:02d}",
        "values": values,
        "epochs": None,
        "status": status,
        "cause": None,
        "reason": None if status == "completed" else "It is <too> large.",
        "objective": objective,
        "loss": None if objective is None else 1 - objective,
        "parameters": macs and macs // 2,
        "macs": macs,
        "seconds": 12.3,
        "peak_memory": 500 << 20,
        "search_memory": 300 << 20,
        "curve": curve,
        **fields,
    }


def results(trials, space=None):
    """Returns the content of trials.json."""
    completed = [trial for trial in trials if trial["status"] == "completed"]
    statuses = [trial["status"] for trial in trials]
    best = max(completed, key=lambda trial: trial["objective"], default={"id": None})
    return {
        "recipe": "xception_fashion_mnist",
        "net": "Xception",
        "data": "fashion_mnist_6k",
        "space": SPACE if space is None else space,
        "tuner": "random",
        "seed": 0,
        "limits": {"parameters": 100_000, "macs": None, "memory": None},
        "objective": {"name": "val_top1", "direction": "max"},
        "best": best["id"],
        "counts": {kind: statuses.count(kind) for kind in ("completed", "failed", "infeasible")},
        "versions": {"keras": "3.15"},
        "trials": trials,
    }


def search(count=24):
    """Returns a search whose results follow from the rate above all, and from the depth a bit.

    Every eighth trial failed, and every eighth was infeasible.
    """
    rng, trials = np.random.default_rng(3), []
    for number in range(count):
        values = {
            "rate": float(10 ** rng.uniform(-4, -1)),
            "dropout": float(rng.uniform(0, 0.8)),
            "depth": int(rng.integers(2, 10)),
            "mixing": str(rng.choice(SPACE["mixing"]["values"])),
        }
        macs = values["depth"] * 3_000_000 + int(values["dropout"] * 1e5)
        if number % 8 == 5:
            trials.append(row(number, values, status="failed", cause="diverged", macs=macs))
        elif number % 8 == 7:
            trials.append(row(number, values, status="infeasible", macs=None))
        else:
            distance = abs(np.log10(values["rate"]) + 2.5)
            objective = 0.9 - 0.05 * distance**2 + 0.004 * values["depth"]
            trials.append(row(number, values, float(objective), macs=macs))
    return results(trials)
