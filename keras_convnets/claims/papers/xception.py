"""What Chollet 2017 (arXiv 1610.02357) says of Xception."""

import dataclasses

from keras_convnets.claims.claim import Arm, Claim, HeatMap
from keras_convnets.claims.rules import Contrast, Slope

PAPER = "Chollet 2017, arXiv 1610.02357"
_SMALL = {"small_input": True, "middle_repeats": 1}

RESIDUALS = Claim(
    name="xception_residuals",
    title="Xception learns faster and ends better with residual connections",
    paper=PAPER,
    section="4.7, figure 9",
    sentence="Without its shortcuts Xception converges more slowly and ends at a lower accuracy.",
    arms=(
        Arm("with residuals", "Xception", {**_SMALL, "width_multiplier": 0.07}),
        Arm(
            "without",
            "Xception",
            {**_SMALL, "width_multiplier": 0.07, "residual": False},
        ),
    ),
    rules=(
        Contrast(
            "residuals learn faster",
            {"with residuals": 1, "without": -1},
            metric="mean_validation_top1",
        ),
        Contrast("residuals end better", {"with residuals": 1, "without": -1}),
    ),
    remarks=(
        "As in the paper the net without shortcuts lacks their projections, too, and has the same "
        "rate.",
        "One middle module in place of eight: depth, for which residuals are meant, is small.",
    ),
)

INTERMEDIATE_ACTIVATION = Claim(
    name="intermediate_activation",
    title="Separable convolutions are better without an activation inside than with ReLU or ELU",
    paper=PAPER,
    section="4.7, figure 10",
    sentence="No activation between the two steps of a separable convolution gives faster "
    "convergence and a better end than ELU or ReLU there.",
    arms=tuple(
        Arm(name, "Xception", {**_SMALL, "width_multiplier": 0.07, **option})
        for name, option in (
            ("none", {}),
            ("ReLU", {"intermediate_activation": "relu"}),
            ("ELU", {"intermediate_activation": "elu"}),
        )
    ),
    rules=tuple(
        Contrast(f"none {verb} {other}", {"none": 1, other: -1}, metric=metric)
        for other in ("ReLU", "ELU")
        for verb, metric in (
            ("learns faster than", "mean_validation_top1"),
            ("ends better than", "test_top1"),
        )
    ),
)

# Segments of each 3x3 step; `None` is one for each channel, of which the later modules have 32 or
# more.
SEGMENTS = (1, 2, 4, 8, 16, None)
_POSITIONS = (0.0, 1.0, 2.0, 3.0, 4.0, 5.0)  # log2, with 32 channels for `None`


def _cell(segments: int | None, activation: str | None) -> str:
    cut = f"{segments} segment{'s' if segments > 1 else ''}" if segments else "one a channel"
    return f"{cut}, {'ReLU' if activation else 'none'}"


CONTINUUM = Claim(
    name="segments_and_activation",
    title="The more segments, the less a ReLU inside the separable convolution helps",
    paper=PAPER,
    section="2, 4.7 and 5, left open there",
    sentence="Between a plain convolution (1 segment) and a depthwise one (a segment for each "
    "channel) lie modules that the paper names and does not try. If a ReLU inside loses "
    "information in shallow maps only, as the paper supposes, it helps with few segments and "
    "harms with many.",
    arms=tuple(
        Arm(
            _cell(segments, activation),
            "Xception",
            {
                "small_input": True,
                "middle_repeats": 0,
                "width_multiplier": 0.044,
                "segments": segments,
                "intermediate_activation": activation,
            },
        )
        for segments in SEGMENTS
        for activation in (None, "relu")
    ),
    rules=(
        Slope(
            "the gain by ReLU falls with every doubling of the segments",
            positions=_POSITIONS,
            plus=tuple(_cell(segments, "relu") for segments in SEGMENTS),
            minus=tuple(_cell(segments, None) for segments in SEGMENTS),
            falls=True,
            axis="log2 segments",
        ),
    ),
    figure=HeatMap(
        rows=("none", "ReLU"),
        columns=tuple(str(segments or "one a\nchannel") for segments in SEGMENTS),
        arms=tuple(
            tuple(_cell(segments, activation) for segments in SEGMENTS)
            for activation in (None, "relu")
        ),
        across="segments of each 3x3 step",
        down="between the two steps",
    ),
    seeds=1,
    remarks=(
        "Nets of one width, so that maps are equally deep; a pair with and without ReLU has equal "
        "cost, and fewer segments have more parameters.",
        "A step with fewer channels than segments has one segment for each channel: five of the "
        "ten have 8, the others 32 to 64.",
    ),
)

_RIVALS = (
    Arm(
        "Inception-v3",
        "InceptionV3",
        {"small_input": True, "repeats": (1, 1, 1), "width_multiplier": 0.08},
    ),
    Arm("Xception", "Xception", _SMALL, free="width_multiplier"),
)

