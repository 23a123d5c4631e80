"""Writes a golden as a checkpoint of TensorFlow, or as an archive of TF-slim, without TF-slim."""

import re
import tarfile
import tempfile
from pathlib import Path

import numpy as np

from .drawing import Golden, draw


def draw_variable(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Draws a variable of TF-slim, whose kernels have their outputs on the last axis."""
    if name.endswith("depthwise_weights"):
        fan_in = int(np.prod(shape[:2]))
    else:
        fan_in = int(np.prod(shape[:-1]))
    if re.search(r"bottleneck_v2/conv3/weights$", name):
        fan_in *= 16  # the end of a branch, behind which no normalization stands
    return draw(name, shape, fan_in)


def write_checkpoint(golden: Golden, prefix: Path) -> None:
    """Writes a V2 checkpoint: an index and a file of data."""
    import tensorflow as tf

    names, tensors = _variables(golden)
    tf.raw_ops.SaveV2(
        prefix=str(prefix), tensor_names=names, shape_and_slices=[""] * len(names), tensors=tensors
    )


def write_v1_checkpoint(golden: Golden, path: Path) -> None:
    """Writes a V1 checkpoint: one file."""
    import tensorflow as tf

    names, tensors = _variables(golden)
    tf.raw_ops.Save(filename=str(path), tensor_names=names, data=tensors)


def write_archive(golden: Golden, path: Path, member: str) -> None:
    """Writes a `.tar.gz` archive with a V1 checkpoint, as those of 2016 are.

    Args:
        golden: the net.
        path: of the archive.
        member: name of the checkpoint in it.
    """
    with (
        tempfile.TemporaryDirectory() as folder,
        tarfile.open(path, "w:gz", compresslevel=1) as tar,
    ):
        write_v1_checkpoint(golden, Path(folder) / member)
        tar.add(Path(folder) / member, member)


def _variables(golden: Golden) -> tuple[list[str], list[np.ndarray]]:
    """Names and tensors, with the step of training that stands beside them."""
    names = ["global_step", *golden.shapes]
    drawn = (draw_variable(name, shape) for name, shape in golden.shapes.items())
    return names, [np.int64(0), *drawn]
