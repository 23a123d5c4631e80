"""One door for weights: find the source, read its tensors under our names, then assign them."""

import os
from collections.abc import Collection
from pathlib import Path

import keras

from keras_convnets.errors import InputError
from keras_convnets.weights.cache import obtain
from keras_convnets.weights.catalog import Entry
from keras_convnets.weights.fitting import assign
from keras_convnets.weights.inputs import remember_source
from keras_convnets.weights.pretrained import check_model
from keras_convnets.weights.readers import read
from keras_convnets.weights.report import LoadReport
from keras_convnets.weights.sources import entry_of, existing_file


def load(
    model: keras.Model,
    source: str | os.PathLike | Entry,
    *,
    strict: bool = True,
    layers: Collection[str] | None = None,
) -> LoadReport:
    """Gives a model the weights of an entry of the catalog, or of a file.

    All is checked before the first weight is assigned: a model that can't take the weights keeps
    those it has. No file can run code.

    Args:
        model: a net of ours.
        source: an entry or its name, such as "ResNet50.torchvision_v2"; a file of Keras (`.keras`,
            `.weights.h5`, `.h5`), PyTorch (`.safetensors`, `.pth`), TF-slim (`.ckpt`, `.tar.gz`),
            Caffe (`.caffemodel`) or ONNX (`.onnx`); or a run directory.
        strict: whether all of it has to fit. If not, a classifier for another number of classes,
            or one that the source lacks, keeps the weights it has, and the first kernel is adapted
            to the channels of the input: the sum over RGB for one, R, G and B in turn for more.
        layers: the only ones that are given weights, if the source is a file of another net that
            has them too; `None` for all.

    Returns:
        What became of each layer.

    Raises:
        InputError: if the source can't be had, can't be read, does not fit, or is of another graph
            as far as that can be told.

    Example:

    >>> keras_convnets.NIN(classes=10).save("trained.keras")
    >>> model = keras_convnets.NIN(classes=5)
    >>> print(keras_convnets.weights.load(model, "trained.keras", strict=False))
    'trained.keras': 8 layers loaded; start anew: cccp6
    """
    entry = source if isinstance(source, Entry) else entry_of(source)
    if entry is None:
        path = existing_file(Path(source))
        return assign(model, read(path, model), repr(str(path)), strict=strict, only=layers)

    if layers is not None:
        raise InputError(f"Only some layers can be had of a file. Received: {entry.name}")
    check_model(entry, model)
    has_head = any(layer.name == "predictions" for layer in model.layers)
    file = entry.file if has_head or entry.headless is None else entry.headless
    tensors = read(obtain(file), model, file.member)
    report = assign(model, tensors, entry.name, strict=strict)
    remember_source(model, entry)
    return report
