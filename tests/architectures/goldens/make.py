"""Makes the golden files: what the Torch nets give for weights that are drawn by name.

    python -m tests.architectures.goldens.make [NET ...]

from the root of the repository, in an environment of its own with torch, torchvision, timm,
pretrainedmodels (and six, which it forgets) and NumPy; the tests need no Torch. The files were made
with torch 2.14.1, torchvision 0.29.1, timm 1.0.31, pretrainedmodels 0.7.4 and NumPy 2.4.6, and each
says so under "made_with".

A net gets weights that are drawn under the names of our layers, and sees one drawn image, all in
float64. Its file has, for each map and all logits, 256 values and the shape, channels last.
"""

import argparse
import gc
import importlib.metadata

import torch

from . import inception, plain, residual
from .drawing import save_golden

NETS = {**inception.NETS, **plain.NETS, **residual.NETS}


def main() -> None:
    """Makes the files of the nets that the command line names, or every file."""
    parser = argparse.ArgumentParser(description="Makes the golden files.")
    parser.add_argument("nets", nargs="*", metavar="NET", help=", ".join(NETS))
    nets = parser.parse_args().nets or list(NETS)
    unknown = [net for net in nets if net not in NETS]
    if unknown:
        parser.error(f"The nets are {', '.join(NETS)}. Received: {unknown[0]!r}")
    made_with = [
        f"{package} {importlib.metadata.version(package)}"
        for package in ("torch", "torchvision", "timm", "pretrainedmodels", "numpy")
    ]
    for net in nets:
        maps = NETS[net]().run()
        path = save_golden(net, maps, made_with)
        print(f"{path.name}: {len(maps)} maps, {path.stat().st_size / 1e3:.0f} kB")
        gc.collect()  # hooks hold the net that holds them


if __name__ == "__main__":
    with torch.inference_mode():
        main()
