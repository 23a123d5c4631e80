"""What a net is shown of a test image: crops, or all of it at one or several scales.

The geometry is plain arithmetic on the sizes of resized images; `views` cuts the pixels.
"""

import abc
import dataclasses
from collections.abc import Callable
from typing import ClassVar, NamedTuple

from keras_convnets.errors import InputError, check_choice, check_number, nearest
from keras_convnets.preprocessing import Preprocessing

# Image sizes of the papers are those of nets that take 224 pixels; other nets get them in
# proportion.
REFERENCE_SIZE = 224

# Szegedy et al. 2014, arXiv 1409.4842, section 7.
GOOGLENET_SCALES = (256, 288, 320, 352)

# He et al. 2015, arXiv 1512.03385, section 3.4.
RESNET_SCALES = (224, 256, 384, 480, 640)

# Simonyan and Zisserman 2014, arXiv 1409.1556, section 4.2: S - 32, S, S + 32.
VGG_STEP = 32


class Box(NamedTuple):
    """A square of a resized image: its upper left corner and its side, in pixels."""

    y: int
    x: int
    side: int


class Protocol(abc.ABC):
    """A way to show an image to a net; the probabilities of all that it is shown are averaged.

    Attributes:
        is_dense: whether the net is applied to whole images, which may be of any shape.
    """

    is_dense: ClassVar[bool] = False

    @abc.abstractmethod
    def scales(self, preprocessing: Preprocessing) -> tuple[int, ...]:
        """Returns the shorter sides, in pixels, that an image is resized to.

        Raises:
            InputError: if the protocol can't serve a net with such a preprocessing.
        """

    @property
    @abc.abstractmethod
    def name(self) -> str:
        """What a user types for it."""


class Crops(Protocol):
    """Squares of resized images, each with its mirror image."""

    @abc.abstractmethod
    def boxes(self, height: int, width: int, size: int) -> list[Box]:
        """Returns the squares of an image of one scale.

        Args:
            height: of the resized image.
            width: of the resized image.
            size: of the net's input; a square of another side is resized to it.
        """


@dataclasses.dataclass(frozen=True)
class CenterCrop(Protocol):
    """One central crop.

    Attributes:
        fraction: side of the crop over the shorter side of the image, in (0, 2]; above 1 the
            image gets a black border. `None` is the model's own; a recipe has to give a number.
    """

    fraction: float | None = 1.0

    def __post_init__(self):
        _check_fraction(self, most=2)

    @property
    def name(self) -> str:
        return "center" if self.fraction is None else f"center:{self.fraction:g}"

    def scales(self, preprocessing: Preprocessing) -> tuple[int, ...]:
        return (self.of(preprocessing).enough,)

    def of(self, preprocessing: Preprocessing) -> Preprocessing:
        """Returns the preprocessing with this crop."""
        if self.fraction is None:
            return preprocessing
        return dataclasses.replace(preprocessing, crop=self.fraction)


@dataclasses.dataclass(frozen=True)
class TenCrops(Crops):
    """Corners and centre of the central square, mirrored too (AlexNet, section 4.1).

    Attributes:
        fraction: side of a crop over the shorter side of the image, in (0, 1); 224/256 in the
            paper. `None` is the model's own.
    """

    fraction: float | None = None

    def __post_init__(self):
        _check_fraction(self, below=1)

    @property
    def name(self) -> str:
        return "crops10" if self.fraction is None else f"crops10:{self.fraction:g}"

    def scales(self, preprocessing: Preprocessing) -> tuple[int, ...]:
        return (_scale_of_crops(self, preprocessing),)

    def boxes(self, height: int, width: int, size: int) -> list[Box]:
        return _five(_squares(height, width)[1], size)


