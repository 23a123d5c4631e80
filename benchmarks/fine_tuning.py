"""What a trained trunk is worth for other classes with few images: three seeds each.

python benchmarks/fine_tuning.py

A thin Xception learns six of the ten garments of the embedded data; then the recipe `fine_tune`
teaches it the four others from few images of each. Its rivals are the same command with random
weights, and all layers from random weights at a usual rate for as long. Top-1 is on the 400 test
images of the four.
"""

import argparse
import json
import shutil
import statistics
import tempfile
from pathlib import Path

import numpy as np
import PIL.Image
from compare import machine, write_result

from keras_convnets import data, recipes
from keras_convnets.training import Epochs, Recipe, Run, resume, train

TRUNK_CLASSES = ("T-shirt/top", "Trouser", "Dress", "Sandal", "Bag", "Ankle boot")
FEW = (10, 40)  # training images of a class
SEEDS = (0, 1, 2)
LENGTH = Epochs(30)


def write_images(folder: Path) -> None:
    """Writes the images of all tasks, each a folder of classes."""
    images = data.load("fashion_mnist_6k")
    for split_name, split in images.splits.items():
        for label, name in enumerate(images.classes):
            chosen = split.images[split.labels == label]
            if name in TRUNK_CLASSES:
                tasks = {"trunk": chosen}
            elif split_name == "test":
                tasks = {f"few_{count}": chosen for count in FEW}
            else:
                tasks = {f"few_{count}": chosen[:count] for count in FEW}
            for task, pixels in tasks.items():
                write_class(folder / task / split_name / name.replace("/", " or "), pixels)


def write_class(folder: Path, images: np.ndarray) -> None:
    """Writes the images of one class."""
    folder.mkdir(parents=True)
    for i, pixels in enumerate(images):
        PIL.Image.fromarray(pixels[..., 0]).save(folder / f"{i:03}.png")


def top1_of(runs: list[Run]) -> dict:
    """Top-1 of each run, their mean and their standard deviation."""
    top1 = [run.evaluation["top1"] for run in runs]
    return {"top1": top1, "mean": statistics.mean(top1), "deviation": statistics.stdev(top1)}


def run_once(recipe: Recipe, data: Path, out: Path, seed: int = 0) -> Run:
    """Trains, or goes on with a run that is there."""
    if out.exists():
        return resume(out)
    return train(recipe, data=f"folder:{data}", out=out, seed=seed)


def measure(folder: Path) -> dict:
    """Trains the trunk, and then each of the three ways with each number of images and seed."""
    runs = folder / "runs"
    trunk = run_once(recipes.get("xception_fashion_mnist"), folder / "trunk", runs / "trunk")
    fine_tune = recipes.get("fine_tune").scaled(length=LENGTH)
    names = ("model", "model_options", "input_size", "evaluation")
    net = {name: getattr(trunk.recipe, name) for name in names}
    fine_tune = fine_tune.replace(**net).set("weights", str(trunk.path))
    same_command = fine_tune.set("weights", "None")
    from_scratch = (
        same_command.set("head_phase", "None")
        .set("batch_norm_mode", "train")
        .set("schedule", "Cosine(0.045)")
    )
    ways = {
        "fine_tune": fine_tune,
        "the_same_from_random_weights": same_command,
        "all_layers_from_random_weights": from_scratch,
    }
    result = {"trunk_top1": trunk.evaluation["top1"]}
    for count in FEW:
        result[f"{count}_images"] = {
            way: top1_of(
                [
                    run_once(recipe, folder / f"few_{count}", runs / f"{way}_{count}_{seed}", seed)
                    for seed in SEEDS
                ]
            )
            for way, recipe in ways.items()
        }
    return result


def main() -> None:
    """Measures, and writes results/fine_tuning.json."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--work", type=Path, help="Where to keep images and runs.")
    options = parser.parse_args()
    folder = options.work or Path(tempfile.mkdtemp())
    if not (folder / "trunk").exists():
        write_images(folder)
    result = {
        "name": "fine_tuning",
        **measure(folder),
        "machine": machine(),
    }
    write_result(result)
    print(json.dumps(result, indent=2))
    if options.work is None:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
