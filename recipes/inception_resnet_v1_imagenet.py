"""Inception-ResNet-v1 on ImageNet (Szegedy, Ioffe, Vanhoucke, Alemi 2016, arXiv 1602.07261).

    keras-convnets train inception_resnet_v1_imagenet

Expected (paper, table 2): top-1 78.7 %, top-5 94.5 % of one crop. All else is as for
`inception_v4_imagenet`, whose data, cost and departures it shares; not run here.
"""

from keras_convnets.recipes import inception_v4_imagenet
from keras_convnets.recipes._base import right
from keras_convnets.training import P, Recipe


def recipe() -> Recipe:
    """Returns the recipe of section 4."""
    return inception_v4_imagenet.recipe().replace(
        model=P("InceptionResNetV1", "figure 15"),
        dropout_rate=P(0.2, "figure 15: 0.8 are kept"),
        results=P(right(21.3, 5.5), "table 2: one crop"),
    )
