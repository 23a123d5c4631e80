"""A tiny training in round numbers, for arithmetic by hand."""

import pytest

from keras_convnets.distribution.planning import Device, Variable, Work, assume

VARIABLES = (
    Variable("conv/kernel", (30,)),
    Variable("bn/gamma", (5,)),
    Variable("bn/moving_mean", (5,), trainable=False),
    Variable("dense/kernel", (6, 10), dense=True),
)


@pytest.fixture
def tiny():
    """A function that returns 100 numbers of which 95 learn, with one slot and an average."""

    def make(**changes):
        numbers = {
            "name": "tiny",
            "macs": 1000,
            "variables": VARIABLES,
            "activations": 50,
            "slots": 1,
            "is_averaged": True,
            "is_async": True,
            "batch_size": 8,
            "length": 1000,
            "unit": "updates",
        }
        return Work(**(numbers | changes))

    return make


@pytest.fixture
def simple():
    """A function that returns assumptions in which one thing costs at a time.

    A step computes 2 x 3 x 1000 x 8 operations at 96,000 a second: 0.5 s. Nothing else costs.
    """

    def make(*changes, servers=1):
        device = Device("round", 192_000.0, "", 0.5, "", None)
        found = assume(
            device,
            1e30,
            "",
            worker_batch=8,
            worker_batch_source="",
            servers=servers,
            images=4000,
            images_source="",
        )
        free = ("ps_memory_speed=1e30", "step_overhead=0", "closure_overhead=0", "hop_seconds=0")
        return found.changed((*free, *changes))

    return make
