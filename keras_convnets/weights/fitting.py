"""Weights into a model: all of them are checked before the first is assigned."""

from collections.abc import Collection, Iterable

import keras
import numpy as np

from keras_convnets.errors import InputError
from keras_convnets.weights.formats.reading import naming
from keras_convnets.weights.heads import classifiers, is_auxiliary, is_head
from keras_convnets.weights.report import LoadReport, some
from keras_convnets.weights.tensors import Stored, Tensors

_FLOATS = "fV"  # kinds of NumPy's types; bfloat16 counts as the second
_STATISTICS = ("beta", "moving_mean", "moving_variance")


def assign(
    model: keras.Model,
    tensors: Tensors,
    source: str,
    *,
    strict: bool = True,
    only: Collection[str] | None = None,
) -> LoadReport:
    """Gives a model its weights, or leaves it as it is.

    Auxiliary heads may be missing on either side, and a net without a top needs none.

    Args:
        model: a net of ours.
        tensors: by our layers and variables.
        source: where they come from, for messages.
        strict: whether everything else has to fit. If not, a classifier for another number of
            classes, or one that the source lacks, keeps the weights it has, and the first kernel
            is adapted to the channels of the input (see `adapt_channels`).
        only: names of the layers that are given weights; `None` for all.

    Raises:
        InputError: if a layer is missing on either side, a shape differs, or a number is not
            finite; the model then has the weights it had.
    """
    layers = {layer.name: layer for layer in model.layers if layer.weights}
    if only is not None:
        layers = {name: model.get_layer(name) for name in only}
        tensors = {name: stored for name, stored in tensors.items() if name in only}
    tensors = _absorb_biases(layers, tensors)
    plan = _Plan(model, layers, source, strict)
    for name, layer in layers.items():
        plan.match(layer, tensors.get(name))
    plan.check_missing()
    plan.check_unused(tensors.keys() - layers.keys())
    arrays = [(pair[1], plan.read(*pair)) for pair in plan.pairs]
    for variable, array in arrays:
        variable.assign(array)
    return plan.report()


class _Plan:
    """What goes where, and what becomes of each layer."""

    def __init__(
        self, model: keras.Model, layers: dict[str, keras.Layer], source: str, strict: bool
    ):
        self.source, self.strict = source, strict
        self.refusal = f"{source} does not fit {model.name!r}"
        self.pairs: list[tuple[str, keras.Variable, Stored]] = []
        self._classifiers = classifiers(model)
        self._first = next(iter(layers), None)
        self._has_head = any(is_head(name) for name in layers)
        self._matched: list[str] = []
        self._missing: list[str] = []
        self._reinitialized: list[str] = []
        self._adapted: list[str] = []
        self._unused: list[str] = []

    def match(self, layer: keras.Layer, tensors: dict[str, Stored] | None) -> None:
        """Finds the tensors of one layer."""
        name = layer.name
        if tensors is None:
            self._missing.append(name)
            return
        tensors = _fill_gamma(layer, tensors)
        want = {variable.name: tuple(variable.shape) for variable in layer.weights}
        have = {key: stored.shape for key, stored in tensors.items()}
        if want != have:
            is_classifier = name in self._classifiers and _differs_in_classes(want, have)
            if is_classifier and (not self.strict or is_auxiliary(name)):
                self._reinitialized.append(name)
                return
            if is_auxiliary(name):  # of another image size
                self._missing.append(name)
                return
            adapted = adapt_channels(want, tensors) if name == self._first else None
            if self.strict or adapted is None:
                raise InputError(
                    f"{self.refusal}: layer {name!r} wants {_shapes(want)}. "
                    f"Received: {_shapes(have)}{self._hint(is_classifier, adapted is not None)}"
                )
            tensors = adapted
            self._adapted.append(name)
        self._matched.append(name)
        for variable in layer.weights:
            stored = tensors[variable.name]
            if stored.channels_first and variable.name == "kernel":
                stored = _to_channels_last(layer, stored)
            self.pairs.append((f"{name}/{variable.name}", variable, stored))

    @staticmethod
    def _hint(is_classifier: bool, is_first: bool) -> str:
        if is_classifier:
            return "; `strict=False` starts the classifier anew"
        return "; `strict=False` adapts it to the channels of the input" if is_first else ""

    def check_missing(self) -> None:
        """Refuses layers that the source lacks, but for those that may keep what they have."""
        allowed = [
            name
            for name in self._missing
            if is_auxiliary(name)
            or (not self.strict and (name in self._classifiers or is_head(name)))
        ]
        missing = set(self._missing) - set(allowed)
        if missing:
            raise InputError(f"{self.refusal}: it has no weights for {some(missing)}.")

    def check_unused(self, names: Iterable[str]) -> None:
        """Refuses tensors that the net has no layer for, but for heads that it does without."""
        self._unused = sorted(names)
        foreign = [
            name
            for name in self._unused
            if not is_auxiliary(name)
            and not (is_head(name) and (not self._has_head or not self.strict))
        ]
        if foreign:
            raise InputError(f"{self.refusal}: it has weights for {some(foreign)} beside.")

    def read(self, name: str, variable: keras.Variable, stored: Stored) -> np.ndarray:
        """Reads one tensor."""
        with naming(self.source), np.errstate(all="ignore"):  # what comes of it is looked at
            array = np.asarray(stored.read())
            numbers = array.astype(variable.dtype, copy=False)
        if array.shape != stored.shape:
            raise InputError(f"{self.refusal}: {name!r} has the shape {array.shape} in it.")
        if array.dtype.kind not in _FLOATS:
            raise InputError(f"{self.refusal}: {name!r} has numbers of type {array.dtype} in it.")
        if not np.isfinite(numbers).all():
            raise InputError(f"{self.source} can't be used: {name!r} is not finite everywhere.")
        return numbers

    def report(self) -> LoadReport:
        """Tells what became of each layer."""
        if not self._matched:
            raise InputError(f"{self.refusal}: nothing in it fits.")
        return LoadReport(
            self.source,
            tuple(self._matched),
            tuple(self._missing),
            tuple(self._reinitialized),
            tuple(self._adapted),
            tuple(self._unused),
        )


