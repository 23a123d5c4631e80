"""Xception and Inception-v3 on images with several of 17,000 labels, trained asynchronously.

    python jft_asynchronous.py FOLDER [--examples N] [--epochs N] [--workers N] [--ps N]

Writes records as `jft_like.py` does, whose labels follow the mean and the spread of colours, so
that thin nets learn something in minutes. Trains each net of the paper's recipe, made thin, by
`keras-convnets launch`, and draws both runs with `keras-convnets compare`. What is there already is
kept, and a run that was stopped goes on.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import numpy as np
from compare import machine, print_result, write_result
from jft_like import CLASSES, SEED, SHARDS
from photos import sources
from scenes import Scenes, label_sets

from keras_convnets import data
from keras_convnets.data import records
from keras_convnets.files import read_json
from keras_convnets.training import Run

# The nets for 32 pixels, about as large as each other.
NETS = {
    "xception_jft:without_fc": {
        "small_input": True,
        "middle_repeats": 1,
        "width_multiplier": 0.125,
    },
    "inception_v3_jft": {"small_input": True, "repeats": (1, 1, 1), "width_multiplier": 0.1},
}


def colours(thumbnails: np.ndarray) -> np.ndarray:
    """Returns mean and spread of each colour, (n, 6), of thumbnails (n, 3 * pixels)."""
    pixels = thumbnails.reshape(len(thumbnails), -1, 3)
    return np.concatenate([pixels.mean(axis=1), pixels.std(axis=1)], axis=1)


def write(folder: Path, examples: int) -> None:
    """Makes pictures and writes them as records."""
    garments = data.load("fashion_mnist").train.images[..., 0]
    scenes = Scenes(sources(), garments, examples, SEED)
    labels = label_sets(colours(scenes.thumbnails), CLASSES, SEED)
    names = tuple(f"class_{rank:05}" for rank in range(CLASSES))
    images = data.ImageSet("jft_like", names, 3, train=data.Split(labels, encoded=scenes))
    records.write(images, folder, SHARDS, quiet=True)


def train(recipe: str, folder: Path, options: argparse.Namespace) -> Run:
    """Trains a net in a cluster of processes, or goes on with it."""
    out = folder / recipe.partition("_jft")[0]
    settings = {
        "model_options": NETS[recipe] | {"classifier_activation": "sigmoid"},
        "input_size": 32,
        "length": f"Epochs({options.epochs})",
        "ema": 0.99,
        "batch_norm": {"momentum": 0.9},
    }
    arguments = [f"--set={name}={value}" for name, value in settings.items()]
    arguments = [recipe, "--data", f"tfrecord:{folder / 'records'}", *arguments]
    is_begun = (out / "recipe.json").is_file()
    if is_begun and Run(out).is_finished:
        return Run(out)
    if is_begun:
        arguments = ["--resume", str(out)]
    else:
        arguments += ["--out", str(out)]
    cluster = ["--workers", str(options.workers), "--ps", str(options.ps)]
    call("launch", *cluster, "--", "train", *arguments)
    return Run(out)


def call(*arguments: str) -> None:
    """Runs the command line of the package."""
    command = [sys.executable, "-m", "keras_convnets.cli", *arguments]
    subprocess.run(command, check=True)  # noqa: S603


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--examples", type=int, default=12_000)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--ps", type=int, default=2)
    options = parser.parse_args()
    if not (options.folder / "records").is_dir():
        write(options.folder / "records", options.examples)
    runs = [train(recipe, options.folder, options) for recipe in NETS]
    picture = options.folder / "compared.png"
    call("compare", *(str(run.path) for run in runs), "--out", str(picture))
    result = {
        "name": "jft_asynchronous",
        "machine": machine(),
        "examples": options.examples,
        "classes": CLASSES,
    }
    for run in runs:
        figures = read_json(run.path / "asynchronous.json")
        result[run.path.name] = {
            "validation_map_at_100": [round(row["val_map_at_100"], 4) for row in run.history],
            "steps": int(run.history[-1]["step"]),
            "staleness_mean": round(figures["staleness"]["mean"], 3),
            "staleness_p95": figures["staleness"]["p95"],
            "images_per_second": {
                worker: row["images_per_second"] for worker, row in figures["workers"].items()
            },
            "megabytes_of_each_server": [
                round(server["bytes"] / 1e6, 1) for server in figures["servers"].values()
            ],
        }
    print_result(result)
    write_result(result)


if __name__ == "__main__":
    main()
