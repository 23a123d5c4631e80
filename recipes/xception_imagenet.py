"""Xception on ImageNet (Chollet 2017, arXiv 1610.02357).

    keras-convnets train xception_imagenet

Expected (paper, table 1): top-1 79.0 %, top-5 94.5 %, one crop, non-blacklisted validation images.
Cost: 60 NVIDIA K80 GPUs for about 3 days. Not run here: it needs ImageNet and accelerators.
ImageNet is a manual download: ILSVRC2012_img_train.tar and ILSVRC2012_img_val.tar of image-net.org
go into ~/tensorflow_datasets/downloads/manual.
Unpublished, so chosen here: length, batch size, averaging constant, augmentation, evaluation crop.
"""

from keras_convnets.data import FlipLeftRight, InceptionCrop
from keras_convnets.evaluation import CenterCrop
from keras_convnets.recipes._base import IMAGENET, complete
from keras_convnets.training import SGD, Epochs, Exponential, MovingAverage, P, Recipe, choice


def recipe() -> Recipe:
    """Returns the recipe of section 4 for ImageNet."""
    return complete(
        model=P("Xception", "figure 5"),
        model_options=P({}, "section 4.5: no fully-connected layers on ImageNet"),
        data=IMAGENET,
        input_size=P(299, "figure 5"),
        classes=P(1000, "section 4"),
        batch_size=choice(1920, "unpublished; 32 a GPU on the paper's 60 GPUs"),
        length=choice(
            Epochs(100), "unpublished; Inception v3's length, as the rate was tuned for it"
        ),
        schedule=P(Exponential(0.045, rate=0.94, every=Epochs(2)), "section 4.2"),
        optimizer=P(SGD(momentum=0.9), "section 4.2"),
        l2=P(1e-5, "section 4.3"),
        dropout_rate=P(0.5, "section 4.3"),
        aux_weight=P(None, "section 4.3: no auxiliary tower"),
        ema=choice(
            MovingAverage(0.9999, ramp=True),
            "averaging is section 4.2; its constant is unpublished",
        ),
        batch_norm=choice({"momentum": 0.99}, "unpublished; the public weights' graph"),
        initializer=choice("glorot_uniform", "unpublished; the public weights' graph"),
        augmentation=choice((InceptionCrop(), FlipLeftRight()), "unpublished; GoogLeNet's crop"),
        evaluation=choice(CenterCrop(0.875), "one crop is table 1; its size is unpublished"),
        parallelism=P("sync", "section 4.4"),
        hardware=P("60 NVIDIA K80 GPUs, about 3 days", "section 4.4"),
        results=P({"top1": 0.790, "top5": 0.945}, "table 1"),
    )
