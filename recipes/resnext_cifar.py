"""ResNeXt-29 on CIFAR-10 and CIFAR-100 (Xie, Girshick, Dollar, Tu, He 2016, arXiv 1611.05431).

    keras-convnets train resnext_cifar:cifar10-8x64d

Options: the set, cardinality and width of a path.
Expected (paper, table 7, the mean of ten runs): top-1 96.35 and 96.42 % on CIFAR-10, 82.23 and
82.69 % on CIFAR-100. Cost: 300 epochs on eight GPUs. Not run here.
CIFAR: TensorFlow Datasets downloads both sets by itself.
Departures: the paper trains on all 50,000 images; here a tenth of them is the validation set.
"""

from keras_convnets.data import FlipLeftRight, PadCrop
from keras_convnets.evaluation import CenterCrop
from keras_convnets.recipes._base import complete
from keras_convnets.recipes._torch_residual import RESNEXT, torch_code
from keras_convnets.training import Epochs, P, Piecewise, Recipe, choice

TOP1 = {
    "cifar10-8x64d": 0.9635,
    "cifar10-16x64d": 0.9642,
    "cifar100-8x64d": 0.8223,
    "cifar100-16x64d": 0.8269,
}
OPTIONS = tuple(TOP1)


def recipe(option: str = OPTIONS[0]) -> Recipe:
    """Returns the recipe of section 5.3."""
    data, _, variant = option.partition("-")
    return complete(
        **torch_code(RESNEXT),
        model=P("ResNeXt29", "section 5.3"),
        variant=P(variant, "table 7"),
        data=choice(f"tfds:{data}", "CIFAR as TensorFlow Datasets downloads it"),
        input_size=P(32, "section 5.3"),
        classes=P(int(data.removeprefix("cifar")), "section 5.3"),
        batch_size=P(128, "section 5.3"),
        length=P(Epochs(300), "section 5.3"),
        schedule=P(
            Piecewise((0.1, 0.01, 0.001), (Epochs(150), Epochs(75))),
            "section 5.3: divided by 10 behind 150 and 225 epochs",
        ),
        l2=P(5e-4, "section 5.3"),
        augmentation=P((PadCrop(4), FlipLeftRight()), "section 5.3"),
        evaluation=P(CenterCrop(1.0), "section 5.3: the image itself"),
        hardware=P("eight GPUs", "section 5.3"),
        results=P({"top1": TOP1[option]}, "table 7"),
    )
