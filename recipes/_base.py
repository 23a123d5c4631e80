"""What recipes have in common: their data, and what they do where a paper says nothing."""

from keras_convnets.evaluation import CenterCrop
from keras_convnets.training import Recipe, Sourced, choice

IMAGENET = choice("tfds:imagenet2012", "ILSVRC-2012 as TensorFlow Datasets prepares it")
CIFAR10 = choice("tfds:cifar10", "CIFAR-10 as TensorFlow Datasets downloads it")
JFT = choice("folder:JFT", "JFT is Google's own and not public")

# The crop that most papers test with, where theirs is many crops or none is stated.
CENTER_224_OF_256 = 224 / 256

_NONE = "none is stated"
_SILENT = {
    "variant": choice(None, "the builder's own"),
    "model_options": choice({}, "the builder's own"),
    "l2": choice(0.0, _NONE),
    "l2_scope": choice("kernels", "unpublished; decaying biases or BN's scales is not usual"),
    "dropout_rate": choice(0.0, _NONE),
    "label_smoothing": choice(0.0, _NONE),
    "aux_weight": choice(None, _NONE),
    "clip_norm": choice(None, _NONE),
    "ema": choice(None, _NONE),
    "batch_norm": choice(None, "the builder's; none is stated"),
    "initializer": choice(None, "the builder's; none is stated"),
    "augmentation": choice((), _NONE),
    "evaluation": choice(CenterCrop(CENTER_224_OF_256), "unpublished; the usual central crop"),
    "parallelism": choice("sync", "the paper does not say"),
}


def complete(**stated: Sourced) -> Recipe:
    """Returns a recipe of the fields that are given; its paper says nothing of the others."""
    return Recipe(**(_SILENT | stated))


def right(top1_error: float, top5_error: float) -> dict[str, float]:
    """Returns the shares of right answers, of errors as papers print them, in per cent."""
    return {"top1": round(1 - top1_error / 100, 4), "top5": round(1 - top5_error / 100, 4)}
