"""Weights from any source into a file of another format."""

import os
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
from safetensors.numpy import save

from keras_convnets.deployment.model_card import ModelCard
from keras_convnets.deployment.saved_model import save_model
from keras_convnets.deployment.sources import Source
from keras_convnets.errors import InputError, reason_of
from keras_convnets.files import check_writable, replacing
from keras_convnets.weights import LoadReport
from keras_convnets.weights.dialects import ours
from keras_convnets.weights.tensors import Stored


def convert(source: Source, out: str | os.PathLike) -> tuple[LoadReport, ModelCard | None]:
    """Writes a net with its weights, whole or not at all.

    Args:
        source: from `find_source`.
        out: `.keras`, with the card beside it as `.json`; `.weights.h5`; or `.safetensors`, whose
            names are `layer/variable` and whose tensors are laid out as in Keras.

    Returns:
        What became of each layer, and the card, `None` if there is none beside the file.

    Raises:
        InputError: if `out` can't be written, the source can't be loaded, or the net has
            something that such a file does not hold.
    """
    out = Path(out)
    check_out(out)
    model, report = source.load()
    card = None
    if out.suffix == ".keras":
        if isinstance(model.output, dict) or "predictions" not in _names(model):
            raise InputError(
                "The .json beside a .keras file names the classes of its one output, and "
                f"{model.name!r} has other outputs; write .weights.h5 or .safetensors. "
                f"Received: {str(out)!r}"
            )
        card = source.card(model)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        _writer(out)(model, out, card)
    except OSError as error:
        raise InputError(f"{str(out)!r} can't be written: {reason_of(error)}") from error
    return report, card


def check_out(out: Path) -> None:
    """Makes sure that a file can be written, before there is work to lose.

    Raises:
        InputError: if it is of no format that is written, or can't be.
    """
    if _writer(out) is None:
        raise InputError(
            f"What is written should end in one of {', '.join(_WRITERS)}. Received: {str(out)!r}"
        )
    if os.path.isdir(out):
        raise InputError(f"What is written is a file, not a folder. Received: {str(out)!r}")
    check_writable(out.parent)


def _writer(out: Path) -> Callable[[keras.Model, Path, ModelCard | None], None] | None:
    return next((write for suffix, write in _WRITERS.items() if out.name.endswith(suffix)), None)


def _names(model: keras.Model) -> set[str]:
    return {layer.name for layer in model.layers}


def _write_weights(model: keras.Model, out: Path, card: ModelCard | None) -> None:
    with replacing(out) as temporary:
        model.save_weights(temporary)


def _write_safetensors(model: keras.Model, out: Path, card: ModelCard | None) -> None:
    arrays = {
        f"{layer.name}/{variable.name}": np.ascontiguousarray(variable.numpy())
        for layer in model.layers
        for variable in layer.weights
    }
    if ours.translate({name: Stored.of(array) for name, array in arrays.items()}) is None:
        raise InputError(
            f"{model.name!r} has layers whose variables a .safetensors file has no names for; "
            f"write .weights.h5. Received: {str(out)!r}"
        )
    with replacing(out) as temporary:
        temporary.write_bytes(save(arrays))  # `save_file` would make it private


_WRITERS = {
    ".keras": save_model,
    ".weights.h5": _write_weights,
    ".safetensors": _write_safetensors,
}
