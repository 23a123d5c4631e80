"""What Xie et al. 2017 (arXiv 1611.05431) say of ResNeXt."""

from keras_convnets.claims.claim import Arm, Claim
from keras_convnets.claims.rules import Contrast, Slope

PAPER = "Xie et al. 2017, arXiv 1611.05431"
_SMALL = {"width_multiplier": 0.25}
# The templates of table 2; 8x14d has no quarter of the same cost.
TEMPLATES = ((1, 64), (2, 40), (4, 24), (32, 4))
_SIZE = {"input_size": 32}


def _named(cardinality: int, width: int) -> str:
    return f"{cardinality}x{width}d"


CARDINALITY = Claim(
    name="resnext_cardinality",
    title="More paths are more accurate at equal complexity",
    paper=PAPER,
    section="5.1, table 3",
    sentence="At equal complexity accuracy rises with the cardinality, from 1 path to 32.",
    arms=tuple(
        Arm(
            _named(cardinality, width),
            "ResNeXt50",
            {
                **_SMALL,
                "repeats": (2, 2, 2, 2),
                "cardinality": cardinality,
                "bottleneck_width": width,
            },
        )
        for cardinality, width in TEMPLATES
    ),
    rules=(
        Slope(
            "accuracy rises with every doubling of the cardinality",
            positions=(0.0, 1.0, 2.0, 5.0),
            plus=tuple(_named(*template) for template in TEMPLATES),
            axis="log2 cardinality",
        ),
    ),
    figure="points",
    fields=_SIZE,
    remarks=(
        "A quarter of the paper's widths in the same templates, named by the paper's numbers: a "
        "path of 32x4d has one channel in the first stage.",
        "ResNeXt-50's stem and stages, with two units in each, on images of 32 px.",
    ),
)


def _shortcuts(cardinality: int, width: int) -> tuple[Arm, Arm]:
    options = {
        **_SMALL,
        "repeats": (2, 3, 4, 2),
        "cardinality": cardinality,
        "bottleneck_width": width,
    }
    name = "ResNet" if cardinality == 1 else "ResNeXt"
    return (
        Arm(name, "ResNeXt50", options),
        Arm(f"{name}, no shortcuts", "ResNeXt50", {**options, "shortcut": False}),
    )


SHORTCUTS = Claim(
    name="shortcut_removal",
    title="Without shortcuts ResNet and ResNeXt are worse, and ResNet suffers more",
    paper=PAPER,
    section="5.1, text on residual connections",
    sentence="Removing the shortcuts raises the error of ResNet-50 from 23.9 to 31.2 % and that of "
    "ResNeXt-50 from 22.2 to 26.1 %: both suffer, and ResNet more.",
    arms=_shortcuts(1, 64) + _shortcuts(32, 4),
    rules=(
        Contrast("ResNet is worse without", {"ResNet": 1, "ResNet, no shortcuts": -1}),
        Contrast("ResNeXt is worse without", {"ResNeXt": 1, "ResNeXt, no shortcuts": -1}),
        Contrast(
            "ResNet suffers more than ResNeXt",
            {"ResNet": 1, "ResNet, no shortcuts": -1, "ResNeXt": -1, "ResNeXt, no shortcuts": 1},
        ),
    ),
    fields=_SIZE,
    remarks=(
        "11 units in place of 16, a quarter of the width, images of 32 px; ResNet is the template "
        "1x64d of the same builder, ResNeXt is 32x4d.",
    ),
)

_BASE = (1, 1, 1, 1)

AGAINST_WIDTH_AND_DEPTH = Claim(
    name="cardinality_against_width_and_depth",
    title="Twice the cost is best spent on cardinality, not on depth or width",
    paper=PAPER,
    section="5.1, table 4",
    sentence="At twice the complexity more paths gain more than more layers or wider ones.",
    arms=(
        Arm(
            "deeper",
            "ResNeXt50",
            {
                **_SMALL,
                "repeats": (2, 2, 3, 2),
                "cardinality": 1,
                "bottleneck_width": 64,
            },
        ),
        Arm(
            "wider",
            "ResNeXt50",
            {
                **_SMALL,
                "repeats": _BASE,
                "cardinality": 1,
            },
            free="bottleneck_width",
        ),
        Arm(
            "more paths",
            "ResNeXt50",
            {
                **_SMALL,
                "repeats": _BASE,
                "bottleneck_width": 4,
            },
            free="cardinality",
        ),
    ),
    rules=(
        Contrast("paths better than depth", {"more paths": 1, "deeper": -1}),
        Contrast("paths better than width", {"more paths": 1, "wider": -1}),
    ),
    figure="points",
    fields=_SIZE,
    equal="macs",
    remarks=(
        "A quarter of the paper's widths, images of 32 px; the wider net and the one of more paths "
        "have one unit in each stage and paths as the budget allows.",
    ),
)

CLAIMS = (CARDINALITY, SHORTCUTS, AGAINST_WIDTH_AND_DEPTH)
