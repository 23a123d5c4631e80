"""Draws what each augmentation makes of three photos; scikit-image has the photos.

python scripts/draw_augmentation.py docs/images
"""

import sys
from pathlib import Path

import numpy as np
import PIL.Image
import PIL.ImageDraw
import PIL.ImageFont
import skimage.data
import tensorflow as tf

from keras_convnets import data
from keras_convnets.data.augmentation import Augmentation, Crop

SIZE, TILE, GAP, TITLE = 224, 80, 4, 18
SEEDS = (1, 2, 3)
COLORS = ("red", "yellow", "cyan")  # of the windows, a seed each

# Titles with changes of whole photos, of images of the input size, and of batches.
CHANGES: dict[str, Augmentation] = {
    "InceptionCrop() - GoogLeNet": data.InceptionCrop(),
    "SlimCrop() - TensorFlow's Inception code": data.SlimCrop(),
    "RandomSizedCrop() - fb.resnet.torch, ResNeXt": data.RandomSizedCrop(),
    "ShorterSideCrop(256, 512) - VGG": data.ShorterSideCrop(256, 512),
    "ShorterSideCrop(256, 480) - ResNet": data.ShorterSideCrop(256, 480),
    "ShorterSideCrop(256, 256, central_square=True) - AlexNet": data.ShorterSideCrop(
        256, 256, central_square=True
    ),
    "PadCrop() - ResNet on CIFAR, 32 pixels": data.PadCrop(),
    "FlipLeftRight()": data.FlipLeftRight(),
    "PCALighting() - AlexNet": data.PCALighting(),
    "ColorJitter() - fb.resnet.torch": data.ColorJitter(),
    "HowardDistortion() - GoogLeNet": data.HowardDistortion(),
    "SlimDistortion() - TensorFlow's Inception code": data.SlimDistortion(),
    "RandAugment()": data.RandAugment(),
    "MixUp(1.0)": data.MixUp(1.0),
    "CutMix()": data.CutMix(),
}


def tile(image: np.ndarray | tf.Tensor, *, is_sharp: bool = False) -> PIL.Image.Image:
    """A picture of at most `TILE` pixels."""
    picture = PIL.Image.fromarray(np.clip(np.round(image), 0, 255).astype(np.uint8))
    factor = TILE / max(picture.size)
    size = [max(1, round(side * factor)) for side in picture.size]
    how = PIL.Image.Resampling.NEAREST if is_sharp else PIL.Image.Resampling.LANCZOS
    return picture.resize(size, how)


def with_windows(photo: np.ndarray, crop: Crop, number: int) -> PIL.Image.Image:
    """The whole photo with the windows of all seeds."""
    picture = tile(photo)
    factor = picture.width / photo.shape[1]
    draw = PIL.ImageDraw.Draw(picture)
    for seed, color in zip(SEEDS, COLORS, strict=True):
        y, x, h, w = crop.window(tf.constant(photo.shape[:2]), [number, seed]).numpy() * factor
        draw.rectangle((x, y, x + w - 1, y + h - 1), outline=color, width=1)
    return picture


def row(change: Augmentation, photos: list[np.ndarray]) -> list[PIL.Image.Image]:
    """For each photo what there was, and what each seed makes of it."""
    side = 32 if isinstance(change, data.PadCrop) else SIZE
    preprocessing = data.Preprocessing(side, 3, "tf")
    squares = tf.stack([preprocessing.center(photo) for photo in photos])
    if change.mixes_batches:
        mixed = [change(squares, tf.eye(len(photos)), tf.constant([7, seed]))[0] for seed in SEEDS]
    tiles = []
    for i, photo in enumerate(photos):
        if isinstance(change, Crop):
            tiles.append(with_windows(photo, change, i))
            source = tf.cast(photo, tf.float32)
        else:
            tiles.append(tile(squares[i], is_sharp=side == 32))
            source = squares[i]
        for j, seed in enumerate(SEEDS):
            made = mixed[j][i] if change.mixes_batches else change(source, [i, seed], SIZE)
            tiles.append(tile(made, is_sharp=side == 32))
    return tiles


def sheet(photos: list[np.ndarray]) -> PIL.Image.Image:
    """The contact sheet, a titled row for each change."""
    columns = len(photos) * (1 + len(SEEDS))
    size = (columns * (TILE + GAP) + GAP, len(CHANGES) * (TITLE + TILE + GAP) + GAP)
    picture = PIL.Image.new("RGB", size, "white")
    draw = PIL.ImageDraw.Draw(picture)
    font = PIL.ImageFont.load_default(12)
    for i, (title, change) in enumerate(CHANGES.items()):
        top = GAP + i * (TITLE + TILE + GAP)
        draw.text((GAP, top), title, "black", font)
        for j, image in enumerate(row(change, photos)):
            picture.paste(image, (GAP + j * (TILE + GAP), top + TITLE))
    return picture


if __name__ == "__main__":
    photos = [skimage.data.astronaut(), skimage.data.coffee(), skimage.data.chelsea()]
    whole = sheet(photos)
    # Dithered with 256 colours it takes less than half of the bytes.
    palette = whole.quantize(256, PIL.Image.Quantize.FASTOCTREE)
    whole.quantize(palette=palette).save(Path(sys.argv[1]) / "augmentation.png", optimize=True)
