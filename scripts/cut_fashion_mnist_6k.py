"""Cuts the embedded set from the idx files of the full Fashion-MNIST.

    python scripts/cut_fashion_mnist_6k.py IDX_FOLDER OUT.npz

The rule: the first 500 training and the first 100 test images of each class, in file order.
Debian's package dataset-fashion-mnist puts the idx files into /usr/share/datasets/fashion-mnist.
"""

import sys

import numpy as np

from keras_convnets.data.idx import read_idx_folder

PER_CLASS = {"train": 500, "test": 100}


def cut(folder: str) -> dict[str, np.ndarray]:
    """Returns the arrays of the embedded file, by name."""
    arrays = {}
    for split, (images, labels) in read_idx_folder(folder).items():
        firsts = [np.flatnonzero(labels == c)[: PER_CLASS[split]] for c in range(10)]
        chosen = np.sort(np.concatenate(firsts))
        arrays[f"{split}_images"] = images[chosen]
        arrays[f"{split}_labels"] = labels[chosen]
    return arrays


if __name__ == "__main__":
    np.savez_compressed(sys.argv[2], **cut(sys.argv[1]))
