"""Whether training is the same on one device, on several, and in several processes.

    python benchmarks/invariance.py

Ten updates of small nets on 1, 2 and 4 logical CPUs (`mirrored`) and in 1 and 2 processes
(`multi_worker`), each in processes of their own: how far the losses and the weights, statistics
among them, are from those on one device, relative to the largest value of each variable. The nets
have what a step can have: L2, smoothed labels, a clipped gradient, momentum, averaged weights, and
one has two auxiliary heads. Nothing is dropped: replicas drop other units than one device does. The
images are noise: in drawings many activations are equal, and where rounding turns them from above
zero to below, gradients of all of them change at once.
"""

import argparse
import contextlib
import itertools
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import PIL.Image
from compare import machine, write_result

STEPS = 10
BATCH_SIZE = 16
CLASSES, IMAGES, SIZE = 4, 23, 20
NETS = ("xception", "googlenet")
NORMS = ("synchronized", "inference")
PRECISIONS = ("float64", "float32")
CASES = ["-".join(case) for case in itertools.product(NETS, NORMS, PRECISIONS)]
PLACES = ("1 device", "2 devices", "4 devices", "1 worker", "2 workers")
BOUNDS = {"float64": 1e-10, "float32": 1e-3}
TIMEOUT = 1800


def write_images(folder: Path) -> str:
    """Writes images of noise by class; returns the spec of `--data`."""
    draws = np.random.default_rng(0)
    for index, number in itertools.product(range(CLASSES), range(IMAGES)):
        path = folder / str(index) / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = draws.integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
        PIL.Image.fromarray(pixels).save(path)
    return f"folder:{folder}"


def train_here(devices: int, out: Path, cases: list[str], data: str) -> None:
    """Trains in this process, as its TF_CONFIG says, or on so many logical CPUs."""
    import tensorflow as tf

    [cpu] = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(
        cpu, [tf.config.LogicalDeviceConfiguration() for _ in range(devices)]
    )
    import keras

    from keras_convnets.training import preparation, train

    build = preparation.build_training_model

    def build_without_dropout(*arguments):
        model = build(*arguments)
        for layer in model.layers:
            if isinstance(layer, keras.layers.Dropout):  # those of auxiliary heads have no option
                layer.rate = 0.0
        return model

    preparation.build_training_model = build_without_dropout
    for case in cases:
        net, norm, precision = case.split("-")
        keras.config.set_floatx(precision)
        keras.config.set_dtype_policy(precision)
        train(
            small_recipe(net, norm),
            data=data,
            out=out / case,
            seed=3,
            # Of a cluster of one worker, too, whose place would be this process alone.
            strategy="multi_worker" if "TF_CONFIG" in os.environ else "auto",
            report=False,
            quiet=True,
        )


def small_recipe(net: str, norm: str):
    """Returns the recipe of a small net."""
    from keras_convnets import recipes
    from keras_convnets.training import SGD, MovingAverage, Steps, choice

    small = {"small_input": True, "width_multiplier": 0.05}
    nets = {
        "xception": ("Xception", small | {"middle_repeats": 0}, 16),
        "googlenet": ("GoogLeNet:slim", small | {"repeats": (1, 3, 1)}, 20),
    }
    model, model_options, input_size = nets[net]
    fields = {
        "model": model,
        "variant": None,
        "model_options": model_options,
        "input_size": input_size,
        "aux_weight": 0.3 if net == "googlenet" else None,
        "classes": None,
        "batch_size": BATCH_SIZE,
        "length": Steps(STEPS),
        "optimizer": SGD(0.9),
        "l2": 1e-3,
        "label_smoothing": 0.1,
        "clip_norm": 0.05,  # less than any gradient here
        "ema": MovingAverage(0.9),
        "dropout_rate": 0.0,
        "batch_norm": {"momentum": 0.9} | ({"synchronized": True} if norm != "inference" else {}),
        "batch_norm_mode": "inference" if norm == "inference" else "train",
    }
    recipe = recipes.get(recipes.DEFAULT)
    return recipe.replace(**{name: choice(value, "small") for name, value in fields.items()})


