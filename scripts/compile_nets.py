"""Compiles the training steps of nets as XLA wants them for a TPU, and lists what would not.

    python scripts/compile_nets.py [--lower-only] [NET...]

Without names it takes every net, at its own size and depth, with its auxiliary heads.
`--lower-only` stops at XLA's own form of the step, where what it can't compile shows; machine code
for a CPU takes minutes for a deep net. No TPU is asked.
"""

import inspect
import sys

import rich.console

from keras_convnets import list_models, recipes
from keras_convnets._registry import find_architecture
from keras_convnets.training import Recipe, choice
from keras_convnets.training.compiling import compile_step


def recipe_of(net: str) -> Recipe:
    """Returns a recipe for a net, with all that a step can have."""
    entry, variant = find_architecture(net)
    has_aux = "aux_logits" in inspect.signature(entry.builder).parameters
    fields = {
        "input_size": variant.input_shape[0],
        "classes": 10,
        "batch_norm": None,
        "initializer": None,
        "dropout_rate": 0.0,
        "aux_weight": 0.3 if has_aux else None,
        "label_smoothing": 0.1,
        "clip_norm": 1.0,
        "ema": 0.999,
    }
    recipe = recipes.get(recipes.DEFAULT).with_model(net)
    return recipe.replace(
        **{name: choice(value, "all that can be") for name, value in fields.items()}
    )


def main(arguments: list[str]) -> None:
    """Prints a line for each net."""
    lower_only = "--lower-only" in arguments
    nets = [argument for argument in arguments if argument != "--lower-only"] or list_models()
    console = rich.console.Console(highlight=False, markup=False, soft_wrap=True)
    faults = 0
    for net in nets:
        _, variant = find_architecture(net)
        found = compile_step(recipe_of(net), variant.input_shape[-1], "tf", lower_only=lower_only)
        faults += found.fault is not None
        console.print(f"{net:32} {found.seconds:6.1f} s  {found.fault or 'compiles'}")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main(sys.argv[1:])