def adapt_channels(
    want: dict[str, tuple[int, ...]], tensors: dict[str, Stored]
) -> dict[str, Stored] | None:
    """Adapts the first kernel of an RGB net to other channels, or returns `None` if it can't.

    One channel takes the sum over RGB: a grey image then gives what it gives as RGB if all channels
    are scaled alike ("tf"), and about that if not, for one channel is scaled by the luma of their
    means and deviations. More channels take the kernels of R, G and B in turn, times 3 / channels,
    which keeps the scale.
    """
    kernel = tensors.get("kernel")
    want_kernel = want.get("kernel", ())
    if kernel is None or len(want_kernel) != 4 or len(kernel.shape) != 4 or kernel.shape[2] != 3:
        return None
    channels = want_kernel[2]

    def adapt(array: np.ndarray) -> np.ndarray:
        if channels == 1:
            return array.sum(axis=2, keepdims=True)
        return array[:, :, np.arange(channels) % 3] * (3 / channels)

    shape = (*kernel.shape[:2], channels, kernel.shape[3])
    adapted = {**tensors, "kernel": kernel.then(shape, adapt)}
    return adapted if {key: s.shape for key, s in adapted.items()} == want else None


def _fill_gamma(layer: keras.Layer, tensors: dict[str, Stored]) -> dict[str, Stored]:
    """Adds a scale of ones, or takes one away, where the net and the source differ in that."""
    want = {variable.name for variable in layer.weights}
    if want - tensors.keys() == {"gamma"} and set(_STATISTICS) == tensors.keys():
        ones = np.ones(tensors["beta"].shape, "float32")
        return {"gamma": Stored.of(ones), **tensors}
    if tensors.keys() - want == {"gamma"} and set(_STATISTICS) == want:
        gamma, variance = tensors["gamma"], tensors["moving_variance"]

        def read() -> np.ndarray:
            if not (gamma.read() == 1).all():
                raise InputError(
                    f"The scale of {layer.name!r} is not 1 everywhere, and this net has none; "
                    "build it with `batch_norm_scale=True`."
                )
            return variance.read()

        kept = {key: stored for key, stored in tensors.items() if key != "gamma"}
        return {**kept, "moving_variance": Stored(variance.shape, read)}
    return tensors


def _absorb_biases(layers: dict[str, keras.Layer], tensors: Tensors) -> Tensors:
    """Moves biases that stand before a batch normalization into its mean, where ours have none."""
    tensors = dict(tensors)
    for name, layer in layers.items():
        norm = tensors.get(f"{name}_bn", {})
        has_bias = any(variable.name == "bias" for variable in layer.weights)
        if has_bias or "bias" not in tensors.get(name, {}) or "moving_mean" not in norm:
            continue
        bias, mean = tensors[name]["bias"], norm["moving_mean"]
        if bias.shape != mean.shape:
            continue
        tensors[name] = {key: stored for key, stored in tensors[name].items() if key != "bias"}
        moved = Stored(mean.shape, lambda mean=mean, bias=bias: mean.read() - bias.read())
        tensors[f"{name}_bn"] = {**norm, "moving_mean": moved}
    return tensors


def _differs_in_classes(want: dict[str, tuple[int, ...]], have: dict[str, tuple[int, ...]]) -> bool:
    """Whether shapes differ in their last axis only."""
    return want.keys() == have.keys() and all(want[k][:-1] == have[k][:-1] for k in want)


def _to_channels_last(layer: keras.Layer, kernel: Stored) -> Stored:
    """Brings the rows of a dense kernel from (channels, height, width) to our order."""
    flatten = layer._inbound_nodes[0].parent_nodes[0].operation
    while isinstance(flatten, keras.layers.Dropout):
        flatten = flatten._inbound_nodes[0].parent_nodes[0].operation
    if not isinstance(flatten, keras.layers.Flatten) or flatten.input.ndim != 4:
        return kernel
    if flatten.data_format == "channels_first":
        return kernel
    height, width, channels = flatten.input.shape[1:]

    def change(array: np.ndarray) -> np.ndarray:
        maps = array.reshape(channels, height, width, -1)
        return maps.transpose(1, 2, 0, 3).reshape(array.shape)

    return kernel.then(kernel.shape, change)


def _shapes(shapes: dict[str, tuple[int, ...]]) -> str:
    return ", ".join(f"{name} {shape}" for name, shape in shapes.items())
