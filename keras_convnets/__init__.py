"""ConvNets for Keras 3, exact to their papers and public weights, with all that training needs."""

import importlib
from typing import TYPE_CHECKING, Any

import wrapt

from keras_convnets._version import __version__

if TYPE_CHECKING:
    from keras_convnets._registry import get_model, list_models
    from keras_convnets.alexnet import AlexNet
    from keras_convnets.analysis import count_complexity
    from keras_convnets.googlenet import GoogLeNet, InceptionV1
    from keras_convnets.inception_resnet import InceptionResNetV1, InceptionResNetV2
    from keras_convnets.inception_v2 import InceptionV2
    from keras_convnets.inception_v3 import InceptionV3
    from keras_convnets.inception_v4 import InceptionV4
    from keras_convnets.lenet import LeNet5
    from keras_convnets.nin import NIN
    from keras_convnets.resnet import (
        ResNet18,
        ResNet34,
        ResNet50,
        ResNet101,
        ResNet152,
        ResNetCIFAR,
    )
    from keras_convnets.resnet_v2 import ResNet50V2, ResNet101V2, ResNet152V2, ResNet200V2
    from keras_convnets.resnext import ResNeXt, ResNeXt29, ResNeXt50, ResNeXt101
    from keras_convnets.training import set_reproducible
    from keras_convnets.vgg import VGG11, VGG13, VGG16, VGG16C, VGG19
    from keras_convnets.xception import Xception

__all__ = [
    "NIN",
    "VGG11",
    "VGG13",
    "VGG16",
    "VGG16C",
    "VGG19",
    "AlexNet",
    "GoogLeNet",
    "InceptionResNetV1",
    "InceptionResNetV2",
    "InceptionV1",
    "InceptionV2",
    "InceptionV3",
    "InceptionV4",
    "LeNet5",
    "ResNeXt",
    "ResNeXt29",
    "ResNeXt50",
    "ResNeXt101",
    "ResNet18",
    "ResNet34",
    "ResNet50",
    "ResNet50V2",
    "ResNet101",
    "ResNet101V2",
    "ResNet152",
    "ResNet152V2",
    "ResNet200V2",
    "ResNetCIFAR",
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
    "AlexNet": "alexnet",
    "GoogLeNet": "googlenet",
    "InceptionV1": "googlenet",
    "InceptionResNetV1": "inception_resnet",
    "InceptionResNetV2": "inception_resnet",
    "InceptionV2": "inception_v2",
    "InceptionV3": "inception_v3",
    "InceptionV4": "inception_v4",
    "LeNet5": "lenet",
    "NIN": "nin",
    "ResNet18": "resnet",
    "ResNet34": "resnet",
    "ResNet50": "resnet",
    "ResNet101": "resnet",
    "ResNet152": "resnet",
    "ResNetCIFAR": "resnet",
    "ResNet50V2": "resnet_v2",
    "ResNet101V2": "resnet_v2",
    "ResNet152V2": "resnet_v2",
    "ResNet200V2": "resnet_v2",
    "ResNeXt": "resnext",
    "ResNeXt29": "resnext",
    "ResNeXt50": "resnext",
    "ResNeXt101": "resnext",
    "VGG11": "vgg",
    "VGG13": "vgg",
    "VGG16": "vgg",
    "VGG16C": "vgg",
    "VGG19": "vgg",
    "Xception": "xception",
    "count_complexity": "analysis",
    "get_model": "_registry",
    "list_models": "_registry",
    "set_reproducible": "training",
}
_ROOMS = {
    "analysis": "analysis",
    "claims": "claims",
    "data": "data",
    "deployment": "deployment",
    "evaluation": "evaluation",
    "imagenet_utils": "imagenet_utils",
    "layers": "layers",
    "recipes": "recipes",
    "training": "training",
    "transfer": "training.transfer",
    "tuning": "tuning",
    "weights": "weights",
}


@wrapt.when_imported("keras")
def _register_layers(keras: Any) -> None:
    """Makes our layers known to `keras.saving.load_model`, whichever is imported first."""
    importlib.import_module(f"{__name__}.layers")


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
        globals()[name] = value
        return value
    if name in _ROOMS:
        return importlib.import_module(f"{__name__}.{_ROOMS[name]}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_ROOMS})
