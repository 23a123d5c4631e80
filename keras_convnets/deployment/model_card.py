"""`<stem>.json` beside a model: the one home of what the model file itself does not say."""

import dataclasses
import os
from pathlib import Path
from typing import Any

from keras_convnets.data import Preprocessing
from keras_convnets.errors import InputError
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
    """

    builder: str
    variant: str | None
    options: dict[str, Any]
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    licence: str
    recipe: str | None

    def write(self, model_path: str | os.PathLike) -> None:
        """Writes the card beside a model file."""
        fields = dataclasses.asdict(self)
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
            return cls(
                **{
                    **fields,
                    "classes": tuple(fields["classes"]),
                    "preprocessing": Preprocessing(**fields["preprocessing"]),
                }
            )
        except (KeyError, TypeError) as error:
            raise InputError(f"{str(path)!r} does not describe a model: {error}.") from error
