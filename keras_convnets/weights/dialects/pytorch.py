"""The names of PyTorch's nets: which net a state dict is of."""

from collections.abc import Callable, Mapping

from keras_convnets.weights.dialects import torch_inception, torch_plain, torch_residual
from keras_convnets.weights.dialects.torch_layers import StateDict
from keras_convnets.weights.tensors import Stored, Tensors

# For each net a module that no other has.
_MARKS: dict[str, Callable[[StateDict], None]] = {
    "layer1.0.conv1": torch_residual.resnet,
    "features.4.0.0.0.0.0": torch_residual.resnext_of_cadene,
    "block1.rep.0.conv1": torch_residual.xception,
    "inception3a.branch1.conv": torch_inception.googlenet,
    "inception_3a_1x1": torch_inception.bn_inception,
    "Mixed_5b.branch1x1.conv": torch_inception.inception_v3,
    "features.3.conv.conv": torch_inception.inception_v4,
    "repeat.0.branch0.conv": torch_inception.inception_resnet_v2,
}
# AlexNet and VGG differ in their first kernel.
_FIRST_KERNELS = {11: torch_plain.alexnet, 3: torch_plain.vgg}


def translate(stored: Mapping[str, Stored]) -> Tensors | None:
    """Returns the tensors by our layers and variables, or `None` if these are no names of PyTorch.

    Args:
        stored: by `module.parameter`, kernels as (out, in, height, width) or (out, in).

    Raises:
        InputError: if a module of the net is missing, or one is too many.
    """
    weights = StateDict(stored)
    take = next((net for mark, net in _MARKS.items() if mark in weights), None)
    take = take or _FIRST_KERNELS.get(weights.kernel_size("features.0"))
    if take is None:
        return None
    take(weights)
    return weights.finish()
