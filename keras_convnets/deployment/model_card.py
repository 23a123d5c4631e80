"""`<stem>.json` beside a model: the one home of what the model file itself does not say."""

import dataclasses
import os
from pathlib import Path
from typing import Any

import keras

from keras_convnets.data import Preprocessing
from keras_convnets.errors import InputError, check_number
from keras_convnets.files import read_json, write_json


@dataclasses.dataclass(frozen=True)
class ModelCard:
    """How a model was built, and how its input and output are to be read.

    Attributes:
        builder: name of the builder.
        variant: its variant, or `None`.
        options: keyword arguments that the builder was called with.
        classes: names of the classes, in the order of the outputs.
        preprocessing: how an image becomes the input.
        licence: of the weights.
        recipe: name of the recipe, or `None`.
        multi_label: whether an image may have several of the classes, or none.
        thresholds: the probability of each class from which on an image is given it; `None` if it
            gets one class. Not in files of single-label models.
    """

    builder: str
    variant: str | None
    options: dict[str, Any]
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    licence: str
    recipe: str | None
    multi_label: bool = False
    thresholds: tuple[float, ...] | None = None

    def __post_init__(self):
        if not all(isinstance(name, str) for name in self.classes):
            raise InputError(f"The classes of a model are texts. Received: {self.classes!r}")
        if self.multi_label != (self.thresholds is not None):
            raise InputError(
                "A model of several labels an image has thresholds, and no other has. Received: "
                f"multi_label={self.multi_label!r}, thresholds={self.thresholds!r}"
            )
        if self.multi_label and len(self.thresholds) != len(self.classes):
            raise InputError(
                f"A model of {len(self.classes)} classes with several labels an image has a "
                f"threshold for each. Received: {len(self.thresholds)} thresholds"
            )
        for threshold in self.thresholds or ():
            check_number("Each threshold of a model", threshold, least=0, most=1)

    def check(self, model: keras.Model) -> None:
        """Makes sure that the card describes a model.

        Raises:
            InputError: if the input or the number of classes differs.
        """
        size, channels = self.preprocessing.size, self.preprocessing.channels
        (height, width, depth), outputs = model.input_shape[1:], model.output_shape[-1]
        if (height or size, width or size, depth) != (size, size, channels):
            raise InputError(
                f"The model takes images of {height} x {width} x {depth}, and its card says "
                f"{size} x {size} x {channels}."
            )
        if outputs != len(self.classes):
            raise InputError(
                f"The model has {outputs} outputs, and its card names {len(self.classes)} classes."
            )

    def write(self, model_path: str | os.PathLike) -> None:
        """Writes the card beside a model file."""
        fields = dataclasses.asdict(self)
        if not self.multi_label:
            del fields["multi_label"], fields["thresholds"]
        write_json(Path(model_path).with_suffix(".json"), fields)

    @classmethod
    def read(cls, model_path: str | os.PathLike) -> "ModelCard":
        """Reads the card beside a model file.

        Raises:
            InputError: if there is none or it is incomplete.
        """
        path = Path(model_path).with_suffix(".json")
        fields = read_json(path)
        try:
            if not isinstance(fields["classes"], list):
                raise TypeError("its classes are no list")
            return cls(
                **{
                    **fields,
                    "classes": tuple(fields["classes"]),
                    "preprocessing": Preprocessing(**fields["preprocessing"]),
                    **(
                        {"thresholds": tuple(fields["thresholds"])}
                        if "thresholds" in fields
                        else {}
                    ),
                }
            )
        except (InputError, KeyError, TypeError) as error:
            raise InputError(f"{str(path)!r} does not describe a model: {error}") from error
