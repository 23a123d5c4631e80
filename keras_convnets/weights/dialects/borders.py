"""How Inception nets treat the borders of maps, in which frameworks differ and shapes don't."""

import dataclasses
import re

import keras

from keras_convnets.errors import InputError


@dataclasses.dataclass(frozen=True)
class Borders:
    """What a framework's Inception nets do at borders.

    Attributes:
        framework: its name.
        is_symmetric: whether strided layers of GoogLeNet and Inception-v2 pad both sides alike.
        including: pattern of the averages that count the padding in.
    """

    framework: str
    is_symmetric: bool
    including: str

    def check(self, model: keras.Model) -> None:
        """Refuses a net whose borders are not the framework's.

        Raises:
            InputError: if they are not; the message names the option.
        """
        for layer in model.layers:
            if re.search(r"branch\d_pool$", layer.name) and isinstance(
                layer, keras.layers.AveragePooling2D
            ):
                self._check_average(model, layer)
            if layer.name == "conv1" and any("inception_" in other.name for other in model.layers):
                self._check_stride(model, layer)

    def _check_average(self, model: keras.Model, pool: keras.layers.AveragePooling2D) -> None:
        includes = re.match(self.including, pool.name) is not None
        if includes == (pool.padding == "valid"):
            return
        theirs, ours = ("count", "leave out") if includes else ("leave out", "count")
        option = "include" if includes else "exclude"
        scale = ", and with `batch_norm_scale=True` unless every scale in the file is 1"
        raise InputError(
            f"Averages at the borders of {model.name!r} {ours} the padding, and those of "
            f"{self.framework}'s net {theirs} it, so these weights would fit and give wrong "
            f'results; build the net with `average_pool_padding="{option}"`'
            f"{scale if includes else ''}."
        )

    def _check_stride(self, model: keras.Model, conv: keras.Layer) -> None:
        is_symmetric = conv.padding == "valid"
        if max(conv.strides) == 1 or is_symmetric == self.is_symmetric:
            return
        theirs, ours = ("does", "does not") if self.is_symmetric else ("does not", "does")
        raise InputError(
            f"{model.name!r} {ours} pad both sides of a map alike in front of strides, and "
            f"{self.framework}'s net {theirs}, so these weights would fit and give wrong results; "
            "build another `variant` of the net."
        )


TORCH = Borders("PyTorch", True, r"mixed\d+_|inception_")
SLIM = Borders("TF-slim", False, r"(?!)")
KERAS = Borders("Keras", False, r"(?!)")
CAFFE = Borders("Caffe", True, r"")