@dataclasses.dataclass(frozen=True)
class TwelveCrops(Crops):
    """Ten crops, and the central square itself with its mirror image.

    The Inception papers print results of "12 crops" without saying which they are (arXiv
    1512.00567, table 4; 1602.07261, table 3). Ours are a choice: GoogLeNet's six views of a
    square, at one scale.

    Attributes:
        fraction: as for `TenCrops`.
    """

    fraction: float | None = None

    def __post_init__(self):
        _check_fraction(self, below=1)

    @property
    def name(self) -> str:
        return "crops12" if self.fraction is None else f"crops12:{self.fraction:g}"

    def scales(self, preprocessing: Preprocessing) -> tuple[int, ...]:
        return (_scale_of_crops(self, preprocessing),)

    def boxes(self, height: int, width: int, size: int) -> list[Box]:
        return _six(_squares(height, width)[1], size)


@dataclasses.dataclass(frozen=True)
class GoogLeNetCrops(Crops):
    """The 144 crops of GoogLeNet (Szegedy et al. 2014, arXiv 1409.4842, section 7).

    The shorter side becomes 256, 288, 320 and 352 pixels; of each, three squares: left, centre and
    right, or top, centre and bottom; of each, the four corners and the centre at 224 and the whole
    square resized to 224; of each, the mirror image. In a square image the three squares are one,
    which then counts thrice.
    """

    @property
    def name(self) -> str:
        return "crops144"

    def scales(self, preprocessing: Preprocessing) -> tuple[int, ...]:
        return in_proportion(GOOGLENET_SCALES, preprocessing.size)

    def boxes(self, height: int, width: int, size: int) -> list[Box]:
        return [box for square in _squares(height, width) for box in _six(square, size)]


@dataclasses.dataclass(frozen=True)
class DenseEvaluation(Protocol):
    """The net over the whole image and its mirror image (Simonyan and Zisserman 2014, section 3.2).

    Dense layers become convolutions; the class scores in front of the softmax are averaged over
    the map, and probabilities over mirror images, as in the paper. `dense` says why for nets that
    end in a global average.

    Attributes:
        scale: the shorter side in pixels, the paper's Q; `None` is that which the model's own
            central crop is cut from.
    """

    is_dense: ClassVar[bool] = True
    scale: int | None = None

    def __post_init__(self):
        if self.scale is not None:
            check_number("The scale of DenseEvaluation", self.scale, least=1, whole=True)

    @property
    def name(self) -> str:
        return "dense" if self.scale is None else f"dense:{self.scale}"

    def scales(self, preprocessing: Preprocessing) -> tuple[int, ...]:
        scale = max(preprocessing.enough, preprocessing.size) if self.scale is None else self.scale
        return _large_enough(self, (scale,), preprocessing)


@dataclasses.dataclass(frozen=True)
class MultiScale(Protocol):
    """Dense evaluation at several scales, whose probabilities are averaged.

    Attributes:
        sides: the shorter sides in pixels; or "resnet" for 224, 256, 384, 480 and 640 (He et al.
            2015, section 3.4), or "vgg" for S - 32, S and S + 32, where S is the side that the
            model's own central crop is cut from (Simonyan and Zisserman 2014, section 4.2); both
            in proportion for nets that do not take 224 pixels.
    """

    is_dense: ClassVar[bool] = True
    sides: str | tuple[int, ...] = "resnet"

    def __post_init__(self):
        if isinstance(self.sides, str):
            check_choice("sides", self.sides, ("resnet", "vgg"))
            return
        if not isinstance(self.sides, tuple) or len(set(self.sides)) < 2:
            raise InputError(f"MultiScale wants two sides at least. Received: {self.sides!r}")
        for side in self.sides:
            check_number("Each of the sides of MultiScale", side, least=1, whole=True)

    @property
    def name(self) -> str:
        given = self.sides if isinstance(self.sides, str) else ",".join(map(str, self.sides))
        return f"multiscale:{given}"

    def scales(self, preprocessing: Preprocessing) -> tuple[int, ...]:
        if self.sides == "resnet":
            sides = in_proportion(RESNET_SCALES, preprocessing.size)
        elif self.sides == "vgg":
            [step] = in_proportion((VGG_STEP,), preprocessing.size)
            middle = preprocessing.enough
            sides = (middle - step, middle, middle + step)
        else:
            sides = self.sides
        return _large_enough(self, sides, preprocessing)


