"""Residual nets on CIFAR-10 (He, Zhang, Ren, Sun 2015, arXiv 1512.03385).

    keras-convnets train resnet_cifar10:20

Options: the depths "20", "32", "44", "56" and "110".
Expected (paper, table 6): top-1 91.25, 92.49, 92.83, 93.03 and 93.57 % (the best of five runs;
93.39 +- 0.16 on the average).
Cost: 64,000 steps of 128 images, hours on a GPU. Not run here on CIFAR-10.
CIFAR-10: TensorFlow Datasets downloads it by itself.
Departures: the mean of each channel is subtracted, not one of each pixel, and images are divided by
their deviation; of the 50,000 training images a tenth serves as validation set, as the paper's
45,000 and 5,000 do.
"""

from keras_convnets.data import FlipLeftRight, PadCrop
from keras_convnets.evaluation import CenterCrop
from keras_convnets.recipes._base import CIFAR10, complete
from keras_convnets.training import (
    SGD,
    HeNormal,
    P,
    Piecewise,
    Recipe,
    Steps,
    Warmup,
    choice,
)

TOP1 = {"20": 0.9125, "32": 0.9249, "44": 0.9283, "56": 0.9303, "110": 0.9357}
OPTIONS = tuple(TOP1)
FALLS = Piecewise((0.1, 0.01, 0.001), (Steps(32_000), Steps(16_000)))


def recipe(option: str = OPTIONS[0]) -> Recipe:
    """Returns the recipe of section 4.2."""
    schedule = P(FALLS, "section 4.2: divided by 10 at 32,000 and 48,000 steps")
    if option == "110":
        schedule = P(
            Warmup(0.01, error=0.8, then=FALLS),
            "section 4.2: 0.01 until the training error is below 80 %, about 400 steps",
        )
    return complete(
        model=P("ResNetCIFAR", "section 4.2"),
        variant=P(option, "table 6"),
        model_options=P({"shortcut": "A"}, "section 4.2"),
        data=CIFAR10,
        input_size=P(32, "section 4.2"),
        classes=P(10, "section 4.2"),
        batch_size=P(128, "section 4.2"),
        length=P(Steps(64_000), "section 4.2"),
        schedule=schedule,
        optimizer=P(SGD(momentum=0.9), "section 4.2"),
        l2=P(1e-4, "section 4.2"),
        dropout_rate=P(0.0, "section 4.2: none"),
        batch_norm=choice({"momentum": 0.9, "epsilon": 1e-5}, "unpublished; Torch's"),
        initializer=P(HeNormal(), "section 4.2"),
        augmentation=P((PadCrop(4), FlipLeftRight()), "section 4.2"),
        evaluation=P(CenterCrop(1.0), "section 4.2: the image itself"),
        hardware=P("two GPUs", "section 4.2"),
        results=P({"top1": TOP1[option]}, "table 6"),
    )
