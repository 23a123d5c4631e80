"""The other half of input_pipeline.py: an epoch of torchvision's loader for each line read.

Needs torch and torchvision, and nothing else.
"""

import sys

import torch
from torchvision import transforms
from torchvision.datasets import ImageFolder

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def main() -> None:
    """Answers each line of the input with the number of images seen."""
    folder, batch, size, workers = sys.argv[1], *map(int, sys.argv[2:])
    images = ImageFolder(
        folder,
        transforms.Compose(
            [
                transforms.RandomResizedCrop(size),
                transforms.RandomHorizontalFlip(),
                transforms.ToTensor(),
                transforms.Normalize(MEAN, STD),
            ]
        ),
    )
    loader = torch.utils.data.DataLoader(
        images, batch, shuffle=True, num_workers=workers, persistent_workers=True
    )
    for _ in sys.stdin:
        print(sum(len(labels) for _, labels in loader), flush=True)


if __name__ == "__main__":
    main()
