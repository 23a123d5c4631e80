"""From encoded images to parts of them, in TensorFlow's graph: a JPEG decodes the part alone."""

import functools
import io
from collections.abc import Callable

import numpy as np
import PIL.Image
import tensorflow as tf

from keras_convnets.data.calls import call
from keras_convnets.data.encoded import Encoded
from keras_convnets.data.images import decode_image, is_upright, read_shape

# How much smaller libjpeg can decode an image, from the largest.
_RATIOS = (8, 4, 2, 1)

# Bytes in which a JPEG that has an EXIF header names it, behind other segments such as a profile.
_HEAD = 4096

# From (height, width) int32 to [y, x, height, width] int32, within them.
Window = Callable[[tf.Tensor], tf.Tensor]


def whole(shape: tf.Tensor) -> tf.Tensor:
    """The window of all of an image."""
    return tf.concat([tf.zeros([2], tf.int32), shape], 0)


def decode_window(
    content: tf.Tensor,
    index: tf.Tensor,
    encoded: Encoded,
    window: Window,
    enough: int,
    channels: int,
) -> tf.Tensor:
    """Decodes a part of an image.

    Args:
        content: () string, the image file; it is read if this is empty.
        index: () int64, its number.
        encoded: where it is from.
        window: gives the part, in pixels of the upright image.
        enough: pixels that the shorter side of the part has to have; what has twice as many or more
            is shrunk, a JPEG while it is decoded.
        channels: 3 for RGB or 1 for grey.

    Returns:
        (height, width, channels) uint8.
    """

    def read(index: int) -> bytes:
        return encoded.read(int(index))

    def shape_of(content: bytes, index: int) -> np.ndarray:
        return np.array(read_shape(content, encoded.name(int(index))), np.int32)

    def decode(content: bytes, index: int, part: np.ndarray) -> np.ndarray:
        name = encoded.name(int(index))
        return decode_image(content, name, channels, enough=enough, window=part.tolist())

    def by_pillow() -> tf.Tensor:
        shape = call(shape_of, [content, index], tf.int32)
        part = window(tf.ensure_shape(shape, (2,)))
        return call(decode, [content, index, part], tf.uint8)

    content = tf.cond(
        tf.equal(tf.strings.length(content), 0),
        lambda: tf.ensure_shape(call(read, [index], tf.string), ()),
        lambda: content,
    )
    part = tf.cond(
        _is_plain_jpeg(content),
        lambda: _decode_jpeg(content, window, enough, channels),
        by_pillow,
    )
    return tf.ensure_shape(part, (None, None, channels))


def _is_plain_jpeg(content: tf.Tensor) -> tf.Tensor:
    """Whether an image is a JPEG that TensorFlow decodes as Pillow does: whole and upright."""
    size = tf.strings.length(content)
    head = tf.strings.substr(content, 0, tf.minimum(size, _HEAD))
    tail = tf.strings.substr(content, tf.maximum(size - 2, 0), 2)
    is_jpeg = tf.equal(tf.strings.substr(head, 0, tf.minimum(size, 3)), b"\xff\xd8\xff")
    is_whole = tf.equal(tail, b"\xff\xd9")
    # An orientation may stand in XMP, too; \C is any byte.
    has_exif = tf.strings.regex_full_match(head, r"\C*(Exif|http://ns\.adobe\.com/xap)\C*")

    def by_header() -> tf.Tensor:
        return tf.ensure_shape(call(_is_plain, [content], tf.bool), ())

    def is_simple() -> tf.Tensor:
        # A fourth channel is CMYK, of which there are several kinds.
        return tf.io.extract_jpeg_shape(content)[2] < 4

    return tf.cond(
        is_jpeg & is_whole,
        lambda: tf.cond(has_exif, by_header, is_simple),
        lambda: tf.constant(False),
    )


def _is_plain(content: bytes) -> np.bool_:
    try:
        with PIL.Image.open(io.BytesIO(content)) as image:
            return np.bool_(image.mode in ("RGB", "L") and is_upright(image))
    except Exception:  # whatever it is, the reader of all formats has a sentence for it
        return np.bool_(False)


def _decode_jpeg(content: tf.Tensor, window: Window, enough: int, channels: int) -> tf.Tensor:
    """Decodes the window alone, at the least size that has enough pixels."""
    shape = tf.io.extract_jpeg_shape(content)[:2]
    part = window(shape)
    side = tf.reduce_min(part[2:])

    def at(ratio: int) -> tf.Tensor:
        size = -(-shape // ratio)  # libjpeg rounds up
        begin = part[:2] // ratio
        # What is as long as the image keeps its last pixel, of which libjpeg may have a part only:
        # so does Pillow, and the same image is the same whoever decodes it.
        extent = tf.where(part[2:] == shape, size, tf.maximum(part[2:] // ratio, 1))
        extent = tf.minimum(extent, size - begin)
        # The accurate transform is Pillow's, to the bit.
        return tf.image.decode_and_crop_jpeg(
            content,
            tf.concat([begin, extent], 0),
            channels=channels,
            ratio=ratio,
            dct_method="INTEGER_ACCURATE",
        )

    fits = [side >= ratio * enough for ratio in _RATIOS[:-1]]
    index = tf.argmax(tf.stack([*fits, True]), output_type=tf.int32)
    return tf.switch_case(index, [functools.partial(at, ratio) for ratio in _RATIOS])
