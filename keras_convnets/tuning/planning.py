"""Makes the plan of a search in a process of its own: `python -m keras_convnets.tuning.planning`.

It reads images and counts nets, and the process of the search shall stay small and leave GPUs to
the trials.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from keras_convnets.distribution.processes import tied_to
from keras_convnets.errors import InputError
from keras_convnets.exit_codes import BAD_INPUT
from keras_convnets.training import Epochs, Recipe
from keras_convnets.training.preparation import check_trainable, load_data
from keras_convnets.training.run import versions
from keras_convnets.tuning.limits import InfeasibleError
from keras_convnets.tuning.plan import FILE, Plan, Question

# Draws of a space before none of its settings counts as feasible.
DRAWS = 30


def obtain(question: Question, folder: Path) -> Plan:
    """Reads the plan of a folder, or makes one, in a process of its own.

    Args:
        question: what was asked.
        folder: of the search.

    Raises:
        InputError: if the space, the data or the limits are wrong, or the folder has another
            search.
    """
    process = subprocess.run(  # noqa: S603 - it is this file
        [sys.executable, "-m", "keras_convnets.tuning.planning", str(folder)],
        input=json.dumps(question.to_json()),
        capture_output=True,
        text=True,
        preexec_fn=tied_to(os.getpid()),
    )
    if process.returncode == BAD_INPUT:
        raise InputError(process.stdout.strip())
    if process.returncode:
        raise RuntimeError(f"The plan can't be made: {process.stderr or process.stdout}")
    return Plan.read(folder)


def make(question: Question, folder: Path) -> Plan:
    """Makes a plan, or finds it in its folder.

    Raises:
        InputError: see `obtain`.
    """
    check_trainable(question.recipe, accumulate=1)
    recipe, images = load_data(question.recipe, question.data, question.seed)
    plan = Plan.of(
        question,
        recipe,
        objective="val_map_at_100" if images.is_multi_label else "val_top1",
        channels=images.channels,
        classes=len(images.classes),
        fingerprint=images.fingerprint(),
        epochs=_whole_epochs(recipe) if question.tuner == "hyperband" else None,
        versions=versions(),
    )
    if (folder / FILE).is_file():
        kept = Plan.read(folder)
        plan.check_same(kept, folder)
        return kept
    _check_feasible(plan)
    plan.write(folder)
    return plan


def _whole_epochs(recipe: Recipe) -> int:
    """The most epochs of a trial of Hyperband."""
    length = recipe.length.value
    if not isinstance(length, Epochs) or length.count != int(length.count):
        raise InputError(
            "Hyperband gives its trials some whole epochs, so that the length of the recipe "
            f"should be those of the longest (`--epochs`). Received: {length!r}"
        )
    return int(length.count)


def _check_feasible(plan: Plan) -> None:
    """Makes sure that some setting of the space is within the limits."""
    from keras_tuner import Oracle

    oracle = plan.oracle(trials=1)
    space, limits, reason = plan.space, plan.limits, ""
    drawn = [space.defaults(plan.recipe)]
    for _ in range(DRAWS):
        values = drawn.pop() if drawn else Oracle._random_values(oracle)
        try:
            limits.check(space.apply(plan.recipe, values), plan.channels, plan.classes)
        except InfeasibleError as error:
            reason = reason or str(error)
        else:
            return
    raise InputError(
        f"No setting of the space is within the limits, of {DRAWS} that were drawn; raise "
        "--max-parameters, --max-macs or --max-memory, or widen the space. Received: the recipe's "
        f"own setting; {reason}"
    )


if __name__ == "__main__":
    try:
        make(Question.from_json(json.load(sys.stdin)), Path(sys.argv[1]))
    except InputError as error:
        print(error)
        sys.exit(BAD_INPUT)
