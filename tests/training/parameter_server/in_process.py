"""Asynchronous training with all servers in this process.

Trains the smoke form of each recipe asynchronously with one worker, whose images come in the order
of a run on one device, and once on one device. Prints what a test compares, as JSON.
"""

import importlib
import json
import os
import socket
import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from keras_convnets import recipes, training
from keras_convnets.distribution import Role
from keras_convnets.distribution.strategies import Place
from keras_convnets.training import choice, parameter_server
from keras_convnets.training.parameter_server import loop, pipeline, split_dense

train_module = importlib.import_module("keras_convnets.training.train")


def start_servers(servers: int) -> Place:
    """Starts one worker and some parameter servers, and connects to them."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(servers + 2)]
    addresses = [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]
    for each in sockets:
        each.close()
    cluster = {"chief": addresses[:1], "worker": addresses[1:2], "ps": addresses[2:]}
    spec = tf.train.ClusterSpec(cluster)
    start_servers.kept = [
        tf.distribute.Server(spec, job_name=task, task_index=i, protocol="grpc")
        for task in ("worker", "ps")
        for i in range(len(cluster[task]))
    ]
    resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(
        spec, task_type="chief", task_id=0, rpc_layer="grpc"
    )
    role = Role("chief", 0, {task: tuple(each) for task, each in cluster.items()})
    return Place("parameter_server", tf.distribute.ParameterServerStrategy(resolver), role)


def train(name: str, folder: Path, place: Place, placements: dict) -> dict:
    recipe = training.smoke(recipes.get(name)).replace(
        length=choice(training.Steps(6), "a test"), dropout_rate=choice(0.0, "its draws differ")
    )
    options = {"report": False, "quiet": True}
    alone = training.train(recipe, out=folder / f"{name}-alone", strategy="single", **options)

    def write_figures(self):
        twin = self._twin
        placements[name] = {
            device: [variable.path for variable in variables]
            for device, variables in twin.placement().items()
        }
        return original(self)

    original, loop._Loop.write_figures = loop._Loop.write_figures, write_figures

    def fit(job):
        settings = job.run.settings
        pipeline._batches(job.run.recipe, job.images, settings, settings.seed, 0)
        parameter_server.loop.fit(job)

    train_module._find_place = lambda *_: place
    work = importlib.import_module("keras_convnets.training.work")
    work.parameter_server.fit, kept = fit, work.parameter_server.fit
    try:
        run = training.train(recipe, out=folder / name, **options)
    finally:
        work.parameter_server.fit = kept
        loop._Loop.write_figures = original
        train_module._find_place = find_place
    return {
        "alone": alone.history,
        "asynchronous": run.history,
        "evaluations": [alone.evaluation, run.evaluation],
        "largest_difference": difference(alone.load_model(), run.load_model()),
        "figures": json.loads((run.path / "asynchronous.json").read_text()),
    }


def difference(one: keras.Model, other: keras.Model) -> float:
    """The largest difference of weights, relative to the largest of each variable."""
    pairs = zip(one.get_weights(), other.get_weights(), strict=True)
    return max(float(np.abs(a - b).max() / max(np.abs(a).max(), 1e-3)) for a, b in pairs)


find_place = train_module._find_place

if __name__ == "__main__":
    os.environ["GRPC_FAIL_FAST"] = "use_caller"
    keras.config.set_floatx("float64")
    folder, servers, large, *names = sys.argv[1:]
    split_dense.LARGE = int(large)
    place, placements = start_servers(int(servers)), {}
    answers = {name: train(name, Path(folder), place, placements) for name in names}
    print(json.dumps({"runs": answers, "placements": placements}))
