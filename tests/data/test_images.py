"""Image files of any mode and size."""

import numpy as np
import PIL.Image
import pytest

from keras_convnets.data import read_image
from keras_convnets.errors import InputError

GREY = np.linspace(0, 255, 12, dtype=np.uint8).reshape(3, 4)


@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp", "gif", "webp", "tiff", "ppm"])
def test_common_formats(suffix, tmp_path):
    path = tmp_path / f"a.{suffix}"
    PIL.Image.new("RGB", (6, 5), (200, 100, 50)).save(path)
    np.testing.assert_allclose(read_image(path), np.full((5, 6, 3), [200, 100, 50]), atol=8)


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGB", "RGBA", "CMYK", "YCbCr"])
def test_any_mode_becomes_rgb_or_grey(mode, tmp_path):
    path = tmp_path / ("a.jpg" if mode in ("CMYK", "YCbCr") else "a.png")
    PIL.Image.new("RGB", (6, 5), (255, 255, 255)).convert(mode).save(path)
    for channels in (1, 3):
        pixels = read_image(path, channels)
        assert pixels.shape == (5, 6, channels)
        assert pixels.dtype == np.uint8
        assert pixels.min() >= 250


def test_sixteen_bits_are_scaled_to_eight(tmp_path):
    PIL.Image.fromarray(GREY.astype(np.uint16) * 257).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_image(tmp_path / "a.png", 1)[..., 0], GREY)


def test_float_files_are_read(tmp_path):
    PIL.Image.fromarray((GREY / 255).astype(np.float32)).save(tmp_path / "a.tiff")
    np.testing.assert_array_equal(read_image(tmp_path / "a.tiff", 1)[..., 0], GREY)


def test_transparent_pixels_become_white(tmp_path):
    PIL.Image.new("RGBA", (2, 2), (255, 0, 0, 0)).save(tmp_path / "a.png")
    assert np.all(read_image(tmp_path / "a.png") == 255)


def test_exif_orientation_is_applied(tmp_path):
    image = PIL.Image.fromarray(GREY)
    exif = image.getexif()
    exif[0x0112] = 6  # rotate 90 degrees clockwise to show
    image.save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png", 1)[..., 0], np.rot90(GREY, -1))


@pytest.mark.parametrize("size", [(1, 1), (20_000, 3), (3, 20_000)])
def test_any_size_is_read(size, tmp_path):
    PIL.Image.new("RGB", size).save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png").shape == (size[1], size[0], 3)


@pytest.mark.parametrize("suffix", ["png", "jpg"])
@pytest.mark.parametrize(
    ("enough", "side"), [(201, 400), (200, 200), (100, 100), (48, 50), (None, 400)]
)
def test_large_images_are_shrunk_to_what_is_enough(suffix, enough, side, tmp_path):
    """By whole factors; a JPEG's decoder knows 2, 4 and 8."""
    ramp = np.linspace(0, 255, 400).astype(np.uint8)
    path = tmp_path / f"a.{suffix}"
    PIL.Image.fromarray(np.broadcast_to(ramp, (400, 400)).copy()).save(path, quality=95)
    pixels = read_image(path, 1, enough=enough)
    assert pixels.shape == (side, side, 1)
    expected = np.linspace(0, 255, 400).reshape(side, -1).mean(axis=1)
    np.testing.assert_allclose(pixels[:, :, 0], np.broadcast_to(expected, (side, side)), atol=3)


def test_too_many_pixels_are_refused(tmp_path, monkeypatch):
    PIL.Image.new("L", (200, 200)).save(tmp_path / "a.png")
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", 10_000)
    with pytest.raises(InputError, match="has more than 20,000 pixels"):
        read_image(tmp_path / "a.png")


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "no image file at"), (b"", "is empty"), (b"text", "not an image of a known format")],
)
def test_bad_files_are_named(content, message, tmp_path):
    if content is not None:
        (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_image(tmp_path / "a.png")


@pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "webp", "tiff", "bmp"])
def test_truncated_files_are_named(suffix, tmp_path, rng):
    path = tmp_path / f"a.{suffix}"
    PIL.Image.fromarray(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=rf"a.{suffix}'"):
        read_image(path)
