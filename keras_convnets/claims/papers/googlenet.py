"""What Szegedy et al. 2015 (arXiv 1409.4842) say of GoogLeNet."""

from keras_convnets.claims.claim import Arm, Claim
from keras_convnets.claims.rules import Contrast
from keras_convnets.data import FlipLeftRight, HowardDistortion, InceptionCrop, PadCrop
from keras_convnets.data.augmentation.crops import FILTERS

PAPER = "Szegedy et al. 2015, arXiv 1409.4842"
_NET = "GoogLeNet:slim"
_SMALL = {"small_input": True, "width_multiplier": 0.125, "repeats": (1, 3, 1)}

AUXILIARY_HEADS = Claim(
    name="googlenet_auxiliary_heads",
    title="Auxiliary classifiers make GoogLeNet better",
    paper=PAPER,
    section="5",
    sentence="Classifiers on the modules 4a and 4d, with weight 0.3, are expected to encourage "
    "discrimination in lower stages, to add gradient and to regularize; Inception-v3's paper finds "
    "no help early and a slightly higher end.",
    arms=(
        Arm("with heads", _NET, _SMALL, fields={"aux_weight": 0.3}),
        Arm("without", _NET, _SMALL),
    ),
    rules=(
        Contrast("heads end better", {"with heads": 1, "without": -1}),
        Contrast(
            "heads learn faster", {"with heads": 1, "without": -1}, metric="mean_validation_top1"
        ),
    ),
    remarks=(
        "With batch normalization, without which so thin a net hardly starts to learn; the heads "
        "are dropped before evaluation and do not count in the parameters.",
    ),
)

REDUCTIONS = Claim(
    name="googlenet_reductions",
    title="1x1 reductions are worth it at equal multiply-adds",
    paper=PAPER,
    section="4, figure 2",
    sentence="Reducing channels by 1x1 convolutions before the 3x3 and 5x5 ones lets a net of the "
    "same cost be wider, and better.",
    arms=(
        Arm("with reductions", _NET, {**_SMALL, "width_multiplier": 0.11}),
        Arm(
            "naive module",
            _NET,
            {"small_input": True, "repeats": (1, 3, 1), "reductions": False},
            free="width_multiplier",
        ),
    ),
    rules=(Contrast("reductions end better", {"with reductions": 1, "naive module": -1}),),
    equal="macs",
)

HEAD = Claim(
    name="average_pooling_and_dropout",
    title="Average pooling beats dense layers, and dropout stays necessary",
    paper=PAPER,
    section="5",
    sentence="Average pooling in place of dense layers raised the top-1 accuracy by 0.6 points, "
    "and dropout was still needed.",
    arms=tuple(
        Arm(
            f"{name}{', dropout' if rate else ''}",
            _NET,
            {**_SMALL, "repeats": (1, 1, 1), "head": head},
            fields={"dropout_rate": rate},
        )
        for name, head in (("average", "average_pool"), ("dense", "dense"))
        for rate in (0.4, 0.0)
    ),
    rules=(
        Contrast("average pooling ends better", {"average, dropout": 1, "dense, dropout": -1}),
        Contrast("dropout helps behind average pooling", {"average, dropout": 1, "average": -1}),
    ),
    figure="points",
    remarks=("One module in each of the three stages.",),
)

CROPS = Claim(
    name="training_crops",
    title="Crops of 8 to 100 % of the image train best",
    paper=PAPER,
    section="6",
    sentence="Patches of 8 to 100 % of the area with aspect ratios of 3/4 to 4/3 work very well; "
    "how much each of the changes to the images contributes is not told.",
    arms=(
        Arm(
            "8 to 100 %", _NET, _SMALL, fields={"augmentation": (InceptionCrop(), FlipLeftRight())}
        ),
        Arm("shifts of 4 px", _NET, _SMALL, fields={"augmentation": (PadCrop(4), FlipLeftRight())}),
        Arm("mirrored only", _NET, _SMALL),
        Arm("none", _NET, _SMALL, fields={"augmentation": ()}),
    ),
    rules=tuple(
        Contrast(f"better than {other}", {"8 to 100 %": 1, other: -1})
        for other in ("shifts of 4 px", "mirrored only", "none")
    ),
    figure="points",
    remarks=("Garments of one size in the middle of 28 px are unlike photographs.",),
)

INTERPOLATION = Claim(
    name="random_interpolation",
    title="Resizing by a random filter trains better than by one",
    paper=PAPER,
    section="6",
    sentence="Late models resized their patches by bilinear, area, nearest or cubic interpolation, "
    "each with the same probability; whether that helped could not be told for certain.",
    arms=(
        Arm(
            "random filter",
            _NET,
            _SMALL,
            fields={"augmentation": (InceptionCrop(filters=FILTERS), FlipLeftRight())},
        ),
        Arm("bilinear", _NET, _SMALL),
    ),
    rules=(
        Contrast("a random filter ends better", {"random filter": 1, "bilinear": -1}),
        Contrast(
            "a random filter has the lower test loss",
            {"random filter": 1, "bilinear": -1},
            metric="minus_test_loss",
        ),
    ),
    fields={"augmentation": (InceptionCrop(), FlipLeftRight())},
    remarks=(
        "Patches of 8 to 100 % of 28 px are nearly all enlarged, where area is bilinear in effect; "
        "those of the paper were mostly shrunk.",
    ),
)

DISTORTIONS = Claim(
    name="photometric_distortions",
    title="Photometric distortions make GoogLeNet better",
    paper=PAPER,
    section="6",
    sentence="The photometric distortions of Howard (arXiv 1312.5402) were useful to combat "
    "overfitting to some extent.",
    arms=(
        Arm(
            "distorted",
            _NET,
            _SMALL,
            fields={
                "augmentation": (
                    InceptionCrop(),
                    FlipLeftRight(),
                    HowardDistortion(lighting=None),
                )
            },
        ),
        Arm("not distorted", _NET, _SMALL),
    ),
    rules=(
        Contrast("distortions end better", {"distorted": 1, "not distorted": -1}),
        Contrast(
            "distortions fit the training images less",
            {"distorted": -1, "not distorted": 1},
            metric="train_top1",
        ),
    ),
    fields={"augmentation": (InceptionCrop(), FlipLeftRight())},
    remarks=(
        "Of Howard's changes grey images have contrast and brightness alone, by 0.5 to 1.5 in "
        "random order, and no colour nor lighting.",
        "Runs this short hardly overfit, which is what distortions are for.",
    ),
)

CLAIMS = (AUXILIARY_HEADS, REDUCTIONS, HEAD, CROPS, INTERPOLATION, DISTORTIONS)
