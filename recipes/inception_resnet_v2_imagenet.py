"""Inception-ResNet-v2 on ImageNet (Szegedy, Ioffe, Vanhoucke, Alemi 2016, arXiv 1602.07261).

    keras-convnets train inception_resnet_v2_imagenet

Expected (paper, table 2): top-1 80.1 %, top-5 95.1 % of one crop. All else is as for
`inception_v4_imagenet`, whose data, cost and departures it shares; not run here. The net is the
paper's; `--set variant=released` takes the larger one that was released.
"""

from keras_convnets.recipes import inception_v4_imagenet
from keras_convnets.recipes._base import right
from keras_convnets.training import P, Recipe


def recipe() -> Recipe:
    """Returns the recipe of section 4."""
    return inception_v4_imagenet.recipe().replace(
        model=P("InceptionResNetV2", "figure 15"),
        variant=P("paper", "figure 15: 5, 10 and 5 blocks"),
        dropout_rate=P(0.2, "figure 15: 0.8 are kept"),
        results=P(right(19.9, 4.9), "table 2: one crop"),
    )
