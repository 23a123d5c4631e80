"""The steps that builders share: check arguments, make the input, add the head, load weights."""

import numbers
import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from keras_convnets import weights as weight_files
from keras_convnets.errors import InputError, check_number
from keras_convnets.layers import BatchNormalization, ContrastWhitening, ImageScaling
from keras_convnets.layers.contrast_whitening import GCN_ZCA
from keras_convnets.recursion import deep_graphs
from keras_convnets.weights.pretrained import Pretrained

POOLINGS = (None, "avg", "max")
# Of images for stems without strides, in pixels: by default, and at least.
SMALL_SIZE, SMALLEST_SIZE = 32, 8


def channels_last() -> bool:
    """Whether images are (height, width, channels) now."""
    return keras.config.image_data_format() == "channels_last"


def channel_axis() -> int:
    """The axis of the channels in a batch of images."""
    return -1 if channels_last() else 1


def activation(x, name: str, function: str = "relu"):
    """Applies an activation function as a layer named `name`."""
    return keras.layers.Activation(function, name=name)(x)


def batch_norm(x, name: str, momentum: float = 0.99, epsilon: float = 1e-3, scale: bool = True):
    """Applies fused batch normalization over the channels as a layer named `name`."""
    return BatchNormalization(
        axis=channel_axis(), momentum=momentum, epsilon=epsilon, scale=scale, name=name
    )(x)


def concatenate(branches, name: str):
    """Concatenates maps over their channels."""
    return keras.layers.Concatenate(axis=channel_axis(), name=name)(branches)