AGAINST_INCEPTION_V3 = Claim(
    name="xception_against_inception_v3",
    title="Xception beats Inception-v3 at equal parameters",
    paper=PAPER,
    section="4.5, tables 1 and 3",
    sentence="With the same number of parameters Xception is more accurate than Inception-v3.",
    arms=_RIVALS,
    rules=(
        Contrast("Xception ends better", {"Xception": 1, "Inception-v3": -1}),
        Contrast(
            "Xception learns faster",
            {"Xception": 1, "Inception-v3": -1},
            metric="mean_validation_top1",
        ),
    ),
    remarks=(
        "One block in each of the three stages of Inception-v3, and one middle module of Xception.",
    ),
)

SEPARABLE_VGG = Claim(
    name="separable_vgg_against_inception_v3",
    title="Even a VGG of separable convolutions beats Inception-v3",
    paper=PAPER,
    section="4.7, on residual connections",
    sentence="A VGG-like net of separable convolutions, without residuals, outdoes Inception-v3 of "
    "the same number of parameters (on JFT).",
    arms=(
        Arm(
            "Inception-v3",
            "InceptionV3",
            {"small_input": True, "repeats": (1, 1, 1), "width_multiplier": 0.06},
        ),
        Arm("separable VGG", "VGG16", {"separable": True, "width_multiplier": 0.141}),
    ),
    rules=(Contrast("the separable VGG ends better", {"separable VGG": 1, "Inception-v3": -1}),),
    fields={"input_size": 32},
    remarks=(
        "VGG16's layers at 32 px, the least that VGG takes; one block in each of the three stages "
        "of Inception-v3. The VGG has 2.5 % more parameters; the paper's nets differ by 3.5 %.",
    ),
)

# 4096 times the width of Inception-v3, as both nets of table 2 have them.
_DENSE = {"head_units": (328, 328)}

MULTI_LABEL = Claim(
    name="xception_with_several_labels",
    title="With several labels an image Xception beats Inception-v3, and dense layers help",
    paper=PAPER,
    section="4.5, table 2",
    sentence="On JFT Xception's MAP@100 is above Inception-v3's by 5.4 % without dense layers and "
    "by 4.3 % with two of 4096 units, which help both nets.",
    arms=(
        *_RIVALS,
        Arm("Inception-v3, dense layers", "InceptionV3", {**_RIVALS[0].options, **_DENSE}),
        Arm("Xception, dense layers", "Xception", {**_SMALL, "width_multiplier": 0.082, **_DENSE}),
    ),
    rules=(
        Contrast(
            "Xception ends better without dense layers",
            {"Xception": 1, "Inception-v3": -1},
            metric="map_at_100",
        ),
        Contrast(
            "Xception ends better with dense layers",
            {"Xception, dense layers": 1, "Inception-v3, dense layers": -1},
            metric="map_at_100",
        ),
        *(
            Contrast(
                f"dense layers help {name}",
                {f"{name}, dense layers": 1, name: -1},
                metric="map_at_100",
            )
            for name in ("Inception-v3", "Xception")
        ),
    ),
    figure="points",
    data="mosaics",
    remarks=(
        "Mosaics of four garments have 50 labels, each class and each class with its place, and "
        "5 to 8 of them in an image.",
        "Dense layers have 328 units, 4096 by the width of Inception-v3; the two nets with them "
        "differ by 0.3 % in parameters.",
    ),
)

_ONE_LABEL = tuple(
    dataclasses.replace(arm, name=f"{arm.name}, one label", labels="one") for arm in _RIVALS
)

WIDER_GAP = Claim(
    name="gap_with_several_labels",
    title="Xception's lead over Inception-v3 is wider with several labels than with one",
    paper=PAPER,
    section="4.5, tables 1 and 2",
    sentence="Xception is ahead by 5.4 % of Inception-v3's MAP@100 on JFT, whose images have "
    "several labels (4.3 % with dense layers), and by 1.0 % of its top-1 accuracy on ImageNet, "
    "where they have one; perhaps because Inception-v3 was developed for ImageNet.",
    arms=_RIVALS + _ONE_LABEL,
    rules=(
        Contrast(
            "Xception's lead is wider with several labels",
            {"Xception": 1, "Inception-v3": -1}
            | {"Xception, one label": -1, "Inception-v3, one label": 1},
            metric="log_score",
        ),
    ),
    figure="points",
    data="mosaics",
    remarks=(
        "The same mosaics of four garments and the same nets but for the last layer, with 50 "
        "labels (each class and each class with its place) or with one, the class on the upper "
        "left. A lead is a share of the rival's figure, as in the paper, MAP@100 with several "
        "labels and top-1 with one, so the rule is on the ratio of two ratios.",
        "JFT and ImageNet differ in much more than in their labels, which is left out here.",
    ),
)

CLAIMS = (
    RESIDUALS,
    INTERMEDIATE_ACTIVATION,
    CONTINUUM,
    AGAINST_INCEPTION_V3,
    MULTI_LABEL,
    WIDER_GAP,
    SEPARABLE_VGG,
)
