"""A folder of photographs as large as ImageNet's, cut from those that come with two packages."""

from pathlib import Path

import numpy as np
import PIL.Image
import skimage.data
import sklearn.datasets

CLASSES = 10
LONG, SHORT = 500, 375  # pixels of ImageNet's commonest format


def sources() -> list[PIL.Image.Image]:
    """Returns photographs that are on this machine."""
    arrays = [
        skimage.data.astronaut(),
        skimage.data.coffee(),
        skimage.data.chelsea(),
        skimage.data.rocket(),
        *sklearn.datasets.load_sample_images().images,
    ]
    return [PIL.Image.fromarray(array) for array in arrays]


def write_photos(folder: Path, count: int) -> None:
    """Writes JPEG files in folders of classes: random cuts of the photographs, 500 pixels long.

    Args:
        folder: where to.
        count: how many.
    """
    rng = np.random.default_rng(0)
    images = sources()
    for i in range(count):
        image = images[i % len(images)]
        shape = (LONG, SHORT) if rng.random() < 0.75 else (SHORT, LONG)
        share = rng.uniform(0.7, 1.0) * min(image.width / shape[0], image.height / shape[1])
        width, height = (round(share * side) for side in shape)
        x = rng.integers(0, image.width - width + 1)
        y = rng.integers(0, image.height - height + 1)
        cut = image.resize(shape, PIL.Image.BICUBIC, (x, y, x + width, y + height))
        target = folder / f"class_{i % CLASSES}"
        target.mkdir(parents=True, exist_ok=True)
        cut.save(target / f"{i:05}.jpg", quality=95)
