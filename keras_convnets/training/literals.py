"""Values of a recipe as text: Python literals, and calls of the few classes that recipes use."""

import ast
from typing import Any

from keras_convnets import data
from keras_convnets.errors import InputError
from keras_convnets.evaluation import CenterCrop
from keras_convnets.training import averaging, fine_tuning, initializers, optimizers, schedules

CLASSES = {
    known.__name__: known
    for known in (
        schedules.Epochs,
        schedules.Samples,
        schedules.Steps,
        schedules.Constant,
        schedules.Cosine,
        schedules.Exponential,
        schedules.Piecewise,
        schedules.Plateau,
        schedules.Polynomial,
        schedules.Warmup,
        optimizers.SGD,
        optimizers.RMSprop,
        averaging.MovingAverage,
        averaging.PolyakMean,
        initializers.Normal,
        initializers.TruncatedNormal,
        initializers.HeNormal,
        initializers.Uniform,
        initializers.Layerwise,
        data.FlipLeftRight,
        data.PadCrop,
        data.InceptionCrop,
        data.SlimCrop,
        data.RandomSizedCrop,
        data.ShorterSideCrop,
        data.ColorJitter,
        data.PCALighting,
        data.HowardDistortion,
        data.SlimDistortion,
        data.RandAugment,
        data.MixUp,
        data.CutMix,
        fine_tuning.HeadPhase,
        fine_tuning.EarlyStop,
        CenterCrop,
    )
}


def parse(text: str) -> Any:
    """Reads a value such as `0.5`, `(4096, 4096)` or `Exponential(0.1, rate=0.9, every=Epochs(2))`.

    Only literals and the classes above are understood; nothing is executed.

    Raises:
        InputError: if the text is anything else.
    """
    try:
        return _evaluate(ast.parse(text.strip(), mode="eval").body)
    except InputError:
        raise
    except (SyntaxError, ValueError, TypeError) as error:
        raise InputError(
            f"{text!r} is no value of a recipe ({error}); values are numbers, 'text', True, "
            f"False, None, tuples, dictionaries, and {', '.join(CLASSES)}."
        ) from error


def _evaluate(node: ast.expr) -> Any:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        if node.func.id not in CLASSES:
            raise InputError(f"A recipe knows {', '.join(CLASSES)}. Received: {node.func.id!r}")
        named = {key.arg: _evaluate(key.value) for key in node.keywords if key.arg}
        return CLASSES[node.func.id](*(_evaluate(arg) for arg in node.args), **named)
    if isinstance(node, ast.Tuple | ast.List):
        return tuple(_evaluate(item) for item in node.elts)
    if isinstance(node, ast.Dict) and None not in node.keys:
        keys = (ast.literal_eval(key) for key in node.keys)
        return dict(zip(keys, map(_evaluate, node.values), strict=True))
    return ast.literal_eval(node)


def encode(value: Any) -> Any:
    """Turns a recipe's value into JSON: a class into the text that `parse` reads."""
    if type(value) in CLASSES.values():
        return {"parse": repr(value)}
    if isinstance(value, tuple | list):
        return {"tuple": [encode(item) for item in value]}
    if isinstance(value, dict):
        return {key: encode(item) for key, item in value.items()}
    return value


def decode(value: Any) -> Any:
    """Undoes `encode`."""
    if isinstance(value, dict) and set(value) == {"parse"}:
        return parse(value["parse"])
    if isinstance(value, dict) and set(value) == {"tuple"}:
        return tuple(decode(item) for item in value["tuple"])
    if isinstance(value, dict):
        return {key: decode(item) for key, item in value.items()}
    return value
