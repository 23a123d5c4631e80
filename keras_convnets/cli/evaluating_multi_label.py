"""What `keras-convnets evaluate` does on images that may have several labels."""

import dataclasses
from typing import TYPE_CHECKING, Any

from keras_convnets.errors import InputError
from keras_convnets.progress import counting

if TYPE_CHECKING:
    import keras

    from keras_convnets.data import Fault, ImageSet, Split
    from keras_convnets.deployment import ModelCard
    from keras_convnets.evaluation import Protocol


def check(
    models: dict[str, "ModelCard"],
    images: "ImageSet",
    shown: list["Protocol"],
    options: dict[str, bool],
) -> bool:
    """Whether model and data are of several labels an image.

    Args:
        models: the card of each model.
        images: the data.
        shown: the protocols.
        options: those that are for one label an image, and whether they were given.

    Raises:
        InputError: if only one of them is, or an option does not serve such images.
    """
    from keras_convnets.evaluation import CenterCrop

    for model, card in models.items():
        if card.multi_label != images.is_multi_label:
            counts = ("one label", "several labels")
            raise InputError(
                f"The model {model!r} gives an image {counts[card.multi_label]}, and images of "
                f"{images.name!r} have {counts[images.is_multi_label]}; they should go together."
            )
    if not images.is_multi_label:
        return False
    if len(models) > 1:
        raise InputError(
            "Models that give several labels are evaluated one at a time. "
            f"Received: {', '.join(map(repr, models))}"
        )
    others = [protocol.name for protocol in shown if not isinstance(protocol, CenterCrop)]
    others += [f"more than one --protocol: {shown[1].name}"] if len(shown) > 1 else []
    given = [f"--protocol {others[0]}"] if others else []
    given += [option for option, is_given in options.items() if is_given]
    if given:
        raise InputError(
            "Models that give several labels are evaluated on one central crop, without "
            f"{', '.join(options)}. Received: {given[0]}"
        )
    return True


def score(
    name: str,
    model: "keras.Model",
    card: "ModelCard",
    split: "Split",
    images: "ImageSet",
    protocol: "Protocol",
    batch_size: int,
) -> tuple[dict[str, Any], list["Fault"]]:
    """Evaluates a model at the thresholds of its card.

    Args:
        name: what the user called the model.
        model: the model.
        card: its card.
        split: the images.
        images: the data that they are part of.
        protocol: a central crop.
        batch_size: images to compute at once.

    Returns:
        All that is known of the result, for JSON, and the images that can't be read.
    """
    from keras_convnets.data import LabelSets, decode_once, evaluation_batches, naming_faults
    from keras_convnets.evaluation import evaluate_multi_label
    from keras_convnets.evaluation.classes import ClassNames, match

    owner = f"the model {name!r}"
    outputs = match(ClassNames(card.classes, owner), name, images.classes, images.name)
    labels = LabelSets(outputs[split.labels.values], split.labels.offsets)
    preprocessing = protocol.of(card.preprocessing)
    with counting("reading images", split.encoded_count) as advance:
        split, faults = decode_once(
            dataclasses.replace(split, labels=labels), preprocessing, (), advance
        )
    if not len(split):
        raise InputError(f"No image of {images.name!r} can be read: {faults[0].reason}")
    batches = evaluation_batches(split, preprocessing, batch_size, classes=len(card.classes))
    with naming_faults(split), counting("evaluating", len(split)) as advance:
        scores = evaluate_multi_label(model, batches, card.thresholds, advance)
    rows = [
        {"name": name, **dataclasses.asdict(row)}
        for name, row in zip(card.classes, scores.by_class, strict=True)
    ]
    return {**scores.figures, "protocol": protocol.name, "classes": rows}, faults
