"""Inception-v3 on ImageNet (Szegedy et al. 2015, arXiv 1512.00567).

    keras-convnets train inception_v3_imagenet

Expected (paper, table 3): top-1 78.8 %, top-5 94.4 % of one crop, on the 48,238 validation images
that are not blacklisted. With smaller batches people got less: the rate belongs to 1,600 images.
Cost: 50 NVIDIA Kepler GPUs for 100 epochs. Not run here: it needs ImageNet and accelerators.
ImageNet is a manual download: ILSVRC2012_img_train.tar and ILSVRC2012_img_val.tar of image-net.org
go into ~/tensorflow_datasets/downloads/manual.
Departures: what section 8 leaves open is that of the released trainer.
"""

from keras_convnets.recipes._base import IMAGENET, complete, right
from keras_convnets.recipes._released_inception import MODEL, TRAINER, released
from keras_convnets.training import C, Epochs, P, Recipe, choice


def recipe() -> Recipe:
    """Returns the recipe of sections 7 and 8."""
    return complete(
        **released("section 8"),
        model=P("InceptionV3", "section 6"),
        data=IMAGENET,
        input_size=P(299, "section 6"),
        classes=P(1000, "section 8"),
        batch_size=choice(
            1600,
            "32 of each of 50 replicas (section 8), which the released trainer updates at once",
        ),
        length=P(Epochs(100), "section 8"),
        dropout_rate=C(0.2, MODEL),
        label_smoothing=P(0.1, "section 7"),
        aux_weight=C(0.4, MODEL),
        clip_norm=P(2.0, "section 8"),
        parallelism=C("sync", TRAINER),
        hardware=P("50 NVIDIA Kepler GPUs", "section 8"),
        results=P(right(21.2, 5.6), "table 3: one crop"),
    )
