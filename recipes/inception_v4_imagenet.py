"""Inception-v4 on ImageNet (Szegedy, Ioffe, Vanhoucke, Alemi 2016, arXiv 1602.07261).

    keras-convnets train inception_v4_imagenet

Expected (paper, table 2): top-1 80.0 %, top-5 95.0 % of one crop, without some 1,700 blacklisted
validation images, which flatters by about 0.3 and 0.15 points.
Cost: 20 NVIDIA Kepler GPUs for an unpublished time. Not run here: it needs ImageNet.
ImageNet is a manual download: ILSVRC2012_img_train.tar and ILSVRC2012_img_val.tar of image-net.org
go into ~/tensorflow_datasets/downloads/manual.
Departures: batch, length, decay and smoothing are unpublished; auxiliary heads are those of
TF-slim.
"""

from keras_convnets.recipes._base import IMAGENET, complete, right
from keras_convnets.recipes._released_inception import released
from keras_convnets.training import Epochs, P, Recipe, choice


def recipe() -> Recipe:
    """Returns the recipe of section 4, which the three nets of the paper share."""
    return complete(
        **released("section 4"),
        model=P("InceptionV4", "figure 9"),
        data=IMAGENET,
        input_size=P(299, "figure 3"),
        classes=P(1000, "section 5"),
        batch_size=choice(640, "unpublished; 32 of each of the 20 replicas, as Inception-v3"),
        length=choice(Epochs(160), "unpublished; until the rate is a hundredth"),
        dropout_rate=P(0.2, "figure 9: 0.8 are kept"),
        label_smoothing=choice(0.1, "unpublished; Inception-v3's"),
        aux_weight=choice(0.4, "unpublished; Inception-v3's"),
        clip_norm=choice(2.0, "the AAAI version clips, and does not say where; Inception-v3's"),
        parallelism=choice("sync", "unpublished; as the released trainer of Inception-v3"),
        hardware=P("20 NVIDIA Kepler GPUs", "section 4"),
        results=P(right(20.0, 5.0), "table 2: one crop"),
    )