def train_at(place: str, out: Path, cases: list[str], data: str) -> None:
    """Trains at a place, in new processes."""
    count, kind = place.split()
    command = [sys.executable, __file__, "--out", str(out), "--data", data, "--cases", *cases]
    if kind.startswith("device"):
        environments = [{}]
        command += ["--devices", count]
    else:
        environments = [{"TF_CONFIG": text} for text in cluster(int(count))]
    with _processes(command, environments) as processes:
        for process in processes:
            if process.wait(TIMEOUT):
                raise SystemExit(f"{place}: a process ended with {process.returncode}")


def cluster(workers: int) -> list[str]:
    """Returns the TF_CONFIG of each process of a cluster on this machine."""
    with contextlib.ExitStack() as stack:
        listeners = [
            stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(workers)
        ]
        addresses = [f"127.0.0.1:{listener.getsockname()[1]}" for listener in listeners]
    return [
        json.dumps({"cluster": {"worker": addresses}, "task": {"type": "worker", "index": i}})
        for i in range(workers)
    ]


@contextlib.contextmanager
def _processes(command: list[str], environments: list[dict]) -> Iterator[list[subprocess.Popen]]:
    """Starts a command once in each environment; none outlives the block."""
    processes = []
    try:
        for environment in environments:
            processes.append(subprocess.Popen(command, env=os.environ | environment))  # noqa: S603
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.wait()


def read_run(path: Path) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Returns the losses of a run's epochs, of training and validation, and its last weights."""
    import tensorflow as tf

    from keras_convnets.training import Run

    losses = [
        row[name] for row in Run(path).history for name in ("loss", "val_loss", "val_loss_raw")
    ]
    reader = tf.train.load_checkpoint(os.fspath(path / "checkpoints"))
    variables = {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}
    floats = {
        name: value
        for name, value in variables.items()
        if name.startswith("variables/") and value.dtype.kind == "f"
    }
    return np.array(losses), floats


def difference(path: Path, other: Path) -> float:
    """Returns the largest difference of two runs, in proportion to what it is of."""
    (losses, variables), (other_losses, other_variables) = read_run(path), read_run(other)
    if variables.keys() != other_variables.keys():
        raise SystemExit(f"{path} and {other} have other variables")
    pairs = [(losses, other_losses), *((variables[key], other_variables[key]) for key in variables)]
    return max(
        float(np.max(np.abs(a - b)) / np.max(np.abs(a))) for a, b in pairs if np.any(a) or np.any(b)
    )


def main() -> None:
    """Trains here if told how many devices there are, and everywhere else."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--devices", type=int, help="train in this process, on so many")
    parser.add_argument("--out", type=Path, help="folder of the runs; default: one that is removed")
    parser.add_argument("--data", help="see `keras-convnets train`; default: images of noise")
    parser.add_argument("--places", nargs="*", default=PLACES[1:], help="beside one device")
    parser.add_argument("--cases", nargs="*", default=CASES, help="NET-NORM-PRECISION")
    options = parser.parse_args()
    if options.devices or "TF_CONFIG" in os.environ:
        train_here(options.devices or 1, options.out, options.cases, options.data)
        return
    with tempfile.TemporaryDirectory() as folder:
        out = options.out or Path(folder)
        data = options.data or write_images(Path(folder, "images"))
        for place in (PLACES[0], *options.places):
            train_at(place, out / place, options.cases, data)
        rows = [
            {
                "net": case,
                "place": place,
                "difference": difference(out / PLACES[0] / case, out / place / case),
            }
            for case in options.cases
            for place in options.places
        ]
    for row in rows:
        print(f"{row['net']:32} {row['place']:10} {row['difference']:.1e}")
    write_result({"name": "invariance", "machine": machine(), "rows": rows})
    if any(row["difference"] > BOUNDS[row["net"].rpartition("-")[2]] for row in rows):
        raise SystemExit("some differ by more than they may")


if __name__ == "__main__":
    main()
