"""A recipe: every choice that a training run needs, each with its source."""

import dataclasses
import html
import json
import math
import typing
from collections.abc import Callable
from typing import Any

import keras

from keras_convnets.data.augmentation import Augmentation
from keras_convnets.errors import InputError, nearest
from keras_convnets.evaluation import CenterCrop
from keras_convnets.imagenet_utils import SCALINGS
from keras_convnets.layers.contrast_whitening import GCN_ZCA
from keras_convnets.training.averaging import Average
from keras_convnets.training.fine_tuning import EarlyStop, HeadPhase
from keras_convnets.training.initializers import Initializer
from keras_convnets.training.literals import decode, encode, parse
from keras_convnets.training.optimizers import Optimizer
from keras_convnets.training.schedules import Length, Schedule
from keras_convnets.training.sourced import KINDS, Sourced, choice

# The source of a value that the user typed.
GIVEN = "given by the user"

# What a recipe that says nothing of fine-tuning means.
_FROM_SCRATCH = choice(None, "every layer learns from random weights, for the whole length")
_EXPECTED = choice(None, "what the weights that it starts from expect, or else the net")
_TRAIN = choice("train", "batch statistics, as the layer was published")
_ALL_LAYERS = choice(None, "every layer that they are for")
_ALIKE = choice(None, "each image counts alike")
_ONE_RATE = choice(1.0, "biases learn as kernels do")


