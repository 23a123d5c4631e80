"""What both sides of a golden file share: drawn weights and images, and the file itself.

Everything is drawn by name, and from NumPy's legacy generator, for its stream alone is frozen for
all versions (NEP 19). All draws are uniform, so that no logarithm of a platform reaches them.
"""

import zlib
from pathlib import Path

import numpy as np

POSITIONS = 256
_SHAPE = ".shape"

# Small enough that signals stay, large enough that a tensor in the wrong place shows.
RANGES = {
    "pixels": (-1.0, 1.0),
    "gamma": (0.5, 1.5),
    "beta": (-0.2, 0.2),
    "moving_mean": (-0.2, 0.2),
    "moving_variance": (0.5, 1.5),
    "bias": (-0.2, 0.2),
}
# The last of a bottleneck. With the gammas above the maps of ResNet-152 nearly double in each
# block, to 1e13, and a wrong bias or mean would not show.
BRANCH_END = "_3_bn"
BRANCH_END_GAMMA = (0.125, 0.375)


def draw(name: str, role: str, shape: tuple[int, ...]) -> np.ndarray:
    """Draws a tensor.

    Args:
        name: of the layer, as the Keras net has it.
        role: "kernel", or a key of `RANGES`.
        shape: as Keras lays the tensor out: (height, width, in, out) or (in, out) for a kernel.

    Returns:
        A float64 array; the variance of a kernel is He's, 2 / fan-in.
    """
    if role == "kernel":
        high = (6 / np.prod(shape[:-1])) ** 0.5
        low = -high
    elif role == "gamma" and name.endswith(BRANCH_END):
        low, high = BRANCH_END_GAMMA
    else:
        low, high = RANGES[role]
    return _generator(f"{name}/{role}").uniform(low, high, shape)


def draw_image(size: int) -> np.ndarray:
    """Draws a batch of one image, (1, size, size, 3)."""
    return draw("image", "pixels", (1, size, size, 3))


def sample(name: str, tensor: np.ndarray) -> np.ndarray:
    """Returns the values of a map at seeded positions, or all of them if they are few.

    Args:
        name: of the layer that gave the map; seeds the positions.
        tensor: (height, width, channels), or (classes,).
    """
    return tensor.ravel()[_generator(f"{name}/positions").permutation(tensor.size)[:POSITIONS]]


def save_golden(net: str, maps: dict[str, np.ndarray], made_with: list[str]) -> Path:
    """Writes the file of a net: samples of its maps in the order given, and their shapes."""
    arrays = {"made_with": np.array(made_with)}
    for name, tensor in maps.items():
        arrays[name] = sample(name, tensor)
        arrays[f"{name}{_SHAPE}"] = np.array(tensor.shape)
    path = _path(net)
    np.savez_compressed(path, **arrays)
    return path


def load_golden(net: str) -> dict[str, tuple[tuple[int, ...], np.ndarray]]:
    """Reads the file of a net: from the name of each layer to the shape of its map and samples."""
    with np.load(_path(net)) as file:
        arrays = dict(file)
    names = [name for name in arrays if f"{name}{_SHAPE}" in arrays]
    return {name: (tuple(arrays[f"{name}{_SHAPE}"].tolist()), arrays[name]) for name in names}


def _path(net: str) -> Path:
    return Path(__file__).with_name(f"{net}.npz")


def _generator(name: str) -> np.random.RandomState:
    return np.random.RandomState(zlib.crc32(name.encode()))
