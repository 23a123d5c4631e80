"""The other half of resnext_training_step.py: trains torchvision's net, a step for each line read.

Needs torch and torchvision, and nothing else.
"""

import sys

import torch
import torchvision


def main() -> None:
    """Answers each line of the input with "done" after a step."""
    batch, size = map(int, sys.argv[1:])
    torch.manual_seed(0)
    model = torchvision.models.resnext50_32x4d().to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.SGD(model.parameters(), 0.01, momentum=0.9)
    loss_of = torch.nn.CrossEntropyLoss()
    images = torch.randn(batch, 3, size, size).to(memory_format=torch.channels_last)
    labels = torch.randint(0, 1000, (batch,))
    for _ in sys.stdin:
        optimizer.zero_grad()
        loss = loss_of(model(images), labels)
        loss.backward()
        optimizer.step()
        loss.item()
        print("done", flush=True)


if __name__ == "__main__":
    main()