@dataclasses.dataclass(frozen=True)
class Recipe:
    """The hyper-parameters of one training run; every field is a `Sourced` value.

    Attributes:
        model: name of the builder, with its variant if there is a colon.
        variant: its variant, or `None` for the default one.
        model_options: further keyword arguments of the builder.
        data: what `data.load` is given.
        input_size: height and width in pixels; `None` for those that the weights, or else the net,
            are made for.
        classes: number of classes; `None` for those of the data.
        batch_size: images in a batch over all replicas; the rate belongs to it.
        length: how long to train.
        schedule: the learning rate over time.
        optimizer: the update rule.
        l2: the paper's weight decay d: d / 2 times the squared weights is added to the loss.
        l2_scope: "kernels", or "all" trainable variables.
        dropout_rate: before the classifier.
        label_smoothing: share of the target that is spread over all classes.
        aux_weight: weight of auxiliary losses, or `None` if the net has none.
        clip_norm: greatest norm of the gradient, or `None`.
        ema: the average of the weights that evaluation uses: a `MovingAverage`, a `PolyakMean`, or
            a number, the decay of a moving average without a ramp; or `None`.
        batch_norm: options of batch normalization: {"momentum": 0.99, "epsilon": 1e-3,
            "synchronized": whether replicas share statistics}, or some; `None` for the builder's.
        initializer: first weights: Keras' name for those of every kernel but the classifiers',
            `Normal`, `TruncatedNormal`, `HeNormal` or `Uniform` for those of every kernel, or
            `Layerwise`; `None` for the builder's.
        augmentation: random changes to training images, in order.
        evaluation: what the net is shown of a test image.
        parallelism: "sync" or "async".
        hardware: what the paper trained on.
        results: what the paper reports; shares unless the key says otherwise.
        weights: what the net starts from: `None` for random weights, "imagenet", the name of an
            entry of the catalog, a weights file, or a run directory.
        start_layers: layers that take those weights, if not all of them do, but these of another
            net; or `None`.
        preprocessing: how images are scaled, a mode of `imagenet_utils.preprocess_input` or
            "gcn_zca" (`layers.ContrastWhitening`); `None` for what weights, or else nets expect.
        head_phase: the first part of the run, in which the head alone learns, or `None`.
        freeze_until: the layer up to which nothing learns behind the head phase, or `None`.
        batch_norm_mode: "train", or "inference": statistics, scales and shifts stay as they are.
        class_weights: "balanced": each class weighs as much as any other in the loss; or `None`.
        early_stop: when to end before the length, with the weights of the best epoch; or `None`.
        bias_rate: what the learning rate of biases is multiplied by.
        name: name of the recipe; set by `recipes.get`.
        about: first line of its docstring; set by `recipes.get`.
    """

    model: Sourced[str]
    variant: Sourced[str | None]
    model_options: Sourced[dict]
    data: Sourced[str]
    input_size: Sourced[int | None]
    classes: Sourced[int | None]
    batch_size: Sourced[int]
    length: Sourced[Length]
    schedule: Sourced[Schedule]
    optimizer: Sourced[Optimizer]
    l2: Sourced[float]
    l2_scope: Sourced[str]
    dropout_rate: Sourced[float]
    label_smoothing: Sourced[float]
    aux_weight: Sourced[float | None]
    clip_norm: Sourced[float | None]
    ema: Sourced[float | Average | None]
    batch_norm: Sourced[dict | None]
    initializer: Sourced[str | Initializer | None]
    augmentation: Sourced[tuple]
    evaluation: Sourced[CenterCrop]
    parallelism: Sourced[str]
    hardware: Sourced[str]
    results: Sourced[dict]
    weights: Sourced[str | None] = _FROM_SCRATCH
    start_layers: Sourced[tuple | None] = _ALL_LAYERS
    preprocessing: Sourced[str | None] = _EXPECTED
    head_phase: Sourced[HeadPhase | None] = _FROM_SCRATCH
    freeze_until: Sourced[str | None] = _FROM_SCRATCH
    batch_norm_mode: Sourced[str] = _TRAIN
    class_weights: Sourced[str | None] = _ALIKE
    early_stop: Sourced[EarlyStop | None] = _FROM_SCRATCH
    bias_rate: Sourced[float] = _ONE_RATE
    name: str = "recipe"
    about: str = ""

    def __post_init__(self):
        for field in FIELDS:
            sourced = getattr(self, field)
            if not isinstance(sourced, Sourced):
                raise InputError(
                    f"The field {field!r} of a recipe needs a source: P(value, section), "
                    f"C(value, path) or choice(value, reason). Received: {sourced!r}"
                )
            _check(field, sourced.value)

    def replace(self, **fields: Sourced) -> "Recipe":
        """Returns the recipe with some fields replaced by `Sourced` values."""
        for field in fields:
            _check_name(field)
        return dataclasses.replace(self, **fields)

    def set(self, field: str, text: str) -> "Recipe":
        """Returns the recipe with one field read from text, as `--set field=value` has it."""
        _check_name(field)
        value = text if _is_plain(field, text) else parse(text)
        if value == "None" and type(None) in _types(field):
            value = None
        return self.replace(**{field: choice(value, GIVEN)})

    def scaled(
        self,
        *,
        batch_size: int | None = None,
        input_size: int | None = None,
        classes: int | None = None,
        length: Length | None = None,
    ) -> "Recipe":
        """Returns the recipe for a smaller or larger run.

        The learning rate belongs to the reference batch: another `batch_size` scales the rate in
        proportion to it. Schedules in epochs or samples follow by themselves. A head phase that the
        user did not give keeps its share of another `length` in the same unit.

        Args:
            batch_size: images in a batch.
            input_size: pixels.
            classes: number of classes.
            length: how long to train.
        """
        changed = {}
        given = {"batch_size": batch_size, "input_size": input_size, "classes": classes}
        for field, value in {**given, "length": length}.items():
            if value is not None:
                _check(field, value)
                old = getattr(self, field)
                changed[field] = choice(value, f"scaled from {old.value!r} ({old.source})")
        phase = self.head_phase
        if length is not None and phase.value is not None and phase.source != GIVEN:
            shortened = phase.value.within(self.length.value, length)
            if shortened != phase.value:
                changed["head_phase"] = choice(shortened, f"its share of {length}; {phase.source}")
        if batch_size is not None:
            factor = batch_size / self.batch_size.value
            for field in ("schedule", "head_phase"):
                old = changed.get(field) or getattr(self, field)
                if old.value is not None:
                    changed[field] = choice(
                        old.value.scaled(factor),
                        f"rate times {factor:g}, in proportion to the batch; {old.source}",
                    )
        return self.replace(**changed)

    def with_model(self, net: str) -> "Recipe":
        """Returns the recipe for another net, without the variant and the options of its own.

        Args:
            net: `Builder` or `Builder:variant`.
        """
        return self.replace(
            model=choice(net, GIVEN),
            variant=choice(None, "that of the model, which was given by the user"),
            model_options=choice({}, "none: the model was given by the user"),
        )

    def to_json(self) -> dict[str, Any]:
        """Returns {field: {value, kind, source}}, and the name."""
        fields: dict[str, Any] = {"name": self.name, "about": self.about}
        for field in FIELDS:
            sourced = getattr(self, field)
            fields[field] = {
                "value": encode(sourced.value),
                "kind": sourced.kind,
                "source": sourced.source,
            }
        return fields

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> "Recipe":
        """Undoes `to_json`.

        Raises:
            InputError: if a field is missing that has no default, or has no such form.
        """
        try:
            # A recipe of before a field was there means its default.
            sourced = {
                field: Sourced(
                    decode(fields[field]["value"]), fields[field]["kind"], fields[field]["source"]
                )
                for field in FIELDS
                if field in fields or not hasattr(cls, field)
            }
            return cls(**sourced, name=fields["name"], about=fields["about"])
        except (AttributeError, KeyError, TypeError) as error:
            raise InputError(f"This is no recipe.json: {error!r}.") from error

    @property
    def net(self) -> str:
        """The net with its variant, as `get_model` takes it."""
        model, variant = self.model.value, self.variant.value
        return model if variant is None or ":" in model else f"{model}:{variant}"

    def rows(self) -> list[tuple[str, str, str, str]]:
        """Returns (field, value, kind, source) of each field as text, for tables."""
        sourced = {field: getattr(self, field) for field in FIELDS}
        return [(f, _show(s.value), KINDS[s.kind], s.source) for f, s in sourced.items()]

    def _repr_html_(self) -> str:
        header = "".join(f"<th>{name}</th>" for name in ("field", "value", "kind", "source"))
        rows = "".join(
            "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>"
            for row in self.rows()
        )
        title = f"<b>{html.escape(self.name)}</b>: {html.escape(self.about)}"
        return f"<p>{title}</p><table><tr>{header}</tr>{rows}</table>"


