"""Writes a golden as a legacy `.h5` file, as Keras 2 did."""

import re
from pathlib import Path

import h5py
import numpy as np

from .drawing import Golden, draw


def draw_weight(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Draws a weight of a Keras layer, by "layer/variable"."""
    if name.endswith("/depthwise_kernel"):  # of which those of a group are then added up
        return draw(name, shape, int(np.prod(shape[:2])) * shape[3])
    fan_in = int(np.prod(shape[:-1]))
    if re.search(r"block\d+_3_conv/kernel$", name):
        fan_in *= 16  # the end of a branch: a deep net would grow without limit
    return draw(name, shape, fan_in)


def write_legacy_h5(golden: Golden, path: Path) -> None:
    """Writes what `Model.save_weights` wrote: a group for each layer, those without weights too."""
    layers: dict[str, list[str]] = {"input_1": []}
    for name in golden.shapes:
        layers.setdefault(name.rpartition("/")[0], []).append(name)
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [name.encode() for name in layers]
        file.attrs["backend"] = b"tensorflow"
        file.attrs["keras_version"] = b"2.2.4"
        for layer, names in layers.items():
            group = file.create_group(layer)
            group.attrs["weight_names"] = [f"{name}:0".encode() for name in names]
            for name in names:
                group[f"{name}:0"] = draw_weight(name, golden.shapes[name])
