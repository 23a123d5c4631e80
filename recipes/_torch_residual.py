"""What the Torch code does that ResNet-200 and the ResNeXts were trained by."""

from keras_convnets.data import ColorJitter, FlipLeftRight, PCALighting, RandomSizedCrop
from keras_convnets.evaluation import CenterCrop
from keras_convnets.recipes._base import CENTER_224_OF_256
from keras_convnets.training import SGD, C, HeNormal, Sourced

FB_RESNET = "facebook/fb.resnet.torch"
RESNEXT = "facebookresearch/ResNeXt"
DISTORTED = (RandomSizedCrop(), ColorJitter(0.4, 0.4, 0.4), PCALighting(0.1), FlipLeftRight())


def torch_code(repository: str) -> dict[str, Sourced]:
    """Returns the fields that the code decides, whatever the data.

    Args:
        repository: owner and name.
    """
    return {
        "optimizer": C(
            SGD(momentum=0.9, nesterov=True, rate_inside=False), f"{repository}/train.lua"
        ),
        "l2_scope": C("all", f"{repository}/train.lua"),
        "batch_norm": C({"momentum": 0.9, "epsilon": 1e-5}, f"{repository}/models: Torch's own"),
        "initializer": C(HeNormal("fan_out"), f"{repository}/models"),
    }


def torch_imagenet(repository: str) -> dict[str, Sourced]:
    """Returns the fields that the code decides on ImageNet."""
    return torch_code(repository) | {
        "augmentation": C(DISTORTED, f"{repository}/datasets/imagenet.lua"),
        "evaluation": C(CenterCrop(CENTER_224_OF_256), f"{repository}/datasets/imagenet.lua"),
    }
