"""What a trained trunk is worth for other classes with few images: three seeds each.

python benchmarks/fine_tuning.py garments
python benchmarks/fine_tuning.py drawings [--clipart DIR]

A thin Xception learns some classes; then the recipe `fine_tune` teaches it others, from few images
of each. Its rivals are the same command with random weights, and all layers from random weights, at
a usual rate, for as long. Top-1 is on test images of the other classes.

"garments" are the embedded images: six classes, then the other four. "drawings" are those of
Debian's package openclipart-png, which are in the public domain: sixteen folders, then six others.
"""

import argparse
import json
import os
import shutil
import statistics
import tempfile
from pathlib import Path

import numpy as np
import PIL.Image
from compare import machine, write_result

from keras_convnets import data, recipes
from keras_convnets.evaluation import CenterCrop
from keras_convnets.training import Epochs, Recipe, Run, choice, resume, train

SEEDS = (0, 1, 2)
LENGTH = Epochs(30)
FEW = {"garments": (10, 40), "drawings": (15,)}  # training images of a class

TRUNK_GARMENTS = ("T-shirt/top", "Trouser", "Dress", "Sandal", "Bag", "Ankle boot")
TRUNK_DRAWINGS = (
    "animals/mammals",
    "computer/buttons",
    "computer/icons/flat-theme/action",
    "computer/icons/lemon-theme/actions",
    "computer/icons/lemon-theme/mimetypes",
    "food/desserts",
    "food/fruit",
    "recreation/music",
    "recreation/sports",
    "shapes/arrows",
    "shapes/stars",
    "signs_and_symbols/map_symbols",
    "special/gradients",
    "special/patterns",
    "transportation/aiga-symbols",
    "transportation/roadsigns",
)
OTHER_DRAWINGS = (
    "animals/birds",
    "animals/bugs",
    "food/beverages",
    "people/smilies",
    "people/stickmen",
    "transportation/vehicles",
)
MOST_DRAWINGS = 150  # of a class of the trunk
CLIPART = Path("/usr/share/openclipart/png")


def write_garments(folder: Path) -> None:
    """Writes the embedded images as folders of classes: `trunk`, and `few_N` of the others."""
    images = data.load("fashion_mnist_6k")
    for split_name, split in images.splits.items():
        for label, name in enumerate(images.classes):
            chosen = split.images[split.labels == label]
            if name in TRUNK_GARMENTS:
                tasks = {"trunk": chosen}
            else:
                counts = FEW["garments"]
                tasks = {
                    f"few_{count}": chosen if split_name == "test" else chosen[:count]
                    for count in counts
                }
            for task, pixels in tasks.items():
                target = folder / task / split_name / name.replace("/", " or ")
                target.mkdir(parents=True)
                for i, image in enumerate(pixels):
                    PIL.Image.fromarray(image[..., 0]).save(target / f"{i:03}.png")


def link_drawings(folder: Path, clipart: Path) -> None:
    """Makes the same folders of links to drawings, chosen by a fixed seed."""
    rng = np.random.default_rng(0)
    (few,) = FEW["drawings"]
    for name in (*TRUNK_DRAWINGS, *OTHER_DRAWINGS):
        files = sorted((clipart / name).glob("*.png"))
        files = [files[i] for i in rng.permutation(len(files))]
        if name in TRUNK_DRAWINGS:
            parts = {"trunk": files[:MOST_DRAWINGS]}
        else:
            parts = {f"few_{few}/train": files[:few], f"few_{few}/test": files[few:]}
        for part, chosen in parts.items():
            target = folder / part / name.replace("/", " ")
            target.mkdir(parents=True)
            for i, file in enumerate(chosen):
                os.symlink(file.resolve(), target / f"{i:03}.png")


def trunk_recipe(task: str) -> Recipe:
    """The default recipe; for drawings with larger images and a wider net."""
    recipe = recipes.get("xception_fashion_mnist")
    if task == "garments":
        return recipe
    values = {
        "model_options": {"small_input": True, "width_multiplier": 0.25, "middle_repeats": 1},
        "input_size": 64,
        "length": Epochs(30),
        "evaluation": CenterCrop(1.0),
    }
    recipe = recipe.set("schedule", "Cosine(0.045)")
    recipe = recipe.set("augmentation", "(FlipLeftRight(), PadCrop(6))")
    return recipe.replace(**{name: choice(value, "benchmark") for name, value in values.items()})


def run_once(recipe: Recipe, images: Path, out: Path, seed: int = 0) -> Run:
    """Trains, or goes on with a run that is there."""
    if out.exists():
        return resume(out)
    return train(recipe, data=f"folder:{images}", out=out, seed=seed)


def ways(trunk: Run) -> dict[str, Recipe]:
    """The recipes to compare, of one net, on images that are augmented alike."""
    names = ("model", "model_options", "input_size", "evaluation", "augmentation")
    net = {name: getattr(trunk.recipe, name) for name in names}
    fine_tune = recipes.get("fine_tune").scaled(length=LENGTH).replace(**net)
    same_command = fine_tune.set("weights", "None")
    from_scratch = (
        same_command.set("head_phase", "None")
        .set("batch_norm_mode", "train")
        .set("schedule", "Cosine(0.045)")
    )
    return {
        "fine_tune": fine_tune.set("weights", str(trunk.path)),
        "the_same_from_random_weights": same_command,
        "all_layers_from_random_weights": from_scratch,
    }


def measure(task: str, folder: Path) -> dict:
    """Trains the trunk, and then each way with each number of images and seed."""
    runs = folder / "runs"
    trunk = run_once(trunk_recipe(task), folder / "trunk", runs / "trunk")
    result = {"trunk_top1": trunk.evaluation["top1"]}
    for count in FEW[task]:
        result[f"{count}_images_a_class"] = {}
        for way, recipe in ways(trunk).items():
            top1 = [
                run_once(
                    recipe, folder / f"few_{count}", runs / f"{way}_{count}_{seed}", seed
                ).evaluation["top1"]
                for seed in SEEDS
            ]
            result[f"{count}_images_a_class"][way] = {"top1": top1, "mean": statistics.mean(top1)}
    return result


def main() -> None:
    """Measures, and writes results/fine_tuning_TASK.json."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("task", choices=FEW)
    parser.add_argument("--clipart", type=Path, default=CLIPART)
    parser.add_argument("--work", type=Path, help="Where images and runs stay.")
    options = parser.parse_args()
    folder = options.work or Path(tempfile.mkdtemp())
    if not (folder / "trunk").exists():
        if options.task == "garments":
            write_garments(folder)
        else:
            link_drawings(folder, options.clipart)
    result = {
        "name": f"fine_tuning_{options.task}",
        **measure(options.task, folder),
        "machine": machine(),
    }
    write_result(result)
    print(json.dumps(result, indent=2))
    if options.work is None:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
