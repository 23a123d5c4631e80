"""Inception-v3 on ImageNet as Xception's rival (Chollet 2017, arXiv 1610.02357).

    keras-convnets train inception_v3_imagenet_as_in_xception

Expected (paper, table 1): top-1 78.2 %, top-5 94.1 % of one crop. It is `xception_imagenet` but for
the net and its decay: SGD, no auxiliary head, dropout of a half. That recipe tells data, cost and
what is unpublished; not run here.
"""

from keras_convnets.recipes import xception_imagenet
from keras_convnets.training import P, Recipe


def recipe() -> Recipe:
    """Returns the recipe of section 4 for the other net."""
    return xception_imagenet.recipe().replace(
        model=P("InceptionV3", "section 4"),
        l2=P(4e-5, "section 4.3"),
        results=P({"top1": 0.782, "top5": 0.941}, "table 1"),
    )
