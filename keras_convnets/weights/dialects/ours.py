"""Our own names: `layer/variable`, as `keras-convnets weights convert` writes them."""

from collections.abc import Mapping

from keras_convnets.weights.tensors import Stored, Tensors

_VARIABLES = {
    "kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance",
    "depthwise_kernel", "pointwise_kernel", "coefficient", "prototypes",
}  # fmt: skip


def translate(stored: Mapping[str, Stored]) -> Tensors | None:
    """Returns the tensors by layer and variable, or `None` if a name has another form."""
    tensors: Tensors = {}
    for name, tensor in stored.items():
        layer, _, variable = name.rpartition("/")
        if not layer or variable not in _VARIABLES:
            return None
        tensors.setdefault(layer, {})[variable] = tensor
    return tensors