def parse(text: str) -> Protocol:
    """Returns the protocol that a text means, such as "crops10", "center:0.875" or "dense:384".

    Raises:
        InputError: if it means none.
    """
    kind, colon, argument = text.strip().partition(":")
    if kind not in _READERS:
        raise InputError(
            f"There is no protocol {text!r}; the nearest are {nearest(kind, _READERS)}. "
            f"All are {', '.join(FORMS)}."
        )
    protocol, read = _READERS[kind]
    if not colon:
        return CenterCrop(None) if protocol is CenterCrop else protocol()
    if read is None:
        raise InputError(f"The protocol {kind!r} has no value to set. Received: {text!r}")
    try:
        value = read(argument)
    except ValueError as error:
        raise InputError(
            f"The value of a protocol is one of {', '.join(FORMS)}. Received: {text!r}"
        ) from error
    return protocol(value)


def in_proportion(sides: tuple[int, ...], size: int) -> tuple[int, ...]:
    """Scales sides that papers give for images of 224 pixels to another input size."""
    return tuple(round(side * size / REFERENCE_SIZE) for side in sides)


def _read_sides(text: str) -> str | tuple[int, ...]:
    return text if text.isalpha() else tuple(int(side) for side in text.split(","))


_READERS: dict[str, tuple[type[Protocol], Callable | None]] = {
    "center": (CenterCrop, float),
    "crops10": (TenCrops, float),
    "crops12": (TwelveCrops, float),
    "crops144": (GoogLeNetCrops, None),
    "dense": (DenseEvaluation, int),
    "multiscale": (MultiScale, _read_sides),
}
FORMS = (
    "center[:FRACTION]",
    "crops10[:FRACTION]",
    "crops12[:FRACTION]",
    "crops144",
    "dense[:SIDE]",
    "multiscale[:resnet|vgg|SIDE,SIDE...]",
)


def _check_fraction(protocol: CenterCrop | TenCrops | TwelveCrops, **limits: float) -> None:
    if protocol.fraction is not None:
        owner = f"The fraction of {type(protocol).__name__}"
        check_number(owner, protocol.fraction, above=0, **limits)


def _scale_of_crops(protocol: TenCrops | TwelveCrops, preprocessing: Preprocessing) -> int:
    fraction = preprocessing.crop if protocol.fraction is None else protocol.fraction
    scale = round(preprocessing.size / fraction)
    if scale <= preprocessing.size:
        raise InputError(
            f"The corners that {protocol.name} takes are those of a square larger than the net's "
            f"{preprocessing.size} pixels, and the crop of this model is {fraction:g} of the "
            f"image; give the share of a crop, such as {protocol.name.partition(':')[0]}:0.875."
        )
    return scale


def _large_enough(
    protocol: Protocol, sides: tuple[int, ...], preprocessing: Preprocessing
) -> tuple[int, ...]:
    if min(sides) < preprocessing.size:
        raise InputError(
            f"The sides of {protocol.name} should be at least the {preprocessing.size} pixels that "
            f"the net takes. Received: {', '.join(map(str, sides))}"
        )
    return sides


def _squares(height: int, width: int) -> list[Box]:
    """The squares at both ends and in the middle of the longer side."""
    side = min(height, width)
    places = (0, (max(height, width) - side) // 2, max(height, width) - side)
    return [Box(place, 0, side) if height > width else Box(0, place, side) for place in places]


def _five(square: Box, size: int) -> list[Box]:
    """The corners and the centre of a square."""
    room = square.side - size
    places = ((0, 0), (0, room), (room, 0), (room, room), (room // 2, room // 2))
    return [Box(square.y + y, square.x + x, size) for y, x in places]


def _six(square: Box, size: int) -> list[Box]:
    """The corners and the centre of a square, and all of it."""
    return [*_five(square, size), square]
