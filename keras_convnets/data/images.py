"""Image files of any common format, mode and size, read as RGB or grey."""

import contextlib
import io
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import PIL.Image
import PIL.ImageOps

from keras_convnets.errors import InputError

SUFFIXES = (".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm")

_ORIENTATION = 0x0112  # the EXIF tag
_LYING = (5, 6, 7, 8)  # its values for images on their side
_UPRIGHT = 1

# What Pillow raises for a damaged file, by format.
_FAULTS = (OSError, SyntaxError, ValueError, EOFError, MemoryError, OverflowError)


def read_image(
    path: str | os.PathLike, channels: int = 3, *, enough: int | None = None
) -> np.ndarray:
    """Reads one image file; see `decode_image`.

    Args:
        path: the file.
        channels: 3 for RGB or 1 for grey.
        enough: pixels that the shorter side has to have, or `None`.

    Returns:
        An array (height, width, channels) uint8.

    Raises:
        InputError: if the file is missing, empty, truncated, not an image, or too large to decode.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"There is no image file at {str(path)!r}.")
    return decode_image(path.read_bytes(), str(path), channels, enough=enough)


def decode_image(
    content: bytes,
    name: str,
    channels: int = 3,
    *,
    enough: int | None = None,
    window: Sequence[int] | None = None,
) -> np.ndarray:
    """Decodes one image of any common format, or a part of it.

    The orientation of the EXIF header is applied, 16-bit samples are scaled to 8 bits, CMYK and
    palettes become RGB, and what is transparent becomes white. Of several frames the first counts.

    Args:
        content: what an image file holds.
        name: what a message calls it.
        channels: 3 for RGB or 1 for grey.
        enough: pixels that the shorter side has to have; what has twice as many or more is shrunk
            by a whole factor. It saves time and memory; `None` keeps the size.
        window: top, left, height and width of the part, in pixels of the upright image.

    Returns:
        An array (height, width, channels) uint8.

    Raises:
        InputError: if it is empty, truncated, not an image, or too large to decode.
    """
    if not content:
        raise InputError(f"The image file {name!r} is empty.")
    with _naming(name), PIL.Image.open(io.BytesIO(content)) as image:
        return _to_array(image, channels, enough, window)


def check_image(content: bytes, name: str) -> None:
    """Makes sure that an image can be decoded; takes no more memory than its pixels.

    Raises:
        InputError: see `decode_image`.
    """
    if not content:
        raise InputError(f"The image file {name!r} is empty.")
    with _naming(name), PIL.Image.open(io.BytesIO(content)) as image:
        image.load()


def read_shape(content: bytes, name: str) -> tuple[int, int]:
    """Returns height and width of an encoded image once it is upright; reads its header only.

    Raises:
        InputError: if it is no image.
    """
    if not content:
        raise InputError(f"The image file {name!r} is empty.")
    with _naming(name), PIL.Image.open(io.BytesIO(content)) as image:
        return _upright_shape(image)


def check_header(path: str | os.PathLike) -> str | None:
    """Returns why an image file can't be opened, or `None` if its header is good."""
    try:
        with _naming(os.fspath(path)), PIL.Image.open(path):
            return None
    except InputError as error:
        return str(error)


@contextlib.contextmanager
def _naming(name: str) -> Iterator[None]:
    """Makes one sentence of whatever Pillow raises for a file."""
    try:
        yield
    except PIL.UnidentifiedImageError as error:
        raise InputError(f"The file {name!r} is not an image of a known format.") from error
    except PIL.Image.DecompressionBombError as error:
        limit = 2 * (PIL.Image.MAX_IMAGE_PIXELS or 0)
        raise InputError(f"The image {name!r} has more than {limit:,} pixels.") from error
    except _FAULTS as error:
        raise InputError(f"The image file {name!r} can't be decoded: {error}.") from error


def is_upright(image: PIL.Image.Image) -> bool:
    """Whether an image is stored as it is to be seen, by its EXIF header."""
    return _orientation(image) == _UPRIGHT


def _orientation(image: PIL.Image.Image) -> int:
    return image.getexif().get(_ORIENTATION, _UPRIGHT)


def _upright_shape(image: PIL.Image.Image) -> tuple[int, int]:
    lies = _orientation(image) in _LYING
    return (image.width, image.height) if lies else (image.height, image.width)


def _to_array(
    image: PIL.Image.Image, channels: int, enough: int | None, window: Sequence[int] | None
) -> np.ndarray:
    shape = _upright_shape(image)
    factor = _factor(min(window[2:] if window is not None else shape), enough)
    if factor > 1:  # a JPEG is then decoded at an eighth to a half of its size
        image.draft(None, (image.width // factor, image.height // factor))
    image = PIL.ImageOps.exif_transpose(image)
    if window is not None:
        image = _crop(image, window, shape)
    factor = _factor(min(image.size), enough)
    image = _to_eight_bits(image)
    if image.mode in ("1", "P", "PA"):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    image = _on_white(image.reduce(factor)).convert("RGB" if channels == 3 else "L")
    return np.asarray(image).reshape(image.height, image.width, channels)


def _factor(side: int, enough: int | None) -> int:
    return max(1, side // enough) if enough else 1


def _crop(image: PIL.Image.Image, window: Sequence[int], shape: tuple[int, int]) -> PIL.Image.Image:
    """Cuts a window, in pixels of the whole image (height, width), out of the shrunk one."""
    # Each side is rounded up where it is shrunk, so that their scales differ a little.
    scales = image.height / shape[0], image.width / shape[1]
    top, left, height, width = map(round, np.multiply(window, (*scales, *scales)).tolist())
    right = min(left + max(width, 1), image.width)
    bottom = min(top + max(height, 1), image.height)
    return image.crop((min(left, right - 1), min(top, bottom - 1), right, bottom))


def _to_eight_bits(image: PIL.Image.Image) -> PIL.Image.Image:
    if not image.mode.startswith(("I", "F")):
        return image
    samples = np.asarray(image).astype(np.float64)
    # 16-bit files are often opened in the 32-bit mode; a float file is taken as 0..1 or 0..255.
    top = 65535.0 if image.mode.startswith("I") else (1.0 if samples.max(initial=0) <= 1 else 255.0)
    return PIL.Image.fromarray(np.clip(samples / top * 255.0 + 0.5, 0, 255).astype(np.uint8))


def _on_white(image: PIL.Image.Image) -> PIL.Image.Image:
    if not image.has_transparency_data:
        return image
    image = image.convert("RGBA")
    white = PIL.Image.new("RGBA", image.size, "white")
    return PIL.Image.alpha_composite(white, image)
