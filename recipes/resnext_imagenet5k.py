"""ResNeXt on ImageNet-5K (Xie, Girshick, Dollar, Tu, He 2016, arXiv 1611.05431, section 5.2).

    keras-convnets train resnext_imagenet5k:50-32x4d --data folder:DIR

Options: the nets of table 6.
Expected (paper, table 6): top-1 57.7 % and 59.9 % of 5,000 classes.
Cost: that of `resnext_imagenet`, for there are as many batches. Not run here.
ImageNet-5K is not available: it is the 1,000 classes and the 4,000 largest others of ImageNet-22K,
6.8 million images; the paper names no list of them.
"""

from keras_convnets.recipes import resnext_imagenet
from keras_convnets.recipes._base import right
from keras_convnets.training import Epochs, P, Piecewise, Recipe, choice

RESULTS = {"50-32x4d": right(42.3, 16.8), "101-32x4d": right(40.1, 15.1)}
OPTIONS = tuple(RESULTS)


def recipe(option: str = OPTIONS[0]) -> Recipe:
    """Returns the recipe of section 5.2."""
    return resnext_imagenet.recipe(option).replace(
        data=choice("folder:ImageNet-5K", "section 5.2; it is not public"),
        classes=P(5000, "section 5.2"),
        length=P(Epochs(20), "section 5.2: as many batches, so a fifth of the epochs"),
        schedule=P(
            Piecewise((0.1, 0.01, 0.001, 0.0001), (Epochs(6),) * 3),
            "section 5.2: a fifth of the epochs",
        ),
        results=P(RESULTS[option], "table 6: 5,000 classes"),
    )
