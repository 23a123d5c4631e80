"""Parts of encoded images: the same pixels whoever decodes them."""

import io

import numpy as np
import PIL.Image
import pytest
import sklearn.datasets
import tensorflow as tf

from keras_convnets.data.encoded import Blobs
from keras_convnets.data.images import decode_image
from keras_convnets.data.windows import decode_window, whole

PHOTO = PIL.Image.fromarray(sklearn.datasets.load_sample_image("china.jpg")).resize((501, 377))
EVERYTHING = 10**6  # more pixels than there are: never shrunk


def encode(image, kind="JPEG", orientation=None, **options):
    exif = PIL.Image.Exif()
    if orientation is not None:
        exif[0x0112] = orientation
    content = io.BytesIO()
    image.save(content, kind, exif=exif, **options)
    return content.getvalue()


def decode(content, window=whole, enough=EVERYTHING, channels=3):
    encoded = Blobs([content], ["photo"])

    @tf.function
    def run(content):
        index = tf.constant(0, tf.int64)
        return decode_window(content, index, encoded, window, enough, channels)

    return run(tf.constant(content)).numpy()


@pytest.mark.parametrize(
    "content",
    [
        encode(PHOTO),
        encode(PHOTO, quality=100, subsampling=0),
        encode(PHOTO, progressive=True),
        encode(PHOTO, orientation=1),
        encode(PHOTO.convert("L")),
        encode(PHOTO.convert("CMYK")),
        encode(PHOTO, "PNG"),
        encode(PHOTO, "WEBP"),
        encode(PHOTO) + b"trailing bytes",
    ],
    ids=["jpeg", "fine", "progressive", "upright", "grey", "cmyk", "png", "webp", "trailed"],
)
def test_pixels_are_those_of_pillow(content):
    expected = np.asarray(PIL.Image.open(io.BytesIO(content)).convert("RGB"))
    np.testing.assert_array_equal(decode(content), expected)
    grey = np.asarray(PIL.Image.open(io.BytesIO(content)).convert("L"))
    # A JPEG holds the luma itself, before colours are clipped.
    assert np.abs(decode(content, channels=1)[..., 0] - grey.astype(int)).mean() < 0.5


def test_an_image_that_lies_on_its_side_is_turned_before_the_window_is_taken():
    content = encode(PHOTO, orientation=6, quality=95)
    upright = np.asarray(PIL.Image.open(io.BytesIO(content)).transpose(PIL.Image.ROTATE_270))
    part = decode(content, lambda shape: tf.stack([shape[0] // 2, 10, 100, 50]))
    np.testing.assert_array_equal(part, upright[250:350, 10:60])


def test_an_orientation_behind_another_segment_is_found():
    content = encode(PHOTO, orientation=6)
    segment = b"\xff\xe2" + (2002).to_bytes(2, "big") + bytes(2000)
    assert decode(content[:2] + segment + content[2:]).shape == (501, 377, 3)


def test_an_orientation_in_xmp_alone_is_found():
    content = io.BytesIO()
    PHOTO.save(content, "JPEG", xmp=b'<rdf:Description tiff:Orientation="6"/>')
    assert decode(content.getvalue()).shape == (501, 377, 3)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_window_is_a_part_of_the_image(kind):
    content = encode(PHOTO, kind)
    part = decode(content, lambda shape: tf.constant([31, 57, 200, 123]))
    expected = decode(content)[31:231, 57:180]
    np.testing.assert_array_equal(part[:, 1:-1], expected[:, 1:-1])
    # libjpeg does not look beyond the window for the colours at its edge.
    assert np.abs(part - expected.astype(int)).max() <= 8


@pytest.mark.parametrize(
    ("enough", "ratio"), [(EVERYTHING, 1), (153, 1), (152, 2), (77, 2), (76, 4), (38, 8), (1, 8)]
)
def test_a_large_jpeg_is_decoded_as_small_as_has_enough_pixels(enough, ratio):
    part = decode(encode(PHOTO, quality=95), lambda shape: tf.constant([40, 56, 304, 320]), enough)
    assert part.shape == (304 // ratio, 320 // ratio, 3)
    shrunk = PHOTO.crop((56, 40, 376, 344)).resize(part.shape[1::-1], PIL.Image.BOX)
    assert np.abs(part - np.asarray(shrunk, int)).mean() < 3


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("enough", [180, 90, 45])
def test_a_whole_image_is_shrunk_as_the_reader_of_files_does_it(enough, orientation):
    """So that an evaluation does not depend on whether images are decoded beforehand."""
    content = encode(PHOTO, orientation=orientation)
    expected = decode_image(content, "photo", enough=enough)
    assert min(expected.shape[:2]) < 377
    np.testing.assert_array_equal(decode(content, enough=enough), expected)


def test_windows_at_the_edge_stay_inside_what_is_left_of_a_shrunk_image():
    part = decode(encode(PHOTO), lambda shape: tf.stack([300, 400, shape[0] - 300, 101]), 5)
    assert part.shape == (77 // 8, 101 // 8, 3)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "'photo' is empty"),
        (b"text", "'photo' is not an image"),
        (encode(PHOTO)[:-700], "'photo' can't be decoded: image file is truncated"),
        (encode(PHOTO)[:300] + b"\xff\xd9", "'photo'"),
    ],
)
def test_images_that_cannot_be_decoded_are_named(content, message):
    with pytest.raises(tf.errors.OpError) as caught:
        decode(content)
    assert "InputError" in str(caught.value) or "jpeg" in str(caught.value).lower()
    if message != "'photo'":
        assert message in str(caught.value)
