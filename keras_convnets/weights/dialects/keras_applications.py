"""The nets of keras.applications: their layers under our names.

Keras names some layers by a counter of the session, and its older `.h5` files load by position in a
depth-sorted list of layers, where one extra layer moves weights to wrong places without an error.
So such a file is matched with the list of the very graph that it was written from.
"""

import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence, Set

import keras

from keras_convnets.errors import InputError
from keras_convnets.weights.formats.keras_files import SavedLayer
from keras_convnets.weights.tensors import Stored


@dataclasses.dataclass(frozen=True)
class Twin:
    """The net of keras.applications that is the same graph as ours.

    Attributes:
        marks: layers with weights that no other of these nets has together.
        unnamed: for each class of layer that Keras names by a session counter, our names of these
            layers in the order in which Keras creates them.
        head: layers with weights that only the net with its top has.
    """

    marks: tuple[str, ...]
    unnamed: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    head: tuple[str, ...] = ("predictions",)


def _twin(mark: str, convs: Iterable[str]) -> Twin:
    """A twin whose unnamed layers are convolutions, each with its batch normalization."""
    convs = tuple(convs)
    norms = tuple(f"{conv}_bn" for conv in convs)
    return Twin((mark,), {"conv2d": convs, "batch_normalization": norms})


def _modules(convs: Sequence[int], *names: str) -> list[str]:
    """The convolutions of Inception modules, given how many each branch has."""
    return [
        f"{name}_branch{branch}_conv{i if count > 1 else ''}"
        for name in names
        for branch, count in enumerate(convs, start=1)
        for i in range(1, count + 1)
    ]


_STEM = ("conv_1a", "conv_2a", "conv_2b", "conv_3b", "conv_4a")

TWINS = {
    "InceptionResNetV2": _twin(
        "block35_1_conv",
        (
            *_STEM,
            *_modules((1, 2, 3, 1), "mixed_5b"),
            *_modules((1, 2, 3), *(f"block35_{i}" for i in range(1, 11))),
            *_modules((1, 3), "mixed_6a", *(f"block17_{i}" for i in range(1, 21))),
            *_modules((2, 2, 3), "mixed_7a"),
            *_modules((1, 3), *(f"block8_{i}" for i in range(1, 11))),
        ),
    ),
    "InceptionV3": _twin(
        "mixed9_branch1_conv",
        (
            *_STEM,
            *_modules((1, 2, 3, 1), "mixed0", "mixed1", "mixed2"),
            *_modules((1, 3), "mixed3"),
            *_modules((1, 3, 5, 1), "mixed4", "mixed5", "mixed6", "mixed7"),
            *_modules((2, 4), "mixed8"),
            *_modules((1, 3, 4, 1), "mixed9", "mixed10"),
        ),
    ),
    # Every layer with weights has a name in Keras; the deeper nets have the marks of the others.
    **{
        f"ResNet{depth}V2": Twin((f"conv4_block{units}_3_conv", "post_bn"))
        for depth, units in ((152, 36), (101, 23), (50, 6))
    },
    **{
        f"ResNet{depth}": Twin((f"conv4_block{units}_3_conv", "conv5_block3_3_bn"))
        for depth, units in ((152, 36), (101, 23), (50, 6))
    },
    "VGG19": Twin(("block5_conv4",), head=("fc1", "fc2", "predictions")),
    "VGG16": Twin(("block5_conv3",), head=("fc1", "fc2", "predictions")),
    "Xception": _twin(
        "block14_sepconv2", (f"block{block}_shortcut_conv" for block in (2, 3, 4, 13))
    ),
}


def twin_of(names: set[str]) -> str | None:
    """Returns the net of keras.applications whose layers a net of ours has, or `None`.

    Args:
        names: of our layers with weights.
    """
    return next((builder for builder, twin in TWINS.items() if set(twin.marks) <= names), None)


def check_pool(names: Set[str], model: keras.Model) -> None:
    """Refuses a ResNet whose first pool is not where that of a file is: shapes don't tell.

    Args:
        names: of all layers in the file.
        model: the net that they are for.

    Raises:
        InputError: if the file has a layer that pads the map, and the net pools without one.
    """
    padding = "pool1_pad"
    ours = {layer.name for layer in model.layers}
    if padding in names and padding not in ours and "pool1_pool" in ours:
        raise InputError(
            f"The file's net pads the map before its first pool, and {model.name!r} does not, so "
            "these weights would fit and give wrong results; build the net without "
            '`variant="slim"`.'
        )


def names_by_counter(names: Iterable[str]) -> bool:
    """Whether layers have names of a session's counter, which those of our nets never have."""
    return any(re.fullmatch(r"conv2d(_\d{1,9})?", name) for name in names)


def by_name(builder: str | None, saved: Sequence[SavedLayer]) -> dict[str, list[Stored]]:
    """The tensors of a file under our names, from our own or from those of keras.applications.

    Args:
        builder: of the net, if it is one of keras.applications.
        saved: layers with weights.

    Raises:
        InputError: if there are not as many layers without names as Keras makes.
    """
    names = _our_names(builder, [layer.name for layer in saved])
    return {
        name: [tensor for _, tensor in layer.variables]
        for name, layer in zip(names, saved, strict=True)
    }


def by_position(builder: str, saved: Sequence[SavedLayer]) -> dict[str, list[Stored]]:
    """The tensors of a legacy `.h5` file, whose order alone says which is which.

    Args:
        builder: of the net.
        saved: layers with weights in the order of the file, with the top or without.

    Raises:
        InputError: if they are not as many as in the net.
    """
    twin = getattr(keras.applications, builder)(include_top=False, weights=None)
    trunk = _our_names(builder, [layer.name for layer in twin.layers if layer.weights])
    head = TWINS[builder].head
    if len(saved) not in (len(trunk), len(trunk) + len(head)):
        raise InputError(
            f"{builder} of keras.applications has {len(trunk)} layers with weights, and "
            f"{len(head)} more with the top. Received: {len(saved)}"
        )
    return {
        name: [tensor for _, tensor in layer.variables]
        for name, layer in zip((*trunk, *head), saved, strict=False)
    }


def _our_names(builder: str | None, names: Sequence[str]) -> list[str]:
    """Our names of layers, some of which Keras named by a counter of the session."""
    unnamed = TWINS[builder].unnamed if builder else {}
    found = {name: name for name in names}
    for kind, ours in unnamed.items():
        counted = sorted(
            (int(match[1] or 0), match[0])
            for match in (re.fullmatch(rf"{kind}(?:_(\d{{1,9}}))?", name) for name in names)
            if match
        )
        if counted and len(counted) != len(ours):
            raise InputError(
                f"keras.applications gives {len(ours)} layers of {builder} names such as {kind}_1. "
                f"Received: {len(counted)}"
            )
        found.update({theirs: name for (_, theirs), name in zip(counted, ours, strict=False)})
    return [found[name] for name in names]
