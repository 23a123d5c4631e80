"""How fast one core of this machine trains a recipe, measured in a process of its own."""

import concurrent.futures
import multiprocessing
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from keras_convnets.cli.quiet import with_quiet_tensorflow

if TYPE_CHECKING:
    from keras_convnets.distribution.planning import Assumptions
    from keras_convnets.training import Recipe

SECONDS = 4.0  # of the net, and of the input


def calibrated(
    recipe: "Recipe", assumptions: "Assumptions", changes: Sequence[str] = ()
) -> "Assumptions":
    """Returns assumptions in which workers are single cores of this machine, which all share.

    Args:
        recipe: whose step is measured, with its input.
        assumptions: what else is assumed.
        changes: what the user assumes, which is not measured over.
    """
    from keras_convnets.cli.planning_input import work_of

    given = {change.partition("=")[0].strip() for change in changes}
    if "peak_flops" not in given:
        net, data = measure(recipe)
        images_per_second = 1 / (1 / net + 1 / data)  # one core does one after the other
        flops = images_per_second * 2 * assumptions["passes"] * work_of(recipe).macs
        source = f"measured: one core, net {net:,.0f} and input {data:,.0f} images/s alone"
        assumptions = assumptions.replaced("peak_flops", flops, source)
    if "shared_cores" not in given:
        assumptions = assumptions.replaced("shared_cores", os.cpu_count(), "of this machine")
    return assumptions


def measure(recipe: "Recipe", seconds: float = SECONDS) -> tuple[float, float]:
    """Returns how many images a second one core trains on, and how many it prepares.

    Args:
        recipe: whose net and data are measured.
        seconds: how long each is measured.

    Raises:
        InputError: if the data can't be loaded.
    """
    context = multiprocessing.get_context("spawn")  # the threads of this process are there already
    with concurrent.futures.ProcessPoolExecutor(1, context, _take_one_core) as pool:
        return pool.submit(_measure, recipe, seconds).result()


def _take_one_core() -> None:
    if hasattr(os, "sched_setaffinity"):  # Linux
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with_quiet_tensorflow(_use_one_thread)()  # before the recipe arrives, and TensorFlow with it


def _use_one_thread() -> None:
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)


def _measure(recipe: "Recipe", seconds: float) -> tuple[float, float]:
    from keras_convnets import training

    # One device alone is the same either way.
    found = training.profile(recipe.set("parallelism", "sync"), seconds=seconds, quiet=True)
    return found.compute, found.input