FIELDS = tuple(
    field.name for field in dataclasses.fields(Recipe) if field.name not in ("name", "about")
)

# Of "raw" images a net has to scale itself.
_SCALINGS = (*(mode for mode in SCALINGS if mode != "raw"), GCN_ZCA)

# What a value must be beside its type: the test, and the phrase for the error.
_RANGES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "input_size": (lambda v: v is None or v > 0, "a positive integer or None"),
    "classes": (lambda v: v is None or v > 1, "an integer above 1 or None"),
    "batch_size": (lambda v: v > 0, "a positive integer"),
    "model_options": (
        lambda v: all(isinstance(key, str) and key not in OWNED for key in v),
        "options by name, other than those that the package or another field sets "
        "(classes, input_shape, weights, dropout_rate, ...)",
    ),
    "l2": (lambda v: 0 <= v < math.inf, "a number of 0 or more"),
    "l2_scope": (lambda v: v in ("kernels", "all"), "'kernels' or 'all'"),
    "dropout_rate": (lambda v: 0 <= v < 1, "a number in [0, 1)"),
    "label_smoothing": (lambda v: 0 <= v < 1, "a number in [0, 1)"),
    "aux_weight": (
        lambda v: v is None or 0 < v < math.inf,
        "the weight of the auxiliary losses, a positive number, or None for no auxiliary heads",
    ),
    "clip_norm": (lambda v: v is None or 0 < v < math.inf, "a positive number or None"),
    "batch_norm": (
        lambda v: v is None or _are_batch_norm(v),
        "{'momentum': a number in [0, 1), 'epsilon': a number above 0, 'synchronized': True or "
        "False}, some of them, or None",
    ),
    "ema": (
        lambda v: not isinstance(v, float | int) or 0 < v < 1,
        "a number in (0, 1), MovingAverage(...), PolyakMean(...) or None",
    ),
    "initializer": (
        lambda v: not isinstance(v, str) or _is_initializer(v),
        "the name of a Keras initializer, such as 'he_normal', Normal(...), TruncatedNormal(...), "
        "HeNormal(...), Uniform(...), Layerwise(...) or None",
    ),
    "parallelism": (lambda v: v in ("sync", "async"), "'sync' or 'async'"),
    "augmentation": (
        lambda v: _are_augmentations(v),
        "a tuple of augmentations such as (FlipLeftRight(), PadCrop(4), MixUp()), those of single "
        "images before those of batches",
    ),
    "results": (lambda v: _is_json(v), "figures by name"),
    "start_layers": (
        lambda v: v is None or (bool(v) and all(isinstance(name, str) for name in v)),
        "a tuple of names of layers, or None",
    ),
    "preprocessing": (
        lambda v: v is None or v in _SCALINGS,
        f"one of {', '.join(_SCALINGS)}, or None",
    ),
    "batch_norm_mode": (lambda v: v in ("train", "inference"), "'train' or 'inference'"),
    "bias_rate": (lambda v: 0 < v < math.inf, "a positive number"),
    "class_weights": (lambda v: v in (None, "balanced"), "'balanced' or None"),
}

