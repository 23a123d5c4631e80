"""ConvNets for Keras 3, exact to their papers and public weights, with all that training needs."""

import importlib
from typing import TYPE_CHECKING, Any

import wrapt

from keras_convnets._version import __version__

if TYPE_CHECKING:
    from keras_convnets._registry import get_model, list_models
    from keras_convnets.analysis import count_complexity
    from keras_convnets.googlenet import GoogLeNet, InceptionV1
    from keras_convnets.inception_resnet import InceptionResNetV1, InceptionResNetV2
    from keras_convnets.inception_v2 import InceptionV2
    from keras_convnets.inception_v3 import InceptionV3
    from keras_convnets.inception_v4 import InceptionV4
    from keras_convnets.lenet import LeNet5
    from keras_convnets.training import set_reproducible
    from keras_convnets.xception import Xception

__all__ = [
    "GoogLeNet",
    "InceptionResNetV1",
    "InceptionResNetV2",
    "InceptionV1",
    "InceptionV2",
    "InceptionV3",
    "InceptionV4",
    "LeNet5",
    "Xception",
    "__version__",
    "count_complexity",
    "get_model",
    "list_models",
    "set_reproducible",
]

# Where each public name lives. Loaded on first use, so that `keras-convnets --help` needs no
# Keras, and building a net needs no training code.
_HOMES = {
    "GoogLeNet": "googlenet",
    "InceptionV1": "googlenet",
    "InceptionV2": "inception_v2",
    "InceptionV3": "inception_v3",
    "InceptionV4": "inception_v4",
    "InceptionResNetV1": "inception_resnet",
    "InceptionResNetV2": "inception_resnet",
    "LeNet5": "lenet",
    "Xception": "xception",
    "count_complexity": "analysis",
    "get_model": "_registry",
    "list_models": "_registry",
    "set_reproducible": "training",
}
_ROOMS = (
    "analysis",
    "data",
    "deployment",
    "evaluation",
    "layers",
    "recipes",
    "training",
    "weights",
)


@wrapt.when_imported("keras")
def _register_layers(keras: Any) -> None:
    """Makes our layers known to `keras.saving.load_model`, whichever is imported first."""
    importlib.import_module(f"{__name__}.layers")


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
        globals()[name] = value
        return value
    if name in _ROOMS or name == "imagenet_utils":
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_ROOMS})
