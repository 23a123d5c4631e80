"""What He et al. 2016 (arXiv 1512.03385) say of residual nets."""

from keras_convnets.claims.claim import Arm, Claim
from keras_convnets.claims.rules import Slope

PAPER = "He et al. 2016, arXiv 1512.03385"
DEPTHS = (8, 14, 20)


def _named(depth: int, kind: str) -> str:
    return f"{kind}, {depth} layers"


DEPTH = Claim(
    name="plain_against_residual",
    title="The deeper the net, the more residual connections give",
    paper=PAPER,
    section="4.1 and 4.2, tables 2 and 6",
    sentence="Plain nets get worse with depth and residual ones better, so that the gap grows: "
    "0.06 points at 18 layers and 3.5 at 34 on ImageNet.",
    arms=tuple(
        Arm(
            _named(depth, kind),
            "ResNetCIFAR",
            {"depth": depth, "width_multiplier": 0.25, "shortcut": shortcut},
        )
        for depth in DEPTHS
        for kind, shortcut in (("residual", "A"), ("plain", None))
    ),
    rules=(
        Slope(
            "the gap grows with every layer",
            positions=tuple(map(float, DEPTHS)),
            plus=tuple(_named(depth, "residual") for depth in DEPTHS),
            minus=tuple(_named(depth, "plain") for depth in DEPTHS),
            axis="layers",
        ),
    ),
    figure="points",
    seeds=2,
    remarks=("The paper's plain nets degrade at 34 layers and more.",),
)

CLAIMS = (DEPTH,)
