"""A tiny net in each form of file that Keras and PyTorch write."""

import re
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
from safetensors.numpy import save_file

from keras_convnets import ResNet18

from .peers.drawing import Golden
from .peers.write_torch import write_legacy_pth, write_pth

_PARAMETERS = {
    "kernel": "weight",
    "bias": "bias",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}


OPTIONS = {"width_multiplier": 0.05, "repeats": (1, 1, 1, 1), "small_input": True}


def build(**options) -> keras.Model:
    """A net whose file loads in some milliseconds."""
    return ResNet18(weights=None, **{**OPTIONS, "classes": 4, **options})


def as_golden(model: keras.Model) -> Golden:
    """The names and shapes that torchvision has for the tensors of a basic ResNet of ours."""
    shapes: dict[str, tuple[int, ...]] = {}
    for layer in model.layers:
        for variable in layer.weights:
            shape = tuple(variable.shape)
            order = {4: (3, 2, 0, 1), 2: (1, 0)}.get(len(shape), (0,))
            name = f"{_module(layer.name)}.{_PARAMETERS[variable.name]}"
            shapes[name] = tuple(shape[axis] for axis in order)
        if layer.name.endswith("_bn"):
            shapes[f"{_module(layer.name)}.num_batches_tracked"] = ()
    return Golden(shapes, 32, np.zeros(4), "")


def _module(layer: str) -> str:
    if layer == "predictions":
        return "fc"
    kind = layer.rpartition("_")[2]
    unit = re.fullmatch(r"conv(\d)_block(\d+)_(\d)_(?:conv|bn)", layer)
    if unit is None:
        return f"{kind}1"
    stage, block, i = map(int, unit.groups())
    module = f"layer{stage - 1}.{block - 1}"
    return f"{module}.{kind}{i}" if i else f"{module}.downsample.{int(kind == 'bn')}"


def _write_safetensors(model: keras.Model, path: Path) -> None:
    tensors = {
        f"{layer.name}/{variable.name}": variable.numpy()
        for layer in model.layers
        for variable in layer.weights
    }
    save_file(tensors, path)


# By the end of the file's name.
WRITERS: dict[str, Callable[[keras.Model, Path], None]] = {
    ".keras": lambda model, path: model.save(path),
    ".weights.h5": lambda model, path: model.save_weights(path),
    ".h5": lambda model, path: model.save(path),
    ".safetensors": _write_safetensors,
    ".pth": lambda model, path: write_pth(as_golden(model), path),
    ".legacy.pth": lambda model, path: write_legacy_pth(as_golden(model), path),
}


def write(model: keras.Model, folder: Path, form: str) -> Path:
    """Writes a file of a form, and returns its path."""
    path = folder / f"tiny{form}"
    WRITERS[form](model, path)
    return path
