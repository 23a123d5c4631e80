"""What a peer and our tests share: weights drawn under the peer's own names, and its logits.

A file of weights is too large to keep. Kept are the names and shapes of its tensors, in the order
of the file, and the logits that the peer computes in float64 from tensors that are drawn by name:
a test draws the same tensors, writes them in the peer's format, and compares all logits. Draws are
those of NumPy's legacy generator, whose stream alone is frozen for all versions (NEP 19), rounded
to float32 as files hold them.
"""

import dataclasses
import json
import re
import zlib
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent / "goldens"


@dataclasses.dataclass(frozen=True)
class Golden:
    """One net of a peer.

    Attributes:
        shapes: of its tensors by the peer's names, in the order of the file.
        size: height and width of the image in pixels.
        logits: (classes,) float64, for `draw_image(size)`.
        made_with: versions of the peer's packages.
    """

    shapes: dict[str, tuple[int, ...]]
    size: int
    logits: np.ndarray
    made_with: str

    def save(self, peer: str) -> None:
        """Writes the file of a peer's net, such as "torchvision_resnet18"."""
        listing = json.dumps({name: list(shape) for name, shape in self.shapes.items()})
        np.savez_compressed(
            FOLDER / f"{peer}.npz",
            shapes=np.array(listing),
            size=np.array(self.size),
            logits=self.logits,
            made_with=np.array(self.made_with),
        )

    @classmethod
    def load(cls, peer: str) -> "Golden":
        """Reads what `save` wrote."""
        with np.load(FOLDER / f"{peer}.npz") as file:
            shapes = json.loads(str(file["shapes"]))
            return cls(
                {name: tuple(shape) for name, shape in shapes.items()},
                int(file["size"]),
                file["logits"],
                str(file["made_with"]),
            )


def draw(name: str, shape: tuple[int, ...], fan_in: int | None = None) -> np.ndarray:
    """Draws a tensor so that signals stay alive, and so that one in a wrong place shows.

    Args:
        name: the peer's name of it.
        shape: of it, in the peer's layout.
        fan_in: inputs of one output of a kernel; `None` stands for all axes but the first, as in
            Torch, Caffe and ONNX.

    Returns:
        A float32 array; int64 zeros for Torch's counts of batches.
    """
    if name.endswith("num_batches_tracked"):
        return np.zeros(shape, np.int64)
    generator = np.random.RandomState(zlib.crc32(name.encode()))
    if len(shape) > 1:
        high = (6 / (fan_in or np.prod(shape[1:]))) ** 0.5
        low = -high
    elif re.search(r"var", name):
        low, high = 0.5, 1.5
    elif re.search(r"(bn3|c_bn|rep\.8|\.0\.0\.2)\.weight$|conv3.*gamma$", name):
        low, high = 0.125, 0.375  # the end of a branch: a deep net would grow without limit
    elif re.search(r"weight$|gamma$", name):
        low, high = 0.5, 1.5
    else:
        low, high = -0.2, 0.2
    return generator.uniform(low, high, shape).astype(np.float32)


def draw_image(size: int) -> np.ndarray:
    """Draws an image as the net takes it: (1, size, size, 3) float64 in [-1, 1]."""
    return np.random.RandomState(size).uniform(-1, 1, (1, size, size, 3))
