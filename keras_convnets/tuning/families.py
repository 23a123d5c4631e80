"""A hyper-model for each family of nets, with the recipe of its paper."""

from collections.abc import Sequence
from typing import Any, ClassVar

from keras_convnets.errors import InputError
from keras_convnets.training.recipe import Recipe
from keras_convnets.training.start import architecture_of
from keras_convnets.tuning.hyper_models import HyperConvNet
from keras_convnets.tuning.limits import Limits
from keras_convnets.tuning.spaces import Space


class _Family(HyperConvNet):
    """A `HyperConvNet` of one family; its arguments are those of `HyperConvNet`.

    Attributes:
        default: name of the recipe where none is given.
        home: module of the family's builders.
    """

    default: ClassVar[str]
    home: ClassVar[str]

    def __init__(
        self,
        recipe: str | Recipe | None = None,
        space: str | Space = "default",
        *,
        input_shape: Sequence[int],
        classes: int,
        limits: Limits | None = None,
        **kwargs: Any,
    ):
        super().__init__(
            None,
            self.default if recipe is None else recipe,
            space,
            input_shape=input_shape,
            classes=classes,
            limits=limits,
            **kwargs,
        )
        entry, _ = architecture_of(self.recipe)
        if entry.builder.__module__.rpartition(".")[2] != self.home:
            raise InputError(
                f"{type(self).__name__} is for nets of `keras_convnets.{self.home}`; "
                f"HyperConvNet takes any. Received: the recipe {self.recipe.name!r} for "
                f"{entry.name}"
            )


class HyperLeNet5(_Family):
    """LeNet-5 and its recipe for MNIST."""

    default, home = "lenet5_mnist", "lenet"


class HyperAlexNet(_Family):
    """AlexNet and its recipe for ImageNet."""

    default, home = "alexnet_imagenet", "alexnet"


class HyperNIN(_Family):
    """Network in Network and its recipe for CIFAR-10."""

    default, home = "nin_cifar10", "nin"


class HyperVGG(_Family):
    """VGG and its recipe for ImageNet."""

    default, home = "vgg_imagenet", "vgg"


class HyperGoogLeNet(_Family):
    """GoogLeNet and its recipe for ImageNet."""

    default, home = "googlenet_imagenet", "googlenet"


class HyperInceptionV2(_Family):
    """Inception with batch normalization and its recipe for ImageNet."""

    default, home = "inception_v2_imagenet", "inception_v2"


class HyperInceptionV3(_Family):
    """Inception-v3 and its recipe for ImageNet."""

    default, home = "inception_v3_imagenet", "inception_v3"


class HyperInceptionV4(_Family):
    """Inception-v4 and its recipe for ImageNet."""

    default, home = "inception_v4_imagenet", "inception_v4"


class HyperInceptionResNet(_Family):
    """Inception-ResNet, by default the second, and its recipe for ImageNet."""

    default, home = "inception_resnet_v2_imagenet", "inception_resnet"


class HyperXception(_Family):
    """Xception and its recipe for ImageNet."""

    default, home = "xception_imagenet", "xception"


class HyperResNet(_Family):
    """ResNet and its recipe for ImageNet; "resnet_cifar10" is that of the nets for CIFAR-10."""

    default, home = "resnet_imagenet", "resnet"


class HyperResNetV2(_Family):
    """ResNet with pre-activation and its recipe for ImageNet."""

    default, home = "resnet200_imagenet", "resnet_v2"


class HyperResNeXt(_Family):
    """ResNeXt and its recipe for ImageNet; "resnext_cifar" is that of the nets for CIFAR."""

    default, home = "resnext_imagenet", "resnext"
