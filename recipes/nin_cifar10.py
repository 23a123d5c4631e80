"""Network in Network on CIFAR-10 (Lin, Chen, Yan 2013, arXiv 1312.4400).

    keras-convnets train nin_cifar10
    keras-convnets train nin_cifar10:plain

Options: "augmented", with translations and mirror images; "plain", without.
Expected (paper, table 1): top-1 91.19 %; 89.59 % plain. Cost: hours on a GPU. Not run here.
CIFAR-10: TensorFlow Datasets downloads it by itself.
Contrast is normalized and images are whitened by the net itself, by what it has learned of the
training images before the first step (about a minute: each pair of values has a weight).
Departures: the paper prints no filter counts, rates or batch size: all are choices here. The option
"augmented" moves and mirrors images before they are whitened; the authors' data was whitened first
(mavenlin/cuda-convnet README.md), so that black borders had no part in the contrast. For "plain"
that is the same.
"""

from keras_convnets.data import FlipLeftRight, PadCrop
from keras_convnets.evaluation import CenterCrop
from keras_convnets.recipes._base import CIFAR10, complete
from keras_convnets.training import SGD, C, Epochs, HeNormal, P, Plateau, Recipe, choice

OPTIONS = ("augmented", "plain")


def recipe(option: str = OPTIONS[0]) -> Recipe:
    """Returns the recipe of section 4.2."""
    is_augmented = option == "augmented"
    return complete(
        model=P("NIN", "section 3.3; the filter counts are those of the authors' configuration"),
        data=CIFAR10,
        input_size=P(32, "section 4.2"),
        classes=P(10, "section 4.2"),
        batch_size=choice(128, "not in the paper; that of AlexNet, whose procedure it follows"),
        length=C(Epochs(260), "mavenlin/cuda-convnet/README.md: 200, and 30 behind each fall"),
        schedule=choice(
            Plateau(0.01, factor=0.1, watch="top1", falls=2),
            "the first rate is AlexNet's; that it falls twice, where training accuracy stalls, is "
            "from memory",
        ),
        optimizer=choice(SGD(momentum=0.9), "section 4.1: the procedure of AlexNet"),
        l2=choice(5e-4, "section 4.1: the procedure of AlexNet"),
        dropout_rate=choice(
            0.5, "that there is dropout is section 3.3; its rate is the usual configuration's"
        ),
        initializer=choice(HeNormal(), "unpublished; nine layers do not start from less"),
        preprocessing=P("gcn_zca", "section 4.2; its constants are those of maxout's code"),
        augmentation=choice(
            (PadCrop(4), FlipLeftRight()) if is_augmented else (),
            "translation and mirror images; how far is unpublished"
            if is_augmented
            else "section 4.2: the first result is without",
        ),
        evaluation=choice(CenterCrop(1.0), "the images have the size of the input"),
        hardware=choice("one GPU, hours", "the paper does not say"),
        results=P({"top1": 0.9119 if is_augmented else 0.8959}, "table 1"),
    )