class Net:
    """A net under construction: holds the checked arguments, the input, and later the head.

    Args:
        builder: name of the builder, as the weight catalog knows it.
        include_top: as the builders have it; so are the next seven.
        weights: see above.
        input_tensor: see above.
        input_shape: see above.
        pooling: see above.
        classes: see above.
        classifier_activation: see above.
        name: see above.
        default_size: height and width in pixels when no `input_shape` is given.
        minimum_size: least height and width in pixels.
        default_channels: channels when no `input_shape` is given.
        ends_in_global_pooling: whether the top serves any image size.
        small_input: whether the stem is that for small images, of 32 px by default and 8 at least.
        aux_logits: whether the net will get auxiliary classifiers.
        dropout_rate: rate in [0, 1) before the classifier.
        include_preprocessing: what the net does to pixels by itself, or `False`.

    Raises:
        InputError: if an argument can't be used (a `ValueError`, as in keras.applications).
    """

    def __init__(
        self,
        builder: str,
        include_top: bool,
        weights: str | os.PathLike | Pretrained | None,
        input_tensor: Any,
        input_shape: Sequence[int | None] | None,
        pooling: str | None,
        classes: int,
        classifier_activation: Any,
        name: str,
        *,
        default_size: int,
        minimum_size: int,
        default_channels: int = 3,
        ends_in_global_pooling: bool = True,
        small_input: bool = False,
        aux_logits: bool = False,
        dropout_rate: float = 0.0,
        include_preprocessing: bool | str = False,
    ):
        self.builder = builder
        self.include_top = include_top
        self.pretrained = weights.entry if isinstance(weights, Pretrained) else None
        self.weights = weights.given if isinstance(weights, Pretrained) else weights
        if isinstance(weights, os.PathLike):
            self.weights = os.fspath(weights)
        self.pooling = pooling
        self.classes = classes
        self.classifier_activation = classifier_activation
        self.name = name
        self._check_weights()
        self._check_head()
        if aux_logits and not include_top:
            raise InputError(
                "`aux_logits=True` puts auxiliary classifiers beside the top, so it needs "
                "`include_top=True`. Received: include_top=False"
            )
        check_number("`dropout_rate`", dropout_rate, least=0, below=1)
        self.dropout_rate = dropout_rate
        self._auxiliary: dict[str, Any] = {}
        if small_input:
            default_size, minimum_size = SMALL_SIZE, SMALLEST_SIZE
        shape = self._obtain_shape(
            input_shape, default_size, default_channels, ends_in_global_pooling
        )
        _check_size(shape, minimum_size, f"input_shape={shape}")
        self._input_tensor = input_tensor
        if input_tensor is None:
            self.input = keras.Input(shape=shape, name="image")
        elif keras.backend.is_keras_tensor(input_tensor):
            _check_size(input_tensor.shape[1:], minimum_size, f"input_tensor={input_tensor}")
            self.input = input_tensor
        else:
            self.input = keras.Input(tensor=input_tensor, shape=shape)
        is_free = None in self.input.shape[1:]
        if include_top and is_free and not ends_in_global_pooling:
            raise InputError(
                "If `include_top` is True, this net needs a static `input_shape`. "
                f"Received: an input of shape {self.input.shape}"
            )
        if aux_logits and is_free:
            raise InputError(
                "`aux_logits=True` needs a static `input_shape`, for the size of the auxiliary "
                f"heads depends on it. Received: an input of shape {self.input.shape}"
            )

        self._image = self.input
        if include_preprocessing:
            self.input = _preprocessing(include_preprocessing)(self.input)

    def _check_weights(self) -> None:
        is_file = isinstance(self.weights, str) and os.path.exists(self.weights)
        if self.pretrained is None and self.weights is not None and not is_file:
            raise InputError(
                "The `weights` argument should be either `None` (random initialization), "
                "'imagenet' (pre-training on ImageNet), a name that `weights.entries()` has, or "
                f"the path of a weights file that exists. Received: weights={self.weights!r}"
            )
        if self.pretrained and self.include_top and self.classes != self.pretrained.classes:
            raise InputError(
                f"If using `weights={self.weights!r}` with `include_top=True`, `classes` should "
                f"be {self.pretrained.classes}; `weights.load(model, ..., strict=False)` starts "
                f"the head anew. Received: classes={self.classes}"
            )

    def _check_head(self) -> None:
        if self.pooling not in POOLINGS:
            raise InputError(
                f"`pooling` should be one of None, 'avg', 'max'. Received: pooling={self.pooling!r}"
            )
        is_count = isinstance(self.classes, numbers.Integral) and self.classes is not True
        if self.include_top and not (is_count and self.classes > 0):
            raise InputError(
                f"`classes` should be a positive integer. Received: classes={self.classes!r}"
            )
        loads_head = self.include_top and self.weights is not None
        allowed = [keras.activations.get(name) for name in (None, "softmax")]
        if loads_head and keras.activations.get(self.classifier_activation) not in allowed:
            raise InputError(
                "Only `None` and `softmax` activations are allowed for the "
                "`classifier_activation` argument when using pretrained weights with "
                "`include_top=True`. "
                f"Received: classifier_activation={self.classifier_activation!r}"
            )

    def _obtain_shape(
        self, shape: Sequence[int | None] | None, size: int, channels: int, any_size: bool
    ) -> tuple[int | None, ...]:
        imagenet = self.weights == "imagenet"
        default = (size, size, channels) if channels_last() else (channels, size, size)
        if shape is None:
            free = (None, None, channels) if channels_last() else (channels, None, None)
            return default if self.include_top or not any_size else free
        is_sequence = isinstance(shape, Sequence) and not isinstance(shape, str)
        if not is_sequence or len(shape) != 3 or not all(map(_is_size, shape)):
            raise InputError(
                "`input_shape` must be a tuple of three integers (None for a size that is free). "
                f"Received: input_shape={shape}"
            )
        shape = tuple(None if length is None else int(length) for length in shape)
        found = shape[channel_axis() if channels_last() else 0]
        if found is None:
            raise InputError(
                "The number of channels in `input_shape` must be an integer. "
                f"Received: input_shape={shape}"
            )
        if imagenet and self.include_top and shape != default:
            raise InputError(
                "When setting `include_top=True` and loading `imagenet` weights, "
                f"`input_shape` should be {default}. Received: input_shape={shape}"
            )
        if imagenet and found != channels:
            raise InputError(
                f"The input must have {channels} channels. Received: input_shape={shape}"
            )
        if found not in (1, 3):
            warnings.warn(
                "This model usually expects 1 or 3 input channels. However, it was passed "
                f"an input_shape with {found} input channels.",
                stacklevel=5,
            )
        return shape

    def add_auxiliary(self, x, name: str) -> None:
        """Adds an auxiliary classifier on the features `x`: an output of the model by its name."""
        self._auxiliary[name] = self._dense(x, name)

    def build(
        self,
        x,
        *,
        head: Callable | None = None,
        classifier: keras.Layer | None = None,
    ) -> keras.Model:
        """Puts the head on the last feature map `x`, makes the model, and loads its weights.

        Args:
            x: the last feature map.
            head: what stands between `x` and the dropout; global average pooling if `None`.
            classifier: a layer that gives the logits; a Dense layer if `None`.
        """
        if self.include_top:
            x = dropout((head or global_average)(x), self.dropout_rate)
            x = self._classify(x, classifier)
        elif self.pooling == "avg":
            x = keras.layers.GlobalAveragePooling2D(name="avg_pool")(x)
        elif self.pooling == "max":
            x = keras.layers.GlobalMaxPooling2D(name="max_pool")(x)
        inputs = self._image
        if self._input_tensor is not None:
            sources = keras.utils.get_source_inputs(self._input_tensor)
            inputs = sources[0] if len(sources) == 1 else sources
        outputs = {"predictions": x, **self._auxiliary} if self._auxiliary else x
        with deep_graphs():
            model = keras.Model(inputs, outputs, name=self.name)
        if self.weights is not None:
            report = weight_files.load(model, self.pretrained or self.weights)
            if report.left:
                warnings.warn(
                    f"{report.source} has no weights for the auxiliary heads of {self.name!r}, "
                    f"which keep those they have: {', '.join(report.left)}.",
                    stacklevel=4,
                )
        return model

    def _classify(self, x, classifier: keras.Layer | None):
        if classifier is None:
            return self._dense(x, "predictions")
        x = classifier(x)
        return keras.layers.Activation(
            self.classifier_activation, dtype=head_dtype(), name="predictions"
        )(x)

    def _dense(self, x, name: str):
        return keras.layers.Dense(
            self.classes, activation=self.classifier_activation, dtype=head_dtype(), name=name
        )(x)


