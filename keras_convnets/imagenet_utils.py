"""Preprocessing of images and names of the 1,000 ImageNet classes, as in keras.applications."""

import dataclasses
import functools
import importlib.resources
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from keras_convnets.errors import InputError

__all__ = ["class_names", "decode_predictions", "preprocess_input", "preprocessor"]


@dataclasses.dataclass(frozen=True)
class Scaling:
    """Pixels p in 0..255 become (p / divisor - mean) / std, by channel; `bgr` turns RGB round."""

    divisor: float
    mean: tuple[float, ...]
    std: tuple[float, ...]
    bgr: bool = False

    def grey(self) -> "Scaling":
        """The same for one channel, with the luma (ITU-R BT.601) of the mean and deviation."""
        if len(self.mean) == 1:
            return self
        luma = (0.114, 0.587, 0.299) if self.bgr else (0.299, 0.587, 0.114)
        mean, std = (float(np.dot(luma, values)) for values in (self.mean, self.std))
        return Scaling(self.divisor, (mean,), (std,))


SCALINGS = {
    "caffe": Scaling(1.0, (103.939, 116.779, 123.68), (1.0, 1.0, 1.0), bgr=True),
    "tf": Scaling(127.5, (1.0,), (1.0,)),
    "torch": Scaling(255.0, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    # Pixels of the CIFAR-10 training images, facebook/fb.resnet.torch datasets/cifar10.lua.
    "cifar": Scaling(1.0, (125.3, 123.0, 113.9), (63.0, 62.1, 66.7)),
    # LeCun et al. 1998, section III.A: background -0.1, foreground 1.175.
    "lenet": Scaling(255.0 / 1.275, (0.1,), (1.0,)),
    # BVLC/caffe models/bvlc_googlenet/train_val.prototxt.
    "bvlc": Scaling(1.0, (104.0, 117.0, 123.0), (1.0, 1.0, 1.0), bgr=True),
    # Cadene/pretrained-models.pytorch bninception.py, whose last number is not Caffe's.
    "bn_inception": Scaling(1.0, (104.0, 117.0, 128.0), (1.0, 1.0, 1.0), bgr=True),
    # tensorflow/models research/slim/preprocessing/vgg_preprocessing.py.
    "slim_vgg": Scaling(1.0, (123.68, 116.779, 103.939), (1.0, 1.0, 1.0)),
    # Pixels as they are, for nets that have their scaling in them.
    "raw": Scaling(1.0, (0.0,), (1.0,)),
}


def preprocess_input(x: Any, data_format: str | None = None, mode: str = "caffe") -> Any:
    """Scales a batch of images, or one image, as a net expects it. Never writes into `x`.

    Args:
        x: array or tensor, (n, height, width, channels) or (height, width, channels), RGB in
            0..255 of any dtype; channels first if `data_format` says so.
        data_format: "channels_last", "channels_first", or `None` for Keras' setting.
        mode: "caffe" (BGR minus the ImageNet mean), "tf" (to [-1, 1]), "torch" (to [0, 1], then
            the ImageNet mean and deviation), "cifar" (the same with CIFAR-10's), "lenet" (to
            [-0.1, 1.175]), "bvlc" (BGR minus 104, 117, 123), "bn_inception" (BGR minus 104, 117,
            128), or "slim_vgg" (RGB minus the ImageNet mean). One channel takes the grey value of
            the mean and deviation.

    Returns:
        A new array or tensor; floating input keeps its dtype, other input becomes `floatx`.

    Raises:
        InputError: if `mode` or `data_format` is unknown, or the channels don't fit the mode.

    Example:

    >>> keras_convnets.imagenet_utils.preprocess_input(np.array([[[0, 255, 51]]]), mode="tf")
    array([[[-1. ,  1. , -0.6]]], dtype=float32)
    """
    if mode not in SCALINGS:
        raise InputError(
            f"Expected mode to be one of {', '.join(SCALINGS)}. Received: mode={mode!r}"
        )
    data_format = data_format or keras.config.image_data_format()
    if data_format not in ("channels_first", "channels_last"):
        raise InputError(
            "Expected data_format to be one of `channels_first` or `channels_last`. "
            f"Received: data_format={data_format!r}"
        )
    scaling = SCALINGS[mode]
    if isinstance(x, np.ndarray):
        if not np.issubdtype(x.dtype, np.floating):
            x = x.astype(keras.config.floatx())
    elif hasattr(x, "dtype"):
        if not keras.backend.is_float_dtype(keras.backend.standardize_dtype(x.dtype)):
            x = keras.ops.cast(x, keras.config.floatx())
    else:
        x = np.asarray(x, keras.config.floatx())
    axis = -1 if data_format == "channels_last" else len(x.shape) - 3
    channels = x.shape[axis]
    if channels == 1:
        scaling = scaling.grey()
    if len(scaling.mean) not in (1, channels):
        raise InputError(
            f"mode={mode!r} is made for {len(scaling.mean)} channels. "
            f"Received an array of shape {tuple(x.shape)} with data_format={data_format!r}"
        )
    if scaling.bgr:
        x = np.flip(x, axis) if isinstance(x, np.ndarray) else keras.ops.flip(x, axis)
    shape = [1] * len(x.shape)
    shape[axis] = len(scaling.mean)
    dtype = keras.backend.standardize_dtype(x.dtype)
    # Each pass over an image takes time, and dividing by one changes nothing.
    if scaling.divisor != 1:
        x = x / np.asarray(scaling.divisor, dtype)
    x = x - np.reshape(scaling.mean, shape).astype(dtype)
    if any(value != 1 for value in scaling.std):
        x = x / np.reshape(scaling.std, shape).astype(dtype)
    return x


def preprocessor(mode: str) -> Callable[..., Any]:
    """Returns the `preprocess_input` of an architecture whose public weights use `mode`."""

    def preprocess(x: Any, data_format: str | None = None) -> Any:
        return preprocess_input(x, data_format=data_format, mode=mode)

    preprocess.__name__ = preprocess.__qualname__ = "preprocess_input"
    preprocess.__doc__ = (
        f'Scales images as `imagenet_utils.preprocess_input(mode="{mode}")` does, for the nets of '
        "this module whose docstring does not name another mode."
    )
    return preprocess


@functools.cache
def class_names() -> tuple[tuple[str, str], ...]:
    """Returns (WordNet id, name) of the 1,000 ILSVRC-2012 classes, in the order of the logits."""
    text = importlib.resources.files("keras_convnets").joinpath("imagenet_classes.tsv").read_text()
    rows = (line.split("\t") for line in text.splitlines() if not line.startswith("#"))
    return tuple((wordnet_id, name) for wordnet_id, name in rows)


def decode_predictions(preds: Any, top: int = 5) -> list[list[tuple[str, str, float]]]:
    """Names the classes of ImageNet predictions, best first; the names ship with the package.

    Args:
        preds: array or tensor (n, 1000) of scores.
        top: int, how many classes an image.

    Returns:
        For each image a list of (WordNet id, class name, score).

    Raises:
        InputError: if `preds` is not of shape (n, 1000).

    Example:

    >>> keras_convnets.imagenet_utils.decode_predictions(np.eye(1000)[[281]], top=1)
    [[('n02123045', 'tabby', 1.0)]]
    """
    if len(preds.shape) != 2 or preds.shape[1] != 1000:
        raise InputError(
            "`decode_predictions` expects a batch of predictions (a 2D array of shape "
            f"(samples, 1000)). Received array with shape: {tuple(preds.shape)}"
        )
    scores = keras.ops.convert_to_numpy(preds)
    best = np.argsort(-scores, axis=1, kind="stable")[:, :top]
    names = class_names()
    return [
        [(*names[i], float(row[i])) for i in order] for row, order in zip(scores, best, strict=True)
    ]
