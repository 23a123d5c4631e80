"""ResNets and ResNeXts of torchvision, timm and Cadene, and Xception of timm and Cadene."""

import itertools
from collections.abc import Iterator

import keras

from keras_convnets.errors import InputError
from keras_convnets.weights.dialects.torch_layers import StateDict


def resnet(weights: StateDict) -> None:
    """torchvision's and timm's; all depths have the names of the deepest."""
    weights.conv("conv1", "conv1_conv")
    weights.norm("bn1", "conv1_bn")
    for theirs, ours in _units(weights, "layer{0}.{1}.conv1", "layer{0}.{1}", first_stage=1):
        for i in (1, 2, 3):
            if f"{theirs}.conv{i}" in weights:
                weights.conv(f"{theirs}.conv{i}", f"{ours}_{i}_conv")
                weights.norm(f"{theirs}.bn{i}", f"{ours}_{i}_bn")
        if f"{theirs}.downsample.0" in weights:
            weights.conv(f"{theirs}.downsample.0", f"{ours}_0_conv")
            weights.norm(f"{theirs}.downsample.1", f"{ours}_0_bn")
    weights.head("fc")


def check_strides(model: keras.Model) -> None:
    """Refuses a net that has its strides where no ResNet of PyTorch has them: shapes don't tell.

    Raises:
        InputError: if a bottleneck unit has its stride in the first convolution.
    """
    names = {layer.name for layer in model.layers}
    is_bottleneck = {"conv3_block1_1_conv", "conv3_block1_3_conv"} <= names
    if is_bottleneck and model.get_layer("conv3_block1_1_conv").strides != (1, 1):
        raise InputError(
            f"{model.name!r} has its strides in the first convolution of a unit, and ResNets of "
            "PyTorch have them in the 3x3 one, so these weights would fit and give wrong results; "
            'build the net with `variant="v1.5"`.'
        )


def resnext_of_cadene(weights: StateDict) -> None:
    """A net that was converted from Lua, so that modules are known by their position."""
    weights.conv("features.0", "conv1_conv")
    weights.norm("features.1", "conv1_bn")
    mark = "features.{0}.{1}.0.0.0.0"
    for theirs, ours in _units(weights, mark, "features.{0}.{1}.0", first_stage=4):
        for conv, norm, i in (
            ("0.0.0", "0.0.1", 1),
            ("0.0.3", "0.0.4", 2),
            ("0.1", "0.2", 3),
            ("1.0", "1.1", 0),
        ):
            if f"{theirs}.{conv}" in weights:
                weights.conv(f"{theirs}.{conv}", f"{ours}_{i}_conv")
                weights.norm(f"{theirs}.{norm}", f"{ours}_{i}_bn")
    weights.head("last_linear")


def _units(weights: StateDict, mark: str, unit: str, first_stage: int) -> Iterator[tuple[str, str]]:
    """Gives (their name, our name) of each unit of the four stages."""
    for stage in range(4):
        for i in itertools.count():
            position = (first_stage + stage, i)
            if mark.format(*position) not in weights:
                break
            yield unit.format(*position), f"conv{stage + 2}_block{i + 1}"


# Of timm's blocks the positions of the separable convolutions; each has its norm behind it.
_XCEPTION = {
    1: (0, 3),
    **dict.fromkeys((2, 3, 12), (1, 4)),
    **dict.fromkeys(range(4, 12), (1, 4, 7)),
}


def xception(weights: StateDict) -> None:
    """timm's legacy_xception, which is Cadene's: a port of Keras' net with another epsilon."""
    weights.excess_epsilon = 1e-5 - 1e-3
    weights.conv_norm("conv1", "bn1", "block1_conv1")
    weights.conv_norm("conv2", "bn2", "block1_conv2")
    for block, positions in _XCEPTION.items():
        theirs, ours = f"block{block}", f"block{block + 1}"
        for i, position in enumerate(positions, start=1):
            layer = f"{ours}_sepconv{i}"
            conv = f"{theirs}.rep.{position}"
            weights.separable(f"{conv}.conv1", f"{conv}.pointwise", layer)
            weights.norm(f"{theirs}.rep.{position + 1}", f"{layer}_bn")
        if f"{theirs}.skip" in weights:
            weights.conv_norm(f"{theirs}.skip", f"{theirs}.skipbn", f"{ours}_shortcut_conv")
    for i, (conv, norm) in enumerate((("conv3", "bn3"), ("conv4", "bn4")), start=1):
        weights.separable(f"{conv}.conv1", f"{conv}.pointwise", f"block14_sepconv{i}")
        weights.norm(norm, f"block14_sepconv{i}_bn")
    weights.head("fc", "last_linear")