# Arguments of builders that the package sets itself, or that have a field of their own.
OWNED = (
    "aux_logits",
    "batch_norm_momentum",
    "classes",
    "dropout_rate",
    "include_preprocessing",
    "include_top",
    "input_shape",
    "input_tensor",
    "kernel_initializer",
    "name",
    "pooling",
    "variant",
    "weights",
)


def _are_augmentations(values: tuple) -> bool:
    if not all(isinstance(value, Augmentation) for value in values):
        return False
    kinds = [value.mixes_batches for value in values]
    return kinds == sorted(kinds)


def _are_batch_norm(options: dict) -> bool:
    ranges = {"momentum": lambda v: 0 <= v < 1, "epsilon": lambda v: 0 < v < math.inf}
    ranges["synchronized"] = lambda v: isinstance(v, bool)
    is_known = bool(options) and options.keys() <= ranges.keys()
    return is_known and all(isinstance(v, int | float) and ranges[k](v) for k, v in options.items())


def _is_json(value: Any) -> bool:
    try:
        return bool(json.dumps(encode(value), allow_nan=False))
    except (TypeError, ValueError):
        return False


def _is_initializer(name: str) -> bool:
    try:
        return keras.initializers.get(name) is not None
    except ValueError:
        return False


def _is_plain(field: str, text: str) -> bool:
    """Whether a text is a value of a field as it stands, and not a literal."""
    types = _types(field)
    is_call = text.endswith(")") and any(map(dataclasses.is_dataclass, types))
    return str in types and not is_call and not text.startswith(("'", '"'))


def _types(field: str) -> tuple[type, ...]:
    hint = typing.get_args(typing.get_type_hints(Recipe)[field])[0]
    types = typing.get_args(hint) or (hint,)
    return (*types, int) if float in types else types


def _check(field: str, value: Any) -> None:
    types = _types(field)
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        allowed = " or ".join("None" if t is type(None) else t.__name__ for t in types)
        raise InputError(
            f"The field {field!r} of a recipe should be {allowed}. Received: {value!r}"
        )
    test, phrase = _RANGES.get(field, (lambda v: True, ""))
    if not test(value):
        raise InputError(f"The field {field!r} of a recipe should be {phrase}. Received: {value!r}")


def _check_name(field: str) -> None:
    if field not in FIELDS:
        raise InputError(
            f"A recipe has no field {field!r}; the nearest are {nearest(field, FIELDS)}."
        )


def _show(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}={item}" for key, item in value.items()) or "none"
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    # Of a product of rates only the digits that mean something.
    return f"{value:.12g}" if isinstance(value, float) else str(value)
