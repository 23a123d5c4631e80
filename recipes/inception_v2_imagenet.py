"""BN-Inception, the first Inception-v2, on ImageNet (Ioffe, Szegedy 2015, arXiv 1502.03167).

    keras-convnets train inception_v2_imagenet:x30 --set parallelism=sync

Options: "baseline", GoogLeNet's own training; "x5" and "x30", a rate 5 or 30 times as high, and
what section 4.2.1 changes with it: no dropout, a fifth of the decay, a rate that falls 6 times as
fast, milder distortions.
Expected (paper, figure 3): top-1 72.7 %, 73.0 % and 74.8 %; 72.2 % after 13.3, 2.1 and 2.7 million
steps of 32 images.
Cost: unpublished; distributed like DistBelief. Not run here: it needs ImageNet.
ImageNet is a manual download: ILSVRC2012_img_train.tar and ILSVRC2012_img_val.tar of image-net.org
go into ~/tensorflow_datasets/downloads/manual.
Departures: the 576 channels of figure 5 can't be had from the filters it prints, so two projections
are those of TF-slim; the decay, the fall of the rate, the length, the dropout of the baseline and
the augmentation are unpublished.
"""

from typing import NamedTuple

from keras_convnets.data import FlipLeftRight, HowardDistortion, InceptionCrop
from keras_convnets.recipes._base import IMAGENET, complete
from keras_convnets.training import SGD, Epochs, Exponential, P, Recipe, choice


class Row(NamedTuple):
    """A row of figure 3: first rate, best top-1, and our length in epochs."""

    rate: float
    top1: float
    epochs: int


ROWS = {
    "baseline": Row(0.0015, 0.727, 400),
    "x5": Row(0.0075, 0.730, 100),
    "x30": Row(0.045, 0.748, 150),
}
OPTIONS = tuple(ROWS)
# Of GoogLeNet and Inception-v3; section 4.2.1 divides both.
EPOCHS_BETWEEN_FALLS = 8
L2 = 4e-5


def recipe(option: str = OPTIONS[0]) -> Recipe:
    """Returns the recipe of section 4.2."""
    row, is_fast = ROWS[option], option != "baseline"
    fields = {
        "l2": choice(L2, "unpublished; Inception-v3's"),
        "dropout_rate": choice(0.4, "unpublished here; GoogLeNet's"),
        "augmentation": choice(
            (InceptionCrop(), FlipLeftRight(), HowardDistortion()), "unpublished here; GoogLeNet's"
        ),
    }
    every = EPOCHS_BETWEEN_FALLS
    if is_fast:
        every /= 6
        fields = {
            "l2": choice(L2 / 5, "section 4.2.1: a fifth of the baseline's, which is unpublished"),
            "dropout_rate": P(0.0, "section 4.2.1: none"),
            "augmentation": choice(
                (InceptionCrop(), FlipLeftRight(), HowardDistortion((0.75, 1.25))),
                "section 4.2.1: milder distortions; how much is unpublished",
            ),
        }
    return complete(
        model=P("InceptionV2", "figure 5"),
        variant=choice("slim", "4c and 4d of figure 5 do not add up to the channels it prints"),
        model_options=P({"batch_norm_scale": True}, "section 3: a scale and a shift"),
        data=IMAGENET,
        input_size=P(224, "figure 5"),
        classes=P(1000, "section 4.2"),
        batch_size=P(32, "section 4.2"),
        length=choice(
            Epochs(row.epochs), "unpublished; longer than the steps to 72.2 % of figure 3"
        ),
        schedule=choice(
            Exponential(row.rate, rate=0.96, every=Epochs(every)),
            f"the {row.rate} is section 4.2.2; that it falls"
            + (
                " 6 times as fast as the baseline's, section 4.2.1"
                if is_fast
                else ", section 4.2.2"
            )
            + "; how fast is GoogLeNet's",
        ),
        optimizer=choice(SGD(momentum=0.9), "section 4.2: with momentum; GoogLeNet's"),
        batch_norm=choice({"momentum": 0.99}, "the paper takes the mean over training images"),
        parallelism=choice("async", "section 4.2: distributed as by DistBelief"),
        hardware=choice("unknown", "unpublished"),
        results=P({"top1": row.top1}, "figure 3"),
        **fields,
    )