def _preprocessing(mode: str) -> keras.Layer:
    """The layer by which a net does what images go through, by itself."""
    if mode == GCN_ZCA:
        return ContrastWhitening(name="preprocessing")
    return ImageScaling(mode, name="preprocessing")


def scale_width(filters: int, multiplier: float, unit: int = 8) -> int:
    """Scales a number of filters, to a multiple of `unit`; by 1 it is left as it is."""
    return filters if multiplier == 1 else max(1, round(filters * multiplier / unit)) * unit


def global_average(x):
    """The head of most nets: the mean of each feature map."""
    return keras.layers.GlobalAveragePooling2D(name="avg_pool")(x)


def dense_layers(x, units: Mapping[str, int], rate: float, initializers: Iterator[Any]):
    """Dense ReLU layers, with dropout in between.

    Args:
        x: the features, (n, features).
        units: from the name of each layer to its size.
        rate: of the dropout between the layers; `Net.build` adds what stands behind them.
        initializers: an initializer for each kernel to come.
    """
    for i, (name, size) in enumerate(units.items()):
        x = dropout(x, rate if i else 0, f"{name}_dropout")
        x = keras.layers.Dense(
            size, activation="relu", kernel_initializer=next(initializers), name=name
        )(x)
    return x


def dropout(x, rate: float, name: str = "dropout"):
    """Drops a share of the features while training, or is not there if the rate is 0."""
    return keras.layers.Dropout(rate, name=name)(x) if rate else x


def head_dtype() -> str:
    """The dtype of the classifier: never 16 bits wide, since a softmax needs the range."""
    dtype = keras.config.dtype_policy().variable_dtype
    return "float32" if dtype in ("float16", "bfloat16") else dtype


def map_size(x) -> tuple[int, int]:
    """Height and width of a feature map."""
    return tuple(x.shape[1:3] if channels_last() else x.shape[2:4])


def check_repeats(repeats: Any, default: tuple[int, ...]) -> tuple[int, ...]:
    """Returns the number of blocks of each stage.

    Raises:
        InputError: if there is not one for each.
    """
    if not isinstance(repeats, tuple | list | np.ndarray) or len(repeats) != len(default):
        raise InputError(
            f"`repeats` should be {len(default)} numbers of blocks, such as {default}. "
            f"Received: repeats={repeats!r}"
        )
    for count in repeats:
        check_number("Each of the numbers in `repeats`", count, least=1, whole=True)
    return tuple(map(int, repeats))


def check_head_units(head_units: Any) -> None:
    """Makes sure that sizes of dense layers are such.

    Raises:
        InputError: if they are not.
    """
    if not isinstance(head_units, tuple | list):
        raise InputError(f"`head_units` should be a tuple of sizes. Received: {head_units!r}")
    for units in head_units:
        check_number("Each of the sizes in `head_units`", units, least=1, whole=True)


def _is_size(length: Any) -> bool:
    return length is None or (isinstance(length, numbers.Integral) and length > 0)


def _check_size(shape: Sequence[int | None], minimum: int, received: str) -> None:
    sizes = shape[:2] if channels_last() else shape[1:]
    if any(size is not None and size < minimum for size in sizes):
        raise InputError(f"Input size must be at least {minimum}x{minimum}. Received: {received}")
